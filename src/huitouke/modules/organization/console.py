"""The console's routes about staff, roles, WeCom apps and their callbacks."""

from uuid import UUID

from fastapi import APIRouter

from huitouke.kernel.callbacks import Endpoint, health
from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.context import Context
from huitouke.kernel.errors import NotFound
from huitouke.kernel.http import ConsoleContext, ConsoleTransaction, requires
from huitouke.kernel.paging import DEFAULT_LIMIT, Cursor, Limit, Page
from huitouke.kernel.settings import get_settings
from huitouke.modules.organization import health_queries, queries, queries_departments, service
from huitouke.modules.organization.models import WecomApp
from huitouke.modules.organization.schemas import (
    CallbackOut,
    CheckOut,
    ChecksOut,
    DepartmentBrief,
    GivenRole,
    HealthOut,
    Replayed,
    ReplayedFailed,
    RoleIn,
    RoleOut,
    RolePut,
    RolesOut,
    StaffIn,
    StaffLinkOut,
    StaffOut,
    StaffPatch,
    WecomAppIn,
    WecomAppOut,
    WecomAppPatch,
)
from huitouke.modules.organization.service.wecom_apps import CALLBACK_KIND

router = APIRouter(prefix="/api", tags=["organization"])
_manage = requires("organization.manage")


@router.get(
    "/staff",
    operation_id="organization_staff",
    dependencies=[requires("conversations.view", "organization.view", "organization.manage")],
)
async def list_staff(ctx: ConsoleTransaction, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT) -> Page[StaffOut]:
    """The people who work here. Everybody who answers customers may see their colleagues."""
    return await queries.staff_page(ctx, cursor, limit)


@router.post("/staff", status_code=201, operation_id="organization_add_staff", dependencies=[_manage])
async def add_staff(body: StaffIn, ctx: ConsoleTransaction) -> StaffOut:
    """Adds a person who can sign in at once."""
    added = await service.add_staff(
        ctx,
        service.NewStaff(
            body.name, body.sign_in_name, body.password, body.role, body.wecom_userid, body.notify_app_messages
        ),
    )
    return await queries.staff_member(ctx, added.id)


@router.patch("/staff/{staff_id}", operation_id="organization_change_staff", dependencies=[_manage])
async def change_staff(staff_id: UUID, body: StaffPatch, ctx: ConsoleTransaction) -> StaffOut:
    """Changes a person; a disabled one is signed out at once."""
    change = service.StaffChange(
        name=body.name,
        role=body.role,
        active=None if body.state is None else body.state == "active",
        wecom_userid=body.wecom_userid,
        notify_app_messages=body.notify_app_messages,
        password=body.password,
    )
    await service.update_staff(ctx, staff_id, change)
    return await queries.staff_member(ctx, staff_id)


@router.post("/staff/{staff_id}/link", operation_id="organization_staff_link", dependencies=[_manage])
async def make_staff_link(staff_id: UUID, ctx: ConsoleTransaction) -> StaffLinkOut:
    """A link with which the person sets a password: an invitation, or a way back in. Earlier ones end."""
    link = await service.staff_link(ctx, staff_id)
    # Behind the #, a browser sends nothing to any server: not to ours, nor to a log on the way.
    url = f"{get_settings().public_url}/join#{link.token.reveal()}"
    return StaffLinkOut(url=url, kind=link.kind, expires_at=link.expires_at)


@router.delete(
    "/staff/{staff_id}/second-step",
    status_code=204,
    operation_id="organization_remove_second_step",
    dependencies=[_manage],
)
async def remove_second_step(staff_id: UUID, ctx: ConsoleTransaction) -> None:
    """For who lost the phone: signing in takes the password alone, until the person turns the second step on again."""
    await service.remove_second_step(ctx, staff_id)


@router.get(
    "/roles", operation_id="organization_roles", dependencies=[requires("organization.view", "organization.manage")]
)
async def list_roles(ctx: ConsoleTransaction) -> RolesOut:
    """Presets and own roles, each with its permissions and how many people have it; and what there is to allow."""
    return await queries.roles(ctx, await service.held(ctx))


