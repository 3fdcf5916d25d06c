"""The SQL with which a transaction asks for work. What workers do stands in `kernel/sql/gates.sql`.

`$1` is the tenant in every statement. `seq` is an item's place among the ready ones; it is null while the item is
leased or waits for its time. Each statement is one round trip and touches rows of its own key only.
"""

from typing import Final

WAKE: Final = """
INSERT INTO work_items (tenant_id, kind, key, requested, seq, attempts, lease_number, request_id, created_at)
SELECT $1, $2, wanted.key, 1, nextval('work_seq'), 0, 0, $4, $5
  FROM (SELECT DISTINCT unnest($3::text[]) AS key ORDER BY key) wanted
    ON CONFLICT (tenant_id, kind, key) DO UPDATE SET requested = work_items.requested + 1
RETURNING seq
"""
"""Keys are sorted, so that two transactions that wake several take the row locks in the same order."""

ENQUEUE: Final = """
INSERT INTO work_items
       (tenant_id, kind, key, arguments, requested, seq, run_at, attempts, lease_number, request_id, created_at)
VALUES ($1, $2, $3, $4::jsonb, 1, CASE WHEN $5::timestamptz IS NULL THEN nextval('work_seq') END, $5, 0, 0, $6, $7)
RETURNING seq
"""

REMEMBER_KEY: Final = """
INSERT INTO work_idempotency (tenant_id, kind, idempotency_key, job_id, created_at)
VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT DO NOTHING
RETURNING job_id
"""

REMEMBERED_KEY: Final = """
SELECT job_id FROM work_idempotency WHERE tenant_id = $1 AND kind = $2 AND idempotency_key = $3
"""

SCHEDULE: Final = """
INSERT INTO work_schedules (tenant_id, kind, next_run_at, seq) VALUES ($1, $2, $3, nextval('work_seq'))
"""
"""A row per call, never an update of one row per tenant: that row would make all its transactions wait for each
other, and could deadlock them. `due_work` takes all due rows of a kind at once."""

FENCE: Final = """
SELECT work_fence($1, l.kind, l.key, l.lease, l.worker) AS held
  FROM unnest($2::text[], $3::text[], $4::bigint[], $5::uuid[]) WITH ORDINALITY AS l(kind, key, lease, worker, place)
 ORDER BY l.place
"""

DEAD_LETTERS: Final = """
SELECT id, source, kind, key, arguments::text AS arguments, attempts, error, created_at, died_at
  FROM work_dead_letters
 WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3
"""

TAKE_DEAD_LETTER: Final = """
DELETE FROM work_dead_letters WHERE tenant_id = $1 AND id = $2
RETURNING id, source, kind, key, arguments::text AS arguments, attempts, error, created_at, died_at
"""

RETRY_EVENT: Final = """
INSERT INTO event_retry (tenant_id, handler, event_id, attempts, run_at, error, created_at)
VALUES ($1, $2, $3, 0, $4, '', $4)
    ON CONFLICT (tenant_id, handler, event_id) DO UPDATE SET run_at = excluded.run_at
"""
