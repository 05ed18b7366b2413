-- What schema version 2 adds to version 1: data centres, temporary keys, keys that are void.

-- Where a user lives, if there is such a data centre; else, or if NULL, in the main one.
ALTER TABLE users ADD COLUMN dc INTEGER;

-- The data centre that the key belongs to. Always set: 0 is only what the rows begin with.
ALTER TABLE auth_keys ADD COLUMN dc INTEGER NOT NULL DEFAULT 0;
-- The permanent key that a temporary one is bound to.
ALTER TABLE auth_keys ADD COLUMN perm_key_id INTEGER REFERENCES auth_keys (id) ON DELETE CASCADE;
-- Why the key is good for nothing any more.
ALTER TABLE auth_keys ADD COLUMN void TEXT CHECK (void IN ('revoked', 'deactivated', 'duplicated'));
CREATE INDEX auth_keys_that_are_bound ON auth_keys (perm_key_id) WHERE perm_key_id IS NOT NULL;

-- The data centre that the new device was sent to, once it was.
ALTER TABLE login_tokens ADD COLUMN dc INTEGER;

-- Device sessions that were taken to other data centres: which key there stands for which session.
CREATE TABLE imported_authorizations (
  auth_key_id INTEGER PRIMARY KEY REFERENCES auth_keys (id) ON DELETE CASCADE,
  home_key_id INTEGER NOT NULL REFERENCES authorizations (auth_key_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX imported_authorizations_of_key ON imported_authorizations (home_key_id);

-- Device sessions on their way to another data centre: each is good once.
CREATE TABLE exported_authorizations (
  bytes       BLOB PRIMARY KEY CHECK (length(bytes) = 128),
  home_key_id INTEGER NOT NULL REFERENCES authorizations (auth_key_id) ON DELETE CASCADE,
  dc          INTEGER NOT NULL,
  expires     INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
CREATE INDEX exported_authorizations_of_key ON exported_authorizations (home_key_id);
CREATE INDEX exported_authorizations_that_expire ON exported_authorizations (expires);
