-- The newest verdict of one event of one party, once its submission at or after this place was judged.
SELECT verdict::text AS verdict FROM gateway.verdicts
WHERE party = $1 AND id = $2 AND ($3::bigint IS NULL OR inbox_offset >= $3);
