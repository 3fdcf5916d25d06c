"""What going live needs of 微信客服: an account that the app manages."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from sqlalchemy import select

from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.modules.conversations.models import ChannelAccount
from huitouke.modules.conversations.service.account_checks import MANAGED
from huitouke.modules.conversations.service.accounts import KIND
from huitouke.modules.organization.service import Found, Prerequisite, Usual


async def connected(context: Context, _: Mapping[str, str]) -> Found:
    """Is a 客服账号 connected, and did its last call go well?"""
    async with transaction(context) as ctx:
        states = set(
            await ctx.session.scalars(select(ChannelAccount.state).where(ChannelAccount.kind == KIND).distinct())
        )
    if "active" in states:
        return Found("ok")
    return Found("failed" if "failing" in states else "waiting")


KF_MANAGED: Final = Prerequisite(
    MANAGED,
    "wecom",
    "administrator",
    "free",
    Usual(1, date(2026, 11, 1)),
    after=("wecom_app", "wecom_verified"),
    features=("chat", "staff_desk"),
    check=connected,
)
