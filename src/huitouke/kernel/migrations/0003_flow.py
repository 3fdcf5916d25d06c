"""Work, events, callbacks: their tables and the gates that work on them across tenants."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from huitouke.kernel.database.ddl import APP_ROLE, platform_table, run_sql_file, tenant_index, tenant_table

revision = "kernel_0003"
down_revision = "kernel_0002"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"

GATES = (
    "find_work(bigint, integer)",
    "claim_work(uuid, text[], integer[], uuid[], bigint[], integer)",
    "finish_work(uuid, timestamptz, integer[], uuid[], text[], text[], bigint[], bigint[], text[], timestamptz[],"
    " text[], uuid[])",
    "due_work(timestamptz, timestamptz, integer)",
    "work_heartbeat(uuid, text, integer, boolean, boolean)",
    "work_farewell(uuid)",
    "claim_events(bigint, integer)",
    "resolve_callback(text, text)",
    "store_callbacks(uuid[], uuid[], bytea[], uuid[], text[], text[], text[], bytea[], text[], text[], timestamptz[])",
    "expire_rows(timestamptz, integer)",
)

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _work()
    _events()
    _callbacks()
    run_sql_file(SQL / "gates.sql")
    run_sql_file(SQL / "find_work.sql")
    run_sql_file(SQL / "store_callbacks.sql")
    for gate in GATES:
        op.execute(f"REVOKE ALL ON FUNCTION {gate} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {gate} TO {APP_ROLE}")


def _work() -> None:
    _sequence("work_seq")
    tenant_table(
        "work_items",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="what a wake-up is about, or a job's id"),
        sa.Column("arguments", sa.dialects.postgresql.JSONB(), comment="of a job; null for a wake-up"),
        sa.Column("requested", sa.BigInteger(), nullable=False, comment="times asked for, so that none is lost"),
        sa.Column("seq", sa.BigInteger(), comment="place among the ready ones"),
        sa.Column("run_at", MOMENT, comment="waits until then"),
        sa.Column("worker_id", sa.Uuid(), comment="leased to"),
        sa.Column("lease_until", MOMENT, comment="by the database's clock"),
        sa.Column("lease_number", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("request_id", sa.Text()),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("num_nonnulls(seq, run_at, worker_id) = 1", name="ck_work_items_one_state"),
        primary_key=("kind", "key"),
    )
    tenant_index("work_items", "seq", name="ix_work_items_ready", where="seq IS NOT NULL")
    # For the gates, which look across tenants.
    op.execute("CREATE INDEX ix_work_items_seq ON work_items (seq) WHERE seq IS NOT NULL")
    op.execute("CREATE INDEX ix_work_items_run_at ON work_items (run_at) WHERE run_at IS NOT NULL")
    op.execute("CREATE INDEX ix_work_items_worker ON work_items (worker_id) WHERE worker_id IS NOT NULL")
    tenant_table(
        "work_schedules",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("next_run_at", MOMENT, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        primary_key=("kind", "next_run_at", "seq"),
    )
    op.execute("CREATE INDEX ix_work_schedules_next_run_at ON work_schedules (next_run_at)")
    tenant_table(
        "work_idempotency",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        primary_key=("kind", "idempotency_key"),
    )
    op.execute("CREATE INDEX ix_work_idempotency_created_at ON work_idempotency (created_at)")
    tenant_table(
        "work_dead_letters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="of the work, or the handler's name"),
        sa.Column("key", sa.Text(), nullable=False, comment="of the work, or the event's id"),
        sa.Column("arguments", sa.dialects.postgresql.JSONB()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("died_at", MOMENT, nullable=False),
        sa.CheckConstraint("source IN ('job', 'wake', 'event')", name="ck_work_dead_letters_source"),
    )
    op.execute("CREATE INDEX ix_work_dead_letters_died_at ON work_dead_letters (died_at)")
    platform_table(
        "workers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False, comment="by the database's clock"),
        sa.Column("seen_at", MOMENT, nullable=False, comment="by the database's clock"),
        primary_key=("id",),
        reason="which processes of the installation do work; holds nothing of any tenant",
        rights="select",
    )
    _vacuum_often("work_items")
    _vacuum_often("work_schedules")
    _vacuum_often("workers")


def _events() -> None:
    _sequence("event_seq")
    tenant_table(
        "events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("customer_id", sa.Uuid()),
        sa.Column("conversation_id", sa.Uuid()),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid()),
        sa.Column("occurred_at", MOMENT, nullable=False),
        sa.Column("causation_id", sa.Uuid(), comment="the event that caused this one"),
        sa.Column("payload", sa.dialects.postgresql.JSONB(), nullable=False, comment="ids, states, figures; 4 KB"),
        partition_by="id",
        rights="select, insert, delete",
    )
    tenant_index("events", "customer_id", "id", where="customer_id IS NOT NULL")
    op.execute("CREATE INDEX ix_events_without_customer ON events (id) WHERE customer_id IS NULL")
    tenant_table(
        "event_queue",
        sa.Column("lane", sa.SmallInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        primary_key=("lane", "seq"),
    )
    op.execute("CREATE INDEX ix_event_queue_seq ON event_queue (seq)")
    _vacuum_often("event_queue")
    tenant_table(
        "event_retry",
        sa.Column("handler", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("run_at", MOMENT, nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        primary_key=("handler", "event_id"),
    )
    tenant_index("event_retry", "run_at")


def _callbacks() -> None:
    tenant_table(
        "callback_endpoints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("callback_id", sa.Text(), nullable=False, comment="128 random bits, in the address"),
        sa.Column("receive_id", sa.Text(), nullable=False),
        sa.Column("token_sealed", sa.Text(), nullable=False),
        sa.Column("aes_key_sealed", sa.Text(), nullable=False),
        sa.Column("reference_id", sa.Uuid(), nullable=False, comment="what the endpoint belongs to, e.g. a WeCom app"),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("rotated_at", MOMENT),
    )
    # For the gate, to which the address alone tells the tenant. Not unique: 128 random bits are.
    op.execute("CREATE INDEX ix_callback_endpoints_callback_id ON callback_endpoints (callback_id)")
    tenant_index("callback_endpoints", "reference_id")
    tenant_table(
        "callbacks",
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="SHA-256 of account and decrypted body"),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="decrypted"),
        sa.Column("wake_kind", sa.Text()),
        sa.Column("wake_key", sa.Text()),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.CheckConstraint("octet_length(digest) = 32", name="ck_callbacks_digest"),
        primary_key=("digest",),
    )
    tenant_index("callbacks", "endpoint_id", "id")
    tenant_index("callbacks", "kind", "account", "id")
    op.execute("CREATE INDEX ix_callbacks_received_at ON callbacks (received_at)")
    tenant_table(
        "callback_refusals",
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        primary_key=("endpoint_id", "id"),
    )


def _sequence(name: str) -> None:
    op.execute(f"CREATE SEQUENCE {name}")
    op.execute(f"GRANT USAGE, SELECT ON SEQUENCE {name} TO {APP_ROLE}")


def _vacuum_often(table: str) -> None:
    """Queues are nearly all dead rows: by their number, not by a share of a size that is next to nothing."""
    op.execute(
        f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,"
        " autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000)"
    )
