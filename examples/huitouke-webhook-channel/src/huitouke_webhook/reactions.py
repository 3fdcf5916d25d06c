"""What the plug-in does when something came in."""

from uuid import UUID

import structlog

from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import NotFound
from huitouke.kernel.work import fence, runner
from huitouke_webhook import service
from huitouke_webhook.callbacks import INBOX_RUNNER

log = structlog.get_logger(__name__)


@runner(INBOX_RUNNER)
async def take_in(context: Context, account_id: str) -> None:
    """Takes in what came for the account until nothing is left, one run at a time."""
    first = more = True
    while more:
        try:
            async with transaction(context) as ctx:
                await fence(ctx)
                more = await service.take_in_next(ctx, UUID(account_id), again_from=first)
        except NotFound:
            log.info("webhook.account_gone", account_id=account_id)
            return
        first = False
