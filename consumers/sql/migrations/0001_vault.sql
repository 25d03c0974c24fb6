-- The vault: the only place with values of class 2-4. A deposit is bound to its party, case and field, and never changed.
CREATE SCHEMA vault;

CREATE TABLE vault.deposits (
    ref          uuid        PRIMARY KEY,
    party        text        NOT NULL,
    "case"       text        NOT NULL,
    field        text        NOT NULL,
    content_type text        NOT NULL,
    key_id       text        NOT NULL,
    nonce        bytea       NOT NULL,
    sealed       bytea       NOT NULL,  -- AES-256-GCM; what it is bound to is authenticated with it
    deposited_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX deposits_case ON vault.deposits ("case");
