"""What crosses the console's API about prerequisites."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from huitouke.kernel.keys import Secret

StateName = Literal["todo", "handed", "waiting", "done", "not_needed"]
Values = Annotated[
    dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=200)]], Field(max_length=20)
]
Note = Annotated[str, Field(max_length=500)]


class AskedOut(BaseModel):
    """A value that belongs to an entry."""

    name: str
    label: str
    secret: bool
    required: bool
    value: str | None = Field(description="What was entered; never a secret.")
    entered: bool


class LedgerFound(BaseModel):
    """What the last live check found."""

    state: Literal["ok", "failed", "waiting"]
    message: str
    fix: str


class HandedLink(BaseModel):
    """A link that is out."""

    id: UUID
    label: str
    created_at: datetime
    expires_at: datetime


class PrerequisiteOut(BaseModel):
    """One entry of the ledger, in words."""

    name: str
    title: str
    why: str
    how: str
    group: Literal["company", "wecom", "reach", "more"]
    who: Literal["owner", "administrator", "technician", "provider", "accountant"]
    cost: Literal["free", "yearly_fee", "usage", "price"]
    days: int = Field(description="What is reckoned with: this shop's own figure, else the usual one.")
    usual_days: int
    usual_as_of: date
    expected_days: int | None
    after: list[str]
    features: list[str]
    state: StateName
    since: datetime | None
    ready_on: date = Field(description="When it is there, if everything before it goes as reckoned.")
    can_begin: bool = Field(description="Not begun, and everything before it is there.")
    note: str
    assignee_id: UUID | None
    done_by: str | None
    asks: list[AskedOut]
    can_check: bool
    found: LedgerFound | None
    checked_at: datetime | None
    links: list[HandedLink]


class FeatureOut(BaseModel):
    """Something that people wait for."""

    name: str
    title: str
    state: Literal["usable", "waits", "off"] = Field(description="`off`: something it needs was said not to be needed.")
    usable_on: date
    waits_for: list[str] = Field(description="Entries that are not done yet, its own and those before them.")


class LedgerOut(BaseModel):
    """The whole way to the real channels."""

    today: date
    items: list[PrerequisiteOut]
    features: list[FeatureOut]
    begin_today: list[str]
    chain: list[str] = Field(description="What holds up answering customers the longest, in order.")


class PrerequisitePatch(BaseModel):
    """What to change; what is absent stays, null takes away."""

    state: StateName | None = None
    note: Note | None = None
    assignee_id: UUID | None = None
    expected_days: Annotated[int, Field(ge=0, le=365)] | None = None


class ValuesIn(BaseModel):
    """What an entry asks for, by name."""

    values: Values


class LinkIn(BaseModel):
    """For whom the link is, as people say it."""

    label: Annotated[str, Field(min_length=1, max_length=60)]


class LinkOut(BaseModel):
    """The address, which is shown once."""

    id: UUID
    url: str
    expires_at: datetime


class TokenIn(BaseModel):
    """What stands behind the # of the link's address."""

    token: Secret


class HandedOut(BaseModel):
    """The one entry that the holder of a link sees."""

    shop: str
    title: str
    why: str
    how: str
    cost: Literal["free", "yearly_fee", "usage", "price"]
    days: int
    state: StateName
    asks: list[AskedOut]
    expires_at: datetime


class HandedIn(BaseModel):
    """What the holder of a link says."""

    token: Secret
    state: Literal["waiting", "done"]
    values: Values = {}
    note: Note = ""
