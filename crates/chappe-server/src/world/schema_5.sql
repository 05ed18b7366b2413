-- What schema version 5 adds to version 4.

-- What clients called messages that are gone: a repetition that comes late sends none of them again.
CREATE TABLE random_ids_of_deleted (
  user_id   INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  random_id INTEGER NOT NULL,
  -- When it is forgotten.
  until     INTEGER NOT NULL,
  PRIMARY KEY (user_id, random_id)
) WITHOUT ROWID, STRICT;
CREATE INDEX random_ids_that_expire ON random_ids_of_deleted (until);
