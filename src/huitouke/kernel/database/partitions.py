"""Monthly partitions of the large append-only tables."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from huitouke.kernel import clock


async def ensure_partitions(session: AsyncSession, earliest: datetime | None = None) -> int:
    """Makes the partitions from `earliest` (for imported history) or last month to three months ahead.

    Gives the number made. Goes through the gate `make_partitions`, since the application's role owns nothing.
    """
    made = await session.scalar(
        text("SELECT make_partitions(:moment, :earliest)"), {"moment": clock.now(), "earliest": earliest}
    )
    return int(made or 0)
