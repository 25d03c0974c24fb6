-- Every table and index written anew: what was deleted is in no file of theirs any more.
VACUUM (FULL);
