"""The one card per handover that rings in people's WeCom, and what it says afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import delete, select, update

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.masking import mask
from huitouke.kernel.scoping import NOBODYS
from huitouke.kernel.work import wake
from huitouke.modules.conversations.models import ChannelAccount, Conversation, HandoverNotice
from huitouke.modules.conversations.service import problems
from huitouke.modules.conversations.service.accounts import reference
from huitouke.modules.conversations.service.announce import announce
from huitouke.modules.conversations.service.handling import (
    NOTICE_RUNNER,
    conversation,
    waiting_handover,
    waits_for_staff,
)
from huitouke.modules.conversations.service.sending import preview
from huitouke.modules.conversations.service.summaries import summary_words
from huitouke.modules.customers import service as customers
from huitouke.modules.customers import tables as customer_columns
from huitouke.modules.organization import service as organization

TASK_PREFIX: Final = "handover-"
BUTTON_KEY: Final = "take"
REPLY: Final = "conversations.reply"

NoticeState = Literal["sending", "sent", "updated", "failed", "unknown", "nobody"]
NOT_TOLD: Final = frozenset({"failed", "unknown", "nobody"})
"""States in which nobody may have heard of the handover: shown, and it can be sent again."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What the card says and to whom it goes."""

    handover_id: UUID
    conversation_id: UUID
    wecom_app_id: UUID
    recipients: Sequence[str]
    customer_name: str
    account_name: str
    reason: str
    summary: str
    last_words: str


@dataclass(frozen=True, slots=True)
class CardUpdate:
    """An update of a card: who is on it now, None when nobody needs to be any more."""

    wecom_app_id: UUID
    recipients: Sequence[str]
    response_code: str
    taken_by: str | None


def task_id(handover_id: UUID) -> str:
    """How the card is named in callbacks."""
    return f"{TASK_PREFIX}{handover_id}"


def handover_of_task(task: str) -> str | None:
    """The handover id in a card's name, None for other cards."""
    if not task.startswith(TASK_PREFIX):
        return None
    try:
        return str(UUID(task.removeprefix(TASK_PREFIX)))
    except ValueError:
        return None


async def begin(ctx: Context, handover_id: UUID) -> Notice | None:
    """The notice to send now; None when it was sent before, nobody waits any more, nobody wants to be told, or the
    tenant has no WeCom app to ring with.

    The row that says so commits before the call: a card is never sent twice.
    """
    existing = await ctx.session.scalar(select(HandoverNotice).where(HandoverNotice.handover_id == handover_id))
    if existing is not None:
        if existing.state == "sending":
            existing.state = "unknown"
            await _show(ctx, existing.conversation_id)
        return None
    found = (
        await ctx.session.execute(
            select(Conversation, ChannelAccount, customer_columns.customer_name, customer_columns.customer_remark)
            .join(ChannelAccount, ChannelAccount.id == Conversation.channel_account_id)
            .join(
                customer_columns.Customer,
                (customer_columns.customer_id == Conversation.customer_id)
                & (customer_columns.customer_tenant_id == Conversation.tenant_id),
            )
            .where(Conversation.handover_id == handover_id, waits_for_staff())
        )
    ).one_or_none()
    if found is None:
        return None
    row, account, name, remark = found
    wecom_app_id = reference(account).wecom_app_id or await _some_app(ctx)
    if wecom_app_id is None:  # no WeCom, no card: the conversation waits in the console
        return None
    owners = (await customers.owners(ctx, [row.customer_id])).get(row.customer_id, NOBODYS)
    recipients = [contact.wecom_userid for contact in await organization.staff_to_notify(ctx, REPLY, of=owners)]
    ctx.session.add(
        HandoverNotice(
            handover_id=handover_id,
            conversation_id=row.id,
            wecom_app_id=wecom_app_id,
            recipients=recipients,
            state="sending" if recipients else "nobody",
            created_at=clock.now(),
        )
    )
    await ctx.session.flush()
    if not recipients:
        await _show(ctx, row.id)
        return None
    return Notice(
        handover_id=handover_id,
        conversation_id=row.id,
        wecom_app_id=wecom_app_id,
        recipients=recipients,
        customer_name=mask(remark or name),
        account_name=account.name,
        reason=row.handover_reason or "",
        # A card shows on locked phones and stays in WeCom: numbers are read in the console.
        summary=mask(preview(summary_words(row.handover_summary, ctx.locale))),
        last_words=mask(row.last_preview),
    )


async def _some_app(ctx: Context) -> UUID | None:
    """The app that rings for accounts of channels that have none: the tenant's first."""
    apps = await organization.wecom_apps(ctx)
    return apps[0].id if apps else None


async def finish(
    ctx: Context, handover_id: UUID, state: NoticeState, *, response_code: str | None = None, code: str | None = None
) -> None:
    """What became of the card. `response_code` is needed for its update."""
    conversation_id = await ctx.session.scalar(
        update(HandoverNotice)
        .where(HandoverNotice.handover_id == handover_id)
        .values(state=state, response_code=response_code, error_code=code)
        .returning(HandoverNotice.conversation_id)
        .execution_options(synchronize_session=False)
    )
    if conversation_id is not None and state in NOT_TOLD:
        await _show(ctx, conversation_id)


async def send_again(ctx: Context, conversation_id: UUID) -> None:
    """Sends the card of the handover that waits once more, after nobody may have got it.

    WeCom leaves out a card that it delivered already (its check for duplicates). Raises NotFound, NothingToSendAgain.
    """
    row = await conversation(ctx, conversation_id)
    if row.handover_id is None or await waiting_handover(ctx, row.handover_id) is None:
        raise problems.NothingToSendAgain
    gone = await ctx.session.scalar(
        delete(HandoverNotice)
        .where(HandoverNotice.handover_id == row.handover_id, HandoverNotice.state.in_(NOT_TOLD))
        .returning(HandoverNotice.handover_id)
        .execution_options(synchronize_session=False)
    )
    if gone is None:
        raise problems.NothingToSendAgain
    await wake(ctx, NOTICE_RUNNER, str(row.handover_id))
    await _show(ctx, conversation_id)


async def _show(ctx: Context, conversation_id: UUID) -> None:
    """Open screens say whether somebody was told."""
    seq = await ctx.session.scalar(
        update(Conversation)
        .where(Conversation.id == conversation_id)
        .values(seq=Conversation.seq + 1, state_seq=Conversation.seq + 1, changed_at=clock.now())
        .returning(Conversation.seq)
        .execution_options(synchronize_session=False)
    )
    if seq is not None:
        announce(ctx, conversation_id, seq)


async def card_update(ctx: Context, handover_id: UUID, clicked_code: str | None) -> CardUpdate | None:
    """The update that the card needs; None when it was updated, never sent, or people are still wanted."""
    notice = await ctx.session.scalar(
        select(HandoverNotice).where(HandoverNotice.handover_id == handover_id).with_for_update()
    )
    if notice is None or notice.state != "sent":
        return None
    response_code = clicked_code or notice.response_code
    row = await ctx.session.scalar(select(Conversation).where(Conversation.id == notice.conversation_id))
    if response_code is None or row is None:
        return None
    if await waiting_handover(ctx, handover_id) is not None:
        return None
    taken_by = None
    if row.staff_id is not None:
        taken_by = (await organization.staff_names(ctx, [row.staff_id])).get(row.staff_id)
    notice.state = "updated"
    await ctx.session.flush()
    return CardUpdate(notice.wecom_app_id, notice.recipients, response_code, taken_by)
