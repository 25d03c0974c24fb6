-- What was told of events that are erased.
DELETE FROM gateway.verdicts AS told
USING unnest($1::text[], $2::uuid[]) AS erased (party, id)
WHERE told.party = erased.party AND told.id = erased.id;
