-- What schema version 4 adds to version 3. Each part has a section of its own.

-- Web login: where a bot's site is, and who asks to log somebody in.

-- The domain that a bot was given: a bare host.
ALTER TABLE users ADD COLUMN domain TEXT CHECK (domain IS NULL OR bot_token IS NOT NULL);
CREATE INDEX users_with_domain ON users (domain) WHERE domain IS NOT NULL;
UPDATE users SET domain = 'travel.example.com' WHERE bot_token IS NOT NULL AND username = 'ColumbusDemoBot';
UPDATE users SET domain = 'news.example.org' WHERE bot_token IS NOT NULL AND username = 'LumiereNewsBot';
UPDATE users SET domain = 'shop.example.net' WHERE bot_token IS NOT NULL AND username = 'SemaphoreShopBot';

-- Requests to log in. A number is never used again: it stands in addresses of the dashboard.
CREATE TABLE url_auths (
  id                INTEGER PRIMARY KEY AUTOINCREMENT,
  -- The SHA-256 of what the app shows, and of what the browser shows.
  token             BLOB NOT NULL UNIQUE CHECK (length(token) = 32),
  browser_token     BLOB NOT NULL UNIQUE CHECK (length(browser_token) = 32),
  bot_id            INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- What was asked, as JSON, and what there is to pick from, as JSON; the right one of it.
  asked             TEXT NOT NULL,
  codes             TEXT NOT NULL,
  code              TEXT,
  created           INTEGER NOT NULL,
  expires           INTEGER NOT NULL,
  status            TEXT NOT NULL DEFAULT 'pending'
                    CHECK (status IN ('pending', 'approved', 'claimed', 'declined')),
  -- The one whose phone number was typed into the browser, and how often 777000 wrote because of it.
  for_user          INTEGER REFERENCES users (id) ON DELETE CASCADE,
  letters           INTEGER NOT NULL DEFAULT 0,
  -- Who picked the right code before the rest was asked.
  checked_by        INTEGER REFERENCES users (id) ON DELETE SET NULL,
  -- Who approved, when, what, as which web authorization.
  user_id           INTEGER REFERENCES users (id) ON DELETE CASCADE,
  approved          INTEGER NOT NULL DEFAULT 0,
  granted           TEXT NOT NULL DEFAULT '{}',
  web_authorization INTEGER,
  CHECK ((user_id IS NULL) = (status IN ('pending', 'declined')))
) STRICT;
CREATE INDEX url_auths_that_expire ON url_auths (expires);

-- OpenID Connect.

-- Clients of bots: what is set for them, as JSON, and the SHA-256 of their secret.
CREATE TABLE oidc_clients (
  bot_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  client TEXT NOT NULL,
  secret BLOB NOT NULL CHECK (length(secret) = 32)
) STRICT;

-- Authorization codes, as SHA-256: what an id_token is made of, for whom. Each is good once.
CREATE TABLE oidc_codes (
  code      BLOB PRIMARY KEY CHECK (length(code) = 32),
  bot_id    INTEGER NOT NULL REFERENCES oidc_clients (bot_id) ON DELETE CASCADE,
  user_id   INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  profile   INTEGER NOT NULL,
  phone     INTEGER NOT NULL,
  write     INTEGER NOT NULL,
  -- The redirect URI; of a page within Telegram its origin.
  target    TEXT NOT NULL,
  in_app    INTEGER NOT NULL,
  nonce     TEXT,
  challenge TEXT,
  method    TEXT,
  -- The web authorization that it came with. Once that is gone, the code is good for nothing.
  hash      INTEGER NOT NULL,
  expires   INTEGER NOT NULL,
  CHECK ((challenge IS NULL) = (method IS NULL))
) WITHOUT ROWID, STRICT;
CREATE INDEX oidc_codes_that_expire ON oidc_codes (expires);

-- Web login: browsers that a person authorised once.

CREATE TABLE web_browsers (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  -- The SHA-256 of what the browser shows.
  token   BLOB NOT NULL UNIQUE CHECK (length(token) = 32),
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  used    INTEGER NOT NULL
) STRICT;
CREATE INDEX web_browsers_of_users ON web_browsers (user_id);

-- Which web authorization a browser has at a bot's site. It may be gone.
CREATE TABLE web_browser_logins (
  browser_id INTEGER NOT NULL REFERENCES web_browsers (id) ON DELETE CASCADE,
  bot_id     INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  hash       INTEGER NOT NULL,
  PRIMARY KEY (browser_id, bot_id)
) STRICT, WITHOUT ROWID;

-- Private messages.

-- The last message id of an account: ids count within its box, those of deleted messages do not come again.
ALTER TABLE users ADD COLUMN last_message_id INTEGER NOT NULL DEFAULT 0;

-- Every account has a box of its own, so that what two people said is there twice.
CREATE TABLE messages (
  user_id   INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  id        INTEGER NOT NULL,
  peer_id   INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  outgoing  INTEGER NOT NULL,
  -- The id in the peer's box; none if the peer has no box, or is the account itself.
  twin_id   INTEGER,
  date      INTEGER NOT NULL,
  edited    INTEGER,
  silent    INTEGER NOT NULL,
  reply_to  INTEGER,
  text      TEXT NOT NULL,
  -- TL of layer 230. Login buttons are kept as the bot sent them, with its bot and what they ask for.
  entities  BLOB NOT NULL,
  markup    BLOB,
  action    BLOB,
  -- What the sender's client called it.
  random_id INTEGER,
  PRIMARY KEY (user_id, id)
) WITHOUT ROWID, STRICT;
CREATE INDEX messages_with_peer ON messages (user_id, peer_id, id);
CREATE UNIQUE INDEX messages_by_random_id ON messages (user_id, random_id) WHERE random_id IS NOT NULL;

-- How far an account, and its peer, have read what they said to each other: ids of the account's box.
CREATE TABLE read_marks (
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  peer_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  inbox   INTEGER NOT NULL DEFAULT 0,
  outbox  INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id, peer_id)
) WITHOUT ROWID, STRICT;

-- The last events of an account's box, one for each step of its pts.
CREATE TABLE events (
  user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  pts        INTEGER NOT NULL,
  kind       TEXT NOT NULL CHECK (kind IN ('new', 'edited', 'deleted', 'read-inbox', 'read-outbox')),
  peer_id    INTEGER NOT NULL,
  message_id INTEGER NOT NULL,
  PRIMARY KEY (user_id, pts)
) WITHOUT ROWID, STRICT;

-- Which bots may write to whom: the user wrote to the bot first, or allowed it.
CREATE TABLE bot_permissions (
  bot_id  INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  date    INTEGER NOT NULL,
  PRIMARY KEY (bot_id, user_id)
) WITHOUT ROWID, STRICT;
