-- The rows of these cases (none where a case is shown no more); a row that stays the same keeps its version.
INSERT INTO readmodel.overview_cases AS kept (case_id, body, changed_at)
SELECT case_id, body::jsonb, changed_at
FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS folded (case_id, body, changed_at)
ON CONFLICT (case_id) DO UPDATE SET
    body = excluded.body,
    changed_at = excluded.changed_at,
    version = nextval('readmodel.overview_version')
WHERE kept.body IS DISTINCT FROM excluded.body
RETURNING version;
