"""The demo's staff and WeCom app, connected to the sandbox the way a merchant connects to WeCom."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from huitouke.kernel.access.service import SignInNameTaken
from huitouke.kernel.callbacks import Endpoint
from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.demo import DemoSandboxError, DemoWorld
from huitouke.kernel.keys import Secret
from huitouke.modules.organization.models import Staff, WecomApp
from huitouke.modules.organization.prerequisites.schedule import State
from huitouke.modules.organization.service import (
    NewStaff,
    NewWecomApp,
    StaffChange,
    add_staff,
    address_book,
    create_role,
    create_wecom_app,
    update_staff,
    wecom_app,
)
from huitouke.modules.organization.service.departments import create_department
from huitouke.modules.organization.service.notifying import Holders, robots, tell
from huitouke.modules.organization.service.notifying.kinds import APP_FAILING, STAFF_JOINED
from huitouke.modules.organization.service.people import put_in_departments
from huitouke.modules.organization.service.prerequisites import PrerequisiteChange, change_prerequisite, enter_values
from huitouke.modules.organization.service.roles import RoleKey

CORP_NAME: Final = "拾光衣橱"
COMPANY: Final = "拾光衣橱（杭州）服饰有限公司"
ON_THE_WAY: Final[dict[str, State]] = {
    "business_licence": "done",
    "wecom_verified": "done",
    "server": "done",
    "domain": "done",
    "staff_ready": "done",
    "service_account": "waiting",
    "archive_seats": "not_needed",
}
"""How far the demo's shop is with what going live needs."""
APP_NAME: Final = "回头客"
OWNER: Final = "林店长"
OWNER_USERID: Final = "LinYue"
AGENTS: Final = (("小雨", "xiaoyu", "XiaoYu"), ("阿宁", "aning", "ANing"))
HELPER: Final = ("小满", "xiaoman", "XiaoMan")
HELPERS_ROLE: Final = "周末兼职"
HELPERS_PERMISSIONS: Final = ("conversations.view", "conversations.reply", "customers.view")
DEPARTMENTS: Final = ((2, "门店", 1), (3, "旗舰店", 2), (4, "线上客服", 1), (5, "仓库", 1))
"""WeCom's number, name, and the department above: 1 is the whole corp."""
PLACES: Final = {"LinYue": (1, 1), "XiaoYu": (4, 4), "ANing": (4, 0), "XiaoMan": (3, 0)}
"""In which department who is, and which one they lead."""
GROUP: Final = "店长群"
PASSWORD: Final = "huitouke-demo"  # noqa: S105 - the demo's own, printed on the terminal
WITHOUT_SANDBOX: Final = {"corp_id": "ww0000000000000000", "agentid": 1000002, "secret": "demo-secret-of-no-use"}


async def load(context: Context, world: DemoWorld) -> None:
    """Adds two agents, somebody who helps out with a role of their own, the app and the departments; once per tenant.

    `facts` gets `staff_ids`, `wecom_app_id`, `corp_id`, `corp_name` and `servicer_userids`.
    """
    async with transaction(context) as ctx:
        if await ctx.session.scalar(select(WecomApp.id).limit(1)) is not None:
            return
        world.facts["staff_ids"] = await _staff(ctx, world.facts.get("owner_staff_id"))
        await _on_the_way(ctx)
    app = await _sandbox_app(world)
    async with transaction(context) as ctx:
        new = NewWecomApp(APP_NAME, app["corp_id"], str(app["agentid"]), Secret(app["secret"]))
        row = await create_wecom_app(ctx, new)
        endpoint = await callbacks.endpoint_of(ctx, row.id)
    world.facts["wecom_app_id"], world.facts["corp_id"], world.facts["corp_name"] = row.id, row.corp_id, CORP_NAME
    world.facts["servicer_userids"] = [userid for _, _, userid in AGENTS]
    if world.sandbox_url is None:
        async with transaction(context) as ctx:
            await _departments(ctx)
        return
    await _connect(world, app, endpoint)
    await _fill_address_book(world, app["corp_id"])
    async with transaction(context) as ctx:
        await address_book.connect(ctx, await wecom_app(ctx, row.id))
    await _tell_group(context, world, app["corp_id"])


