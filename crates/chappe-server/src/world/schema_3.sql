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
