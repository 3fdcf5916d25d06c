"""SMS to customers: queued in the sender's transaction, asked about right before they leave, sent at most once.

The step to `sending` commits before the call. What may have been taken becomes `unknown` and is not repeated; the
receipt, which names our id, may still say what became of it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import func, select, update

from huitouke.kernel import audit, clock
from huitouke.kernel.callbacks import Endpoint
from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import InvalidInput, NotFound
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret, seal, unseal
from huitouke.kernel.outreach import Purpose, Recipient, refusals
from huitouke.kernel.plans.standing import standing_of
from huitouke.kernel.processors import Processor
from huitouke.kernel.work import fence, schedule, wake, wake_many
from huitouke.modules.organization.service import problems
from huitouke.modules.organization.service.clients import sms_provider
from huitouke.modules.organization.service.notifying.quiet import QuietHours
from huitouke.modules.organization.sms_models import SmsAccount, SmsMessage, SmsReplyRow
from huitouke.sms import Sms, SmsError

SEND_RUNNER: Final = "organization.sms_send"
DUE_SCHEDULE: Final = "organization.sms_due"
CALLBACK_KIND: Final = "sms"
CHANNEL: Final = "sms"
ALIYUN: Final = "阿里云短信"

NO_MARKETING: Final = QuietHours(21 * 60, 8 * 60)
"""Offers are sent from 8 to 21 o'clock of the merchant's time zone: what operators usually ask for, as of 2026-11."""

PAUSES: Final = (timedelta(seconds=30), timedelta(minutes=5), timedelta(minutes=30))
WOKEN_AT_ONCE: Final = 1_000
MAX_TEMPLATES: Final = 50
MAX_PARAMS: Final = 20
MAX_PARAM_CHARACTERS: Final = 200
INTERRUPTED: Final = "interrupted"
NO_ACCOUNT: Final = "no_account"

_PHONE = re.compile(r"\+[1-9]\d{6,14}\Z")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SmsReply:
    """What somebody answered."""

    phone: str
    text: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class _Leaving:
    """A message that is marked as leaving, and what its call needs."""

    message: Sms
    message_id: UUID
    tries: int
    access_key_id: str
    secret: Secret


async def queue_sms(
    ctx: Context,
    *,
    phone: str,
    template: str,
    params: Mapping[str, str],
    purpose: Purpose,
    customer_id: UUID | None = None,
) -> UUID:
    """Has a message sent after the commit; gives its id. `template` is our name of one in the account.

    Whether it may go out is asked when it leaves, not now. Offers wait for the sending hours.

    Raises NoSmsAccount, InvalidInput.
    """
    account = await sms_account(ctx)
    if account is None:
        raise problems.NoSmsAccount
    if template not in account.templates:
        raise InvalidInput(field="template", reason="unknown")
    if not _PHONE.match(phone):
        raise InvalidInput(field="phone", reason="phone")
    if len(params) > MAX_PARAMS or any(len(value) > MAX_PARAM_CHARACTERS for value in params.values()):
        raise InvalidInput(field="params", reason="length", maximum=MAX_PARAM_CHARACTERS)
    now = clock.now()
    due_at = await _not_before(ctx, purpose, now)
    message_id = new_id()
    ctx.session.add(
        SmsMessage(
            id=message_id,
            phone=phone,
            customer_id=customer_id,
            template=template,
            params=dict(params),
            purpose=purpose,
            state="queued",
            attempts=0,
            due_at=due_at,
            created_at=now,
            changed_at=now,
        )
    )
    await ctx.session.flush()
    await (wake(ctx, SEND_RUNNER, str(message_id)) if due_at <= now else schedule(ctx, DUE_SCHEDULE, due_at))
    return message_id


async def send(context: Context, message_id: UUID) -> None:
    """Sends the message, if it is due and may go out."""
    async with transaction(context) as ctx:
        await fence(ctx)
        leaving = await begin(ctx, message_id)
    if leaving is None:
        return
    provider = sms_provider(leaving.access_key_id, leaving.secret)
    try:
        provider_id = await provider.send(leaving.message)
    except SmsError as error:
        log.warning("organization.sms_not_sent", message_id=str(message_id), code=error.code, failure=error.failure)
        async with transaction(context) as ctx:
            await finish(ctx, leaving, error)
        return
    async with transaction(context) as ctx:
        await finish(ctx, leaving, None, provider_id=provider_id)


async def begin(ctx: Context, message_id: UUID) -> _Leaving | None:
    """Marks the message as leaving; None when it isn't due, was sent before, or must not go out."""
    row = await ctx.session.scalar(select(SmsMessage).where(SmsMessage.id == message_id).with_for_update())
    now = clock.now()
    if row is None or row.state not in ("queued", "sending") or (row.state == "queued" and row.due_at > now):
        return None
    row.changed_at = now
    if row.state == "sending":  # a killed run left it: nobody knows whether it arrived
        row.state, row.error_code, row.params = "unknown", INTERRUPTED, {}
        return None
    purpose = _purpose(row.purpose)
    later = await _not_before(ctx, purpose, now)
    if later > now:
        row.due_at = later
        await schedule(ctx, DUE_SCHEDULE, later)
        return None
    account = await sms_account(ctx)
    code = account.templates.get(row.template) if account is not None else None
    if account is None or code is None:
        row.state, row.error_code, row.params = "failed", NO_ACCOUNT, {}
        return None
    recipient = Recipient(customer_id=row.customer_id, phone=row.phone, message_id=row.id)
    reason = (await refusals(ctx, [recipient], channel=CHANNEL, purpose=purpose)).get(recipient)
    if reason is not None:
        row.state, row.error_code, row.params = "refused", reason, {}
        return None
    row.state, row.attempts = "sending", row.attempts + 1
    message = Sms(row.phone, account.sign, code, {name: str(value) for name, value in row.params.items()}, row.id.hex)
    secret = unseal(ctx, "sms_accounts", "secret_sealed", account.id, account.secret_sealed)
    return _Leaving(message, row.id, row.attempts, account.access_key_id, secret)


