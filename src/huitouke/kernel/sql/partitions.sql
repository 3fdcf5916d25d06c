-- The smallest UUIDv7 of a moment: 48 bits of milliseconds, the rest zero.
CREATE FUNCTION uuid_lowest(moment timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog
AS $$
  SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
$$
-- ;;
-- Makes the monthly partitions of every table that is partitioned by range of a UUIDv7: from the month of `earliest`
-- (for imported history; last month when null, as messages may come days late) to three months ahead. Partitions are never granted: they are
-- reached through their parent only, whose policy fences them. Returns the number of partitions made.
CREATE FUNCTION make_partitions(moment timestamptz, earliest timestamptz DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
DECLARE
  parent record;
  month timestamp;
  child text;
  made integer := 0;
BEGIN
  FOR parent IN
    SELECT c.oid, c.relname
      FROM pg_partitioned_table p
      JOIN pg_class c ON c.oid = p.partrelid
     WHERE c.relnamespace = 'public'::regnamespace AND p.partstrat = 'r'
     ORDER BY c.relname
  LOOP
    month := date_trunc('month', coalesce(earliest, moment - interval '1 month') AT TIME ZONE 'UTC');
    WHILE month <= date_trunc('month', moment AT TIME ZONE 'UTC') + interval '3 months' LOOP
      child := format('%s_%s', parent.relname, to_char(month, 'YYYYMM'));
      IF to_regclass(format('public.%I', child)) IS NULL THEN
        EXECUTE format(
          'CREATE TABLE public.%I PARTITION OF public.%I FOR VALUES FROM (%L) TO (%L)',
          child, parent.relname,
          uuid_lowest(month AT TIME ZONE 'UTC'), uuid_lowest((month + interval '1 month') AT TIME ZONE 'UTC'));
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', child);
        made := made + 1;
      END IF;
      month := month + interval '1 month';
    END LOOP;
  END LOOP;
  RETURN made;
END
$$
-- ;;
REVOKE ALL ON FUNCTION make_partitions(timestamptz, timestamptz) FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION make_partitions(timestamptz, timestamptz) TO huitouke_app
