-- Add to the days that cases waited.
INSERT INTO statistics.waits AS kept (year, stretch, days, number)
SELECT * FROM unnest($1::integer[], $2::text[], $3::integer[], $4::bigint[])
ON CONFLICT (year, stretch, days) DO UPDATE SET number = kept.number + excluded.number;
