-- Counts for effect measurement. They outlive the cases: this schema is no part of the read model, and cannot be made
-- again from the log, in which erased cases are no more.
CREATE SCHEMA statistics;

-- How many, by year and population: a key is names and values by turns, as in outcome/close/age_band/15_17.
CREATE TABLE statistics.counts (
    year       integer NOT NULL,
    population text    NOT NULL,
    key        text    NOT NULL,
    number     bigint  NOT NULL,
    PRIMARY KEY (year, population, key)
);

-- How many cases got to the end of a stretch in a year, by the days that it took.
CREATE TABLE statistics.waits (
    year    integer NOT NULL,
    stretch text    NOT NULL,
    days    integer NOT NULL,
    number  bigint  NOT NULL,
    PRIMARY KEY (year, stretch, days)
);

-- What must be remembered of a case to count it once, until it is erased (consumers/statistics/tally.py).
CREATE TABLE statistics.remembered (
    case_id text  PRIMARY KEY,
    memory  jsonb NOT NULL
);

-- How far each partition of the log was counted, and the newest time recorded there. Nothing recorded up to `again` is
-- added: that was counted from another topic of the same name.
CREATE TABLE statistics.counted (
    partition integer PRIMARY KEY,
    position  bigint  NOT NULL,
    newest    text    NOT NULL,
    again     text    NOT NULL DEFAULT ''
);
