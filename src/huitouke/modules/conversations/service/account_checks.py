"""Is an account connected? Each step is tried live and answered in plain words, with what to do about it."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select

from huitouke.kernel import clock
from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.locales import translate
from huitouke.kernel.work import wake
from huitouke.modules.conversations.channels import channel
from huitouke.modules.conversations.models import ChannelAccount, HandoverNotice
from huitouke.modules.conversations.service.accounts import (
    KIND,
    SYNC_RUNNER,
    account_works,
    connected_account,
    kf_client,
)
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.service import Check, CheckState
from huitouke.wechat.errors import WecomError

NOTICES_LOOKED_AT: Final = timedelta(days=7)


async def check_account(context: Context, account_id: UUID) -> list[Check]:
    """Rights, servicers, callbacks and the cards to staff; pulls too. Raises NotFound.

    Of an account of another channel it is told how its last call went: what else can be tried is the channel's.
    """
    async with transaction(context) as ctx:
        account = await connected_account(ctx, account_id)
        if account.kind != KIND:
            return [_as_last_seen(context, account)]
        newest = await callbacks.newest_body(ctx, "wecom", account.external_id)
        notice = await _newest_notice(ctx, account)
    checks = await _kf_checks(context, account)
    checks.append(_said(context, "callback", "waiting" if newest is None else "ok"))
    if (told := _notice_check(context, account, notice)) is not None:
        checks.append(told)
    failed = any(check.state == "failed" for check in checks if check.name != "notice")
    async with transaction(context) as ctx:
        await wake(ctx, SYNC_RUNNER, account.external_id)
        if not failed:
            await account_works(ctx, account_id)
    return checks


def _as_last_seen(context: Context, account: ChannelAccount) -> Check:
    if account.last_error_code is None:
        return Check("account", "ok", translate(context.locale, "conversations.checks.account.ok", name=account.name))
    reason = channel(account.kind).explain(account.last_error_code, context.locale)
    return Check("account", "failed", translate(context.locale, "conversations.checks.account.failing"), reason)


async def _kf_checks(context: Context, account: ChannelAccount) -> list[Check]:
    kf = await kf_client(context, account)
    locale = context.locale
    try:
        found = next((one for one in await kf.list_accounts() if one.open_kfid == account.external_id), None)
    except WecomError as error:
        return [organization.failed_check(context, "account", error)]
    if found is None or not found.manage_privilege:
        key = "conversations.checks.account." + ("missing" if found is None else "no_privilege")
        return [Check("account", "failed", translate(locale, key), translate(locale, f"{key}.fix"))]
    checks = [Check("account", "ok", translate(locale, "conversations.checks.account.ok", name=found.name))]
    try:
        people = await kf.list_servicers(account.external_id)
    except WecomError as error:
        return [*checks, organization.failed_check(context, "servicers", error)]
    receiving = sum(one.status == 0 for one in people)
    if receiving:
        message = translate(locale, "conversations.checks.servicers.ok", count=receiving)
        return [*checks, Check("servicers", "ok", message)]
    state: CheckState = "failed" if account.handover_to == "wecom" else "optional"
    key = "conversations.checks.servicers.none"
    return [*checks, Check("servicers", state, translate(locale, key), translate(locale, f"{key}.fix"))]


async def _newest_notice(ctx: Context, account: ChannelAccount) -> HandoverNotice | None:
    return await ctx.session.scalar(
        select(HandoverNotice)
        .where(
            HandoverNotice.wecom_app_id == account.wecom_app_id,
            HandoverNotice.created_at > clock.now() - NOTICES_LOOKED_AT,
        )
        .order_by(HandoverNotice.created_at.desc())
        .limit(1)
    )


def _notice_check(context: Context, account: ChannelAccount, notice: HandoverNotice | None) -> Check | None:
    """Whether the last card to the staff went out; nothing to say while there was none."""
    match None if notice is None else notice.state:
        case "sent" | "updated":
            return _said(context, "notice", "ok")
        case "failed" | "unknown":
            assert notice is not None, "it has a state"
            message = translate(context.locale, f"conversations.checks.notice.{notice.state}")
            reason = channel(account.kind).explain(notice.error_code or "", context.locale)
            return Check("notice", "failed" if notice.state == "failed" else "waiting", message, reason)
        case "nobody":
            return _said(context, "notice", "optional")
        case _:
            return None


def _said(context: Context, name: str, state: CheckState) -> Check:
    """A step with its own sentence, and with what to do where there is a sentence for that too."""
    key = f"conversations.checks.{name}.{state}"
    fix = "" if state == "ok" else translate(context.locale, f"{key}.fix")
    return Check(name, state, translate(context.locale, key), fix)
