"""Corps, apps and their callbacks, employees and accounts: what an administrator does on WeCom's admin pages."""

from fastapi import APIRouter

from wechat_sandbox.address_book import tell
from wechat_sandbox.control.common import (
    REFUSALS,
    CorpId,
    TheWorld,
    app_of,
    corp_of,
    employee_of,
    kf_account_of,
)
from wechat_sandbox.control.schemas import (
    AppInput,
    AppOut,
    AppPatch,
    CallbackConfig,
    CallbackSaved,
    CorpOut,
    Done,
    EmployeeInput,
    EmployeeOut,
    KfAccountInput,
    KfAccountOut,
    KfAccountPatch,
    Notice,
    ResetOut,
    SetupInput,
    SetupOut,
    StateOut,
)
from wechat_sandbox.control.views import account_out, app_out, corp_out, customer_out, employee_out
from wechat_sandbox.crypto import BadEncodingAesKey, aes_key
from wechat_sandbox.entities import App, Corp, Employee, KfAccount
from wechat_sandbox.errors import ControlError, conflict, not_found
from wechat_sandbox.ids import new_corp_id, new_open_kfid, new_secret
from wechat_sandbox.kf.accounts import authorise
from wechat_sandbox.kf.customers import find_or_make_customer
from wechat_sandbox.model.routes import API_KEY
from wechat_sandbox.world import World

FIRST_AGENTID = 1_000_002
CORP_LIMIT = 2_000
STATE_CUSTOMER_LIMIT = 200
KF_ACCOUNT_LIMIT = 5_000

router = APIRouter(prefix="/sandbox", tags=["setup"], responses=REFUSALS)


@router.get("/state", operation_id="get_state")
async def get_state(world: TheWorld) -> StateOut:
    """Corps with apps, accounts and employees, and the newest customers."""
    newest = list(world.customers.values())[-STATE_CUSTOMER_LIMIT:]
    return StateOut(
        now=world.clock.now(),
        model_base_url="/v1",
        model_api_key=API_KEY,
        corps=[corp_out(world, corp) for corp in world.corps.values()],
        customers=[customer_out(world, customer) for customer in reversed(newest)],
        customer_count=len(world.customers),
    )


@router.post("/reset", operation_id="reset")
async def reset(world: TheWorld) -> ResetOut:
    """Forgets everything, faults and clock too."""
    world.reset()
    world.hub.publish(Notice(kind="reset"))
    return ResetOut()


@router.post("/setup", operation_id="setup")
async def setup(world: TheWorld, wanted: SetupInput) -> SetupOut:
    """Makes what is missing of a corp with its apps, employees and accounts, and tells ids and secrets."""
    corp = _find_or_make_corp(world, wanted)
    for app in wanted.apps:
        find_or_make_app(world, corp, app)
    for employee in wanted.employees:
        _find_or_make_employee(world, corp, employee)
    for account in wanted.kf_accounts:
        if all(existing.name != account.name for existing in world.corp_accounts(corp.corp_id)):
            _make_account(world, corp, account)
    customers = [find_or_make_customer(world, customer) for customer in wanted.customers]
    return SetupOut(corp=corp_out(world, corp), customers=[customer_out(world, one) for one in customers])


@router.get("/corps/{corp_id}", operation_id="get_corp")
async def get_corp(world: TheWorld, corp_id: str) -> CorpOut:
    return corp_out(world, corp_of(world, corp_id))


@router.post("/apps", operation_id="create_app")
async def create_app(world: TheWorld, wanted: AppInput, corp_id: CorpId = None) -> AppOut:
    """A new app; one of the same agent id or name is given back as it is."""
    return app_out(find_or_make_app(world, corp_of(world, corp_id), wanted))


@router.patch("/apps/{agentid}", operation_id="update_app")
async def update_app(world: TheWorld, agentid: int, patch: AppPatch, corp_id: CorpId = None) -> AppOut:
    """A changed secret ends all access tokens that the old one gave."""
    app = app_of(world, corp_id, agentid)
    if patch.secret is not None and patch.secret != app.secret:
        app.secret = patch.secret
        for token in world.tokens.values():
            if (token.corp_id, token.agentid) == (app.corp_id, app.agentid):
                token.revoked = True
                world.save(token)
    app.name = patch.name if patch.name is not None else app.name
    app.trusted_ips = patch.trusted_ips if patch.trusted_ips is not None else app.trusted_ips
    app.kf_permission = patch.kf_permission if patch.kf_permission is not None else app.kf_permission
    app.trusted_domain = patch.trusted_domain if patch.trusted_domain is not None else app.trusted_domain
    app.enabled = patch.enabled if patch.enabled is not None else app.enabled
    if patch.visible_departments is not None or patch.visible_users is not None:
        app.visible_departments = patch.visible_departments or []
        app.visible_users = patch.visible_users or []
    world.save(app)
    return app_out(app)


@router.put("/apps/{agentid}/callback", operation_id="set_callback")
async def set_callback(world: TheWorld, agentid: int, config: CallbackConfig, corp_id: CorpId = None) -> CallbackSaved:
    """Verifies the URL with an encrypted echostr, within 1 s, and saves it only when the answer is right."""
    app = app_of(world, corp_id, agentid)
    try:
        aes_key(config.encoding_aes_key)
    except BadEncodingAesKey as error:
        return CallbackSaved(ok=False, error=f"EncodingAESKey: {error}", elapsed_ms=0)
    error_text, elapsed_ms = await world.sender.verify(app, config.url, config.token, config.encoding_aes_key)
    if error_text is None:
        app.callback_url, app.callback_token = config.url, config.token
        app.callback_aes_key, app.callback_verified_at = config.encoding_aes_key, world.clock.now()
        world.save(app)
    return CallbackSaved(ok=error_text is None, error=error_text, elapsed_ms=elapsed_ms)


