-- Version 1 of the tables, in a schema of their own; {s} is its name.

CREATE TABLE {s}.layout (version integer NOT NULL);
INSERT INTO {s}.layout VALUES (1);

-- One number for each time that anybody took any account: it rises and never comes back.
CREATE SEQUENCE {s}.fence;

CREATE TABLE {s}.account (
    name text PRIMARY KEY,
    -- In chappe's own format, or encrypted in the envelope of encrypted session files.
    session bytea,
    sealed boolean NOT NULL DEFAULT false,
    -- What may be known without the session; of an encrypted one only whether somebody is
    -- signed in.
    signed_in boolean NOT NULL DEFAULT false,
    user_id bigint,
    bot boolean NOT NULL DEFAULT false,
    dc_id integer,
    saved timestamptz,
    -- Of whoever took it last. Nobody else may save.
    fence bigint NOT NULL UNIQUE,
    -- Of the saves under this fence, the last one's number: one that was held up replaces nothing.
    saves bigint NOT NULL DEFAULT 0,
    -- Who has it; null if nobody. The random number tells apart who takes it.
    holder bytea,
    program text,
    pid bigint,
    host text,
    since timestamptz,
    -- Until then nobody else may take it, by the clock of the database.
    until timestamptz NOT NULL
-- Renewals write rows anew, in place while there is room.
) WITH (fillfactor = 50);
