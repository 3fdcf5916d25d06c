"""Sealing everything anew with the first key of the ring, in batches, while the installation runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from huitouke.kernel.context import Context, job_context
from huitouke.kernel.database import platform_transaction, transaction
from huitouke.kernel.keys import KeyRing, SealedColumn, place, sealed_columns

BATCH_ROWS: Final = 200
TENANTS_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Rotated:
    """What one run did. `values` were sealed anew in `tenants` tenants looked through."""

    tenants: int
    values: int


async def reseal_everything(ring: KeyRing, on_progress: Callable[[Rotated], None] | None = None) -> Rotated:
    """Seals every value anew that an older key sealed; can be stopped at any time and started again.

    Raises:
        UnsealError: a value's key is not in the ring, or it is damaged; what was done before stays done.
    """
    done = Rotated(0, 0)
    after: UUID | None = None
    while True:
        page = await _tenants(after)
        if not page:
            return Rotated(done.tenants, done.values + await _reseal_platform(ring))
        for tenant_id in page:
            count = 0
            for column in sealed_columns():
                if not column.platform:
                    count += await _reseal_column(job_context(tenant_id), ring, column)
            done = Rotated(done.tenants + 1, done.values + count)
            if on_progress is not None:
                on_progress(done)
        after = page[-1]


async def _reseal_column(context: Context, ring: KeyRing, column: SealedColumn) -> int:
    count = 0
    while True:
        async with transaction(context) as ctx:
            moved = await _reseal_batch(ctx.session, ring, column, {"tenant_id": ctx.tenant_id})
        count += moved
        if moved < BATCH_ROWS:
            return count


async def _reseal_platform(ring: KeyRing) -> int:
    count = 0
    for column in sealed_columns():
        moved = BATCH_ROWS if column.platform else 0
        while moved == BATCH_ROWS:
            async with platform_transaction() as session:
                moved = await _reseal_batch(session, ring, column, {})
            count += moved
    return count


async def _reseal_batch(session: AsyncSession, ring: KeyRing, column: SealedColumn, tenant: Mapping[str, UUID]) -> int:
    """One batch of that column, of the tenant's rows where there is a tenant; gives the number of rows."""
    # Names come from the code's own registry, never from input.
    whose = "tenant_id = :tenant_id AND" if tenant else ""
    rows = (
        await session.execute(
            text(
                f"SELECT {column.key} AS row_id, {column.column} AS sealed FROM {column.table}"  # noqa: S608 - names from the registry
                f" WHERE {whose} {column.column} NOT LIKE :current"
                f" ORDER BY {column.key} LIMIT {BATCH_ROWS} FOR UPDATE"
            ),
            {**tenant, "current": f"v1.{ring.first_kid}.%"},
        )
    ).all()
    if not rows:
        return 0
    values = []
    for row in rows:
        where = place(tenant.get("tenant_id"), column.table, column.column, row.row_id)
        values.append(
            {
                **tenant,
                "row_id": row.row_id,
                "sealed": ring.seal(where, ring.unseal(where, row.sealed)),
            }
        )
    await session.execute(
        text(
            f"UPDATE {column.table} SET {column.column} = :sealed"  # noqa: S608 - names from the registry
            f" WHERE {whose} {column.key} = :row_id"
        ),
        values,
    )
    return len(rows)


async def _tenants(after: UUID | None) -> Sequence[UUID]:
    async with platform_transaction() as session:
        rows = await session.execute(
            text(
                "SELECT id FROM tenants WHERE (CAST(:after AS uuid) IS NULL OR id > CAST(:after AS uuid))"
                " ORDER BY id LIMIT :rows"
            ),
            {"after": after, "rows": TENANTS_PAGE},
        )
        return rows.scalars().all()
