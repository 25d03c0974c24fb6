-- Forget erased cases: these, and all that the vault knows as erased (a tombstone is kept for a day, then it is gone).
DELETE FROM statistics.remembered
WHERE case_id = ANY($1::text[]) OR case_id IN (SELECT "case" FROM vault.erased);
