"""What crosses the console's API about customers."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field


class IdentityOut(BaseModel):
    """One name under which a channel knows the customer."""

    kind: str
    issuer: str
    value: str


class CustomerRow(BaseModel):
    """A customer in a list."""

    id: UUID
    name: str
    avatar_url: str | None
    gender: Literal["unknown", "male", "female"]
    remark: str | None
    last_seen_at: datetime | None
    created_at: datetime


class FollowerOut(BaseModel):
    """Somebody of the staff whose customer this is."""

    id: UUID
    name: str
    since: datetime


class CustomerOut(CustomerRow):
    """A customer's card."""

    identities: list[IdentityOut]
    followers: list[FollowerOut] = Field(description="Whose customer this is; nobody's are seen by everybody.")
    version: int


class CustomerPatch(BaseModel):
    """What to change; what is absent stays."""

    name: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    remark: Annotated[str, Field(max_length=200)] | None = None
