-- Remember cases.
INSERT INTO statistics.remembered (case_id, memory)
SELECT * FROM unnest($1::text[], $2::jsonb[])
ON CONFLICT (case_id) DO UPDATE SET memory = excluded.memory;
