-- For every table that is not the system's: how many rows it has, and how many hold one of these texts, in bytes too.
SELECT place,
       substring(counted from '<all>(\d+)</all>')::bigint AS rows,
       substring(counted from '<hits>(\d+)</hits>')::bigint AS hits
FROM (
    SELECT format('%I.%I', table_schema, table_name) AS place,
           query_to_xml(
               format(
                   'SELECT count(*) AS all, count(*) FILTER (
                        WHERE EXISTS (SELECT FROM unnest(%L::text[]) AS sought WHERE strpos(a_row::text, sought) > 0)
                    ) AS hits FROM %I.%I AS a_row',
                   $1::text[] || ARRAY(SELECT encode(convert_to(sought, 'UTF8'), 'hex') FROM unnest($1::text[]) AS sought),
                   table_schema, table_name
               ),
               false, true, ''
           )::text AS counted
    FROM information_schema.tables
    WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
) AS every_table
UNION ALL
-- What the planner remembers of columns: common values, and the bounds of its histograms.
SELECT 'pg_statistic', count(*), count(*) FILTER (
    WHERE EXISTS (SELECT FROM unnest($1::text[]) AS sought WHERE strpos(a_row::text, sought) > 0)
)
FROM pg_stats AS a_row
WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
ORDER BY 1;