async def _tell_group(context: Context, world: DemoWorld, corp_id: str) -> None:
    """A robot in the managers' group, and the first notice."""
    made = await world.sandbox("POST", f"robots?corp_id={corp_id}", {"name": GROUP})
    async with transaction(context) as ctx:
        await robots.add_robot(ctx, GROUP, Secret(made["webhook"]), [APP_FAILING.name, STAFF_JOINED.name])
        await tell(
            ctx,
            STAFF_JOINED,
            Holders("organization.manage"),
            dedupe_key="demo",
            args={"name": HELPER[0]},
            link="/settings/staff",
        )


async def _staff(ctx: Context, owner_id: UUID | None) -> list[UUID]:
    """The owner with a WeCom account and two agents; who helps out is beside them, and sees the own customers only."""
    ids: list[UUID] = []
    owner = await ctx.session.scalar(select(Staff).where(Staff.id == owner_id) if owner_id else select(Staff).limit(1))
    if owner is not None:
        await update_staff(ctx, owner.id, StaffChange(wecom_userid=OWNER_USERID))
        ids.append(owner.id)
    for name, sign_in_name, userid in AGENTS:
        ids.append((await _person(ctx, name, sign_in_name, userid, "agent")).id)
    role = await create_role(ctx, HELPERS_ROLE, HELPERS_PERMISSIONS, "own")
    await _person(ctx, *HELPER, role.id)
    return ids


async def _on_the_way(ctx: Context) -> None:
    """A shop that is connected and goes on: a service account is under way, the archive not wanted."""
    await enter_values(ctx, "business_licence", {"company_name": COMPANY})
    for name, state in ON_THE_WAY.items():
        await change_prerequisite(ctx, name, PrerequisiteChange(state=state), by=OWNER)


async def _person(ctx: Context, name: str, sign_in_name: str, userid: str, role: RoleKey) -> Staff:
    """Sign-in names are the installation's: a demo that was broken off may have left one behind."""
    password = Secret(PASSWORD)
    try:
        return await add_staff(ctx, NewStaff(name, sign_in_name, password, role, userid))
    except SignInNameTaken:
        other_name = f"{sign_in_name}-{ctx.tenant_id.hex[-6:]}"
        return await add_staff(ctx, NewStaff(name, other_name, password, role, userid))


async def _departments(ctx: Context) -> None:
    """The departments by hand, where there is no WeCom to read them from."""
    made: dict[int, UUID] = {}
    for number, name, above in DEPARTMENTS:
        made[number] = (await create_department(ctx, name, made.get(above))).id
    for staff in await ctx.session.scalars(select(Staff).where(Staff.wecom_userid.in_(PLACES)).limit(len(PLACES))):
        place = made.get(PLACES[staff.wecom_userid or ""][0])
        if place is not None:
            await put_in_departments(ctx, staff.id, frozenset([place]))


async def _fill_address_book(world: DemoWorld, corp_id: str) -> None:
    """The same departments in WeCom, with everybody in theirs."""
    departments = [{"id": number, "name": name, "parentid": above} for number, name, above in DEPARTMENTS]
    await world.sandbox("POST", f"address-book?corp_id={corp_id}", {"departments": departments})
    for userid, (place, leads) in PLACES.items():
        wanted = {"departments": [place], "leads": [leads] if leads else []}
        await world.sandbox("PATCH", f"address-book/employees/{userid}?corp_id={corp_id}", wanted)


async def _sandbox_app(world: DemoWorld) -> dict[str, Any]:
    if world.sandbox_url is None:
        return dict(WITHOUT_SANDBOX)
    employees = [{"userid": OWNER_USERID, "name": OWNER}]
    employees += [{"userid": userid, "name": name} for name, _, userid in (*AGENTS, HELPER)]
    wanted = {"corp_name": CORP_NAME, "apps": [{"name": APP_NAME}], "employees": employees}
    made = await world.sandbox("POST", "setup", wanted)
    app: dict[str, Any] = next(one for one in made["corp"]["apps"] if one["name"] == APP_NAME)
    return app


async def _connect(world: DemoWorld, app: dict[str, Any], endpoint: Endpoint) -> None:
    """Enters our address in the app's settings; WeCom verifies it with an encrypted echo before it saves it."""
    saved = await world.sandbox(
        "PUT",
        f"apps/{app['agentid']}/callback?corp_id={app['corp_id']}",
        {
            "url": f"{world.public_url}/callbacks/{endpoint.kind}/{endpoint.callback_id}",
            "token": endpoint.token.reveal(),
            "encoding_aes_key": endpoint.aes_key.reveal(),
        },
    )
    if not saved["ok"]:
        raise DemoSandboxError(f"the sandbox could not verify {world.public_url}: {saved['error']}")
