"""What crosses the console's API about staff and WeCom apps."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from huitouke.kernel.keys import Secret
from huitouke.modules.organization.service.roles import Role

StaffName = Annotated[str, Field(min_length=1, max_length=40)]
WecomUserid = Annotated[str, Field(max_length=64, description="The person's account in WeCom; empty for none.")]


class StaffOut(BaseModel):
    """A person who works here."""

    id: UUID
    name: str
    sign_in_name: str
    role: Role
    state: Literal["active", "disabled", "invited"] = Field(description="invited: no password has been set yet.")
    wecom_userid: str | None
    notify_app_messages: bool
    second_step: bool = Field(description="Whether signing in takes a code besides the password.")
    created_at: datetime


class StaffIn(BaseModel):
    """A person to add."""

    name: StaffName
    sign_in_name: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[
        Secret | None, Field(description="The first password; without one the person sets their own by a link.")
    ] = None
    role: Role = "agent"
    wecom_userid: WecomUserid | None = None
    notify_app_messages: bool = True


class StaffPatch(BaseModel):
    """What to change; what is absent stays."""

    name: StaffName | None = None
    role: Role | None = None
    state: Literal["active", "disabled"] | None = None
    wecom_userid: WecomUserid | None = None
    notify_app_messages: bool | None = None
    password: Secret | None = None


class StaffLinkOut(BaseModel):
    """A link to send to the person. It is shown once: nobody can look it up later."""

    url: str
    kind: Literal["invitation", "reset"]
    expires_at: datetime


class CheckOut(BaseModel):
    """One step of a connection check."""

    name: str
    state: Literal["ok", "failed", "waiting", "optional"]
    message: str
    fix: str = Field(description="What to do about it; empty when nothing.")


class ChecksOut(BaseModel):
    """All steps of a connection check, in order."""

    checks: list[CheckOut]


class WecomAppOut(BaseModel):
    """A WeCom app, with what has to be copied into WeCom's admin console."""

    id: UUID
    name: str
    corp_id: str
    agent_id: str
    state: Literal["new", "verified", "failing"]
    last_checked_at: datetime | None
    last_check: list[CheckOut]
    callback_url: str
    callback_token: str
    callback_aes_key: str
    created_at: datetime


class WecomAppIn(BaseModel):
    """An app to enter."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    corp_id: Annotated[str, Field(min_length=1, max_length=64)]
    agent_id: Annotated[str, Field(min_length=1, max_length=12)]
    secret: Secret


class WecomAppPatch(BaseModel):
    """What to change; what is absent stays. The corp id can be corrected until WeCom has called for the first time."""

    name: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    corp_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    agent_id: Annotated[str, Field(min_length=1, max_length=12)] | None = None
    secret: Secret | None = None


class CallbackOut(BaseModel):
    """One callback that arrived."""

    id: UUID
    received_at: datetime
    state: Literal["accepted", "refused"]
    event: str
    reason: str | None


class Replayed(BaseModel):
    """Whether the callback woke anything up."""

    woken: bool
