-- The state of the local Telegram, schema version 1. Files of this version exist, so it never changes;
-- what came later is in schema_2.sql and so on.
-- Times are unix seconds. Ids, hashes and access hashes are signed 64-bit numbers.

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value ANY NOT NULL
) WITHOUT ROWID, STRICT;

-- People and bots: a person has a phone number, a bot has a token.
CREATE TABLE users (
  id            INTEGER PRIMARY KEY,
  access_hash   INTEGER NOT NULL,
  phone         TEXT UNIQUE,
  bot_token     TEXT UNIQUE,
  username      TEXT UNIQUE COLLATE NOCASE,
  first_name    TEXT NOT NULL,
  last_name     TEXT NOT NULL DEFAULT '',
  demonstration INTEGER NOT NULL DEFAULT 0,
  online        INTEGER NOT NULL DEFAULT 0,
  active        INTEGER NOT NULL,
  pts           INTEGER NOT NULL DEFAULT 1,
  CHECK ((phone IS NULL) <> (bot_token IS NULL))
) STRICT;

CREATE TABLE auth_keys (
  id               INTEGER PRIMARY KEY,
  key              BLOB NOT NULL CHECK (length(key) = 256),
  created          INTEGER NOT NULL,
  expires          INTEGER,
  layer            INTEGER,
  api_id           INTEGER,
  device_model     TEXT NOT NULL DEFAULT '',
  system_version   TEXT NOT NULL DEFAULT '',
  app_version      TEXT NOT NULL DEFAULT '',
  system_lang_code TEXT NOT NULL DEFAULT '',
  lang_pack        TEXT NOT NULL DEFAULT '',
  lang_code        TEXT NOT NULL DEFAULT '',
  -- Who gave the right code and still owes the password.
  pending_user_id  INTEGER REFERENCES users (id) ON DELETE SET NULL
) STRICT;
CREATE INDEX auth_keys_that_expire ON auth_keys (expires) WHERE expires IS NOT NULL;

-- Device sessions: which key is signed in as whom. Not the hash space of web_authorizations.
CREATE TABLE authorizations (
  auth_key_id INTEGER PRIMARY KEY REFERENCES auth_keys (id) ON DELETE CASCADE,
  user_id     INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  hash        INTEGER NOT NULL UNIQUE CHECK (hash <> 0),
  created     INTEGER NOT NULL,
  active      INTEGER NOT NULL,
  ip          TEXT NOT NULL
) STRICT;
CREATE INDEX authorizations_of_user ON authorizations (user_id);

-- Sites that a user logged in to with Telegram.
CREATE TABLE web_authorizations (
  hash    INTEGER PRIMARY KEY CHECK (hash <> 0),
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  bot_id  INTEGER NOT NULL REFERENCES users (id),
  domain  TEXT NOT NULL,
  browser TEXT NOT NULL,
  platform TEXT NOT NULL,
  created INTEGER NOT NULL,
  active  INTEGER NOT NULL,
  ip      TEXT NOT NULL,
  region  TEXT NOT NULL
) STRICT;
CREATE INDEX web_authorizations_of_user ON web_authorizations (user_id);

-- Login codes on their way. A code is good for one key and one phone number.
CREATE TABLE login_codes (
  hash        TEXT PRIMARY KEY,
  auth_key_id INTEGER NOT NULL REFERENCES auth_keys (id) ON DELETE CASCADE,
  phone       TEXT NOT NULL,
  code        TEXT NOT NULL,
  sent        INTEGER NOT NULL,
  tries_left  INTEGER NOT NULL,
  verified    INTEGER NOT NULL DEFAULT 0,
  UNIQUE (auth_key_id, phone)
) WITHOUT ROWID, STRICT;

-- Login tokens that a new device shows, and another one of the account accepts.
CREATE TABLE login_tokens (
  token       BLOB PRIMARY KEY CHECK (length(token) = 32),
  auth_key_id INTEGER NOT NULL REFERENCES auth_keys (id) ON DELETE CASCADE,
  expires     INTEGER NOT NULL,
  -- Accounts that the new device has already: user ids of 8 bytes each.
  exceptions  BLOB NOT NULL,
  ip          TEXT NOT NULL,
  accepted_by INTEGER REFERENCES users (id) ON DELETE CASCADE,
  -- The hash of the device session to be.
  hash        INTEGER,
  done        INTEGER NOT NULL DEFAULT 0,
  CHECK ((accepted_by IS NULL) = (hash IS NULL))
) WITHOUT ROWID, STRICT;
CREATE INDEX login_tokens_of_key ON login_tokens (auth_key_id);
CREATE INDEX login_tokens_that_expire ON login_tokens (expires);

-- Two-step verification: never the password, only what checks it.
CREATE TABLE passwords (
  user_id  INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  salt1    BLOB NOT NULL,
  salt2    BLOB NOT NULL,
  verifier BLOB NOT NULL,
  hint     TEXT NOT NULL
) STRICT;

-- Password checks that were begun: one per key, good once. The seed makes the server's secret.
CREATE TABLE password_checks (
  auth_key_id INTEGER PRIMARY KEY REFERENCES auth_keys (id) ON DELETE CASCADE,
  user_id     INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  srp_id      INTEGER NOT NULL,
  seed        BLOB NOT NULL CHECK (length(seed) = 32),
  begun       INTEGER NOT NULL
) STRICT;

CREATE TABLE blocked (
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  peer_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  date    INTEGER NOT NULL,
  PRIMARY KEY (user_id, peer_id)
) WITHOUT ROWID, STRICT;
