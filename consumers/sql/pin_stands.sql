-- Fails where the transaction that pins, or its connection, is no more.
SELECT 1;
