"""A second step at sign-in: authenticator apps, recovery codes, and what waits for a code."""

import sqlalchemy as sa
from alembic import op

from huitouke.kernel.database.ddl import ALL_RIGHTS, platform_table

revision = "kernel_0008"
down_revision = "kernel_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    platform_table(
        "second_factors",
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("secret_sealed", sa.Text(), nullable=False),
        sa.Column("confirmed_at", _time(), comment="null until the first code was right"),
        sa.Column("last_step", sa.BigInteger(), nullable=False, comment="no code of this step or before counts again"),
        sa.Column("created_at", _time(), nullable=False),
        primary_key=("user_id",),
        reason="belongs to a person, who may work for several tenants; read before there is a session",
        rights=ALL_RIGHTS,
    )
    # What hangs on a factor goes with it: whoever takes it away leaves no code behind that still counts.
    platform_table(
        "recovery_codes",
        _factor(),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="argon2id of a code, salted with the user's id"),
        sa.Column("used_at", _time()),
        primary_key=("user_id", "digest"),
        reason="belongs to a person, who may work for several tenants; read before there is a session",
        rights=ALL_RIGHTS,
    )
    platform_table(
        "sign_in_challenges",
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="SHA-256 of the token's 256 random bits"),
        _factor(),
        sa.Column("tenant_id", sa.Uuid(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("expires_at", _time(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        primary_key=("digest",),
        reason="held by someone who is not signed in yet",
        rights=ALL_RIGHTS,
    )
    op.create_index("ix_sign_in_challenges_user_id", "sign_in_challenges", ["user_id"])
    op.create_index("ix_sign_in_challenges_expires_at", "sign_in_challenges", ["expires_at"])


def _factor() -> sa.Column[object]:
    return sa.Column("user_id", sa.Uuid(), sa.ForeignKey("second_factors.user_id", ondelete="CASCADE"), nullable=False)


def _time() -> sa.DateTime:
    return sa.DateTime(timezone=True)
