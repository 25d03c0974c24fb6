-- What each service may do: nothing beyond its work. Applied at every start; granting twice changes nothing.
-- Verdicts: the projector writes, the gateway answers.
GRANT USAGE ON SCHEMA gateway TO gateway, projector;
GRANT SELECT, INSERT, UPDATE, DELETE ON gateway.verdicts TO projector;
GRANT SELECT ON gateway.verdicts TO gateway;

-- The vault's deposits are its own; the gateway sees what a reference is bound to, and no more.
GRANT USAGE ON SCHEMA vault TO vault, gateway;
GRANT SELECT, INSERT, DELETE ON vault.deposits TO vault;
GRANT SELECT (ref, party, "case", field) ON vault.deposits TO gateway;
-- Keys of cases, wrapped: a rotation wraps them anew.
GRANT SELECT, INSERT, UPDATE (key_id, wrapped) ON vault.case_keys TO vault;
-- The projector takes away the values and keys of erased cases, and what nobody named or whose term is over; it sees none.
GRANT USAGE ON SCHEMA vault TO projector;
GRANT SELECT (ref, "case", field, deposited_at, named), UPDATE (named), DELETE ON vault.deposits TO projector;
GRANT SELECT ("case"), DELETE ON vault.case_keys TO projector;
GRANT SELECT, INSERT ON vault.erased TO projector;
GRANT SELECT ON vault.erased TO vault;

-- The read model: written by the projector; the vault reads states, the overview its own tables, readiness the positions.
GRANT USAGE ON SCHEMA readmodel TO projector, vault, overview, gateway;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA readmodel TO projector;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA readmodel TO projector;
GRANT SELECT ON readmodel.case_states TO vault;
GRANT SELECT ON readmodel.positions TO vault, overview, gateway;
GRANT SELECT ON readmodel.overview_cases TO overview;

-- Counts for effect measurement: the projector adds, a release reads; what is remembered of a case it does not see.
GRANT USAGE ON SCHEMA statistics TO projector, statistics;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA statistics TO projector;
GRANT DELETE ON statistics.remembered TO projector;
GRANT SELECT ON statistics.counts, statistics.waits, statistics.counted TO statistics;
GRANT USAGE ON SCHEMA readmodel TO statistics;
GRANT SELECT ON readmodel.positions TO statistics;
