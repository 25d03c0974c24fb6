-- The key of a case for which nothing is kept.
DELETE FROM vault.case_keys AS kept
WHERE kept."case" = $1 AND NOT EXISTS (SELECT FROM vault.deposits AS held WHERE held."case" = $1);
