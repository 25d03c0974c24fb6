-- The bus's newest time, as far as the verdicts tell.
SELECT max(recorded) FROM gateway.verdicts;
