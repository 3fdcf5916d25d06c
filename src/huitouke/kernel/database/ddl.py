"""How migrations make tables, so that none is made without its fence."""

from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import op

APP_ROLE: Final = "huitouke_app"
OWNER_ROLE: Final = "huitouke_owner"

ALL_RIGHTS: Final = "select, insert, update, delete"

TENANT_PREDICATE: Final = "tenant_id = nullif(current_setting('huitouke.tenant_id', true), '')::uuid"
"""`nullif`: after a transaction-local setting ends, its value is the empty text, not null."""


def tenant_table(
    name: str,
    *elements: sa.Column[object] | sa.Constraint,
    primary_key: tuple[str, ...] = ("id",),
    partition_by: str | None = None,
    rights: str = ALL_RIGHTS,
) -> None:
    """Makes a tenant's table: `tenant_id` first in row and key, row-level security, policy, grants.

    `partition_by` names the UUIDv7 column by whose month the table is partitioned; `make_partitions` makes the parts.
    """
    op.create_table(
        name,
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        *elements,
        sa.PrimaryKeyConstraint("tenant_id", *primary_key, name=f"pk_{name}"),
        postgresql_partition_by=f"RANGE ({partition_by})" if partition_by else None,
    )
    op.execute(f'ALTER TABLE "{name}" ENABLE ROW LEVEL SECURITY')
    op.execute(
        f'CREATE POLICY tenant ON "{name}" TO {APP_ROLE} USING ({TENANT_PREDICATE}) WITH CHECK ({TENANT_PREDICATE})'
    )
    op.execute(f'GRANT {rights} ON "{name}" TO {APP_ROLE}')


def platform_table(
    name: str,
    *elements: sa.Column[object] | sa.Constraint,
    primary_key: tuple[str, ...],
    reason: str,
    rights: str,
) -> None:
    """Makes a table without a tenant. The reason stands in the catalogue as the table's comment."""
    op.create_table(
        name, *elements, sa.PrimaryKeyConstraint(*primary_key, name=f"pk_{name}"), comment=f"scope=platform: {reason}"
    )
    if rights:
        op.execute(f'GRANT {rights} ON "{name}" TO {APP_ROLE}')


def tenant_index(
    table: str, *columns: str, unique: bool = False, name: str | None = None, where: str | None = None
) -> None:
    """Makes an index whose first column is the tenant. `columns` may be SQL such as `created_at DESC`."""
    plain = "_".join(column.split()[0] for column in columns)
    chosen = name or f"{'uq' if unique else 'ix'}_{table}_{plain}"
    kind = "UNIQUE INDEX" if unique else "INDEX"
    condition = f" WHERE {where}" if where else ""
    op.execute(f'CREATE {kind} "{chosen}" ON "{table}" (tenant_id, {", ".join(columns)}){condition}')


def definer_function(sql: str, signature: str) -> None:
    """Makes a SECURITY DEFINER function from its SQL and lets only the application's role call it.

    `signature` is the name with its argument types, e.g. `search_knowledge(uuid, text[], integer)`.
    """
    op.execute(sa.text(_escape_colons(sql)))
    op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {APP_ROLE}")


def run_sql_file(path: Path) -> None:
    """Runs a file of statements divided by lines that hold only `-- ;;`."""
    for statement in path.read_text(encoding="utf-8").split("\n-- ;;\n"):
        if statement.strip():
            op.execute(sa.text(_escape_colons(statement)))


def _escape_colons(sql: str) -> str:
    """SQLAlchemy reads `:word` as a parameter; casts keep their two colons."""
    return sql.replace("::", "\0").replace(":", "\\:").replace("\0", "\\:\\:")