async def finish(ctx: Context, leaving: _Leaving, error: SmsError | None, *, provider_id: str | None = None) -> None:
    """Keeps what became of it; what the receipt said meanwhile stays."""
    now = clock.now()
    if error is not None and error.failure == "retry" and leaving.tries <= len(PAUSES):
        due_at = now + PAUSES[leaving.tries - 1]
        await _set(ctx, leaving.message_id, state="queued", error_code=error.code, due_at=due_at)
        await schedule(ctx, DUE_SCHEDULE, due_at)
        return
    if error is None:
        await _set(ctx, leaving.message_id, state="sent", error_code=None, provider_id=provider_id, params={})
        await _account_state(ctx, "working", None)
        return
    state = "unknown" if error.failure == "unknown" else "failed"
    await _set(ctx, leaving.message_id, state=state, error_code=error.code, params={})
    if error.failure == "account":
        await _account_state(ctx, "failing", error.code)


async def wake_due(ctx: Context) -> datetime | None:
    """Wakes what has waited long enough; gives when the next is due."""
    now = clock.now()
    due = select(SmsMessage.id).where(SmsMessage.state == "queued", SmsMessage.due_at <= now)
    found = list(await ctx.session.scalars(due.order_by(SmsMessage.due_at).limit(WOKEN_AT_ONCE)))
    await wake_many(ctx, SEND_RUNNER, [str(one) for one in found])
    if len(found) == WOKEN_AT_ONCE:
        return now + PAUSES[0]
    upcoming = select(func.min(SmsMessage.due_at)).where(SmsMessage.state == "queued", SmsMessage.due_at > now)
    return await ctx.session.scalar(upcoming)


