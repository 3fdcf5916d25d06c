"""What an app may manage changed at WeCom (授权变更): which accounts still work, and screens that offer new ones."""

from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from pydantic import BaseModel

from huitouke.kernel import clock, realtime
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import NotFound
from huitouke.kernel.work import enqueue, job, runner, wake
from huitouke.modules.conversations.channels.wecom_kf import channel_error
from huitouke.modules.conversations.service import accounts
from huitouke.modules.conversations.service.accounts import ACCOUNTS_RUNNER, NOT_MANAGED, SYNC_RUNNER
from huitouke.modules.organization import service as organization
from huitouke.wechat.errors import WecomError
from huitouke.wechat.kf import KfClient

RETRY_SECONDS: Final = 10.0

log = structlog.get_logger(__name__)


class LookLater(BaseModel):
    """Which app's accounts to look at again."""

    wecom_app_id: UUID


@runner(ACCOUNTS_RUNNER)
async def look_at_accounts(context: Context, wecom_app_id: str) -> None:
    """Marks accounts that the app may no longer manage, pulls those that it may again, and tells open screens.

    Accounts that are new are not connected by themselves: with the connection the assistant begins to answer.
    """
    app_id = UUID(wecom_app_id)
    try:
        found = await KfClient(await organization.wecom_client(context, app_id)).list_accounts()
    except NotFound:
        return
    except WecomError as error:
        await _failed(context, app_id, error)
        return
    manageable = {one.open_kfid for one in found if one.manage_privilege}
    async with transaction(context) as ctx:
        for account in await accounts.accounts(ctx):
            if account.wecom_app_id != app_id:
                continue
            if account.external_id not in manageable:
                await accounts.account_failed(ctx, account.id, NOT_MANAGED)
            elif account.last_error_code == NOT_MANAGED:
                await accounts.account_works(ctx, account.id)
                await wake(ctx, SYNC_RUNNER, account.external_id)
        realtime.hint(ctx, kind="channel_account")


@job("conversations.look_at_accounts_later")
async def look_at_accounts_later(context: Context, args: LookLater) -> None:
    """The pause after a failed look is over."""
    async with transaction(context) as ctx:
        await wake(ctx, ACCOUNTS_RUNNER, str(args.wecom_app_id))


async def _failed(context: Context, app_id: UUID, error: WecomError) -> None:
    """Tried again where that can help; what can't is seen by the next pull of each account."""
    failed = channel_error(error)
    log.warning("conversations.accounts_not_listed", wecom_app_id=str(app_id), code=failed.code)
    if failed.final:
        return
    async with transaction(context) as ctx:
        await enqueue(
            ctx,
            "conversations.look_at_accounts_later",
            {"wecom_app_id": str(app_id)},
            run_at=clock.now() + timedelta(seconds=failed.retry_after_seconds or RETRY_SECONDS),
        )
