"""Names that stand near to a person: nobody may choose one of them for a password."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def names_near(session: AsyncSession, user_id: UUID) -> list[str]:
    """What the person and the shops that the person works for are called: others think of these too."""
    names = await session.scalars(
        text(
            "SELECT display_name FROM users WHERE id = :user_id UNION SELECT t.name FROM memberships AS m"
            " JOIN tenants AS t ON t.id = m.tenant_id WHERE m.user_id = :user_id AND m.state = 'active'"
        ),
        {"user_id": user_id},
    )
    return list(names)
