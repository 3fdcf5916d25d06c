"""What crosses the console's API about customers."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from huitouke.kernel.masking import CONTACTS, masked_unless

Contact = Annotated[str, masked_unless(CONTACTS)]
"""A text about a customer in which people write numbers."""


class IdentityOut(BaseModel):
    """One name under which a channel knows the customer."""

    kind: str
    issuer: str
    value: Contact


class CustomerRow(BaseModel):
    """A customer in a list."""

    id: UUID
    name: Contact
    avatar_url: str | None
    gender: Literal["unknown", "male", "female"]
    remark: Contact | None
    last_seen_at: datetime | None
    created_at: datetime


class FollowerOut(BaseModel):
    """Somebody of the staff whose customer this is."""

    id: UUID
    name: str
    since: datetime


class RefusalOut(BaseModel):
    """Why somebody gets no offers: since when, who said so, and where."""

    id: UUID
    source: Literal["customer_page", "customer_words", "sms_reply", "staff", "import"]
    channel: str = Field(description="A kind of channel, or `all`.")
    refused_at: datetime
    by: str | None = Field(description="Who entered it; null where the customer said so, or a file did.")
    note: Contact | None


class CustomerOut(CustomerRow):
    """A customer's card."""

    phone: str | None = Field(description="The number with its middle hidden; the whole one is asked for by itself.")
    marketing_refusals: list[RefusalOut] = Field(description="While there is any, the customer gets no offers.")

    identities: list[IdentityOut]
    followers: list[FollowerOut] = Field(description="Whose customer this is; nobody's are seen by everybody.")
    version: int


class CustomerPatch(BaseModel):
    """What to change; what is absent stays."""

    name: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    remark: Annotated[str, Field(max_length=200)] | None = None


class PhoneIn(BaseModel):
    """A number as people write it; without a country's code it is of mainland China."""

    phone: Annotated[str, Field(min_length=1, max_length=30)]


class PhoneOut(BaseModel):
    """The whole number, as it is dialled."""

    phone: str


class RefuseIn(BaseModel):
    """The customer wants no offers; the note says how staff know."""

    note: Annotated[str, Field(max_length=200)] | None = None


class AllowIn(BaseModel):
    """The customer may get offers again; why, stands in the log."""

    reason: Annotated[str, Field(min_length=1, max_length=200)]


class ReadingOut(BaseModel):
    """Who looked at what is hidden of a customer, and when."""

    id: UUID
    at: datetime
    by: str
    action: str
