"""The operator area's session: sign in, who am I, sign out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from huitouke.kernel.access.console import PasswordIn
from huitouke.kernel.http.dependencies import client_address
from huitouke.kernel.keys import Secret
from huitouke.kernel.operators import signing_in
from huitouke.kernel.operators.http import OperatorPerson
from huitouke.kernel.operators.signing_in import OPERATOR_COOKIE, SESSION_LIFETIME, Operator

PREFIX = "/operator/api"

router = APIRouter(prefix=f"{PREFIX}/session", tags=["session"])


class OperatorSignIn(BaseModel):
    """Name and password, and the app's code where the person has a second step on."""

    sign_in_name: str = Field(min_length=1, max_length=64)
    password: PasswordIn
    code: Annotated[Secret, Field(description="The six digits that the app shows, or a recovery code.")] | None = None


class OperatorOut(BaseModel):
    """Who is signed in."""

    id: UUID
    sign_in_name: str
    display_name: str
    locale: str
    build: str = Field(description="Name of the console's build; a change means that a reload gets a newer one.")


class OperatorSignedIn(OperatorOut):
    """Who is in now, and until when."""

    expires_at: datetime


@router.post("", operation_id="operator_sign_in")
async def sign_in(body: OperatorSignIn, request: Request, response: Response) -> OperatorSignedIn:
    """Signs in and sets the operator's cookie, which reaches no tenant's console."""
    opened = await signing_in.sign_in(
        body.sign_in_name,
        body.password,
        body.code,
        address=client_address(request),
        user_agent=request.headers.get("user-agent"),
    )
    response.set_cookie(
        OPERATOR_COOKIE,
        opened.token,
        max_age=int(SESSION_LIFETIME.total_seconds()),
        path="/operator",
        secure=request.app.state.settings.public_url.startswith("https://"),
        httponly=True,
        samesite="strict",
    )
    operator = await signing_in.resolve_operator(opened.token)
    return OperatorSignedIn(**_out(operator, request).model_dump(), expires_at=opened.expires_at)


@router.get("", operation_id="operator_me")
async def me(operator: OperatorPerson, request: Request) -> OperatorOut:
    """Who is signed in."""
    return _out(operator, request)


@router.delete("", status_code=204, operation_id="operator_sign_out")
async def sign_out(request: Request, response: Response) -> None:
    """Signs out, also when the session is over already."""
    token = request.cookies.get(OPERATOR_COOKIE)
    if token:
        await signing_in.sign_out(token)
    response.delete_cookie(OPERATOR_COOKIE, path="/operator")


def _out(operator: Operator, request: Request) -> OperatorOut:
    return OperatorOut(
        id=operator.user_id,
        sign_in_name=operator.sign_in_name,
        display_name=operator.display_name,
        locale=operator.locale,
        build=request.app.state.build,
    )
