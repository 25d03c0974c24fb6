-- A key for each case, wrapped by a key-encryption key that is kept elsewhere. It goes when the case is erased.
CREATE TABLE vault.case_keys (
    "case"  text  PRIMARY KEY,
    key_id  text  NOT NULL,  -- of the key-encryption key
    wrapped bytea NOT NULL
);

CREATE INDEX case_keys_key_id ON vault.case_keys (key_id);

-- What was sealed before, by no key of its case, opens no longer.
ALTER TABLE vault.deposits DROP COLUMN key_id;

-- Whether an accepted event was found to name it. From then on only its case's end, or its own term, takes it away.
ALTER TABLE vault.deposits ADD COLUMN named boolean NOT NULL DEFAULT false;

CREATE INDEX deposits_unnamed ON vault.deposits (deposited_at) WHERE NOT named;
CREATE INDEX deposits_field ON vault.deposits (field);
