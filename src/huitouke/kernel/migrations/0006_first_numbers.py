"""The first entry of an installation is seen at once: readers begin behind the head of a sequence, and one that was
never used tells its first number as its head."""

from alembic import op

revision = "kernel_0006"
down_revision = "kernel_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SELECT nextval('work_seq'), nextval('event_seq')")