@router.post("/roles", status_code=201, operation_id="organization_add_role", dependencies=[_manage])
async def add_role(body: RoleIn, ctx: ConsoleTransaction) -> RoleOut:
    """Makes a role. Nobody can allow in it what they may not do themselves, nor let it see further than they do."""
    made = await service.create_role(ctx, body.name, body.permissions, body.data_scope, body.department_ids)
    return await queries.role(ctx, made.id, await service.held(ctx))


@router.put("/roles/{role_id}", operation_id="organization_change_role", dependencies=[_manage])
async def change_role(role_id: UUID, body: RolePut, ctx: ConsoleTransaction) -> RoleOut:
    """Changes a role, unless somebody did so meanwhile; what its people may do and see follows at once."""
    change = service.RoleChange(body.version, body.name, body.permissions, body.data_scope, body.department_ids)
    await service.update_role(ctx, role_id, change)
    return await queries.role(ctx, role_id, await service.held(ctx))


@router.delete("/roles/{role_id}", status_code=204, operation_id="organization_delete_role", dependencies=[_manage])
async def delete_role(role_id: UUID, ctx: ConsoleTransaction, move_to: GivenRole | None = None) -> None:
    """Takes a role away. People who have it get the role `move_to`; without one it is refused while there are any."""
    await service.delete_role(ctx, role_id, move_to)


@router.get(
    "/department-tree",
    operation_id="organization_department_tree",
    dependencies=[requires("organization.view", "organization.manage")],
)
async def department_tree(ctx: ConsoleTransaction) -> Page[DepartmentBrief]:
    """All departments at once, for whoever chooses some of them; a tree by `parent_id`."""
    return await queries_departments.departments(ctx)


@router.get("/wecom-apps", operation_id="organization_wecom_apps", dependencies=[_manage])
async def list_wecom_apps(ctx: ConsoleTransaction) -> Page[WecomAppOut]:
    """All WeCom apps; there are at most 50, so one page holds them."""
    apps = await service.wecom_apps(ctx)
    endpoints = await queries.callback_endpoints(ctx, [app.id for app in apps])
    doors = await service.door_addresses(ctx)
    return Page(items=[_app_out(app, endpoints.get(app.id), doors.get(app.id)) for app in apps])


@router.post("/wecom-apps", status_code=201, operation_id="organization_add_wecom_app", dependencies=[_manage])
async def add_wecom_app(body: WecomAppIn, ctx: ConsoleTransaction) -> WecomAppOut:
    """Enters an app and makes its callback address, token and key."""
    app = await service.create_wecom_app(ctx, service.NewWecomApp(body.name, body.corp_id, body.agent_id, body.secret))
    return await _shown(ctx, app)


@router.get("/wecom-apps/{app_id}", operation_id="organization_wecom_app", dependencies=[_manage])
async def get_wecom_app(app_id: UUID, ctx: ConsoleTransaction) -> WecomAppOut:
    """One app."""
    return await _shown(ctx, await service.wecom_app(ctx, app_id))


@router.patch("/wecom-apps/{app_id}", operation_id="organization_change_wecom_app", dependencies=[_manage])
async def change_wecom_app(app_id: UUID, body: WecomAppPatch, ctx: ConsoleTransaction) -> WecomAppOut:
    """Changes an app; a new secret is used from the next call on."""
    change = service.WecomAppChange(body.name, body.agent_id, body.secret, body.corp_id)
    return await _shown(ctx, await service.update_wecom_app(ctx, app_id, change))


@router.delete(
    "/wecom-apps/{app_id}", status_code=204, operation_id="organization_delete_wecom_app", dependencies=[_manage]
)
async def delete_wecom_app(app_id: UUID, ctx: ConsoleTransaction) -> None:
    """Takes an app away with its secret, token and callback address; refused while accounts run through it."""
    await service.delete_wecom_app(ctx, app_id)


