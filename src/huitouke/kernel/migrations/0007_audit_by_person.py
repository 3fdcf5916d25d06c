"""The audit log of one person is found by an index."""

from huitouke.kernel.database.ddl import tenant_index

revision = "kernel_0007"
down_revision = "kernel_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    tenant_index("audit_log", "actor_id", "id")
