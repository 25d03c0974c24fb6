-- Of an erased case nothing stays but that it was erased, even where its tombstones were missed.
DELETE FROM readmodel.overview_items WHERE case_id = ANY ($1::text[]) AND type <> 'case-erased';
