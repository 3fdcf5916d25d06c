"""Removing what an uninstalled plug-in left in the database."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

from huitouke.kernel.database import Base
from huitouke.kernel.modules import Modules


class DropRefusedError(RuntimeError):
    """The module's tables may not be dropped; the message says why."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """What a plug-in of that name left: its tables (they bear its name) and its revisions."""

    name: str
    tables: tuple[str, ...]
    revisions: tuple[str, ...]


async def find_leftover(owner_url: str, name: str, modules: Modules) -> Leftover:
    """Looks for the tables of a module that is no longer installed.

    Raises:
        DropRefusedError: it is installed, or never was.
    """
    if any(module.name == name for module in modules):
        raise DropRefusedError(f"{name} is installed; uninstall its package first, then drop its tables")
    connection = await asyncpg.connect(owner_url)
    try:
        revisions = await connection.fetch(
            "SELECT version_num FROM alembic_version WHERE starts_with(version_num, $1) ORDER BY 1", f"{name}_"
        )
        tables = await connection.fetch(
            "SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace"
            " AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
            " AND (c.relname = $1 OR starts_with(c.relname, $2)) ORDER BY 1",
            name,
            f"{name}_",
        )
    finally:
        await connection.close()
    if not revisions:
        raise DropRefusedError(f"no module {name!r} was ever installed here")
    owned_by_others = set(Base.metadata.tables)
    return Leftover(
        name,
        tuple(row["relname"] for row in tables if row["relname"] not in owned_by_others),
        tuple(row["version_num"] for row in revisions),
    )


async def drop(owner_url: str, leftover: Leftover) -> None:
    """Drops the tables with all their rows, and forgets the revisions, all or nothing."""
    connection = await asyncpg.connect(owner_url)
    try:
        async with connection.transaction():
            if leftover.tables:
                names = ", ".join(f'"{table}"' for table in leftover.tables)
                await connection.execute(f"DROP TABLE {names}")
            await connection.execute(
                "DELETE FROM alembic_version WHERE version_num = ANY($1)", list(leftover.revisions)
            )
    finally:
        await connection.close()
