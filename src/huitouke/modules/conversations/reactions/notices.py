"""Ringing in people's WeCom when a customer waits for one: a card with 「我来回」, once per handover."""

from typing import Final
from uuid import UUID

import structlog

from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.context import Actor, ActorKind, Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import NotFound, Problem
from huitouke.kernel.locales import translate
from huitouke.kernel.scoping import NOBODYS
from huitouke.kernel.settings import get_settings
from huitouke.kernel.work import fence, runner
from huitouke.modules.conversations.service import handling, notices
from huitouke.modules.conversations.service.handling import CARD_RUNNER, NOTICE_RUNNER
from huitouke.modules.conversations.service.notices import CardUpdate, Notice
from huitouke.modules.customers import service as customers
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.service import callback_fields
from huitouke.wechat.app_messages import (
    AppMessageClient,
    ButtonInteractionCard,
    CardAction,
    CardButton,
    CardLine,
    CardTitle,
    DuplicateCheck,
    Receivers,
)
from huitouke.wechat.errors import WecomError

TITLE_CHARACTERS: Final = 26
TEXT_CHARACTERS: Final = 112
VALUE_CHARACTERS: Final = 26
"""What WeCom shows of a card's title, text and lines (path/90236)."""

CLICKS: Final = 100

log = structlog.get_logger(__name__)


@runner(NOTICE_RUNNER)
async def notify_handover(context: Context, handover_id: str) -> None:
    """Sends the card; a failure is kept with the notice and nothing is sent twice."""
    async with transaction(context) as ctx:
        await fence(ctx)
        notice = await notices.begin(ctx, UUID(handover_id))
    if notice is None:
        return
    try:
        client = await _app_messages(context, notice.wecom_app_id)
        sent = await client.send_template_card(
            Receivers(userids=notice.recipients), _card(context, notice), duplicate_check=DuplicateCheck()
        )
    except WecomError as error:
        code = str(error.errcode if error.errcode is not None else error.reason)
        log.warning("conversations.notice_failed", handover_id=handover_id, code=code)
        async with transaction(context) as ctx:
            state: notices.NoticeState = "unknown" if error.may_have_happened else "failed"
            await notices.finish(ctx, notice.handover_id, state, code=code)
        return
    async with transaction(context) as ctx:
        await notices.finish(ctx, notice.handover_id, "sent", response_code=sent.response_code or None)
    await _update(context, notice.handover_id, None)  # somebody may have taken it while the card was on its way


@runner(CARD_RUNNER)
async def bring_card_up_to_date(context: Context, handover_id: str) -> None:
    """Takes the conversation for whoever clicked first, and writes on the card who is on it."""
    async with transaction(context) as ctx:
        clicks = await callbacks.bodies_after(ctx, "wecom", handover_id, limit=CLICKS)
    code: str | None = None
    for click in clicks:
        fields = callback_fields(click.body)
        if fields.get("EventKey") == notices.BUTTON_KEY:
            await _take(context, handover_id, fields.get("FromUserName", ""))
            code = fields.get("ResponseCode") or code
    await _update(context, UUID(handover_id), code)


async def _take(context: Context, handover_id: str, wecom_userid: str) -> None:
    """As if the person had pressed the button in the console; whoever was faster keeps it."""
    async with transaction(context) as ctx:
        staff = await organization.staff_of_wecom_userid(ctx, wecom_userid)
        row = await handling.waiting_handover(ctx, UUID(handover_id))
        if staff is None or row is None:
            return
        owners = (await customers.owners(ctx, [row.customer_id])).get(row.customer_id, NOBODYS)
        if not await organization.sees(ctx, staff, owners):  # any more: the card went to who saw the customer then
            log.info("conversations.card_out_of_scope", handover_id=handover_id)
            return
        try:
            await handling.take(ctx.acting_as(Actor(ActorKind.STAFF, staff.id, staff.user_id)), row.id)
        except Problem as problem:
            log.info("conversations.card_too_late", handover_id=handover_id, reason=problem.type)


async def _update(context: Context, handover_id: UUID, clicked_code: str | None) -> None:
    """The card's one update. It is marked before the call: a code can be used once, so a repeat would be refused."""
    async with transaction(context) as ctx:
        await fence(ctx)
        update = await notices.card_update(ctx, handover_id, clicked_code)
    if update is None:
        return
    try:
        client = await _app_messages(context, update.wecom_app_id)
        receivers = Receivers(userids=update.recipients)
        await client.disable_buttons(receivers, update.response_code, _button_text(context, update))
    except WecomError as error:
        log.warning("conversations.card_not_updated", handover_id=str(handover_id), code=error.errcode)
    except NotFound:  # the app was deleted meanwhile, and its cards can't be changed any more
        log.info("conversations.card_not_updated", handover_id=str(handover_id), code="no_app")


async def _app_messages(context: Context, wecom_app_id: UUID) -> AppMessageClient:
    async with transaction(context) as ctx:
        app = await organization.wecom_app(ctx, wecom_app_id)
    return AppMessageClient(await organization.wecom_client(context, wecom_app_id), int(app.agent_id))


def _card(context: Context, notice: Notice) -> ButtonInteractionCard:
    locale = context.locale
    who = notice.customer_name or translate(locale, "conversations.notice.somebody")
    lines = [
        CardLine(
            keyname=translate(locale, "conversations.notice.account"), value=notice.account_name[:VALUE_CHARACTERS]
        )
    ]
    if notice.last_words:
        said = notice.last_words[:VALUE_CHARACTERS]
        lines.append(CardLine(keyname=translate(locale, "conversations.notice.said"), value=said))
    return ButtonInteractionCard(
        task_id=notices.task_id(notice.handover_id),
        main_title=CardTitle(title=translate(locale, "conversations.notice.title", name=who)[:TITLE_CHARACTERS]),
        sub_title_text=(notice.summary or None) and notice.summary[:TEXT_CHARACTERS],
        horizontal_content_list=tuple(lines),
        card_action=CardAction(url=f"{get_settings().public_url}/conversations/{notice.conversation_id}"),
        button_list=(CardButton(text=translate(locale, "conversations.notice.take"), style=1, key=notices.BUTTON_KEY),),
    )


def _button_text(context: Context, update: CardUpdate) -> str:
    if update.taken_by is None:
        return translate(context.locale, "conversations.notice.done")
    return translate(context.locale, "conversations.notice.taken", name=update.taken_by)
