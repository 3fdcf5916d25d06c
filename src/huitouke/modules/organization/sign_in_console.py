"""The console's routes for signing in with WeCom, open to people who are not signed in yet."""

import secrets
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from huitouke.kernel.access.console import OR_SECOND_STEP, Me, admitted
from huitouke.kernel.http import LoadedModules
from huitouke.kernel.http.dependencies import client_address
from huitouke.kernel.plans.reading import also_when_read_only
from huitouke.modules.organization.service import problems, wecom_sign_in

STATE_COOKIE: Final = "huitouke_wecom"
STATE_SECONDS: Final = 15 * 60
"""As long as somebody may take to find the phone and scan."""

DOORS: Final = "/api/wecom-doors"

router = APIRouter(prefix=DOORS, tags=["session"])

DoorCode = Annotated[str, Path(max_length=64, description="From the address of the door: /in/<code>.")]


class DoorOut(BaseModel):
    """Whose door it is."""

    tenant_name: str


class WayIn(BaseModel):
    """How somebody wants to be recognised."""

    inside: bool = Field(description="The page is open inside the WeCom app; else a code is scanned.")


class WayInOut(BaseModel):
    """Where the browser goes now."""

    url: str


class BackFromWecom(BaseModel):
    """What WeCom put into the address that it came back to."""

    code: str = Field(min_length=1, max_length=512)
    state: str = Field(min_length=1, max_length=128)


@router.get("/{door}", operation_id="wecom_door")
async def look(door: DoorCode) -> DoorOut:
    """Whose door it is."""
    return DoorOut(tenant_name=(await wecom_sign_in.look_at_door(door)).tenant_name)


@router.post("/{door}/way", operation_id="wecom_door_way")
@also_when_read_only
async def begin(door: DoorCode, body: WayIn, request: Request, response: Response) -> WayInOut:
    """The way to WeCom. The browser keeps what has to come back, so that nobody can be signed in by a foreign link."""
    found = await wecom_sign_in.look_at_door(door)
    state = secrets.token_urlsafe(24)
    response.set_cookie(
        STATE_COOKIE,
        state,
        max_age=STATE_SECONDS,
        path=f"{DOORS}/{found.code}",
        secure=request.app.state.settings.public_url.startswith("https://"),
        httponly=True,
        samesite="lax",
    )
    return WayInOut(url=wecom_sign_in.way_to_wecom(found, state, inside=body.inside))


@router.post("/{door}/sign-in", operation_id="wecom_door_sign_in", response_model=Me, responses=OR_SECOND_STEP)
@also_when_read_only
async def sign_in(
    door: DoorCode, body: BackFromWecom, request: Request, response: Response, modules: LoadedModules
) -> Me | JSONResponse:
    """Signs in who comes back from WeCom; or asks for a code first, where the person has turned that on."""
    sent = request.cookies.get(STATE_COOKIE, "")
    if not sent or not secrets.compare_digest(sent.encode(), body.state.encode()):
        raise problems.ScanAgain
    opened = await wecom_sign_in.sign_in_with_wecom(
        door,
        body.code,
        locale=request.state.locale,
        address=client_address(request),
        user_agent=request.headers.get("user-agent"),
    )
    answer = await admitted(opened, request, response, modules)
    (answer if isinstance(answer, JSONResponse) else response).delete_cookie(STATE_COOKIE, path=f"{DOORS}/{door}")
    return answer
