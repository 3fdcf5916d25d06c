-- store_callbacks: keeps verified callbacks of any tenants and brings their wake-ups, counted once per key. One that
-- came before (same tenant and digest) is not kept twice, but wakes all the same and is as new as its last coming: a
-- sender that knows only whole seconds sends the same body for two messages within one. Returns, per key that waits for
-- a worker, where it stands; of those at work the workers hear from the one who finishes their run.
CREATE OR REPLACE FUNCTION store_callbacks(p_ids uuid[], p_tenants uuid[], p_digests bytea[], p_endpoints uuid[],
                                           p_kinds text[], p_accounts text[], p_events text[], p_bodies bytea[],
                                           p_wake_kinds text[], p_wake_keys text[], p_received timestamptz[])
RETURNS TABLE (tenant_id uuid, seq bigint)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
  WITH incoming AS MATERIALIZED (
    SELECT * FROM unnest(p_tenants, p_digests, p_ids, p_endpoints, p_kinds, p_accounts, p_events, p_bodies,
                         p_wake_kinds, p_wake_keys, p_received)
        AS c(tenant_id, digest, id, endpoint_id, kind, account, event, body, wake_kind, wake_key, received_at)
  ), stored AS (
    INSERT INTO callbacks (tenant_id, digest, id, endpoint_id, kind, account, event, body, wake_kind, wake_key,
                           received_at)
    SELECT DISTINCT ON (c.tenant_id, c.digest)
           c.tenant_id, c.digest, c.id, c.endpoint_id, c.kind, c.account, c.event, c.body, c.wake_kind, c.wake_key,
           c.received_at
      FROM incoming c
     ORDER BY c.tenant_id, c.digest, c.received_at DESC
        ON CONFLICT (tenant_id, digest) DO UPDATE
       SET received_at = greatest(callbacks.received_at, excluded.received_at)
  ), woken AS (
    INSERT INTO work_items (tenant_id, kind, key, requested, seq, attempts, lease_number, created_at)
    SELECT k.tenant_id, k.wake_kind, k.wake_key, k.times, nextval('work_seq'), 0, 0, k.received_at
      FROM (SELECT c.tenant_id, c.wake_kind, c.wake_key, count(*) AS times, min(c.received_at) AS received_at
              FROM incoming c WHERE c.wake_kind IS NOT NULL
             GROUP BY 1, 2, 3 ORDER BY 1, 2, 3) k
        ON CONFLICT (tenant_id, kind, key) DO UPDATE SET requested = work_items.requested + excluded.requested
    RETURNING work_items.tenant_id, work_items.seq
  )
  SELECT w.tenant_id, w.seq FROM woken w WHERE w.seq IS NOT NULL
$$
