"""The console's session: sign in, who am I, sign out, language, password."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from huitouke.kernel import clock
from huitouke.kernel.access import SESSION_COOKIE, SignedIn, resolve_session, second_factor, service
from huitouke.kernel.access.challenges import Challenge
from huitouke.kernel.access.signed_in import SESSION_LIFETIME
from huitouke.kernel.http import ConsolePerson, LoadedModules
from huitouke.kernel.http.dependencies import client_address
from huitouke.kernel.keys import Secret
from huitouke.kernel.locales import has_text, translate
from huitouke.kernel.modules import EXTENSIONS, MenuEntry, Modules
from huitouke.kernel.plans.reading import also_when_read_only
from huitouke.kernel.plans.standing import standing_of_tenant

router = APIRouter(prefix="/api/session", tags=["session"])

PasswordIn = Annotated[Secret, Field(description="At most 128 characters.")]


class SignIn(BaseModel):
    """Name and password."""

    sign_in_name: str = Field(min_length=1, max_length=64)
    password: PasswordIn


class SessionChange(BaseModel):
    """What a person may set for the own account."""

    locale: str = Field(max_length=10, description="zh-CN or en.")


class PasswordChange(BaseModel):
    """The old password proves that it is the person who changes it, with a code where a second step is on."""

    old_password: PasswordIn
    new_password: PasswordIn
    code: Annotated[Secret, Field(description="What the app shows, or a recovery code.")] | None = None


class MeUser(BaseModel):
    """The account that signs in."""

    id: UUID
    sign_in_name: str
    display_name: str
    locale: str


class MeStaff(BaseModel):
    """The person within the tenant."""

    id: UUID
    name: str
    role: str


class MeVisit(BaseModel):
    """This is a platform operator, whom the merchant has let in."""

    id: UUID
    until: datetime


class MePlan(BaseModel):
    """How long the merchant's plan holds."""

    name: str
    expires_at: datetime | None = Field(description="Null: it has no end.")
    renewed: bool = Field(description="Another plan follows at the end.")


class MeTenant(BaseModel):
    """The merchant that the session is for."""

    id: UUID
    name: str
    time_zone: str
    plan: MePlan | None = Field(description="Null: no plan, hence no limits.")
    read_only: bool = Field(description="The plan's time is over: everything can be seen, nothing changed.")
    simple_mode: bool = Field(description="Its people see the few pages that a new owner needs.")


class MenuItem(BaseModel):
    """A line of the navigation that the person may use."""

    name: str
    path: str
    icon: str
    label: str
    page: str | None = Field(description="Address of the script that draws a plug-in's page; null for our own pages.")
    more: bool = Field(description="In simple mode: not in the menu itself, but on the page of what else there is.")


class Me(BaseModel):
    """Everything the console needs to know about the person who is signed in."""

    user: MeUser
    staff: MeStaff
    tenant: MeTenant
    permissions: list[str]
    menu: list[MenuItem]
    visit: MeVisit | None = Field(description="Set while a platform operator looks in; null for staff.")
    build: str = Field(description="Name of the console's build; a change means that a reload gets a newer one.")


class SecondStepNeeded(BaseModel):
    """The password was right; a code has to follow before there is a session."""

    challenge: str = Field(description="Goes with the code to /api/session/second-step.")
    expires_at: datetime


OR_SECOND_STEP: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": SecondStepNeeded, "description": "A code has to follow: nobody is signed in yet."}
}


@router.post("", operation_id="session_sign_in", response_model=Me, responses=OR_SECOND_STEP)
async def sign_in(body: SignIn, request: Request, response: Response, modules: LoadedModules) -> Me | JSONResponse:
    """Signs in and sets the session cookie; or asks for a code first, where the person has turned that on."""
    opened = await service.sign_in(
        body.sign_in_name,
        body.password,
        address=client_address(request),
        user_agent=request.headers.get("user-agent"),
    )
    return await admitted(opened, request, response, modules)


@router.get("", operation_id="session_me")
async def me(person: ConsolePerson, request: Request, response: Response, modules: LoadedModules) -> Me:
    """Who is signed in, and what the person may see. Also moves the cookie's end."""
    if person.visit_id is None:
        set_session_cookie(request, response, request.cookies[SESSION_COOKIE])
    return await me_of(person, modules, request)


