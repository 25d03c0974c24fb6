-- Forget every case: what the log still holds of them is read again.
DELETE FROM statistics.remembered;
