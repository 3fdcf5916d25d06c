"""Messages of the merchant's own app in people's WeCom: text, text card, and one template card for several."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select

from huitouke.kernel.context import Context
from huitouke.kernel.errors import NotFound
from huitouke.kernel.locales import translate
from huitouke.modules.organization.models import Staff, WecomApp
from huitouke.modules.organization.service.clients import wecom_client
from huitouke.modules.organization.service.notifying.channels import wecom_errors
from huitouke.modules.organization.service.notifying.kinds import WECOM_APP
from huitouke.modules.organization.service.notifying.ways import Envelope, Message, NotSent
from huitouke.wechat.app_messages import (
    TEXT_LIMIT_BYTES,
    AppMessageClient,
    CardAction,
    CardLine,
    CardTitle,
    Receivers,
    TextCard,
    TextNoticeCard,
)
from huitouke.wechat.errors import WecomError

TITLE_CHARACTERS: Final = 128
DESCRIPTION_CHARACTERS: Final = 512
CARD_TITLE_CHARACTERS: Final = 26
VALUE_CHARACTERS: Final = 26
LINES: Final = 6
"""What WeCom takes, and shows, of cards (path/90236)."""

MISSED: Final = "not_reached"
"""WeCom took the message and named the person as one whom the app doesn't reach."""


@dataclass(frozen=True, slots=True)
class Address:
    """Which app rings, and in whose WeCom."""

    app_id: UUID
    agent_id: int
    userid: str


class WecomAppChannel:
    """Rings with the merchant's oldest app that works."""

    name = WECOM_APP

    async def reaches(self, ctx: Context, staff_ids: Sequence[UUID]) -> set[UUID]:
        if await _app(ctx) is None:
            return set()
        found = select(Staff.id).where(Staff.id.in_(staff_ids), Staff.wecom_userid.is_not(None))
        return set(await ctx.session.scalars(found))

    async def address(self, ctx: Context, recipient_id: UUID) -> Address | None:
        app = await _app(ctx)
        userid = await ctx.session.scalar(select(Staff.wecom_userid).where(Staff.id == recipient_id))
        return Address(app.id, int(app.agent_id), userid) if app is not None and userid is not None else None

    async def send(self, context: Context, address: Address, envelope: Envelope) -> None:
        try:
            client = AppMessageClient(await wecom_client(context, address.app_id), address.agent_id)
            sent = await _send(client, Receivers(userids=(address.userid,)), envelope)
        except NotFound as error:  # the app was deleted on the way
            raise NotSent(wecom_errors.GONE, "retry") from error
        except WecomError as error:
            raise wecom_errors.not_sent(error) from error
        if sent:
            raise NotSent(MISSED, "final")

    def explain(self, code: str, locale: str) -> str:
        if code in (MISSED, wecom_errors.GONE):
            return translate(locale, f"notices.codes.wecom_app.{code}")
        return wecom_errors.explain(code, locale)


async def _app(ctx: Context) -> WecomApp | None:
    """The oldest that works, else the oldest: a check may be out of date."""
    apps = select(WecomApp).where(WecomApp.kind == "app").order_by(WecomApp.state == "failing", WecomApp.id)
    return await ctx.session.scalar(apps.limit(1))


async def _send(client: AppMessageClient, to: Receivers, envelope: Envelope) -> bool:
    """Whether nobody was reached."""
    if len(envelope.messages) > 1:
        sent = await client.send_template_card(to, _together(envelope))
    elif (message := envelope.messages[0]).url:
        sent = await client.send_textcard(to, _card(message))
    else:
        sent = await client.send_text(to, _cut(f"{message.title}\n{message.text}".strip(), TEXT_LIMIT_BYTES))
    return bool(sent.invalid_userids or sent.unlicensed_userids)


def _card(message: Message) -> TextCard:
    return TextCard(
        title=message.title[:TITLE_CHARACTERS],
        description=(message.text or message.title)[:DESCRIPTION_CHARACTERS],
        url=message.url,
    )


def _together(envelope: Envelope) -> TextNoticeCard:
    """The newest of them as lines; a tap opens the list."""
    count = len(envelope.messages)
    newest = list(envelope.messages)[-LINES:]
    title = translate(envelope.locale, "notices.together", count=count)
    return TextNoticeCard(
        main_title=CardTitle(title=title[:CARD_TITLE_CHARACTERS]),
        horizontal_content_list=tuple(
            CardLine(keyname=str(place), value=one.title[:VALUE_CHARACTERS]) for place, one in enumerate(newest, 1)
        ),
        card_action=CardAction(url=envelope.list_url),
    )


def _cut(text: str, limit_bytes: int) -> str:
    return text.encode()[:limit_bytes].decode(errors="ignore")
