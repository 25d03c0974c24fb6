-- The rows that changed after a version, oldest change first; after -1: all that are shown.
SELECT case_id, body::text AS body, version
FROM readmodel.overview_cases
WHERE version > $1 AND ($1 >= 0 OR body IS NOT NULL)
ORDER BY version;
