-- Whether a case was erased.
SELECT EXISTS (SELECT FROM vault.erased WHERE "case" = $1);
