"""The console's routes about the platform: its operators' visits, and signing up."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from huitouke.kernel.access import resolve_session
from huitouke.kernel.access.console import Me, PasswordIn, me_of, set_session_cookie
from huitouke.kernel.http import ConsoleTransaction, LoadedModules, requires
from huitouke.kernel.http.dependencies import client_address
from huitouke.kernel.plans.reading import also_when_read_only
from huitouke.modules.organization.operator_schemas import VisitRow
from huitouke.modules.organization.service import platform, visits
from huitouke.modules.organization.service.tenant_reports import visit_row

MANAGE: Final = "support.manage"

router = APIRouter(prefix="/api", tags=["platform"])


class VisitsOut(BaseModel):
    """The newest 50 visits, newest first."""

    items: list[VisitRow]


class GrantIn(BaseModel):
    """For how long the operator is let in, from now."""

    hours: Literal[1, 24]


class SignUpOut(BaseModel):
    """Whether shops may sign up by themselves, and what they try."""

    open: bool
    trial_days: int | None


class SignUpIn(BaseModel):
    """A shop and its owner."""

    shop_name: str = Field(min_length=1, max_length=40)
    owner_name: str = Field(min_length=1, max_length=40)
    sign_in_name: Annotated[str, Field(min_length=1, max_length=64)]
    password: PasswordIn


@router.get("/visits", operation_id="support_visits", dependencies=[requires(MANAGE)])
async def list_visits(ctx: ConsoleTransaction) -> VisitsOut:
    """Who of the platform asked to be let in, and what became of it."""
    return VisitsOut(items=[visit_row(visit) for visit in await visits.visits(ctx)])


@router.post("/visits/{visit_id}/grant", operation_id="support_grant", dependencies=[requires(MANAGE)])
@also_when_read_only
async def grant(visit_id: UUID, body: GrantIn, ctx: ConsoleTransaction) -> VisitRow:
    """Lets the operator in for so long. Owners only."""
    return visit_row(await visits.grant(ctx, visit_id, body.hours))


@router.post("/visits/{visit_id}/refuse", operation_id="support_refuse", dependencies=[requires(MANAGE)])
@also_when_read_only
async def refuse(visit_id: UUID, ctx: ConsoleTransaction) -> VisitRow:
    """Keeps the operator out. Owners only."""
    return visit_row(await visits.refuse(ctx, visit_id))


@router.post("/visits/{visit_id}/end", operation_id="support_end", dependencies=[requires(MANAGE)])
@also_when_read_only
async def end(visit_id: UUID, ctx: ConsoleTransaction) -> VisitRow:
    """Ends a visit at once. Owners only."""
    return visit_row(await visits.end(ctx, visit_id))


@router.get("/sign-up", operation_id="session_sign_up_open")
async def sign_up_open() -> SignUpOut:
    """Whether shops may sign up here; for everybody."""
    plan = await platform.trial()
    return SignUpOut(open=plan is not None, trial_days=plan.trial_days if plan is not None else None)


@router.post("/sign-up", status_code=201, operation_id="session_sign_up")
async def sign_up(body: SignUpIn, request: Request, response: Response, modules: LoadedModules) -> Me:
    """Makes a shop with its owner, on trial, and signs the owner in."""
    opened = await platform.sign_up(
        platform.SignUp(body.shop_name, body.owner_name, body.sign_in_name, body.password),
        address=client_address(request),
        user_agent=request.headers.get("user-agent"),
    )
    person = await resolve_session(opened.token)
    set_session_cookie(request, response, opened.token)
    return await me_of(person, modules, request)