@router.delete("", status_code=204, operation_id="session_sign_out")
async def sign_out(request: Request, response: Response) -> None:
    """Signs out, also when the session is over already."""
    token = request.cookies.get(SESSION_COOKIE)
    if token:
        await service.sign_out(token)
    response.delete_cookie(SESSION_COOKIE, path="/")


@router.patch("", operation_id="session_change")
@also_when_read_only
async def change(body: SessionChange, person: ConsolePerson, request: Request, modules: LoadedModules) -> Me:
    """Sets the person's language."""
    await service.set_locale(person.user_id, body.locale)
    return await me_of(await resolve_session(request.cookies[SESSION_COOKIE]), modules, request)


@router.post("/password", status_code=204, operation_id="session_change_password")
@also_when_read_only
async def change_password(body: PasswordChange, person: ConsolePerson, request: Request) -> None:
    """Sets a new password and signs the person out everywhere else."""
    await second_factor.prove(person.user_id, body.code)
    await service.change_password(
        person.user_id, body.old_password, body.new_password, keep_token=request.cookies[SESSION_COOKIE]
    )


async def admitted(
    opened: service.NewSession | Challenge, request: Request, response: Response, modules: Modules
) -> Me | JSONResponse:
    """Who is in now, with the cookie; or what asks for the code, without any."""
    if isinstance(opened, Challenge):
        needed = SecondStepNeeded(challenge=opened.token.reveal(), expires_at=opened.expires_at)
        return JSONResponse(needed.model_dump(mode="json"), 202)
    person = await resolve_session(opened.token)
    await end_earlier(request)
    set_session_cookie(request, response, opened.token)
    return await me_of(person, modules, request)


async def end_earlier(request: Request) -> None:
    """The session that this browser had is nobody's from now on: its cookie is about to be written over."""
    earlier = request.cookies.get(SESSION_COOKIE)
    if earlier:
        await service.sign_out(earlier)


def set_session_cookie(request: Request, response: Response, token: str, *, seconds: float | None = None) -> None:
    """Gives the browser its session; `seconds` where it is shorter than usual."""
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int(SESSION_LIFETIME.total_seconds() if seconds is None else seconds),
        path="/",
        secure=request.app.state.settings.public_url.startswith("https://"),
        httponly=True,
        samesite="lax",
    )


async def me_of(person: SignedIn, modules: Modules, request: Request) -> Me:
    """What the console needs to know about the person."""
    granted = person.granted
    tenant = await _tenant_of(person)
    offered = ((module, entry) for module in modules for entry in module.menu)
    entries = sorted(offered, key=lambda pair: pair[1].order)
    return Me(
        user=MeUser(
            id=person.user_id,
            sign_in_name=person.sign_in_name,
            display_name=person.display_name,
            locale=person.locale,
        ),
        staff=MeStaff(id=granted.staff_id, name=granted.display_name, role=granted.role),
        tenant=tenant,
        permissions=sorted(granted.permissions),
        visit=MeVisit(id=person.visit_id, until=person.expires_at) if person.visit_id is not None else None,
        menu=[
            MenuItem(
                name=entry.name,
                path=entry.path,
                icon=entry.icon,
                label=_label(entry, person.locale, simple=tenant.simple_mode),
                page=f"{EXTENSIONS}{module.name}/{entry.page}" if entry.page is not None else None,
                more=tenant.simple_mode and entry.simple == "more",
            )
            for module, entry in entries
            if entry.shows_for(granted.permissions) and (tenant.simple_mode or entry.simple != "only")
        ],
        build=request.app.state.build,
    )


def _label(entry: MenuEntry, locale: str, *, simple: bool) -> str:
    own = f"menu.simple.{entry.name}"
    return translate(locale, own if simple and has_text(own) else f"menu.{entry.name}")


async def _tenant_of(person: SignedIn) -> MeTenant:
    standing, now = await standing_of_tenant(person.tenant_id), clock.now()
    plan = standing.plan(now)
    held = (
        MePlan(
            name=plan.title(person.locale),
            expires_at=standing.expires_at(now),
            renewed=standing.next_plan(now) is not None,
        )
        if plan is not None
        else None
    )
    return MeTenant(
        id=person.tenant_id,
        name=person.tenant_name,
        time_zone=person.time_zone,
        plan=held,
        read_only=standing.read_only(now),
        simple_mode=standing.simple_mode,
    )
