"""What crosses the console's API about privacy."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from huitouke.kernel.masking import CONTACTS, masked_unless
from huitouke.modules.customers.schemas import Contact, RefusalOut
from huitouke.modules.customers.service import MOST_PER_WEEK


class ProcessorOut(BaseModel):
    """Somebody who handles data for the shop."""

    kind: str
    name: str = Field(description="The host that is called; empty for what is on the shop's own machines.")
    what: str = Field(description="What they get and what for, in the person's language.")
    here: bool = Field(description="On the shop's own machines.")


class PrivacyOut(BaseModel):
    """How many offers anybody gets, and who else handles data."""

    marketing_per_week: int = Field(description="Offers that one person gets in seven days, over all channels.")
    most_per_week: int = Field(description="The most that can be chosen.")
    processors: list[ProcessorOut]


class PrivacyIn(BaseModel):
    """How many offers one person gets in seven days, over all channels."""

    marketing_per_week: Annotated[int, Field(ge=1, le=MOST_PER_WEEK)]


class RefusedCustomer(BaseModel):
    """The customer behind a refusal."""

    id: UUID
    name: Contact


class RefusedOut(RefusalOut):
    """Somebody who gets no offers: a customer, or a number of which no customer is known."""

    customer: RefusedCustomer | None
    phone: str | None = Field(description="With its middle hidden.")


class RefusedLine(RefusalOut):
    """A line of the list that is taken out."""

    customer: RefusedCustomer | None
    phone: Annotated[str, masked_unless(CONTACTS)] | None


class RefusalsExport(BaseModel):
    """Who gets no offers, newest first; `more` says that older ones were left out."""

    items: list[RefusedLine]
    more: bool


class ListIn(BaseModel):
    """An uploaded file of purpose `refusals_import`."""

    file_id: UUID


class ListProblem(BaseModel):
    """A row that can't be taken, counted as Excel does, and why."""

    row: int
    message: str


class ListFound(BaseModel):
    """What a file holds."""

    file_name: str
    numbers: int = Field(description="Numbers that can be taken in, each once.")
    known: int = Field(description="Of them, those that get no offers already.")
    rows_failed: int
    errors: list[ListProblem] = Field(description="The first 200.")


class ListTaken(BaseModel):
    """How many numbers are new."""

    added: int
