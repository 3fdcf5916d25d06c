"""Signing in with WeCom: the door of an app, the way to WeCom, and who comes back from there (wechat-api.md §1.18).

A door is an address of its own per app, so that somebody who is not signed in yet need not say for which merchant.
What WeCom proves is the userid; who that is here stands in `staff`, and nobody comes in who isn't there.
"""

import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from huitouke.kernel import audit, clock
from huitouke.kernel.access import service as access
from huitouke.kernel.access.challenges import Challenge
from huitouke.kernel.access.service import NewSession
from huitouke.kernel.access.signed_in import suspended
from huitouke.kernel.context import Actor, ActorKind, Context, job_context
from huitouke.kernel.database import platform_transaction, transaction
from huitouke.kernel.errors import OutsideFailed
from huitouke.kernel.settings import get_settings
from huitouke.kernel.tenancy import Tenant
from huitouke.modules.organization.models import Staff, WecomApp, WecomDoor
from huitouke.modules.organization.service import problems
from huitouke.modules.organization.service.clients import wecom_client
from huitouke.modules.organization.service.wecom_apps import MAX_APPS, wecom_app
from huitouke.wechat.errors import WecomError
from huitouke.wechat.oauth import inside_address, recognise, scan_address

CODE_BYTES: Final = 16
MAX_TRIES_PER_ADDRESS: Final = 60
"""Codes that come back from one network address within a quarter of an hour; a shop's people share one."""

USED_CODES: Final = frozenset({40029, 42003, 42022})
"""No such code, too old, used already (path/91023): one scans again."""


@dataclass(frozen=True, slots=True)
class Door:
    """Whose door it is, and the app that people are recognised by."""

    code: str
    tenant_id: UUID
    tenant_name: str
    wecom_app_id: UUID
    corp_id: str
    agent_id: str

    @property
    def address(self) -> str:
        """What people open, and what is entered in WeCom as the app's home page."""
        return door_address(self.code)


def door_address(code: str) -> str:
    """The door's address on this installation."""
    return f"{get_settings().public_url}/in/{code}"


async def open_door(ctx: Context, app_id: UUID) -> None:
    """Lets the app's people sign in with WeCom; where they may already, nothing changes. Raises NotFound."""
    app = await wecom_app(ctx, app_id)
    made = await ctx.session.scalar(
        insert(WecomDoor)
        .values(
            code=secrets.token_urlsafe(CODE_BYTES),
            tenant_id=ctx.tenant_id,
            wecom_app_id=app_id,
            created_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["tenant_id", "wecom_app_id"])
        .returning(WecomDoor.code)
    )
    if made is not None:
        await audit.record(ctx, "organization.wecom_sign_in_on", "wecom_app", app_id, after={"name": app.name})


async def close_door(ctx: Context, app_id: UUID) -> None:
    """Ends it; the address leads nowhere any more, and who is in stays in. Raises NotFound."""
    app = await wecom_app(ctx, app_id)
    gone = await ctx.session.scalar(
        delete(WecomDoor)
        .where(WecomDoor.tenant_id == ctx.tenant_id, WecomDoor.wecom_app_id == app_id)
        .returning(WecomDoor.code)
    )
    if gone is not None:
        await audit.record(ctx, "organization.wecom_sign_in_off", "wecom_app", app_id, after={"name": app.name})


async def door_addresses(ctx: Context) -> dict[UUID, str]:
    """The merchant's doors by app, at most one for each. It is a table of the platform, so the tenant is named."""
    rows = await ctx.session.execute(
        select(WecomDoor.wecom_app_id, WecomDoor.code).where(WecomDoor.tenant_id == ctx.tenant_id).limit(MAX_APPS)
    )
    return {row.wecom_app_id: door_address(row.code) for row in rows}


async def look_at_door(code: str) -> Door:
    """Where a door leads, for somebody who is not signed in.

    Raises:
        DoorGone: there is no such door (any more).
        TenantSuspended: the merchant may not be used at present.
    """
    async with platform_transaction() as session:
        found = (
            await session.execute(
                select(WecomDoor.tenant_id, WecomDoor.wecom_app_id, Tenant.name, Tenant.state, Tenant.state_reason)
                .join(Tenant, Tenant.id == WecomDoor.tenant_id)
                .where(WecomDoor.code == code)
            )
        ).one_or_none()
    if found is None:
        raise problems.DoorGone
    if found.state != "active":
        raise suspended(found.state, found.state_reason)
    async with transaction(job_context(found.tenant_id)) as ctx:
        app = (
            await ctx.session.execute(
                select(WecomApp.corp_id, WecomApp.agent_id).where(WecomApp.id == found.wecom_app_id)
            )
        ).one_or_none()
    if app is None:
        raise problems.DoorGone
    return Door(code, found.tenant_id, found.name, found.wecom_app_id, app.corp_id, app.agent_id)


def way_to_wecom(door: Door, state: str, *, inside: bool) -> str:
    """Where the browser goes: within the WeCom app to be recognised at once, elsewhere to a code that is scanned.

    `state` comes back unchanged, and proves that the one who comes back is the one who went.
    """
    settings = get_settings()
    back = f"{door.address}/back"
    if inside:
        return inside_address(door.corp_id, door.agent_id, back, state, base_url=settings.wecom_oauth_url)
    return scan_address(door.corp_id, door.agent_id, back, state, base_url=settings.wecom_sso_url)


async def sign_in_with_wecom(
    code: str, wecom_code: str, *, locale: str, address: str | None, user_agent: str | None
) -> NewSession | Challenge:
    """Signs in whoever WeCom says it is; who turned on the second step is asked for that code as after a password.

    Raises:
        DoorGone, TenantSuspended: as `look_at_door`.
        SignInThrottled: too many tries from this address.
        ScanAgain: WeCom's code is none, too old, or used.
        OutsideFailed: WeCom didn't answer as it should; the reason is a sentence.
        NotOurStaff: WeCom names somebody who isn't staff here, or left; `userid` says whom.
        NotInvited: the person is known from the address book and has no sign-in yet.
        NoTenant: the person was shut out meanwhile.
    """
    await access.count_attempts({f"wecom:{address}": MAX_TRIES_PER_ADDRESS} if address else {})
    door = await look_at_door(code)
    context = Context(door.tenant_id, Actor(ActorKind.JOB), locale=locale, address=address)
    userid = await _recognised(context, door, wecom_code)
    async with transaction(context) as ctx:
        staff = await ctx.session.scalar(
            select(Staff).where(func.lower(Staff.wecom_userid) == userid.lower(), Staff.state == "active").limit(1)
        )
    if staff is None:
        raise problems.NotOurStaff(userid=userid)
    if staff.user_id is None:
        raise problems.NotInvited(name=staff.name)
    return await access.sign_in_proven(staff.user_id, door.tenant_id, address=address, user_agent=user_agent)


async def _recognised(context: Context, door: Door, wecom_code: str) -> str:
    client = await wecom_client(context, door.wecom_app_id)
    try:
        found = await recognise(client, wecom_code)
    except WecomError as error:
        if error.errcode in USED_CODES:
            raise problems.ScanAgain from error
        raise OutsideFailed(reason=error.explain(context.locale)) from error
    if found.userid is None:
        raise problems.NotOurStaff(userid="")
    return found.userid
