-- Which of these events of these parties the table already knows as accepted.
SELECT party, id FROM gateway.verdicts
JOIN unnest($1::text[], $2::uuid[]) AS said (party, id) USING (party, id)
WHERE standing = 2;
