-- Deposits that an accepted event names.
UPDATE vault.deposits SET named = true WHERE ref = ANY ($1::uuid[]) AND NOT named;
