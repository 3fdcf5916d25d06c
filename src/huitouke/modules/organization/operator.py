"""The platform operator's routes: tenants, plans, settings, visits, and what operators did."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import func, select

from huitouke.kernel import clock
from huitouke.kernel.access.console import set_session_cookie
from huitouke.kernel.access.links import NewLink
from huitouke.kernel.database import platform_transaction
from huitouke.kernel.errors import InvalidInput
from huitouke.kernel.http import LoadedModules
from huitouke.kernel.locales import translate
from huitouke.kernel.operators import log
from huitouke.kernel.operators.http import OperatorPerson
from huitouke.kernel.operators.log import Doer, PlatformEntryOut
from huitouke.kernel.operators.session import PREFIX
from huitouke.kernel.paging import DEFAULT_LIMIT, Cursor, Limit, Page
from huitouke.kernel.plans import catalogue
from huitouke.kernel.plans.console import features_of
from huitouke.kernel.plans.models import Plan
from huitouke.kernel.plans.service import all_quotas
from huitouke.kernel.settings import get_settings
from huitouke.kernel.tenancy import Tenant
from huitouke.modules.organization.operator_schemas import (
    ClosingIn,
    InvitationOut,
    Named,
    PlanBody,
    PlanGiven,
    PlanIn,
    PlanPut,
    PlanRow,
    PlansOut,
    SettingsBody,
    StartingRoleBody,
    TenantDetail,
    TenantIn,
    TenantRow,
    VisitRow,
    WhyIn,
)
from huitouke.modules.organization.service import platform, tenant_reports, tenants, visits
from huitouke.modules.organization.service.tenant_reports import TenantState

router = APIRouter(prefix=PREFIX, tags=["operator"])

Search = Annotated[str | None, Query(max_length=60, description="Part of a name.")]

NAME_DIFFERS: Final = "name_differs"


@router.get("/tenants", operation_id="operator_tenants")
async def list_tenants(
    operator: OperatorPerson,
    q: Search = None,
    state: TenantState | None = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[TenantRow]:
    """Tenants, newest first, with their last figures."""
    async with platform_transaction() as session:
        return await tenant_reports.tenant_page(session, operator.locale, q, state, cursor, limit)


@router.post("/tenants", status_code=201, operation_id="operator_create_tenant")
async def create_tenant(body: TenantIn, operator: OperatorPerson) -> InvitationOut:
    """Makes a tenant; its owner sets a password by the link in the answer."""
    new = tenants.NewTenant(body.name, body.owner_name, body.owner_sign_in_name, body.plan_id, body.until)
    invited = await tenants.create_tenant(Doer(operator), new)
    return _invitation(invited.founded.tenant_id, invited.link)


@router.get("/tenants/{tenant_id}", operation_id="operator_tenant")
async def get_tenant(tenant_id: UUID, operator: OperatorPerson) -> TenantDetail:
    """One tenant: state, plan, usage, health, visits."""
    return await _tenant(tenant_id, operator.locale)


@router.post("/tenants/{tenant_id}/invitation", operation_id="operator_invite_owner")
async def invite_owner(tenant_id: UUID, operator: OperatorPerson) -> InvitationOut:
    """A new link for the owner who has not come yet; the earlier one ends."""
    return _invitation(tenant_id, await tenants.invite_owner(Doer(operator), tenant_id))


@router.put("/tenants/{tenant_id}/plan", operation_id="operator_give_plan")
async def give_plan(tenant_id: UUID, body: PlanGiven, operator: OperatorPerson) -> TenantDetail:
    """Gives the tenant a plan, at once or when the present one's time is over; the same one for longer renews it."""
    await tenants.give_plan(Doer(operator), tenant_id, body.plan_id, body.until, body.when)
    return await _tenant(tenant_id, operator.locale)


@router.post("/tenants/{tenant_id}/suspend", operation_id="operator_suspend_tenant")
async def suspend(tenant_id: UUID, body: WhyIn, operator: OperatorPerson) -> TenantDetail:
    """Locks the tenant's people out, who are told why; what customers write is received and kept."""
    await tenants.move_tenant(Doer(operator), tenant_id, "suspend", body.reason)
    return await _tenant(tenant_id, operator.locale)


@router.post("/tenants/{tenant_id}/restore", operation_id="operator_restore_tenant")
async def restore(tenant_id: UUID, operator: OperatorPerson) -> TenantDetail:
    """Lets the people of a suspended or closed tenant in again."""
    await tenants.move_tenant(Doer(operator), tenant_id, "restore")
    return await _tenant(tenant_id, operator.locale)


@router.post("/tenants/{tenant_id}/close", operation_id="operator_close_tenant")
async def close(tenant_id: UUID, body: ClosingIn, operator: OperatorPerson) -> TenantDetail:
    """Closes the tenant; its name is typed once more. Its data are kept."""
    shown = await _tenant(tenant_id, operator.locale)
    if body.name.strip() != shown.name:
        raise InvalidInput(field="name", reason=NAME_DIFFERS)
    await tenants.move_tenant(Doer(operator), tenant_id, "close", body.reason)
    return await _tenant(tenant_id, operator.locale)


