"""Each order of the inbox is read from an index, however many conversations there are."""

from huitouke.kernel.database.ddl import tenant_index

revision = "conversations_0003"
down_revision = "conversations_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    tenant_index("conversations", "state", "last_message_at", "id")
    # The expression is the one by which `queries.py` sorts: those in which nobody waits stand last.
    tenant_index(
        "conversations",
        "state",
        "(coalesce(waiting_since, '9999-01-01 00:00:00+00'::timestamptz))",
        "id",
        name="ix_conversations_state_waiting",
    )
