"""Which of our addresses WeCom refused and which it trusts: an address that changed is told from one never entered."""

import sqlalchemy as sa
from alembic import op

revision = "organization_0007"
down_revision = "organization_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("wecom_apps", sa.Column("refused_ip", sa.Text(), comment="the address that WeCom refused last"))
    op.add_column("wecom_apps", sa.Column("trusted_ip", sa.Text(), comment="the one that was refused and then trusted"))
