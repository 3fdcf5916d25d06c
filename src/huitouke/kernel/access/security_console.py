"""The console's routes about one's own safety: where one is signed in, and links with which a password is set."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from huitouke.kernel.access import SESSION_COOKIE, links, sessions
from huitouke.kernel.access.console import OR_SECOND_STEP, Me, PasswordIn, admitted
from huitouke.kernel.http import ConsolePerson, LoadedModules
from huitouke.kernel.http.dependencies import client_address
from huitouke.kernel.keys import Secret
from huitouke.kernel.plans.reading import also_when_read_only

router = APIRouter(prefix="/api", tags=["session"])

LinkToken = Annotated[Secret, Field(description="What stands behind the # of the link.")]


class SessionOut(BaseModel):
    """A browser that is signed in as this person."""

    id: UUID
    created_at: datetime
    last_seen_at: datetime
    address: str | None
    user_agent: str | None
    current: bool = Field(description="Whether it is the browser that asks.")


class Ended(BaseModel):
    """How many sessions ended."""

    sessions: int


class LinkIn(BaseModel):
    """A link that somebody got."""

    token: LinkToken


class LinkUse(LinkIn):
    """The link, and the password that the person wants from now on."""

    password: PasswordIn


class LinkOut(BaseModel):
    """Whom the link is for."""

    kind: Literal["invitation", "reset"]
    sign_in_name: str
    display_name: str
    tenant_name: str
    expires_at: datetime


@router.get("/sessions", operation_id="session_list")
async def list_sessions(person: ConsolePerson, request: Request) -> list[SessionOut]:
    """Where the person is signed in, this browser first; at most 100."""
    found = await sessions.open_sessions(person.user_id, request.cookies[SESSION_COOKIE])
    return [SessionOut.model_validate(one, from_attributes=True) for one in found]


@router.delete("/sessions", operation_id="session_end_others")
@also_when_read_only
async def end_others(person: ConsolePerson, request: Request) -> Ended:
    """Signs the person out everywhere else."""
    return Ended(sessions=await sessions.end_other_sessions(person.user_id, request.cookies[SESSION_COOKIE]))


@router.delete("/sessions/{session_id}", status_code=204, operation_id="session_end")
@also_when_read_only
async def end_session(session_id: UUID, person: ConsolePerson) -> None:
    """Signs the person out in one browser."""
    await sessions.end_session(person.user_id, session_id)


@router.post("/access-links/look", operation_id="session_look_at_link")
async def look_at_link(body: LinkIn, request: Request) -> LinkOut:
    """Whom the link is for, without using it up."""
    found = await links.look_at_link(body.token, address=client_address(request))
    return LinkOut.model_validate(found, from_attributes=True)


@router.post("/access-links/use", operation_id="session_use_link", response_model=Me, responses=OR_SECOND_STEP)
async def use_link(body: LinkUse, request: Request, response: Response, modules: LoadedModules) -> Me | JSONResponse:
    """Sets the password and signs the person in, or asks for a code first; the link is used up."""
    opened = await links.use_link(
        body.token, body.password, address=client_address(request), user_agent=request.headers.get("user-agent")
    )
    return await admitted(opened, request, response, modules)
