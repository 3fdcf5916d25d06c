"""The console's routes about notices: one's own list and choices, groups' robots, and what went out."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.http import ConsoleContext, ConsoleTransaction, requires
from huitouke.kernel.http.dependencies import client_address
from huitouke.kernel.paging import DEFAULT_LIMIT, Cursor, Limit, Page
from huitouke.kernel.plans.reading import also_when_read_only
from huitouke.kernel.settings import get_settings
from huitouke.modules.organization import notice_queries as queries
from huitouke.modules.organization.notice_schemas import (
    AddressIn,
    ChoiceIn,
    CodeIn,
    DeliveryOut,
    DeliveryView,
    ForgottenIn,
    LinkMailed,
    LinkMailIn,
    MailOpen,
    NoticeOut,
    NoticeSettingsOut,
    QuietIn,
    RobotIn,
    RobotOut,
    RobotPut,
    RobotsOut,
    SmsAccountIn,
    SmsAccountOut,
    SmsAccountState,
    TestIn,
    UnreadOut,
)
from huitouke.modules.organization.service import mailing, sms
from huitouke.modules.organization.service.notifying import addresses, choosing, delivery, robots
from huitouke.modules.organization.service.notifying.quiet import QuietHours
from huitouke.sms import explain

router = APIRouter(prefix="/api", tags=["notices"])
_manage = requires("organization.manage")


@router.get("/notices", operation_id="notices_list")
async def list_notices(
    ctx: ConsoleTransaction,
    unread: Annotated[bool, Query(description="Only what was not read.")] = False,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[NoticeOut]:
    """What the person was told within 90 days, newest first."""
    return await queries.notice_page(ctx, unread=unread, cursor=cursor, limit=limit)


@router.get("/notices/unread", operation_id="notices_unread")
async def count_unread(ctx: ConsoleTransaction) -> UnreadOut:
    """How many of them were not read."""
    return UnreadOut(count=await queries.unread_count(ctx))


@router.post("/notices/read", status_code=204, operation_id="notices_read_all")
@also_when_read_only
async def read_all(ctx: ConsoleTransaction) -> None:
    """The person has read everything up to now."""
    await queries.mark_all_read(ctx)


@router.get("/notices/settings", operation_id="notices_settings")
async def get_choices(ctx: ConsoleTransaction) -> NoticeSettingsOut:
    """What the person is told of, and by which ways."""
    return await queries.notice_settings(ctx)


@router.put("/notices/settings/choice", operation_id="notices_choose")
@also_when_read_only
async def choose(body: ChoiceIn, ctx: ConsoleTransaction) -> NoticeSettingsOut:
    """Turns a kind on or off on a channel."""
    await choosing.choose(ctx, body.kind, body.channel, body.wanted)
    return await queries.notice_settings(ctx)


@router.put("/notices/settings/quiet", operation_id="notices_set_quiet")
@also_when_read_only
async def set_quiet(body: QuietIn, ctx: ConsoleTransaction) -> NoticeSettingsOut:
    """Sets the hours in which only what is urgent rings; the rest comes together when they end."""
    hours = QuietHours(body.quiet.start, body.quiet.end) if body.quiet is not None else None
    await choosing.set_quiet(ctx, hours)
    return await queries.notice_settings(ctx)


@router.post("/notices/email", status_code=202, operation_id="notices_send_code")
async def send_code(body: AddressIn, context: ConsoleContext) -> None:
    """Mails a code to an address that the person says is theirs, at most once a minute."""
    await addresses.send_code(context, body.email)


@router.post("/notices/email/confirm", operation_id="notices_confirm_email")
async def confirm_email(body: CodeIn, context: ConsoleContext) -> NoticeSettingsOut:
    """The code proves that the address is the person's."""
    await addresses.confirm(context, body.code)
    async with transaction(context) as ctx:
        return await queries.notice_settings(ctx)


@router.delete("/notices/email", operation_id="notices_forget_email")
@also_when_read_only
async def forget_email(ctx: ConsoleTransaction) -> NoticeSettingsOut:
    """Takes one's own address away."""
    await addresses.forget(ctx)
    return await queries.notice_settings(ctx)


@router.post("/staff/{staff_id}/link/mail", operation_id="organization_mail_staff_link", dependencies=[_manage])
async def mail_staff_link(staff_id: UUID, body: LinkMailIn, context: ConsoleContext) -> LinkMailed:
    """Mails the person a link with which they set a password. Earlier ones end."""
    link = await mailing.mail_link(context, staff_id, body.email)
    return LinkMailed(kind=link.kind, expires_at=link.expires_at)


@router.get("/forgotten-password", operation_id="session_forgotten_open")
async def forgotten_open() -> MailOpen:
    """Whether who forgot the password can have a link mailed; for everybody."""
    return MailOpen(open=mailing.can_mail())


