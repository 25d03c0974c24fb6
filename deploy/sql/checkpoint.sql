-- Whatever the write-ahead log holds is in the tables now: its older files are not needed, and go.
CHECKPOINT;
