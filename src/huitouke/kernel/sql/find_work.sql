-- Where work and events are: the gates `find_work` and `claim_events`, and the floor from which they sweep.
--
-- Rows that were worked off stay in the way of every look for as long as any transaction is open that could still see
-- them: beside a report of ten minutes a sweep from the beginning walked over millions of them, which took longer than
-- the pause between two sweeps. So a sweep looks for the least row there is, in the order of seq, in which rows worked
-- off lie side by side (in the order of tenants each is a visit to another page: 4 million took 40 s), and hops over
-- tenants from there. And it notes that row: once every transaction that was under way at the time has ended, no row
-- can appear below it any more, and the next sweeps look from there.
--
-- A number is drawn a moment before its transaction gets an id, and only transactions with an id are known to be under
-- way: ten seconds are waited besides, and every ten minutes a worker sweeps from the very beginning (p_after = -1).
CREATE OR REPLACE FUNCTION queue_floor(p_queue text) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public
AS $$
BEGIN
  RETURN coalesce((SELECT floor FROM queue_floors WHERE queue = p_queue), 0);
END
$$
-- ;;
-- raise_floor: nothing was found up to p_found, looking after all transactions before p_past had ended.
CREATE OR REPLACE FUNCTION raise_floor(p_queue text, p_found bigint, p_past bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public
AS $$
BEGIN
  UPDATE queue_floors f SET floor = greatest(f.floor, least(f.next_floor, p_found)), next_floor = NULL
    FROM (SELECT queue FROM queue_floors
           WHERE queue = p_queue AND next_floor IS NOT NULL AND next_at < clock_timestamp() - interval '10 seconds'
             AND next_xid <= p_past
             FOR UPDATE SKIP LOCKED) ripe
   WHERE f.queue = ripe.queue;
END
$$
-- ;;
-- note_floor: nothing was found up to p_floor when p_xid was the next transaction's id. One waits to ripen at a time; a
-- transaction id of the future came from another server with a backup.
CREATE OR REPLACE FUNCTION note_floor(p_queue text, p_floor bigint, p_xid bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public
AS $$
BEGIN
  UPDATE queue_floors f SET next_floor = p_floor, next_xid = p_xid, next_at = clock_timestamp()
    FROM (SELECT queue FROM queue_floors
           WHERE queue = p_queue AND p_floor > floor + 1000
             AND (next_floor IS NULL OR next_xid > pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
             FOR UPDATE SKIP LOCKED) free
   WHERE f.queue = free.queue;
END
$$
-- ;;
-- find_work: tenants with ready items and the least place of each; a row without tenant tells the sequence's head.
-- Behind the mark it reads the index on seq, at most p_limit entries; a sweep (p_after null, or -1 for the very
-- beginning) hops from tenant to tenant (loose index scan), so it costs tenants, not items.
CREATE OR REPLACE FUNCTION find_work(p_after bigint, p_limit integer) RETURNS TABLE (tenant_id uuid, seq bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
#variable_conflict use_column
DECLARE
  head bigint := (SELECT last_value FROM work_seq);
  past bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
  horizon bigint := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
  lowest bigint;
  below bigint;
BEGIN
  RETURN QUERY SELECT NULL::uuid, head;
  IF p_after >= 0 THEN
    RETURN QUERY
    SELECT recent.tenant_id, min(recent.seq)
      FROM (SELECT i.tenant_id, i.seq FROM work_items i WHERE i.seq > p_after ORDER BY i.seq LIMIT p_limit) recent
     GROUP BY recent.tenant_id;
    RETURN;
  END IF;
  below := CASE WHEN p_after IS NULL THEN queue_floor('work') ELSE 0 END;
  SELECT i.seq INTO lowest FROM work_items i WHERE i.seq > below ORDER BY i.seq LIMIT 1;
  PERFORM raise_floor('work', coalesce(lowest - 1, head), past);
  PERFORM note_floor('work', coalesce(lowest - 1, head), horizon);
  IF lowest IS NULL THEN
    RETURN;
  END IF;
  FOR tenant_id, seq IN
    WITH RECURSIVE hop AS (
      (SELECT i.tenant_id, i.seq FROM work_items i WHERE i.seq >= lowest ORDER BY i.tenant_id, i.seq LIMIT 1)
      UNION ALL
      SELECT n.tenant_id, n.seq
        FROM hop CROSS JOIN LATERAL (
             SELECT i.tenant_id, i.seq FROM work_items i
              WHERE i.seq >= lowest AND i.tenant_id > hop.tenant_id
              ORDER BY i.tenant_id, i.seq LIMIT 1) n)
    SELECT hop.tenant_id, hop.seq FROM hop
  LOOP
    RETURN NEXT;
  END LOOP;
END
$$
-- ;;
-- claim_events: which (tenant, lane) has events, and the least place of each; a row without tenant tells the
-- sequence's head. Behind a mark by the index on seq, else (as `find_work`) by hopping over (tenant, lane).
-- The next lane, else the next tenant, asked for apart: so PostgreSQL 18 skips what stands below the floor.
-- Who dispatches a lane is settled by pg_try_advisory_xact_lock in that tenant's own transaction.
CREATE OR REPLACE FUNCTION claim_events(p_after bigint, p_limit integer)
RETURNS TABLE (tenant_id uuid, lane smallint, seq bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
#variable_conflict use_column
DECLARE
  head bigint := (SELECT last_value FROM event_seq);
  past bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
  horizon bigint := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
  lowest bigint;
  below bigint;
BEGIN
  RETURN QUERY SELECT NULL::uuid, NULL::smallint, head;
  IF p_after >= 0 THEN
    RETURN QUERY
    SELECT recent.tenant_id, recent.lane, min(recent.seq)
      FROM (SELECT q.tenant_id, q.lane, q.seq FROM event_queue q WHERE q.seq > p_after ORDER BY q.seq LIMIT p_limit)
           recent
     GROUP BY recent.tenant_id, recent.lane;
    RETURN;
  END IF;
  below := CASE WHEN p_after IS NULL THEN queue_floor('events') ELSE 0 END;
  SELECT q.seq INTO lowest FROM event_queue q WHERE q.seq > below ORDER BY q.seq LIMIT 1;
  PERFORM raise_floor('events', coalesce(lowest - 1, head), past);
  PERFORM note_floor('events', coalesce(lowest - 1, head), horizon);
  IF lowest IS NULL THEN
    RETURN;
  END IF;
  FOR tenant_id, lane, seq IN
    WITH RECURSIVE hop AS (
      (SELECT q.tenant_id, q.lane, q.seq FROM event_queue q
        WHERE q.seq >= lowest ORDER BY q.tenant_id, q.lane, q.seq LIMIT 1)
      UNION ALL
      SELECT n.tenant_id, n.lane, n.seq
        FROM hop CROSS JOIN LATERAL (
             SELECT following.* FROM (
                (SELECT q.tenant_id, q.lane, q.seq FROM event_queue q
                  WHERE q.tenant_id = hop.tenant_id AND q.lane > hop.lane AND q.seq >= lowest
                  ORDER BY q.lane, q.seq LIMIT 1)
                UNION ALL
                (SELECT q.tenant_id, q.lane, q.seq FROM event_queue q
                  WHERE q.tenant_id > hop.tenant_id AND q.seq >= lowest
                  ORDER BY q.tenant_id, q.lane, q.seq LIMIT 1)) following LIMIT 1) n)
    SELECT hop.tenant_id, hop.lane, hop.seq FROM hop
  LOOP
    RETURN NEXT;
  END LOOP;
END
$$
