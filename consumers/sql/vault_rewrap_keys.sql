-- Wrap keys anew, where they are still wrapped as they were read; what was erased meanwhile stays away.
UPDATE vault.case_keys AS kept SET key_id = $1, wrapped = made.text
FROM unnest($2::text[], $3::bytea[], $4::bytea[]) AS made ("case", before, text)
WHERE kept."case" = made."case" AND kept.wrapped = made.before
RETURNING kept."case";
