-- Cases for which no value is taken any more.
INSERT INTO vault.erased ("case") SELECT erased FROM unnest($1::text[]) AS erased ON CONFLICT DO NOTHING;
