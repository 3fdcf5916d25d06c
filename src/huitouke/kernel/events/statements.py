"""The SQL of events inside one tenant's transaction; `$1` is the tenant. Finding lanes with work is `claim_events`."""

from typing import Final

EMIT: Final = """
WITH given AS (
  SELECT * FROM unnest($2::uuid[], $3::text[], $4::smallint[], $5::uuid[], $6::uuid[], $7::text[], $8::smallint[],
                       $13::boolean[])
      AS g(id, type, version, customer_id, conversation_id, payload, lane, heard)
), written AS (
  INSERT INTO events (tenant_id, id, type, version, customer_id, conversation_id, actor_kind, actor_id, occurred_at,
                      causation_id, payload)
  SELECT $1, id, type, version, customer_id, conversation_id, $9, $10, $11, $12, payload::jsonb FROM given
)
INSERT INTO event_queue (tenant_id, lane, seq, event_id, type)
SELECT $1, lane, nextval('event_seq'), id, type FROM given WHERE heard
RETURNING lane, seq
"""
"""Both tables in one round trip, however many events; unnest keeps their order. What nobody handles is not queued."""

LOCK_LANE: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended($1::uuid::text, 8 + $2::integer))"
"""Who dispatches (tenant, lane): released by commit or rollback, and by a dead process's connection."""

TAKE_BATCH: Final = """
WITH batch AS MATERIALIZED (
  SELECT lane, seq, event_id FROM event_queue
   WHERE tenant_id = $1 AND lane = $2 AND seq > $3
   ORDER BY seq LIMIT $4
), taken AS (
  DELETE FROM event_queue q USING batch b WHERE q.tenant_id = $1 AND q.lane = b.lane AND q.seq = b.seq
)
SELECT b.seq, e.id, e.type, e.occurred_at, e.customer_id, e.conversation_id, e.actor_kind, e.actor_id,
       e.payload::text AS payload
  FROM batch b JOIN events e ON e.tenant_id = $1 AND e.id = b.event_id
 ORDER BY b.seq
"""
"""Sent after LOCK_LANE, so that its snapshot is younger than the last holder's commit. Marks and results of the
handlers commit together: the rows are deleted here, in the same transaction."""

RETRY_LATER: Final = """
INSERT INTO event_retry (tenant_id, handler, event_id, attempts, run_at, error, created_at)
SELECT $1, $2, id, 1, $4, $5, $6 FROM unnest($3::uuid[]) id
    ON CONFLICT DO NOTHING
"""

DUE_RETRIES: Final = """
SELECT r.handler, r.event_id, r.attempts, e.id, e.type, e.occurred_at, e.customer_id, e.conversation_id, e.actor_kind,
       e.actor_id, e.payload::text AS payload
  FROM event_retry r LEFT JOIN events e ON e.tenant_id = r.tenant_id AND e.id = r.event_id
 WHERE r.tenant_id = $1 AND r.run_at <= $2
 ORDER BY r.event_id LIMIT $3
   FOR UPDATE OF r SKIP LOCKED
"""

RETRY_DONE: Final = "DELETE FROM event_retry WHERE tenant_id = $1 AND handler = $2 AND event_id = $3"

RETRY_AGAIN: Final = """
UPDATE event_retry SET attempts = attempts + 1, run_at = $4, error = $5
 WHERE tenant_id = $1 AND handler = $2 AND event_id = $3
"""

RETRY_DEAD: Final = """
WITH dead AS (
  DELETE FROM event_retry WHERE tenant_id = $1 AND handler = $2 AND event_id = $3 RETURNING attempts, created_at
)
INSERT INTO work_dead_letters (tenant_id, id, source, kind, key, arguments, attempts, error, created_at, died_at)
SELECT $1, $4, 'event', $2, $3::uuid::text, NULL, attempts + 1, $5, created_at, $6 FROM dead
"""

NEXT_RETRY: Final = "SELECT min(run_at) FROM event_retry WHERE tenant_id = $1"
