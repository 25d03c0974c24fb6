-- What stands of one event of one party: its acceptance, whatever was said after it, else the newest refusal.
SELECT verdict::text AS verdict FROM gateway.verdicts
WHERE party = $1 AND id = $2
ORDER BY standing DESC, told DESC
LIMIT 1;
