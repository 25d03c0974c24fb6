-- Cases that were erased: no value is taken for one any more.
CREATE TABLE vault.erased (
    "case" text PRIMARY KEY
);