@router.get("/plans", operation_id="operator_plans")
async def list_plans(operator: OperatorPerson, modules: LoadedModules) -> PlansOut:
    """All plans, at most 50; and what there is to open and to limit."""
    async with platform_transaction() as session:
        plans = await catalogue.all_plans(session)
        counted = await session.execute(
            select(Tenant.plan_id, func.count().label("holders"))
            .where(Tenant.state != "closed")
            .group_by(Tenant.plan_id)
        )
        holders = {row.plan_id: row.holders for row in counted}
    return PlansOut(
        items=[_plan(plan, holders.get(plan.id, 0)) for plan in plans],
        features=[
            Named(name=feature.name, label=translate(operator.locale, f"features.{feature.name}"))
            for feature in features_of(modules)
        ],
        quotas=[
            Named(name=quota.name, label=translate(operator.locale, f"quotas.{quota.name}"), unit=quota.unit)
            for quota in all_quotas()
        ],
    )


@router.post("/plans", status_code=201, operation_id="operator_create_plan")
async def create_plan(body: PlanIn, operator: OperatorPerson) -> PlanRow:
    """Makes a plan."""
    async with platform_transaction() as session:
        plan = await catalogue.create_plan(session, body.key, _draft(body))
        await log.note(session, Doer(operator), "plan.created", plan.name, after=catalogue.facts(plan))
    return _plan(plan, 0)


@router.put("/plans/{plan_id}", operation_id="operator_change_plan")
async def change_plan(plan_id: UUID, body: PlanPut, operator: OperatorPerson) -> PlanRow:
    """Changes a plan for everybody who has it, from now on; an archived one is given to nobody new."""
    async with platform_transaction() as session:
        before = await session.scalar(select(Plan).where(Plan.id == plan_id))
        facts = catalogue.facts(before) if before is not None else None
        plan = await catalogue.change_plan(session, plan_id, _draft(body), body.version)
        count = await session.scalar(select(func.count(Tenant.id)).where(Tenant.plan_id == plan_id))
        await log.note(session, Doer(operator), "plan.changed", plan.name, facts, catalogue.facts(plan))
    catalogue.plans_changed()
    return _plan(plan, count or 0)


@router.get("/settings", operation_id="operator_settings")
async def get_settings_of_platform(operator: OperatorPerson) -> SettingsBody:
    """What holds for the installation."""
    async with platform_transaction() as session:
        return await platform.settings(session)


@router.put("/settings", operation_id="operator_change_settings")
async def change_settings_of_platform(body: SettingsBody, operator: OperatorPerson) -> SettingsBody:
    """Opens or closes sign-up, and says which plan is tried."""
    async with platform_transaction() as session:
        before = await platform.settings(session)
        await platform.change_settings(session, body)
        await log.note(session, Doer(operator), "settings.changed", "settings", before.model_dump(), body.model_dump())
    return body


@router.get("/log", operation_id="operator_log")
async def list_log(
    operator: OperatorPerson, tenant_id: UUID | None = None, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> Page[PlatformEntryOut]:
    """What operators did, newest first; to one tenant where it is named."""
    async with platform_transaction() as session:
        return await log.entries(session, tenant_id, cursor, limit)


@router.post("/tenants/{tenant_id}/visits", status_code=201, operation_id="operator_ask_visit")
async def ask_visit(tenant_id: UUID, body: WhyIn, operator: OperatorPerson) -> VisitRow:
    """Asks the tenant's owners to let the operator in."""
    return tenant_reports.visit_row(await visits.ask(operator, tenant_id, body.reason))


@router.post("/visits/{visit_id}/enter", status_code=204, operation_id="operator_enter")
async def enter(visit_id: UUID, operator: OperatorPerson, request: Request, response: Response) -> None:
    """Opens the tenant's console in this browser, until the visit is over; every step stands in the tenant's log."""
    opened = await visits.enter(operator, visit_id, user_agent=request.headers.get("user-agent"))
    set_session_cookie(request, response, opened.token, seconds=(opened.expires_at - clock.now()).total_seconds())


@router.post("/visits/{visit_id}/end", status_code=204, operation_id="operator_end_visit")
async def end_visit(visit_id: UUID, operator: OperatorPerson) -> None:
    """Ends one's own visit."""
    await visits.leave(operator, visit_id)


async def _tenant(tenant_id: UUID, locale: str) -> TenantDetail:
    async with platform_transaction() as session:
        return await tenant_reports.tenant_detail(session, tenant_id, locale)


def _invitation(tenant_id: UUID, link: NewLink) -> InvitationOut:
    # Behind the #, a browser sends nothing to any server.
    url = f"{get_settings().public_url}/join#{link.token.reveal()}"
    return InvitationOut(tenant_id=tenant_id, url=url, expires_at=link.expires_at)


def _draft(body: PlanBody) -> catalogue.PlanDraft:
    roles = [catalogue.StartingRole(role.name, role.like) for role in body.roles]
    return catalogue.PlanDraft(
        body.name, body.name_en, body.features, body.quotas, body.trial_days, body.archived, roles
    )


def _plan(plan: Plan, holders: int) -> PlanRow:
    return PlanRow(
        id=plan.id,
        key=plan.key,
        name=plan.name,
        name_en=plan.name_en,
        features=plan.features,
        quotas=plan.quotas,
        trial_days=plan.trial_days,
        archived=plan.archived,
        roles=[StartingRoleBody.model_validate(role) for role in plan.roles],
        version=plan.version,
        tenants=holders,
    )
