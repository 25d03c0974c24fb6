-- Which file is of which table: indexes and out-of-line parts are their table's.
SELECT pg_relation_filepath(part.oid) AS file, format('%I.%I', schema.nspname, owner.relname) AS place
FROM pg_class AS part
LEFT JOIN pg_index AS own ON own.indexrelid = part.oid
LEFT JOIN pg_class AS lines ON lines.reltoastrelid = coalesce(own.indrelid, part.oid)
JOIN pg_class AS owner ON owner.oid = coalesce(lines.oid, own.indrelid, part.oid)
JOIN pg_namespace AS schema ON schema.oid = owner.relnamespace
WHERE pg_relation_filepath(part.oid) IS NOT NULL;
