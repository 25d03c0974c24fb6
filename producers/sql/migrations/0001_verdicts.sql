-- What each publisher was told about each of its submissions; the gateway answers from it, the projector writes it.
CREATE SCHEMA gateway;

CREATE TABLE gateway.verdicts (
    party        text        NOT NULL,
    id           uuid        NOT NULL,
    inbox_offset bigint      NOT NULL CHECK (inbox_offset >= -1),        -- -1: refused by the gateway, before the inbox
    verdict      jsonb       NOT NULL,
    standing     smallint    NOT NULL CHECK (standing BETWEEN 0 AND 2),  -- refused, accepted before, accepted
    told         bigint      NOT NULL,                                   -- offset of the verdict's own record
    recorded     timestamptz,                                            -- the bus's time of an accepted event
    said_at      timestamptz NOT NULL DEFAULT now(),                     -- when the row was written: it goes by this
    PRIMARY KEY (party, id, inbox_offset)
);

CREATE INDEX verdicts_said_at ON gateway.verdicts (said_at);
CREATE INDEX verdicts_recorded ON gateway.verdicts (recorded DESC NULLS LAST);
