-- What schema version 3 adds to version 2. Each part has a section of its own.

-- Letters: what was sent to phones and mailboxes, the last ones.
CREATE TABLE letters (
  id        INTEGER PRIMARY KEY,
  date      INTEGER NOT NULL,
  way       TEXT NOT NULL,
  recipient TEXT NOT NULL,
  subject   TEXT NOT NULL,
  code      TEXT NOT NULL,
  caller    TEXT
) STRICT;

-- Two-step verification.

-- Where recovery codes go, once that is confirmed.
ALTER TABLE passwords ADD COLUMN email TEXT;
-- When the password may be removed by who is signed in and does not know it, if that was asked for.
ALTER TABLE passwords ADD COLUMN reset_at INTEGER;
-- Until when that may not be asked for again: it was declined.
ALTER TABLE users ADD COLUMN no_password_reset_until INTEGER NOT NULL DEFAULT 0;
-- Whether the password was changed after the check began.
ALTER TABLE password_checks ADD COLUMN stale INTEGER NOT NULL DEFAULT 0;

-- Settings that wait for their recovery address to be confirmed.
CREATE TABLE pending_password_settings (
  user_id    INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  email      TEXT NOT NULL,
  code       TEXT NOT NULL,
  sent       INTEGER NOT NULL,
  tries_left INTEGER NOT NULL,
  -- The password that comes into effect with it; none if only the address is new.
  salt1      BLOB,
  salt2      BLOB,
  verifier   BLOB,
  hint       TEXT,
  CHECK ((salt1 IS NULL) = (salt2 IS NULL) AND (salt1 IS NULL) = (verifier IS NULL)
         AND (salt1 IS NULL) = (hint IS NULL))
) STRICT;

-- Recovery codes on their way.
CREATE TABLE password_recoveries (
  user_id    INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  code       TEXT NOT NULL,
  sent       INTEGER NOT NULL,
  tries_left INTEGER NOT NULL
) STRICT;

-- Sign-in. What is asked for first ('code', or 'email' or 'payment' before there is one), the way that
-- the code took and those that are left, separated by spaces, and from when the next may be asked for.
-- `code` is what the last way told, `digits` what every way tells that tells digits.
ALTER TABLE login_codes ADD COLUMN stage TEXT NOT NULL DEFAULT 'code';
ALTER TABLE login_codes ADD COLUMN ways TEXT NOT NULL DEFAULT 'sms';
ALTER TABLE login_codes ADD COLUMN due INTEGER NOT NULL DEFAULT 0;
ALTER TABLE login_codes ADD COLUMN digits TEXT NOT NULL DEFAULT '';

-- What was ordered for phone numbers, or for all that begin alike: JSON.
CREATE TABLE numbers (
  phone TEXT PRIMARY KEY,
  number TEXT NOT NULL
) WITHOUT ROWID, STRICT;

-- The mailboxes that login codes go to, and when one is to be forgotten.
CREATE TABLE login_emails (
  phone TEXT PRIMARY KEY,
  email TEXT NOT NULL,
  reset INTEGER
) WITHOUT ROWID, STRICT;

-- Codes that show whose a mailbox is: one for a key, either for a login code or, with '', for an account.
CREATE TABLE email_checks (
  auth_key_id INTEGER PRIMARY KEY REFERENCES auth_keys (id) ON DELETE CASCADE,
  hash        TEXT NOT NULL,
  email       TEXT NOT NULL,
  code        TEXT NOT NULL,
  sent        INTEGER NOT NULL,
  tries_left  INTEGER NOT NULL
) STRICT;

-- Future-auth tokens: each is good once.
CREATE TABLE future_auth_tokens (
  token   BLOB PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  number  INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  -- The last key of the device that has it, as far as that is known.
  auth_key_id INTEGER REFERENCES auth_keys (id) ON DELETE SET NULL
) WITHOUT ROWID, STRICT;
CREATE INDEX future_auth_tokens_of_key ON future_auth_tokens (auth_key_id);
CREATE INDEX future_auth_tokens_of_user ON future_auth_tokens (user_id);

-- How often somebody did something since a time.
CREATE TABLE floods (
  what  TEXT NOT NULL,
  whom  TEXT NOT NULL,
  began INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (what, whom)
) WITHOUT ROWID, STRICT;

-- Device sessions.

-- Whether somebody said of a session that it is theirs, and what it takes.
ALTER TABLE authorizations ADD COLUMN confirmed INTEGER NOT NULL DEFAULT 1;
ALTER TABLE authorizations ADD COLUMN encrypted_requests_disabled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE authorizations ADD COLUMN call_requests_disabled INTEGER NOT NULL DEFAULT 0;
-- After how many days without use a user's device sessions end, and the account would.
ALTER TABLE users ADD COLUMN authorization_ttl_days INTEGER NOT NULL DEFAULT 180;
ALTER TABLE users ADD COLUMN account_ttl_days INTEGER NOT NULL DEFAULT 548;
-- What the list of device sessions tells of a key that owes the password.
ALTER TABLE auth_keys ADD COLUMN pending_hash INTEGER;
ALTER TABLE auth_keys ADD COLUMN pending_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE auth_keys ADD COLUMN pending_ip TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX auth_keys_that_owe ON auth_keys (pending_hash) WHERE pending_hash IS NOT NULL;
CREATE INDEX auth_keys_of_debtor ON auth_keys (pending_user_id) WHERE pending_user_id IS NOT NULL;
-- One more reason why a key is good for nothing any more.
ALTER TABLE auth_keys RENAME COLUMN void TO void_2;
ALTER TABLE auth_keys ADD COLUMN void TEXT
  CHECK (void IN ('revoked', 'deactivated', 'duplicated', 'expired'));
UPDATE auth_keys SET void = void_2;
ALTER TABLE auth_keys DROP COLUMN void_2;
