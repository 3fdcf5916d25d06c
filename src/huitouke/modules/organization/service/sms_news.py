"""What the provider tells of: receipts of messages, and what people answer (SmsReport, SmsUp: JSON arrays by POST)."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from huitouke.kernel import clock
from huitouke.kernel.callbacks import BadCallback, Endpoint, Opened
from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.events import emit
from huitouke.kernel.ids import new_id
from huitouke.kernel.work import fence
from huitouke.modules.organization.events import SmsReplied
from huitouke.modules.organization.service.sms import CALLBACK_KIND
from huitouke.modules.organization.sms_models import SmsAccount, SmsMessage, SmsReplyRow

NEWS_RUNNER: Final = "organization.sms_news"
BODIES: Final = 20
MAX_TEXT_CHARACTERS: Final = 500


class SmsCallbacks:
    """The address holds 128 random bits: the provider signs nothing, so who knows the address is believed."""

    name = CALLBACK_KIND
    accepted = b'{"code":0,"msg":"OK"}'
    """Without this answer the provider tells the same again."""

    def verify(self, endpoint: Endpoint, query: Mapping[str, str]) -> bytes:
        """The provider checks no address."""
        raise BadCallback("method")

    def open(self, endpoint: Endpoint, query: Mapping[str, str], body: bytes) -> Opened:
        """The array as it came. Raises BadCallback."""
        entries = _entries(body)
        if entries is None:
            raise BadCallback("bad_json")
        key = str(endpoint.reference_id)
        event = "reply" if any("content" in one for one in entries) else "receipt"
        return Opened(key, body, (NEWS_RUNNER, key), event)


async def hear(context: Context, account_id: str) -> None:
    """Takes in what came since the last time, each callback with the mark that it was."""
    while True:
        async with transaction(context) as ctx:
            await fence(ctx)
            account = await ctx.session.scalar(
                select(SmsAccount).where(SmsAccount.id == UUID(account_id)).with_for_update()
            )
            if account is None:
                return
            bodies = await callbacks.bodies_after(ctx, CALLBACK_KIND, account_id, account.heard, limit=BODIES)
            for body in bodies:
                for entry in _entries(body.body) or []:
                    await (_reply(ctx, entry) if "content" in entry else _receipt(ctx, entry))
                account.heard = body.id
            if len(bodies) < BODIES:
                return


async def _receipt(ctx: Context, entry: Mapping[str, Any]) -> None:
    """What became of a message of ours, also of one that nobody knew about."""
    try:
        message_id = UUID(hex=str(entry.get("out_id", "")))
    except ValueError:
        return
    arrived = entry.get("success") is True
    await ctx.session.execute(
        update(SmsMessage)
        .where(SmsMessage.id == message_id, SmsMessage.state.in_(("sending", "sent", "unknown")))
        .values(
            state="delivered" if arrived else "undelivered",
            error_code=None if arrived else str(entry.get("err_code", ""))[:100],
            changed_at=clock.now(),
            params={},
        )
        .execution_options(synchronize_session=False)
    )


async def _reply(ctx: Context, entry: Mapping[str, Any]) -> None:
    """Keeps an answer once, and tells that there is one."""
    phone, text = str(entry.get("phone_number", "")), str(entry.get("content", "")).replace("\0", "")
    key = str(entry.get("sequence_id") or f"{phone}|{entry.get('send_time')}|{text}")[:200]
    reply_id = await ctx.session.scalar(
        insert(SmsReplyRow)
        .values(
            tenant_id=ctx.tenant_id,
            id=new_id(),
            phone=_e164(phone),
            text=text[:MAX_TEXT_CHARACTERS],
            provider_key=key,
            received_at=clock.now(),
        )
        .on_conflict_do_nothing()
        .returning(SmsReplyRow.id)
    )
    if reply_id is not None:
        await emit(ctx, SmsReplied(reply_id=reply_id))


def _e164(phone: str) -> str:
    """The provider writes Chinese numbers bare, others with their country in front."""
    digits = phone.lstrip("+")
    return f"+86{digits}" if len(digits) == 11 and digits.startswith("1") else f"+{digits}"


def _entries(body: bytes) -> list[dict[str, Any]] | None:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, list) and all(isinstance(one, dict) for one in found) else None
