-- How many cases there are at each stage, and how many hand-overs wait.
SELECT body ->> 'stage' AS stage,
       count(*) AS cases,
       count(*) FILTER (WHERE body -> 'handover' <> 'null'::jsonb) AS handovers
FROM readmodel.overview_cases
WHERE body IS NOT NULL
GROUP BY 1;
