-- As for the vault and the read model: the planner's samples would outlive the verdicts of an erased case.
ALTER TABLE gateway.verdicts
    ALTER COLUMN party SET STATISTICS 0,
    ALTER COLUMN id SET STATISTICS 0,
    ALTER COLUMN verdict SET STATISTICS 0,
    ALTER COLUMN recorded SET STATISTICS 0,
    ALTER COLUMN said_at SET STATISTICS 0;
