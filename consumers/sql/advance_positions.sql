-- Move positions from where this process believes them to be (-1: nowhere yet). A position that somebody else has
-- moved meanwhile is left alone, and missing from the rows returned.
INSERT INTO readmodel.positions AS kept (projection, topic, partition, position)
SELECT $1, topic, partition, position
FROM unnest($2::text[], $3::integer[], $4::bigint[]) AS read (topic, partition, position)
ON CONFLICT (projection, topic, partition) DO UPDATE SET position = excluded.position
WHERE kept.position = (
    SELECT expected
    FROM unnest($2::text[], $3::integer[], $5::bigint[]) AS before (topic, partition, expected)
    WHERE before.topic = kept.topic AND before.partition = kept.partition
)
RETURNING position;
