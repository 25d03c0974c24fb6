-- The planner's samples of a column outlive its rows, and every role that may read the column sees them: of what is
-- erased none may stay. So no column that tells of a case, its events, its values or keys is ever sampled.
ALTER TABLE vault.deposits
    ALTER COLUMN ref SET STATISTICS 0,
    ALTER COLUMN party SET STATISTICS 0,
    ALTER COLUMN "case" SET STATISTICS 0,
    ALTER COLUMN field SET STATISTICS 0,
    ALTER COLUMN content_type SET STATISTICS 0,
    ALTER COLUMN nonce SET STATISTICS 0,
    ALTER COLUMN sealed SET STATISTICS 0,
    ALTER COLUMN deposited_at SET STATISTICS 0;

ALTER TABLE vault.case_keys
    ALTER COLUMN "case" SET STATISTICS 0,
    ALTER COLUMN key_id SET STATISTICS 0,
    ALTER COLUMN wrapped SET STATISTICS 0;

ALTER TABLE vault.erased ALTER COLUMN "case" SET STATISTICS 0;

ALTER TABLE readmodel.case_states
    ALTER COLUMN case_id SET STATISTICS 0,
    ALTER COLUMN state SET STATISTICS 0;

ALTER TABLE readmodel.overview_items
    ALTER COLUMN case_id SET STATISTICS 0,
    ALTER COLUMN event_id SET STATISTICS 0,
    ALTER COLUMN type SET STATISTICS 0,
    ALTER COLUMN party SET STATISTICS 0,
    ALTER COLUMN said_at SET STATISTICS 0,
    ALTER COLUMN fields SET STATISTICS 0,
    ALTER COLUMN topic SET STATISTICS 0,
    ALTER COLUMN record_key SET STATISTICS 0;

ALTER TABLE readmodel.overview_cases
    ALTER COLUMN case_id SET STATISTICS 0,
    ALTER COLUMN body SET STATISTICS 0,
    ALTER COLUMN changed_at SET STATISTICS 0;

ALTER TABLE statistics.remembered
    ALTER COLUMN case_id SET STATISTICS 0,
    ALTER COLUMN memory SET STATISTICS 0;
