"""The console's routes about the second step: giving the code at sign-in, and setting it up for the own account."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from huitouke.kernel.access import SESSION_COOKIE, second_factor
from huitouke.kernel.access.console import Me, PasswordIn, admitted
from huitouke.kernel.access.second_step import finish_sign_in
from huitouke.kernel.http import ConsoleContext, ConsolePerson, LoadedModules
from huitouke.kernel.http.dependencies import client_address
from huitouke.kernel.keys import Secret
from huitouke.kernel.plans.reading import also_when_read_only

router = APIRouter(prefix="/api", tags=["session"])

CodeIn = Annotated[
    Secret, Field(description="The six digits that the app shows, or a recovery code; blanks and dashes don't count.")
]


class SecondStep(BaseModel):
    """The code that was asked for."""

    challenge: Annotated[Secret, Field(description="What the first step answered.")]
    code: CodeIn


class SecondFactorOut(BaseModel):
    """The own account's second step."""

    on_since: datetime | None = Field(description="Null while it is off.")
    recovery_codes_left: int


class SecondFactorBegin(BaseModel):
    """The password proves that it is the person who sets it up."""

    password: PasswordIn


class SecondFactorBegun(BaseModel):
    """What the authenticator app needs. Shown once."""

    secret: str = Field(description="Base32, for typing.")
    uri: str = Field(description="The same as otpauth:// address, for a QR code.")


class SecondFactorConfirm(BaseModel):
    """The first code of the app."""

    code: CodeIn


class SecondFactorProof(BaseModel):
    """Password and code: both factors, to change either."""

    password: PasswordIn
    code: CodeIn


class RecoveryCodes(BaseModel):
    """Each works once. Shown once: nobody can look them up later."""

    codes: list[str]


@router.post("/session/second-step", operation_id="session_second_step", response_model=Me)
async def second_step(
    body: SecondStep, request: Request, response: Response, modules: LoadedModules
) -> Me | JSONResponse:
    """Signs in with the code and sets the session cookie."""
    opened = await finish_sign_in(
        body.challenge, body.code, address=client_address(request), user_agent=request.headers.get("user-agent")
    )
    return await admitted(opened, request, response, modules)


@router.get("/second-factor", operation_id="session_second_factor")
async def look(person: ConsolePerson) -> SecondFactorOut:
    """Whether the own account asks for a code at sign-in."""
    return SecondFactorOut.model_validate(await second_factor.state_of(person.user_id), from_attributes=True)


@router.post("/second-factor", operation_id="session_begin_second_factor")
@also_when_read_only
async def begin(body: SecondFactorBegin, context: ConsoleContext) -> SecondFactorBegun:
    """Makes a secret for the app; it counts from the first right code on."""
    begun = await second_factor.begin(context, body.password)
    return SecondFactorBegun(secret=begun.secret.reveal(), uri=begun.uri.reveal())


@router.post("/second-factor/confirm", operation_id="session_confirm_second_factor")
@also_when_read_only
async def confirm(body: SecondFactorConfirm, context: ConsoleContext, request: Request) -> RecoveryCodes:
    """Turns it on with the first code, and signs the person out everywhere else."""
    codes = await second_factor.confirm(context, body.code, keep_token=request.cookies[SESSION_COOKIE])
    return RecoveryCodes(codes=list(codes))


@router.post("/second-factor/recovery-codes", operation_id="session_renew_recovery_codes")
@also_when_read_only
async def renew(body: SecondFactorProof, context: ConsoleContext) -> RecoveryCodes:
    """New recovery codes; the earlier ones end."""
    return RecoveryCodes(codes=list(await second_factor.renew_recovery_codes(context, body.password, body.code)))


@router.post("/second-factor/off", status_code=204, operation_id="session_turn_off_second_factor")
@also_when_read_only
async def turn_off(body: SecondFactorProof, context: ConsoleContext) -> None:
    """Signing in takes the password alone again."""
    await second_factor.turn_off(context, body.password, body.code)
