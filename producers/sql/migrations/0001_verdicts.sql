-- What each publisher was told about each of its events; the gateway answers from it, the projector writes it.
CREATE SCHEMA gateway;

CREATE TABLE gateway.verdicts (
    party        text        NOT NULL,
    id           uuid        NOT NULL,
    verdict      jsonb       NOT NULL,
    inbox_offset bigint,                              -- place of the submission; none for what the gateway refused
    recorded     timestamptz,                         -- the bus's time of an accepted event
    said_at      timestamptz NOT NULL DEFAULT now(),  -- when the row was written: it goes 14 days later
    PRIMARY KEY (party, id)
);

CREATE INDEX verdicts_said_at ON gateway.verdicts (said_at);
CREATE INDEX verdicts_recorded ON gateway.verdicts (recorded DESC NULLS LAST);
