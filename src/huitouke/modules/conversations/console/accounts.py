"""Routes of channel accounts: connecting, settings, checks, links, servicers."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.http import ConsoleContext, ConsoleTransaction, requires
from huitouke.kernel.locales import has_text, translate
from huitouke.kernel.paging import Page
from huitouke.modules.conversations import queries
from huitouke.modules.conversations.avatar import default_avatar
from huitouke.modules.conversations.models import ChannelAccount
from huitouke.modules.conversations.schemas import (
    AccountEnd,
    AdoptIn,
    AvailableAccount,
    ChannelAccountIn,
    ChannelAccountOut,
    ChannelAccountPatch,
    Check,
    Checks,
    LinkOut,
    ServicerOut,
    ServicersIn,
)
from huitouke.modules.conversations.service import account_endings, accounts
from huitouke.modules.conversations.service.account_checks import check_account as check
from huitouke.modules.organization import service as organization

router = APIRouter(prefix="/channel-accounts", tags=["channel accounts"])
_view = requires("conversations.view")
_manage = requires("organization.manage")


@router.get("", operation_id="channel_accounts_list", dependencies=[_view])
async def list_accounts(ctx: ConsoleTransaction) -> Page[ChannelAccountOut]:
    """All accounts; there are at most 100, so one page holds them."""
    return Page(items=[_out(ctx, account) for account in await accounts.accounts(ctx)])


@router.get("/available", operation_id="channel_accounts_available", dependencies=[_manage])
async def list_available(context: ConsoleContext, wecom_app_id: UUID) -> list[AvailableAccount]:
    """The 客服账号 of the corp, asked live."""
    found = await accounts.corp_accounts(context, wecom_app_id)
    return [AvailableAccount.model_validate(account, from_attributes=True) for account in found]


@router.post("", status_code=201, operation_id="channel_accounts_create", dependencies=[_manage])
async def create_account(body: ChannelAccountIn, context: ConsoleContext) -> ChannelAccountOut:
    """Makes a new 客服账号 at WeCom and connects it."""
    avatar = await default_avatar(body.name)
    return _out(context, await accounts.create_account(context, body.wecom_app_id, body.name, avatar))


@router.post("/adopt", status_code=201, operation_id="channel_accounts_adopt", dependencies=[_manage])
async def adopt_account(body: AdoptIn, context: ConsoleContext) -> ChannelAccountOut:
    """Connects a 客服账号 that exists."""
    return _out(context, await accounts.adopt_account(context, body.wecom_app_id, body.open_kfid))


@router.get("/{account_id}", operation_id="channel_accounts_get", dependencies=[_view])
async def get_account(account_id: UUID, ctx: ConsoleTransaction) -> ChannelAccountOut:
    """One account."""
    return _out(ctx, await accounts.connected_account(ctx, account_id))


@router.patch("/{account_id}", operation_id="channel_accounts_change", dependencies=[_manage])
async def change_account(account_id: UUID, body: ChannelAccountPatch, context: ConsoleContext) -> ChannelAccountOut:
    """Changes an account's settings."""
    change = accounts.AccountChange(**body.model_dump())
    return _out(context, await accounts.update_account(context, account_id, change))


@router.get("/{account_id}/end", operation_id="channel_accounts_end", dependencies=[_manage])
async def what_ends(account_id: UUID, ctx: ConsoleTransaction) -> AccountEnd:
    """What disconnecting the account would do, for the question before it."""
    await accounts.connected_account(ctx, account_id)
    return AccountEnd(open_conversations=await account_endings.open_conversations(ctx, account_id))


@router.delete("/{account_id}", status_code=204, operation_id="channel_accounts_disconnect", dependencies=[_manage])
async def disconnect_account(
    account_id: UUID,
    context: ConsoleContext,
    delete_at_wecom: Annotated[bool, Query(description="Whether the 客服账号 is deleted at WeCom too.")] = False,
) -> None:
    """Disconnects an account: open conversations are closed, all stay readable. It can be connected again."""
    await account_endings.disconnect_account(context, account_id, delete_at_wecom=delete_at_wecom)


