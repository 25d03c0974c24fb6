-- Keep a deposit, unless its reference is taken; returns the reference where it was kept.
INSERT INTO vault.deposits (ref, party, "case", field, content_type, nonce, sealed, deposited_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (ref) DO NOTHING
RETURNING ref;
