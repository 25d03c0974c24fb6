-- The rows of these cases (none where a case is shown no more); a row that stays the same keeps its version.
-- A case that was never shown, of which only a state says something, does not become known by a row without a body.
INSERT INTO readmodel.overview_cases AS kept (case_id, body, changed_at)
SELECT case_id, body::jsonb, changed_at
FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS folded (case_id, body, changed_at)
WHERE body IS NOT NULL OR EXISTS (SELECT FROM readmodel.overview_cases AS shown WHERE shown.case_id = folded.case_id)
ON CONFLICT (case_id) DO UPDATE SET
    body = excluded.body,
    changed_at = excluded.changed_at,
    version = nextval('readmodel.overview_version')
WHERE kept.body IS DISTINCT FROM excluded.body
RETURNING version;
