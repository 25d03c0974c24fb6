-- Keep the key of a case, unless it has one; returns the case where it was kept.
INSERT INTO vault.case_keys ("case", key_id, wrapped) VALUES ($1, $2, $3) ON CONFLICT ("case") DO NOTHING RETURNING "case";
