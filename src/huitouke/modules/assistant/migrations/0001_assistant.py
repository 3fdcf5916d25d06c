"""Tables of the assistant: knowledge with its index, imports, turns, traces, settings, model."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from huitouke.kernel.database.ddl import definer_function, tenant_index, tenant_table

revision = "assistant_0001"
down_revision = None
branch_labels = ("assistant",)
depends_on = ("kernel_0001",)

_SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Makes them."""
    _knowledge()
    _index()
    _imports()
    _replies()
    _settings()


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _id(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, JSONB(), nullable=False)


def _flag(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _knowledge() -> None:
    tenant_table(
        "knowledge_entries",
        _id("id"),
        _text("question"),
        _text("question_key"),
        _json("variants"),
        _text("answer"),
        _text("group_name"),
        _text("state"),
        _text("source"),
        _number("version"),
        _time("created_at"),
        _time("updated_at"),
        _id("updated_by", nullable=True),
        _time("deleted_at", nullable=True),
        sa.CheckConstraint("state in ('on', 'off')", name="state"),
        sa.CheckConstraint("source in ('manual', 'import', 'demo')", name="source"),
    )
    tenant_index("knowledge_entries", "updated_at DESC", "id DESC", where="deleted_at IS NULL")
    tenant_index("knowledge_entries", "group_name", where="deleted_at IS NULL")
    tenant_index("knowledge_entries", "md5(question_key)", name="ix_knowledge_entries_question_key")
    tenant_table(
        "knowledge_versions",
        _id("entry_id"),
        _number("version"),
        _text("question"),
        _json("variants"),
        _text("answer"),
        _text("group_name"),
        _text("state"),
        _time("changed_at"),
        _id("changed_by", nullable=True),
        sa.ForeignKeyConstraint(["tenant_id", "entry_id"], ["knowledge_entries.tenant_id", "knowledge_entries.id"]),
        primary_key=("entry_id", "version"),
    )


def _index() -> None:
    tenant_table(
        "knowledge_postings",
        _id("entry_id"),
        _text("term"),
        sa.Column("frequency", sa.Integer(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        primary_key=("entry_id", "term"),
    )
    op.execute(
        "CREATE INDEX ix_knowledge_postings_term ON knowledge_postings (tenant_id, term)"
        " INCLUDE (entry_id, frequency, length)"
    )
    tenant_table("knowledge_terms", _text("term"), _number("entries"), primary_key=("term",))
    tenant_table(
        "knowledge_statistics",
        sa.Column("kind", sa.Text(), nullable=False, comment="kind letter of terms, or * for the number of entries"),
        _number("amount"),
        primary_key=("kind",),
    )
    definer_function(
        (_SQL / "search_knowledge.sql").read_text(encoding="utf-8"),
        "search_knowledge(text[], double precision[], integer)",
    )


def _imports() -> None:
    tenant_table(
        "knowledge_imports",
        _id("id"),
        _id("file_id"),
        _text("file_name"),
        _text("state"),
        _text("mode", nullable=True),
        _json("columns"),
        _json("mapping"),
        *(
            _number(name)
            for name in ("rows_total", "rows_ok", "rows_failed", "rows_done", "added", "replaced", "skipped")
        ),
        _json("sample"),
        _json("errors"),
        _text("failure", nullable=True),
        _time("created_at"),
        _id("created_by", nullable=True),
        _time("finished_at", nullable=True),
        sa.CheckConstraint("state in ('previewed', 'failed', 'applying', 'done')", name="state"),
        sa.CheckConstraint("mode in ('add', 'replace_same_question')", name="mode"),
    )
    tenant_table(
        "knowledge_import_chunks",
        _id("import_id"),
        _number("chunk"),
        _time("applied_at"),
        sa.ForeignKeyConstraint(["tenant_id", "import_id"], ["knowledge_imports.tenant_id", "knowledge_imports.id"]),
        primary_key=("import_id", "chunk"),
    )


def _replies() -> None:
    tenant_table(
        "reply_turns",
        _id("conversation_id"),
        _time("first_message_at"),
        _time("due_at"),
        _text("state"),
        _number("waiting_seq"),
        _number("answered_seq"),
        _number("failed_turns"),
        sa.CheckConstraint("state in ('waiting', 'answering', 'idle')", name="state"),
        primary_key=("conversation_id",),
    )
    tenant_index("reply_turns", "due_at", where="state <> 'idle'")
    tenant_table(
        "reply_traces",
        _id("id"),
        _id("conversation_id", nullable=True),
        _id("message_id", nullable=True),
        _number("answered_seq", nullable=True),
        _text("question"),
        _text("decision"),
        _text("reason"),
        _text("answer", nullable=True),
        _json("evidence"),
        _json("checks"),
        _text("model", nullable=True),
        _number("tokens_in", nullable=True),
        _number("tokens_out", nullable=True),
        _json("elapsed_ms"),
        _time("created_at"),
        sa.CheckConstraint(
            "decision in ('answered', 'asked_colleague', 'handed_over', 'dropped', 'failed')", name="decision"
        ),
    )
    tenant_index("reply_traces", "conversation_id", "id DESC")
    tenant_index("reply_traces", "message_id", where="message_id IS NOT NULL")


def _settings() -> None:
    tenant_table(
        "assistant_settings",
        _text("name"),
        _text("ai_label"),
        _text("tone"),
        _json("handover_words"),
        _text("unsure_text"),
        _text("handover_text"),
        _text("media_text"),
        _flag("hand_over_when_unsure"),
        _flag("hand_over_media"),
        _number("failed_turns_limit"),
        _flag("paused"),
        _time("paused_until", nullable=True),
        _number("version"),
        _time("updated_at"),
        sa.CheckConstraint("btrim(ai_label) <> ''", name="ai_label"),
        primary_key=(),
    )
    tenant_table(
        "model_endpoints",
        _id("id"),
        _text("base_url"),
        _text("model"),
        _text("api_key_sealed", nullable=True),
        sa.Column("timeout_seconds", sa.Double(), nullable=False),
        _flag("enabled"),
        _time("updated_at"),
    )
