"""The address book: where it is read from, how far a sync is, and people from files."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from huitouke.kernel.database.ddl import tenant_index, tenant_table

revision = "organization_0004"
down_revision = "organization_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("wecom_apps", sa.Column("kind", sa.Text(), nullable=False, server_default="app"))
    op.execute("ALTER TABLE wecom_apps ADD CONSTRAINT kind CHECK (kind IN ('app', 'contacts')) NOT VALID")
    op.execute("ALTER TABLE wecom_apps VALIDATE CONSTRAINT kind")
    _people()
    _address_book()
    _imports()


def _people() -> None:
    """WeCom's userids are the same in any case (path/90196): people are found by the lower one.

    The column is written into all rows at once, of which there are at most some thousands before this release.
    """
    op.execute("ALTER TABLE staff ADD COLUMN wecom_key text GENERATED ALWAYS AS (lower(wecom_userid)) STORED")
    tenant_index("staff", "wecom_key", where="wecom_key IS NOT NULL")
    op.add_column("staff", sa.Column("left_because", sa.Text()))
    op.execute(
        "ALTER TABLE staff ADD CONSTRAINT left_because CHECK (left_because IN ('hand', 'address_book')) NOT VALID"
    )
    op.execute("ALTER TABLE staff VALIDATE CONSTRAINT left_because")


def _address_book() -> None:
    moment = sa.DateTime(timezone=True)
    tenant_table(
        "address_books",
        sa.Column("wecom_app_id", sa.Uuid(), nullable=False),
        sa.Column("contacts_app_id", sa.Uuid()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("run", sa.BigInteger(), nullable=False),
        sa.Column("phase", sa.Text()),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("listed", ARRAY(sa.BigInteger())),
        sa.Column("figures", JSONB(), nullable=False),
        sa.Column("leaving", sa.BigInteger()),
        sa.Column("leaving_confirmed", sa.Boolean(), nullable=False),
        sa.Column("problem", sa.Text()),
        sa.Column("problem_place", sa.Text()),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("started_at", moment),
        sa.Column("finished_at", moment),
        sa.Column("due_at", moment),
        sa.Column("heard", sa.Uuid()),
        sa.Column("last", JSONB()),
        sa.Column("created_at", moment, nullable=False),
        sa.CheckConstraint("state IN ('idle', 'running', 'waiting', 'asking', 'failed')", name="state"),
        sa.ForeignKeyConstraint(["tenant_id", "wecom_app_id"], ["wecom_apps.tenant_id", "wecom_apps.id"]),
        sa.ForeignKeyConstraint(["tenant_id", "contacts_app_id"], ["wecom_apps.tenant_id", "wecom_apps.id"]),
        primary_key=(),
    )
    tenant_table(
        "address_book_people",
        sa.Column("userid_key", sa.Text(), nullable=False),
        sa.Column("userid", sa.Text(), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("departments", ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("leads", ARRAY(sa.BigInteger()), nullable=False),
        primary_key=("userid_key",),
    )


def _imports() -> None:
    moment = sa.DateTime(timezone=True)
    tenant_table(
        "staff_imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rows_total", sa.BigInteger(), nullable=False),
        sa.Column("rows_failed", sa.BigInteger(), nullable=False),
        sa.Column("rows_done", sa.BigInteger(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("skipped", sa.BigInteger(), nullable=False),
        sa.Column("sample", JSONB(), nullable=False),
        sa.Column("errors", JSONB(), nullable=False),
        sa.Column("failure", sa.Text()),
        sa.Column("created_by", sa.Uuid()),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("finished_at", moment),
        sa.CheckConstraint("state IN ('previewed', 'applying', 'done', 'failed')", name="state"),
        primary_key=("id",),
    )