@router.post("/{account_id}/check", operation_id="channel_accounts_check", dependencies=[_manage])
async def check_account(account_id: UUID, context: ConsoleContext) -> Checks:
    """Tries the account live and says in plain words what works and what doesn't."""
    checks = await check(context, account_id)
    return Checks(checks=[Check.model_validate(check, from_attributes=True) for check in checks])


@router.post("/{account_id}/link", operation_id="channel_accounts_link", dependencies=[_view])
async def make_link(account_id: UUID, context: ConsoleContext) -> LinkOut:
    """The link that opens a chat with the account."""
    return LinkOut(url=await accounts.make_link(context, account_id))


@router.get("/{account_id}/servicers", operation_id="channel_accounts_servicers", dependencies=[_view])
async def list_servicers(account_id: UUID, context: ConsoleContext) -> list[ServicerOut]:
    """Who may receive sessions in the WeCom app, asked live."""
    return await _servicers(context, account_id, {})


@router.post("/{account_id}/servicers", operation_id="channel_accounts_add_servicers", dependencies=[_manage])
async def add_servicers(account_id: UUID, body: ServicersIn, context: ConsoleContext) -> list[ServicerOut]:
    """Adds people; whoever could not be added is in the list with the reason."""
    problems = await accounts.change_servicers(context, account_id, body.userids, add=True)
    return await _servicers(context, account_id, problems)


@router.delete(
    "/{account_id}/servicers", status_code=204, operation_id="channel_accounts_remove_servicer", dependencies=[_manage]
)
async def remove_servicer(
    account_id: UUID, context: ConsoleContext, userid: Annotated[str, Query(min_length=1, max_length=64)]
) -> None:
    """Takes a person away from the account."""
    await accounts.change_servicers(context, account_id, [userid], add=False)


async def _servicers(context: Context, account_id: UUID, problems: dict[str, str | None]) -> list[ServicerOut]:
    found = await accounts.servicers(context, account_id)
    refused = {userid: problem for userid, problem in problems.items() if problem is not None}
    async with transaction(context) as ctx:
        names = await organization.names_by_wecom_userid(ctx, [one.userid for one in found] + list(refused))
    shown = [
        ServicerOut(userid=one.userid, name=names.get(one.userid), receiving=one.state == "receiving") for one in found
    ]
    missing = set(refused) - {one.userid for one in found}
    return shown + [
        ServicerOut(userid=userid, name=names.get(userid), receiving=False, problem=refused[userid])
        for userid in sorted(missing)
    ]


def _out(context: Context, account: ChannelAccount) -> ChannelAccountOut:
    code = account.last_error_code
    return ChannelAccountOut.model_validate(
        {
            "id": account.id,
            "kind": account.kind,
            "name": account.name,
            "avatar_url": account.avatar_url,
            "external_id": account.external_id,
            "wecom_app_id": account.wecom_app_id,
            "channel": _channel_name(context, account.kind),
            "wecom": account.kind == accounts.KIND,
            "state": account.state,
            "handover_to": account.handover_to,
            "greeting": account.greeting,
            "greeting_on": account.greeting_on,
            "closing": account.closing,
            "closing_on": account.closing_on,
            "taken": account.taken,
            "taken_on": account.taken_on,
            "assistant_enabled": account.assistant_enabled,
            "link": account.link_url,
            "last_synced_at": account.last_synced_at,
            "last_error_code": code,
            "last_error": queries.sentence(context, account.kind, code) if code is not None else None,
            "last_error_at": account.last_error_at,
            "created_at": account.created_at,
        }
    )


def _channel_name(context: Context, kind: str) -> str:
    """What the channel's module calls it; its bare kind where that says nothing."""
    key = f"channels.{kind}"
    return translate(context.locale, key) if has_text(key) else kind
