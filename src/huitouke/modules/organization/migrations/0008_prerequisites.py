"""How far a shop is on its way to the real channels."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from huitouke.kernel.database.ddl import tenant_table

revision = "organization_0008"
down_revision = "organization_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    tenant_table(
        "prerequisite_states",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", moment, nullable=False, comment="when the state began"),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("assignee_id", sa.Uuid(), comment="who of the staff sees to it"),
        sa.Column("expected_days", sa.Integer(), comment="what this shop was told; null: the usual figure"),
        sa.Column("entered", JSONB(), nullable=False, comment="values asked for; never secrets"),
        sa.Column("secrets_entered", JSONB(), nullable=False, comment="names of the secrets that were taken in"),
        sa.Column("done_by", sa.Text(), comment="a person's name, `check`, or for whom a link was made"),
        sa.Column("found", JSONB(), comment="what the last live check found"),
        sa.Column("checked_at", moment),
        sa.CheckConstraint(
            "state IN ('todo', 'handed', 'waiting', 'done', 'not_needed')", name="ck_prerequisite_states_state"
        ),
        sa.CheckConstraint("expected_days BETWEEN 0 AND 365", name="ck_prerequisite_states_days"),
        sa.ForeignKeyConstraint(["tenant_id", "assignee_id"], ["staff.tenant_id", "staff.id"]),
        primary_key=("name",),
    )
    op.execute("CREATE INDEX ix_prerequisite_states_assignee ON prerequisite_states (tenant_id, assignee_id)")