async def sms_replies(ctx: Context, reply_ids: Sequence[UUID]) -> list[SmsReply]:
    """Numbers and texts of answers that `organization.sms_replied` told of, the first ones first. One query."""
    found = select(SmsReplyRow).where(SmsReplyRow.id.in_(reply_ids)).order_by(SmsReplyRow.id)
    return [SmsReply(row.phone, row.text, row.received_at) for row in await ctx.session.scalars(found)]


async def processor(ctx: Context) -> Sequence[Processor]:
    """Who carries the shop's messages to phones, where it has an account."""
    return [] if await sms_account(ctx) is None else [Processor("sms", ALIYUN)]


async def sms_account(ctx: Context) -> SmsAccount | None:
    """The merchant's account, where there is one."""
    return await ctx.session.scalar(select(SmsAccount))


async def set_sms_account(
    ctx: Context, access_key_id: str, secret: Secret | None, sign: str, templates: Mapping[str, str]
) -> SmsAccount:
    """Enters the account or changes it; without a secret the known one stays. Raises InvalidInput."""
    if len(templates) > MAX_TEMPLATES:
        raise InvalidInput(field="templates", reason="too_many", maximum=MAX_TEMPLATES)
    now = clock.now()
    account = await ctx.session.scalar(select(SmsAccount).with_for_update())
    if account is None:
        if secret is None:
            raise InvalidInput(field="access_key_secret", reason="missing")
        account = SmsAccount(id=new_id(), created_at=now)
        ctx.session.add(account)
    if secret is not None:
        account.secret_sealed = seal(ctx, "sms_accounts", "secret_sealed", account.id, secret)
    account.access_key_id, account.sign, account.templates = access_key_id.strip(), sign.strip(), dict(templates)
    account.state, account.last_error_code, account.updated_at = "new", None, now
    await ctx.session.flush()
    await endpoint(ctx, account)
    after = {"access_key_id": account.access_key_id, "sign": account.sign, "secret_changed": secret is not None}
    await audit.record(ctx, "organization.sms_account_set", "sms_account", account.id, after=after)
    return account


async def remove_sms_account(ctx: Context) -> None:
    """Takes the account away with its secret and address; what waits fails. Raises NotFound."""
    account = await ctx.session.scalar(select(SmsAccount).with_for_update())
    if account is None:
        raise NotFound(kind="sms_account")
    await callbacks.delete_endpoints(ctx, account.id)
    await ctx.session.delete(account)
    await ctx.session.flush()
    await audit.record(ctx, "organization.sms_account_removed", "sms_account", account.id)


async def endpoint(ctx: Context, account: SmsAccount) -> Endpoint:
    """Where the provider tells of receipts and answers; made when it is first asked for."""
    try:
        return await callbacks.endpoint_of(ctx, account.id)
    except NotFound:
        return await callbacks.create_endpoint(ctx, CALLBACK_KIND, reference_id=account.id, receive_id="")


async def _not_before(ctx: Context, purpose: Purpose, now: datetime) -> datetime:
    if purpose != "marketing":
        return now
    return NO_MARKETING.until(now, ZoneInfo((await standing_of(ctx)).time_zone)) or now


async def _set(ctx: Context, message_id: UUID, **values: object) -> None:
    await ctx.session.execute(
        update(SmsMessage)
        .where(SmsMessage.id == message_id, SmsMessage.state.in_(("sending", "unknown")))
        .values(changed_at=clock.now(), **values)
        .execution_options(synchronize_session=False)
    )


async def _account_state(ctx: Context, state: str, code: str | None) -> None:
    await ctx.session.execute(
        update(SmsAccount)
        .where(SmsAccount.state != state)
        .values(state=state, last_error_code=code, updated_at=clock.now())
        .execution_options(synchronize_session=False)
    )


def _purpose(value: str) -> Purpose:
    match value:
        case "service" | "transaction" | "marketing":
            return value
        case _:
            raise ValueError(value)
