-- Before the topics are read again from their beginning.
DELETE FROM gateway.verdicts;
