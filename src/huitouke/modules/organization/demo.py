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
from huitouke.modules.organization.service import (
    NewStaff,
    NewWecomApp,
    StaffChange,
    add_staff,
    create_role,
    create_wecom_app,
    update_staff,
)
from huitouke.modules.organization.service.roles import RoleKey

CORP_NAME: Final = "拾光衣橱"
APP_NAME: Final = "回头客"
OWNER_USERID: Final = "LinYue"
AGENTS: Final = (("小雨", "xiaoyu", "XiaoYu"), ("阿宁", "aning", "ANing"))
HELPER: Final = ("小满", "xiaoman", "XiaoMan")
HELPERS_ROLE: Final = "周末兼职"
HELPERS_PERMISSIONS: Final = ("conversations.view", "conversations.reply", "customers.view")
PASSWORD: Final = "huitouke-demo"  # noqa: S105 - the demo's own, printed on the terminal
WITHOUT_SANDBOX: Final = {"corp_id": "ww0000000000000000", "agentid": 1000002, "secret": "demo-secret-of-no-use"}


async def load(context: Context, world: DemoWorld) -> None:
    """Adds two agents, somebody who helps out with a role of their own, and the app; once per tenant.

    `facts` gets `staff_ids`, `wecom_app_id`, `corp_id`, `corp_name` and `servicer_userids`.
    """
    async with transaction(context) as ctx:
        if await ctx.session.scalar(select(WecomApp.id).limit(1)) is not None:
            return
        world.facts["staff_ids"] = await _staff(ctx, world.facts.get("owner_staff_id"))
    app = await _sandbox_app(world)
    async with transaction(context) as ctx:
        new = NewWecomApp(APP_NAME, app["corp_id"], str(app["agentid"]), Secret(app["secret"]))
        row = await create_wecom_app(ctx, new)
        endpoint = await callbacks.endpoint_of(ctx, row.id)
    world.facts["wecom_app_id"], world.facts["corp_id"], world.facts["corp_name"] = row.id, row.corp_id, CORP_NAME
    world.facts["servicer_userids"] = [userid for _, _, userid in AGENTS]
    if world.sandbox_url is not None:
        await _connect(world, app, endpoint)


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


async def _person(ctx: Context, name: str, sign_in_name: str, userid: str, role: RoleKey) -> Staff:
    """Sign-in names are the installation's: a demo that was broken off may have left one behind."""
    password = Secret(PASSWORD)
    try:
        return await add_staff(ctx, NewStaff(name, sign_in_name, password, role, userid))
    except SignInNameTaken:
        other_name = f"{sign_in_name}-{ctx.tenant_id.hex[-6:]}"
        return await add_staff(ctx, NewStaff(name, other_name, password, role, userid))


async def _sandbox_app(world: DemoWorld) -> dict[str, Any]:
    if world.sandbox_url is None:
        return dict(WITHOUT_SANDBOX)
    employees = [{"userid": OWNER_USERID, "name": "林店长"}]
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
