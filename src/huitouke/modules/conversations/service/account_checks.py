"""Is an account connected? Each step is tried live and answered in plain words, with what to do about it."""

import asyncio
from collections.abc import Iterable
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
from huitouke.wechat.contacts import USER_UNKNOWN, ContactsClient
from huitouke.wechat.errors import WecomError
from huitouke.wechat.kf import Servicer

SERVICERS_LOOKED_AT: Final = 20
"""People whose state is asked for in one check, one call each."""

TROUBLES: Final = {2: "servicer_disabled", 4: "servicer_not_activated", 5: "servicer_left"}
"""By `status` of user/get (path/90196)."""

NOBODY_IN_RANGE: Final = "81013"
"""None of the receivers of an app message is in the app's visible range (path/90236)."""

MANAGED: Final = "kf_managed"
"""The entry in the ledger of going live that a working account settles."""

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
    await organization.check_prerequisite(context, MANAGED)
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
        wrong = organization.mistake("account_missing" if found is None else "account_not_managed")
        return [organization.named_check(context, "account", wrong, {"name": account.name})]
    checks = [Check("account", "ok", translate(locale, "conversations.checks.account.ok", name=found.name))]
    try:
        people = await kf.list_servicers(account.external_id)
    except WecomError as error:
        return [*checks, organization.failed_check(context, "servicers", error)]
    return [*checks, await _servicers_check(context, account, people)]


async def _servicers_check(context: Context, account: ChannelAccount, people: Iterable[Servicer]) -> Check:
    """Whether customers can be handed over in WeCom; what is amiss with people who should receive them."""
    needed: CheckState = "failed" if account.handover_to == "wecom" else "optional"
    listed = list(people)
    if not listed:
        return organization.named_check(context, "servicers", organization.mistake("servicers_none"), state=needed)
    receiving = [one for one in listed if one.status == 0]
    if not receiving:
        names = {"people": _listed(one.userid for one in listed if one.userid)}
        return organization.named_check(
            context, "servicers", organization.mistake("servicers_stopped"), names, state=needed
        )
    if (trouble := await _trouble(context, account, [one.userid for one in receiving if one.userid])) is not None:
        wrong, userids = trouble
        names = {"people": _listed(userids)}
        # Whoever else receives goes on receiving: it is said, and holds nothing up.
        state: CheckState = needed if len(userids) == len(receiving) else "optional"
        return organization.named_check(context, "servicers", organization.mistake(wrong), names, state=state)
    message = translate(context.locale, "conversations.checks.servicers.ok", count=len(receiving))
    return Check("servicers", "ok", message)


async def _trouble(context: Context, account: ChannelAccount, userids: list[str]) -> tuple[str, list[str]] | None:
    """The first thing that is amiss with people, and with whom."""
    if account.wecom_app_id is None:
        return None
    contacts = ContactsClient(await organization.wecom_client(context, account.wecom_app_id))
    asked = userids[:SERVICERS_LOOKED_AT]
    found = await asyncio.gather(*(_trouble_of(contacts, userid) for userid in asked))
    first = next((one for one in found if one is not None), None)
    if first is None:
        return None
    return first, [userid for userid, one in zip(asked, found, strict=True) if one == first]


async def _trouble_of(contacts: ContactsClient, userid: str) -> str | None:
    try:
        member = await contacts.member(userid)
    except WecomError as error:
        if error.errcode == USER_UNKNOWN:
            return "servicer_left"
        # Other refusals are not about this person, and the steps before have told of them.
        return "servicer_out_of_range" if error.errcode in (60011, 60021) else None
    return None if member.status is None else TROUBLES.get(member.status)


def _listed(userids: Iterable[str]) -> str:
    return "、".join(userids)


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
            if notice.state == "failed" and notice.error_code == NOBODY_IN_RANGE:
                return organization.named_check(context, "notice", organization.mistake("cards_out_of_range"))
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
