"""What crosses the console's API about staff, roles and WeCom apps."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from huitouke.kernel.keys import Secret
from huitouke.modules.organization.models import DataScopeKind
from huitouke.modules.organization.service.own_roles import MAX_CHOSEN_DEPARTMENTS
from huitouke.modules.organization.service.roles import PresetName, RoleKey

StaffName = Annotated[str, Field(min_length=1, max_length=40)]
WecomUserid = Annotated[str, Field(max_length=64, description="The person's account in WeCom; empty for none.")]
GivenRole = Annotated[RoleKey, Field(description="A preset's name, or the id of a role that the merchant made.")]
RoleName = Annotated[str, Field(min_length=1, max_length=20)]
PermissionNames = Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=500)]
DepartmentIds = Annotated[list[UUID], Field(max_length=MAX_CHOSEN_DEPARTMENTS, description="For the scope `chosen`.")]


class StaffOut(BaseModel):
    """A person who works here."""

    id: UUID
    name: str
    sign_in_name: str
    role: PresetName | Literal["own"]
    role_id: UUID | None = Field(description="Which one, where the role is one that the merchant made.")
    role_name: str | None
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
    role: GivenRole = "agent"
    wecom_userid: WecomUserid | None = None
    notify_app_messages: bool = True


class StaffPatch(BaseModel):
    """What to change; what is absent stays."""

    name: StaffName | None = None
    role: GivenRole | None = None
    state: Literal["active", "disabled"] | None = None
    wecom_userid: WecomUserid | None = None
    notify_app_messages: bool | None = None
    password: Secret | None = None


class StaffLinkOut(BaseModel):
    """A link to send to the person. It is shown once: nobody can look it up later."""

    url: str
    kind: Literal["invitation", "reset"]
    expires_at: datetime


class DepartmentBrief(BaseModel):
    """A department, to be chosen."""

    id: UUID
    parent_id: UUID | None
    name: str


class RoleOut(BaseModel):
    """A preset, or a role that the merchant made."""

    key: str = Field(description="What staff are given it by: a preset's name, or the role's id.")
    preset: PresetName | None
    name: str | None = Field(description="Of a role that the merchant made; presets are known by their `preset`.")
    permissions: list[str]
    data_scope: DataScopeKind = Field(description="Whose customers its people see. Presets see everybody's.")
    department_ids: list[UUID] = Field(description="The departments that the scope `chosen` names.")
    people: int = Field(description="How many have it, disabled ones too.")
    grantable: bool = Field(description="Whether who asks may give and change it: they have all of its permissions.")
    yours: bool = Field(description="Whether who asks has this role.")
    version: int | None = Field(description="Null for presets, which nobody changes.")
    updated_at: datetime | None


class PermissionOut(BaseModel):
    """Something a role may allow."""

    name: str
    label: str
    hint: str | None


class PermissionGroup(BaseModel):
    """The permissions of one module."""

    module: str
    label: str
    permissions: list[PermissionOut]


class RolesOut(BaseModel):
    """All roles, presets first, and what there is to allow."""

    items: list[RoleOut]
    groups: list[PermissionGroup]
    maximum: int = Field(description="How many own roles there may be.")


class RoleIn(BaseModel):
    """A role to make."""

    name: RoleName
    permissions: PermissionNames
    data_scope: DataScopeKind = "all"
    department_ids: DepartmentIds = []


class RolePut(BaseModel):
    """The role as it shall be, made from this version of it. A scope that is left out stays."""

    name: RoleName
    permissions: PermissionNames
    data_scope: DataScopeKind | None = None
    department_ids: DepartmentIds | None = None
    version: int


class CopiedOut(BaseModel):
    """A value that the cure has one copy."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    name: str
    value: str | None = Field(default=None, description="Null: it stands with the app.")


class CheckOut(BaseModel):
    """One step of a connection check; kept ones of earlier releases have fewer fields."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    name: str
    state: Literal["ok", "failed", "waiting", "optional"]
    message: str
    fix: str = Field(description="What to do about it; empty when nothing.")
    mistake: str = Field(default="", description="Its name in the list of mistakes; empty when it has none.")
    step: str = Field(default="", description="The step of the guided way that cures it.")
    place: str = Field(default="", description="Where in WeCom's admin console it is cured.")
    values: list[CopiedOut] = []


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
    sign_in_url: str | None = Field(description="Where its people sign in with WeCom; null while that is off.")
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


class CameOut(BaseModel):
    """How often something came or failed, and when last."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    name: str
    count: int
    last_at: datetime
    message: str = Field(description="In plain words; empty for an event.")
    fix: str = Field(default="", description="What to do about it; empty when nothing.")


class HealthOut(BaseModel):
    """How a connection is."""

    last_callback_at: datetime | None
    verified_at: datetime | None
    events: list[CameOut] = Field(description="Callbacks of the last 24 hours by event.")
    refused: list[CameOut] = Field(description="Refused requests by reason, of the last 100.")
    calls: list[CameOut] = Field(description="Calls that failed within 14 days, by call and code; the latest first.")
    failed_work: int = Field(description="Callbacks whose work failed and waits for a person.")


class ReplayedFailed(BaseModel):
    """How many were done again, and how many are left."""

    replayed: int
    left: int


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
