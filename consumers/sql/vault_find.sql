-- One deposit by its reference.
SELECT ref, party, "case", field, content_type, key_id, nonce, sealed FROM vault.deposits WHERE ref = $1;
