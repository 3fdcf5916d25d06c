-- The gates of work, events and callbacks: what must be asked before or across tenants. Each is SECURITY DEFINER with
-- a fixed search_path, reads kernel tables only, and is called by name from one place (`work/gates.py`,
-- `callbacks/gates.py`). Business time is a parameter; leases and liveness are measured by the database's own clock
-- (clock_timestamp()), since they compare machines with each other and must not move when a test moves the clock.
--
-- A work item is in one of three states, told by which column is set:
--   ready   seq       its place among the ready ones, from the sequence work_seq
--   waiting run_at    business time at which it becomes ready (a retry, or a job for later)
--   leased  worker_id until lease_until; lease_number is the fence
-- Readers start behind a low-water mark (`seq > …`), because index entries of deleted rows stay in the way as long as
-- any transaction is open: without it the rate falls to a third beside a long report.
-- The two hottest gates keep one plan per connection: always from a handful of given keys into an index, whatever the size
-- of the queue was when it was made. Planning them anew at each call takes longer than running them.

CREATE FUNCTION work_lock(p_tenant uuid, p_kind text, p_key text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog
AS $$
  SELECT hashtextextended(p_tenant::text || '/' || p_kind || '/' || p_key, 7)
$$
-- ;;
-- Whether the lease still is the caller's; if so nobody takes the item over before the caller's transaction ends.
-- Two statements in a volatile function: the row is read with a snapshot that is younger than the lock.
CREATE FUNCTION work_fence(p_tenant uuid, p_kind text, p_key text, p_lease bigint, p_worker uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public
AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(work_lock(p_tenant, p_kind, p_key));
  RETURN EXISTS (
    SELECT FROM work_items
     WHERE tenant_id = p_tenant AND kind = p_kind AND key = p_key
       AND lease_number = p_lease AND worker_id = p_worker);
END
$$
-- ;;
-- claim_work: leases up to p_per_tenant (≤ 50) ready items of each given tenant, oldest first, behind that tenant's
-- mark, and of each kind at most p_free in all (null: any number). A worker that has no liveness row gets nothing: its
-- leases could not be taken over.
CREATE FUNCTION claim_work(p_worker uuid, p_kinds text[], p_free integer[], p_tenants uuid[], p_after bigint[],
                           p_per_tenant integer)
RETURNS TABLE (tenant_id uuid, kind text, key text, arguments jsonb, requested bigint, attempts integer,
               lease_number bigint, request_id text, created_at timestamptz, seq bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH wanted AS (
    SELECT w.tenant_id, w.after FROM unnest(p_tenants, p_after) AS w(tenant_id, after)
     WHERE EXISTS (SELECT FROM workers WHERE id = p_worker)
  ), picked AS MATERIALIZED (
    SELECT ready.tenant_id, ready.kind, ready.key, ready.seq
      FROM wanted CROSS JOIN LATERAL (
           SELECT i.tenant_id, i.kind, i.key, i.seq
             FROM work_items i
            WHERE i.tenant_id = wanted.tenant_id AND i.seq > wanted.after AND i.kind = ANY (p_kinds)
            ORDER BY i.seq
            LIMIT least(p_per_tenant, 50)
              FOR UPDATE SKIP LOCKED) ready
  ), chosen AS (
    SELECT ranked.* FROM (
           SELECT picked.*, row_number() OVER (PARTITION BY picked.kind ORDER BY picked.seq) AS rank FROM picked) ranked
      JOIN unnest(p_kinds, p_free) AS allowed(kind, free) ON allowed.kind = ranked.kind
     WHERE allowed.free IS NULL OR ranked.rank <= allowed.free
  )
  UPDATE work_items i
     SET seq = NULL, worker_id = p_worker, lease_until = clock_timestamp() + interval '15 seconds',
         lease_number = i.lease_number + 1, attempts = i.attempts + 1
    FROM chosen picked
   WHERE i.tenant_id = picked.tenant_id AND i.kind = picked.kind AND i.key = picked.key
  RETURNING i.tenant_id, i.kind, i.key, i.arguments, i.requested, i.attempts, i.lease_number, i.request_id,
            i.created_at, picked.seq;
END
$$
-- ;;
-- finish_work: stores what became of leased items, set by set; p_place numbers them. Per item one of
--   done   a job is deleted; a wake-up is deleted only if nobody asked again since it was claimed, else it is ready
--   retry  waits until p_run_at
--   back   ready again, the attempt is not counted (the process is stopping)
--   dead   moved to the dead letters; a wake-up that was asked for again is ready as well
-- A `done` item with p_run_at is a schedule: that is its next time. Items whose row a waking transaction holds are
-- left out of the answer (try again in a moment: waiting here could deadlock with it); `lost` ones have another holder.
CREATE FUNCTION finish_work(p_worker uuid, p_now timestamptz, p_place integer[], p_tenants uuid[], p_kinds text[],
                            p_keys text[], p_leases bigint[], p_requested bigint[], p_outcomes text[],
                            p_run_at timestamptz[], p_errors text[], p_letters uuid[])
RETURNS TABLE (place integer, lost boolean, tenant_id uuid, seq bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH result AS MATERIALIZED (
    SELECT * FROM unnest(p_place, p_tenants, p_kinds, p_keys, p_leases, p_requested, p_outcomes, p_run_at, p_errors,
                         p_letters)
        AS r(place, tenant_id, kind, key, lease_number, seen, outcome, run_at, error, letter_id)
  ), held AS MATERIALIZED (
    SELECT r.*, i.arguments, i.attempts, i.created_at,
           r.outcome IN ('done', 'dead') AND i.requested = r.seen AS over
      FROM work_items i
      JOIN result r ON r.tenant_id = i.tenant_id AND r.kind = i.kind AND r.key = i.key
     WHERE i.worker_id = p_worker AND i.lease_number = r.lease_number
       FOR UPDATE OF i SKIP LOCKED
  ), letters AS (
    INSERT INTO work_dead_letters (tenant_id, id, source, kind, key, arguments, attempts, error, created_at, died_at)
    SELECT h.tenant_id, h.letter_id, CASE WHEN h.arguments IS NULL THEN 'wake' ELSE 'job' END, h.kind, h.key,
           h.arguments, h.attempts, coalesce(h.error, ''), h.created_at, p_now
      FROM held h WHERE h.outcome = 'dead'
  ), next_runs AS (
    INSERT INTO work_schedules (tenant_id, kind, next_run_at, seq)
    SELECT h.tenant_id, substr(h.kind, length('schedule:') + 1), h.run_at, nextval('work_seq')
      FROM held h WHERE h.outcome = 'done' AND h.run_at IS NOT NULL
  ), gone AS (
    DELETE FROM work_items i USING held h
     WHERE h.over AND i.tenant_id = h.tenant_id AND i.kind = h.kind AND i.key = h.key
  ), kept AS (
    UPDATE work_items i
       SET worker_id = NULL, lease_until = NULL,
           seq = CASE WHEN h.outcome = 'retry' THEN NULL ELSE nextval('work_seq') END,
           run_at = CASE WHEN h.outcome = 'retry' THEN h.run_at END,
           attempts = CASE h.outcome WHEN 'retry' THEN i.attempts WHEN 'back' THEN greatest(i.attempts - 1, 0) ELSE 0 END,
           error = CASE WHEN h.outcome = 'retry' THEN h.error END
      FROM held h
     WHERE NOT h.over AND i.tenant_id = h.tenant_id AND i.kind = h.kind AND i.key = h.key
    RETURNING h.place, i.tenant_id, i.seq
  )
  SELECT h.place, false, h.tenant_id, k.seq FROM held h LEFT JOIN kept k ON k.place = h.place
   UNION ALL
  SELECT r.place, true, r.tenant_id, NULL
    FROM result r
   WHERE NOT EXISTS (
         SELECT FROM work_items i
          WHERE i.tenant_id = r.tenant_id AND i.kind = r.kind AND i.key = r.key
            AND i.worker_id = p_worker AND i.lease_number = r.lease_number);
END
$$
-- ;;
-- due_work: makes ready what has become due at p_now: waiting items, and one wake-up of `schedule:<kind>` for all due
-- schedule rows of a tenant and kind. Rows without tenant tell the next time at which something becomes due.
-- p_after is the low-water mark in business time; null sweeps from the beginning.
CREATE FUNCTION due_work(p_now timestamptz, p_after timestamptz, p_limit integer)
RETURNS TABLE (tenant_id uuid, seq bigint, due_at timestamptz)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
  WITH waiting AS MATERIALIZED (
    SELECT i.tenant_id, i.kind, i.key FROM work_items i
     WHERE i.run_at <= p_now AND i.run_at > coalesce(p_after, '-infinity')
     ORDER BY i.run_at LIMIT p_limit FOR UPDATE SKIP LOCKED
  ), released AS (
    UPDATE work_items i SET run_at = NULL, seq = nextval('work_seq') FROM waiting w
     WHERE i.tenant_id = w.tenant_id AND i.kind = w.kind AND i.key = w.key
    RETURNING i.tenant_id, i.seq
  ), due AS MATERIALIZED (
    SELECT s.tenant_id, s.kind, s.next_run_at, s.seq FROM work_schedules s
     WHERE s.next_run_at <= p_now AND s.next_run_at > coalesce(p_after, '-infinity')
     ORDER BY s.next_run_at LIMIT p_limit FOR UPDATE SKIP LOCKED
  ), taken AS (
    DELETE FROM work_schedules s USING due d
     WHERE s.tenant_id = d.tenant_id AND s.kind = d.kind AND s.next_run_at = d.next_run_at AND s.seq = d.seq
    RETURNING s.tenant_id, s.kind
  ), woken AS (
    INSERT INTO work_items (tenant_id, kind, key, requested, seq, attempts, lease_number, created_at)
    SELECT t.tenant_id, 'schedule:' || t.kind, '', 1, nextval('work_seq'), 0, 0, p_now
      FROM (SELECT DISTINCT taken.tenant_id, taken.kind FROM taken ORDER BY 1, 2) t
        ON CONFLICT (tenant_id, kind, key) DO UPDATE SET requested = work_items.requested + 1
    RETURNING work_items.tenant_id, work_items.seq
  )
  SELECT r.tenant_id, r.seq, NULL::timestamptz FROM released r
   UNION ALL
  SELECT w.tenant_id, w.seq, NULL FROM woken w WHERE w.seq IS NOT NULL
   UNION ALL
  (SELECT NULL, NULL, s.next_run_at FROM work_schedules s WHERE s.next_run_at > p_now ORDER BY s.next_run_at LIMIT 1)
   UNION ALL
  (SELECT NULL, NULL, i.run_at FROM work_items i WHERE i.run_at > p_now ORDER BY i.run_at LIMIT 1)
$$
-- ;;
-- work_heartbeat: says that the worker lives, renews its leases (p_renew: it has old ones; looking for them costs the
-- index entries of all it finished lately) when a third of their 15 s is gone, and takes over
-- what workers hold that were silent for 4 s; every few seconds (p_sweep) also what anybody's lapsed lease holds.
-- A holder whose transaction is fenced (work_fence) is left until that transaction ends. Returns what became ready.
CREATE FUNCTION work_heartbeat(p_worker uuid, p_host text, p_pid integer, p_renew boolean, p_sweep boolean)
RETURNS TABLE (tenant_id uuid, seq bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
#variable_conflict use_column
DECLARE
  dead uuid[];
BEGIN
  INSERT INTO workers (id, host, pid, started_at, seen_at)
  VALUES (p_worker, p_host, p_pid, clock_timestamp(), clock_timestamp())
      ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp();

  IF p_renew THEN
    UPDATE work_items i SET lease_until = clock_timestamp() + interval '15 seconds'
      FROM (SELECT h.tenant_id, h.kind, h.key FROM work_items h
             WHERE h.worker_id = p_worker AND h.lease_until < clock_timestamp() + interval '10 seconds'
               FOR UPDATE SKIP LOCKED) mine
     WHERE i.tenant_id = mine.tenant_id AND i.kind = mine.kind AND i.key = mine.key;
  END IF;

  SELECT array_agg(silent.id) INTO dead
    FROM (SELECT w.id FROM workers w WHERE w.seen_at < clock_timestamp() - interval '4 seconds'
             FOR UPDATE SKIP LOCKED) silent;
  IF dead IS NULL AND NOT p_sweep THEN
    RETURN;
  END IF;

  RETURN QUERY
  UPDATE work_items i SET worker_id = NULL, lease_until = NULL, seq = nextval('work_seq')
    FROM (SELECT h.tenant_id, h.kind, h.key FROM work_items h
           WHERE h.worker_id IS NOT NULL
             AND (h.worker_id = ANY (dead) OR p_sweep AND h.lease_until < clock_timestamp())
             AND pg_try_advisory_xact_lock(work_lock(h.tenant_id, h.kind, h.key))
             FOR UPDATE SKIP LOCKED) free
   WHERE i.tenant_id = free.tenant_id AND i.kind = free.kind AND i.key = free.key
  RETURNING i.tenant_id, i.seq;

  DELETE FROM workers w
   WHERE w.id = ANY (dead) AND NOT EXISTS (SELECT FROM work_items h WHERE h.worker_id = w.id);
END
$$
-- ;;
-- work_farewell: the worker ends; what it has not handed back is ready for the others at once.
CREATE FUNCTION work_farewell(p_worker uuid) RETURNS TABLE (tenant_id uuid, seq bigint)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
  WITH gone AS (
    DELETE FROM workers WHERE id = p_worker
  )
  UPDATE work_items i SET worker_id = NULL, lease_until = NULL, seq = nextval('work_seq')
   WHERE i.worker_id = p_worker
  RETURNING i.tenant_id, i.seq
$$
-- ;;
-- resolve_callback: the one endpoint of that address, for keys and tenant; no row when there is none.
CREATE FUNCTION resolve_callback(p_kind text, p_callback_id text)
RETURNS TABLE (tenant_id uuid, id uuid, receive_id text, token_sealed text, aes_key_sealed text, reference_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
  SELECT e.tenant_id, e.id, e.receive_id, e.token_sealed, e.aes_key_sealed, e.reference_id
    FROM callback_endpoints e
   WHERE e.callback_id = p_callback_id AND e.kind = p_kind
   LIMIT 1
$$
-- ;;
-- expire_rows: deletes, at most p_limit per table and call, what has outlived its use: events without a customer
-- after 90 days, with one after 25 months, callbacks and idempotency keys after their days, dead letters after 90 days.
-- Returns the number deleted; call again until it is 0.
CREATE FUNCTION expire_rows(p_now timestamptz, p_limit integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
DECLARE
  total bigint := 0;
  n bigint;
BEGIN
  DELETE FROM events e USING (
    SELECT o.tenant_id, o.id FROM events o
     WHERE o.customer_id IS NULL AND o.id < uuid_lowest(p_now - interval '90 days') LIMIT p_limit) old
   WHERE e.tenant_id = old.tenant_id AND e.id = old.id AND e.id < uuid_lowest(p_now - interval '90 days');
  GET DIAGNOSTICS n = ROW_COUNT; total := total + n;
  DELETE FROM events e USING (
    SELECT o.tenant_id, o.id FROM events o WHERE o.id < uuid_lowest(p_now - interval '25 months') LIMIT p_limit) old
   WHERE e.tenant_id = old.tenant_id AND e.id = old.id AND e.id < uuid_lowest(p_now - interval '25 months');
  GET DIAGNOSTICS n = ROW_COUNT; total := total + n;
  DELETE FROM callbacks c USING (
    SELECT o.tenant_id, o.digest FROM callbacks o WHERE o.received_at < p_now - interval '30 days' LIMIT p_limit) old
   WHERE c.tenant_id = old.tenant_id AND c.digest = old.digest;
  GET DIAGNOSTICS n = ROW_COUNT; total := total + n;
  DELETE FROM work_idempotency k USING (
    SELECT o.tenant_id, o.kind, o.idempotency_key FROM work_idempotency o
     WHERE o.created_at < p_now - interval '7 days' LIMIT p_limit) old
   WHERE k.tenant_id = old.tenant_id AND k.kind = old.kind AND k.idempotency_key = old.idempotency_key;
  GET DIAGNOSTICS n = ROW_COUNT; total := total + n;
  DELETE FROM work_dead_letters d USING (
    SELECT o.tenant_id, o.id FROM work_dead_letters o WHERE o.died_at < p_now - interval '90 days' LIMIT p_limit) old
   WHERE d.tenant_id = old.tenant_id AND d.id = old.id;
  GET DIAGNOSTICS n = ROW_COUNT; total := total + n;
  RETURN total;
END
$$
