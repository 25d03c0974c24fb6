-- One deposit by its reference.
SELECT ref, party, "case", field, content_type, nonce, sealed FROM vault.deposits WHERE ref = $1;
