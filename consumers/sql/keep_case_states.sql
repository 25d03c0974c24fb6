-- The newest state of each case.
INSERT INTO readmodel.case_states (case_id, partition, state)
SELECT case_id, partition, state
FROM unnest($1::text[], $2::integer[], $3::bytea[]) AS read (case_id, partition, state)
ON CONFLICT (case_id) DO UPDATE SET partition = excluded.partition, state = excluded.state;