@router.post("/forgotten-password", status_code=202, operation_id="session_forgotten")
async def forgotten(body: ForgottenIn, request: Request) -> None:
    """Mails a link to who has that name and a proven address. The answer is the same whether there is one."""
    await mailing.forgotten(body.sign_in_name, address=client_address(request))


@router.post("/notices/test", status_code=202, operation_id="notices_test")
async def try_channel(body: TestIn, ctx: ConsoleTransaction) -> None:
    """Sends oneself a test, at most once a minute and channel."""
    await choosing.try_channel(ctx, body.channel)


@router.get("/notices/deliveries", operation_id="notices_deliveries", dependencies=[_manage])
async def list_deliveries(
    ctx: ConsoleTransaction,
    view: Annotated[DeliveryView, Query(description="not_told: what failed, and what may not have arrived.")] = "all",
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[DeliveryOut]:
    """What went out to people and groups and what became of it, newest first."""
    return await queries.delivery_page(ctx, view=view, cursor=cursor, limit=limit)


@router.post(
    "/notices/deliveries/{delivery_id}/again",
    status_code=202,
    operation_id="notices_send_again",
    dependencies=[_manage],
)
async def send_again(delivery_id: UUID, ctx: ConsoleTransaction) -> None:
    """Sends once more what failed, or of which nobody knows whether it arrived."""
    await delivery.send_again(ctx, delivery_id)


@router.get("/group-robots", operation_id="notices_robots", dependencies=[_manage])
async def list_robots(ctx: ConsoleTransaction) -> RobotsOut:
    """The robots that tell groups, and what they can tell; one page holds them."""
    return await queries.robots_out(ctx)


@router.post("/group-robots", status_code=201, operation_id="notices_add_robot", dependencies=[_manage])
async def add_robot(body: RobotIn, ctx: ConsoleTransaction) -> RobotOut:
    """Enters a robot by its address."""
    return queries.robot_out(await robots.add_robot(ctx, body.name, body.webhook, body.kinds))


@router.put("/group-robots/{robot_id}", operation_id="notices_change_robot", dependencies=[_manage])
async def change_robot(robot_id: UUID, body: RobotPut, ctx: ConsoleTransaction) -> RobotOut:
    """Renames a robot and sets what it tells."""
    return queries.robot_out(await robots.change_robot(ctx, robot_id, body.name, body.kinds))


@router.delete("/group-robots/{robot_id}", status_code=204, operation_id="notices_delete_robot", dependencies=[_manage])
async def delete_robot(robot_id: UUID, ctx: ConsoleTransaction) -> None:
    """Takes a robot away."""
    await robots.delete_robot(ctx, robot_id)


@router.post(
    "/group-robots/{robot_id}/test", status_code=202, operation_id="notices_test_robot", dependencies=[_manage]
)
async def try_robot(robot_id: UUID, ctx: ConsoleTransaction) -> None:
    """Has it send a test to its group, at most once a minute."""
    await robots.try_robot(ctx, robot_id)


@router.get("/sms-account", operation_id="sms_account", dependencies=[_manage])
async def get_sms_account(ctx: ConsoleTransaction) -> SmsAccountState:
    """How SMS is set up."""
    return await _sms(ctx)


@router.put("/sms-account", operation_id="sms_set_account", dependencies=[_manage])
async def set_sms_account(body: SmsAccountIn, ctx: ConsoleTransaction) -> SmsAccountState:
    """Sends SMS through that account from now on."""
    await sms.set_sms_account(ctx, body.access_key_id, body.access_key_secret, body.sign, body.templates)
    return await _sms(ctx)


@router.delete("/sms-account", status_code=204, operation_id="sms_remove_account", dependencies=[_manage])
async def remove_sms_account(ctx: ConsoleTransaction) -> None:
    """Sends no SMS any more; what waits fails."""
    await sms.remove_sms_account(ctx)


async def _sms(ctx: Context) -> SmsAccountState:
    account = await sms.sms_account(ctx)
    if account is None:
        return SmsAccountState(account=None)
    endpoint, code = await sms.endpoint(ctx, account), account.last_error_code
    out = SmsAccountOut.model_validate(
        {
            "access_key_id": account.access_key_id,
            "sign": account.sign,
            "templates": account.templates,
            "state": account.state,
            "error": explain(code, ctx.locale) if code is not None else None,
            "callback_url": f"{get_settings().public_url}/callbacks/{endpoint.kind}/{endpoint.callback_id}",
        }
    )
    return SmsAccountState(account=out)


@router.post("/notices/{notice_id}/read", status_code=204, operation_id="notices_read")
@also_when_read_only
async def read(notice_id: UUID, ctx: ConsoleTransaction) -> None:
    """The person has read it."""
    await queries.mark_read(ctx, notice_id)