@router.put("/wecom-apps/{app_id}/sign-in", operation_id="organization_open_wecom_door", dependencies=[_manage])
async def open_wecom_door(app_id: UUID, ctx: ConsoleTransaction) -> WecomAppOut:
    """Lets the app's people sign in with WeCom, at an address of its own."""
    await service.open_door(ctx, app_id)
    return await _shown(ctx, await service.wecom_app(ctx, app_id))


@router.delete("/wecom-apps/{app_id}/sign-in", operation_id="organization_close_wecom_door", dependencies=[_manage])
async def close_wecom_door(app_id: UUID, ctx: ConsoleTransaction) -> WecomAppOut:
    """Ends signing in with WeCom: the address leads nowhere any more. Who is in stays in."""
    await service.close_door(ctx, app_id)
    return await _shown(ctx, await service.wecom_app(ctx, app_id))


@router.post("/wecom-apps/{app_id}/check", operation_id="organization_check_wecom_app", dependencies=[_manage])
async def check_wecom_app(app_id: UUID, context: ConsoleContext) -> ChecksOut:
    """Tries the app live and says in plain words what works and what doesn't."""
    checks = await service.check_wecom_app(context, app_id)
    return ChecksOut(checks=[CheckOut.model_validate(check, from_attributes=True) for check in checks])


@router.get("/wecom-apps/{app_id}/callbacks", operation_id="organization_callbacks", dependencies=[_manage])
async def list_callbacks(
    app_id: UUID,
    ctx: ConsoleTransaction,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[CallbackOut]:
    """The last callbacks of an app and what became of them, newest first."""
    await service.wecom_app(ctx, app_id)
    page = await callbacks.list_received(ctx, app_id, cursor=cursor, limit=limit)
    items = [
        CallbackOut(id=r.id, received_at=r.received_at, state=r.state, event=r.event or "", reason=r.reason)
        for r in page.items
    ]
    return Page(items=items, next_cursor=page.next_cursor)


@router.get("/wecom-apps/{app_id}/health", operation_id="organization_app_health", dependencies=[_manage])
async def app_health(app_id: UUID, ctx: ConsoleTransaction) -> HealthOut:
    """How the connection is: what came last, what was refused, which calls failed, and what waits for a person."""
    await service.wecom_app(ctx, app_id)
    return await health_queries.health_of(ctx, app_id)


@router.post("/wecom-apps/{app_id}/replay-failed", operation_id="organization_replay_failed", dependencies=[_manage])
async def replay_failed(app_id: UUID, ctx: ConsoleTransaction) -> ReplayedFailed:
    """Has failed work of the app's callbacks done again, fifty at a time; what is left waits for the next call."""
    await service.wecom_app(ctx, app_id)
    replayed, left = await health.replay_failed(ctx, CALLBACK_KIND, app_id)
    return ReplayedFailed(replayed=replayed, left=left)


@router.post("/callbacks/{received_id}/replay", operation_id="organization_replay_callback", dependencies=[_manage])
async def replay_callback(received_id: UUID, ctx: ConsoleTransaction) -> Replayed:
    """Has the work that a callback asked for done again; what was done already is not done twice."""
    await callbacks.replay(ctx, received_id)
    return Replayed(woken=True)


async def _shown(ctx: Context, app: WecomApp) -> WecomAppOut:
    endpoints, doors = await queries.callback_endpoints(ctx, [app.id]), await service.door_addresses(ctx)
    return _app_out(app, endpoints.get(app.id), doors.get(app.id))


def _app_out(app: WecomApp, endpoint: Endpoint | None, sign_in_url: str | None) -> WecomAppOut:
    if endpoint is None:
        raise NotFound(kind="callback_endpoint")
    return WecomAppOut.model_validate(
        {
            "id": app.id,
            "name": app.name,
            "corp_id": app.corp_id,
            "agent_id": app.agent_id,
            "state": app.state,
            "last_checked_at": app.last_checked_at,
            "last_check": app.last_check or [],
            "callback_url": f"{get_settings().public_url}/callbacks/{endpoint.kind}/{endpoint.callback_id}",
            "callback_token": endpoint.token.reveal(),
            "callback_aes_key": endpoint.aes_key.reveal(),
            "sign_in_url": sign_in_url,
            "created_at": app.created_at,
        }
    )
