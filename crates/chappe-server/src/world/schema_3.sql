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
