-- What the projector keeps: how far each projection has read, the state of each case, and ku's overview.
CREATE SCHEMA readmodel;

-- The place of the next record to read, written in the same transaction as the rows that the records before it made.
CREATE TABLE readmodel.positions (
    projection text    NOT NULL,
    topic      text    NOT NULL,
    partition  integer NOT NULL,
    position   bigint  NOT NULL,
    PRIMARY KEY (projection, topic, partition)
);

-- The newest state of each case, as it stands on the cases topic.
CREATE TABLE readmodel.case_states (
    case_id   text    PRIMARY KEY,
    partition integer NOT NULL,
    state     bytea   NOT NULL
);

-- What ku may see of each case: one item for each of its views and own events, with the fields that the overview uses.
-- The record's key is kept so that its tombstone finds it.
CREATE TABLE readmodel.overview_items (
    case_id    text        NOT NULL,
    event_id   text        NOT NULL,
    type       text        NOT NULL,
    party      text        NOT NULL,
    said_at    timestamptz NOT NULL,
    place      bigint      NOT NULL,
    fields     jsonb       NOT NULL,
    topic      text        NOT NULL,
    record_key text        NOT NULL,
    PRIMARY KEY (case_id, event_id)
);

CREATE INDEX overview_items_record ON readmodel.overview_items (topic, record_key);

-- One row of the overview for each case; no row body where the case is no longer shown. A version grows with each change.
CREATE SEQUENCE readmodel.overview_version;

CREATE TABLE readmodel.overview_cases (
    case_id    text        PRIMARY KEY,
    body       jsonb,
    changed_at timestamptz,
    version    bigint      NOT NULL DEFAULT nextval('readmodel.overview_version')
);

CREATE INDEX overview_cases_version ON readmodel.overview_cases (version);
CREATE INDEX overview_cases_changed_at ON readmodel.overview_cases (changed_at DESC NULLS LAST);
