"""Pages of sync_msg as WeCom would send them (path/94670), without a sandbox."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from huitouke.kernel import clock
from huitouke.kernel.database import transaction
from huitouke.modules.conversations.channels.wecom_kf_items import translated
from huitouke.modules.conversations.models import ChannelAccount
from huitouke.modules.conversations.service.receiving import receive_page
from huitouke.wechat.kf_messages import parse_items
from tests.modules.conversations.desk import Desk


def customer_text(msgid: str, address: str, text: str, *, at: datetime | None = None) -> dict[str, Any]:
    """A customer's text."""
    return {
        "msgid": msgid,
        "open_kfid": "wk",
        "external_userid": address,
        "send_time": int((at or clock.now()).timestamp()),
        "origin": 3,
        "msgtype": "text",
        "text": {"content": text},
    }


def servicer_text(msgid: str, address: str, userid: str, text: str, *, at: datetime | None = None) -> dict[str, Any]:
    """What a servicer wrote in the WeCom app."""
    return {**customer_text(msgid, address, text, at=at), "origin": 5, "servicer_userid": userid}


def event(msgid: str, address: str, event_type: str, *, at: datetime | None = None, **fields: Any) -> dict[str, Any]:
    """An event; its ids stand inside."""
    return {
        "msgid": msgid,
        "send_time": int((at or clock.now()).timestamp()),
        "origin": 4,
        "msgtype": "event",
        "event": {"event_type": event_type, "open_kfid": "wk", "external_userid": address, **fields},
    }


async def page(desk: Desk, entries: list[dict[str, Any]], next_cursor: str) -> int:
    """Takes the entries in as the account's next page; gives the number that were new."""
    async with transaction(desk.context) as ctx:
        current = await ctx.session.scalar(
            select(ChannelAccount.sync_cursor).where(ChannelAccount.id == desk.account.id)
        )
        return await receive_page(
            ctx, desk.account.id, current, translated(parse_items(entries), clock.now()), next_cursor
        )