@router.delete("/apps/{agentid}/callback", operation_id="remove_callback")
async def remove_callback(world: TheWorld, agentid: int, corp_id: CorpId = None) -> Done:
    app = app_of(world, corp_id, agentid)
    app.callback_url = app.callback_token = app.callback_aes_key = ""
    app.callback_verified_at = None
    world.save(app)
    return Done()


@router.get("/employees", operation_id="list_employees")
async def list_employees(world: TheWorld, corp_id: CorpId = None) -> list[EmployeeOut]:
    """Of one corp, or of all without `corp_id`; at most 1,000. /address-book/employees pages through more."""
    found = world.corp_employees(corp_of(world, corp_id).corp_id) if corp_id else list(world.employees.values())
    return [employee_out(world, one) for one in found[:1_000]]


@router.post("/employees", operation_id="create_employee")
async def create_employee(world: TheWorld, wanted: EmployeeInput, corp_id: CorpId = None) -> EmployeeOut:
    return employee_out(world, _find_or_make_employee(world, corp_of(world, corp_id), wanted))


@router.delete("/employees/{userid}", operation_id="delete_employee")
async def delete_employee(world: TheWorld, userid: str, corp_id: CorpId = None) -> Done:
    """The employee has left: no longer found by API, no longer a servicer; change_contact says so."""
    employee = employee_of(world, corp_id, userid)
    for servicers in list(world.servicers.values()):
        servicer = servicers.get(employee.userid.lower())
        if servicer is not None and world.accounts[servicer.open_kfid].corp_id == employee.corp_id:
            world.drop_servicer(servicer)
    world.forget_employee(employee)
    tell(world, employee.corp_id, "delete_user", {"UserID": employee.userid})
    return Done()


@router.post("/kf-accounts", operation_id="create_kf_account")
async def create_kf_account(world: TheWorld, wanted: KfAccountInput, corp_id: CorpId = None) -> KfAccountOut:
    """An account made by hand in the admin console, under the management of `managed_by`."""
    return account_out(world, _make_account(world, corp_of(world, corp_id), wanted))


@router.patch("/kf-accounts/{open_kfid}", operation_id="update_kf_account")
async def update_kf_account(world: TheWorld, open_kfid: str, patch: KfAccountPatch) -> KfAccountOut:
    """Changing `managed_by` sends kf_account_auth_change to the apps concerned; an empty list ends all management."""
    account = kf_account_of(world, open_kfid)
    account.name = patch.name if patch.name is not None else account.name
    account.avatar = patch.avatar if patch.avatar is not None else account.avatar
    world.save(account)
    if patch.managed_by is not None:
        authorise(world, account, patch.managed_by)
    return account_out(world, account)


def _find_or_make_corp(world: World, wanted: SetupInput) -> Corp:
    for corp in world.corps.values():
        if corp.corp_id == wanted.corp_id or (wanted.corp_id is None and corp.name == wanted.corp_name):
            return corp
    if len(world.corps) >= CORP_LIMIT:
        raise conflict(f"The sandbox holds at most {CORP_LIMIT} corps.")
    corp = Corp(corp_id=wanted.corp_id or new_corp_id(), name=wanted.corp_name)
    world.add(corp)
    return corp


def find_or_make_app(world: World, corp: Corp, wanted: AppInput) -> App:
    """The corp's app of that agent id, else of that name, else a new one."""
    existing = world.corp_apps(corp.corp_id)
    for app in existing:
        if app.agentid == wanted.agentid or (wanted.agentid is None and app.name == wanted.name):
            return app
    agentid = wanted.agentid or max((app.agentid + 1 for app in existing), default=FIRST_AGENTID)
    app = App(
        corp_id=corp.corp_id,
        agentid=agentid,
        name=wanted.name,
        secret=wanted.secret or new_secret(),
        trusted_ips=wanted.trusted_ips,
        kf_permission=not wanted.contact_sync,
        contact_sync=wanted.contact_sync,
    )
    if any(other.secret == app.secret for other in world.apps.values()):
        raise ControlError(409, "conflict", "Another app has this secret already.")
    world.add(app)
    return app


def _find_or_make_employee(world: World, corp: Corp, wanted: EmployeeInput) -> Employee:
    employee = world.employees.get((corp.corp_id, wanted.userid.lower()))
    if employee is None:
        employee = Employee(corp_id=corp.corp_id, userid=wanted.userid, name=wanted.name, avatar=wanted.avatar)
        world.add(employee)
    return employee


def _make_account(world: World, corp: Corp, wanted: KfAccountInput) -> KfAccount:
    apps = {app.agentid for app in world.corp_apps(corp.corp_id) if not app.contact_sync}
    managed_by = sorted(apps) if wanted.managed_by is None else wanted.managed_by
    for agentid in managed_by:
        if agentid not in apps:
            raise not_found("app", str(agentid))
    if len(world.corp_accounts(corp.corp_id)) >= KF_ACCOUNT_LIMIT:
        raise conflict(f"A corp has at most {KF_ACCOUNT_LIMIT} accounts.")
    account = KfAccount(corp_id=corp.corp_id, open_kfid=new_open_kfid(), name=wanted.name, avatar=wanted.avatar)
    world.add(account)
    authorise(world, account, managed_by)
    return account
