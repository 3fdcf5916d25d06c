"""What crosses the console's API about departments, the people in them, and the address book they come from."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from huitouke.kernel.keys import Secret
from huitouke.modules.organization.schemas import GivenRole, StaffName, WecomUserid
from huitouke.modules.organization.service.departments import MAX_NAME_CHARACTERS
from huitouke.modules.organization.service.people import MAX_DEPARTMENTS_EACH
from huitouke.modules.organization.service.roles import PresetName

DepartmentName = Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARACTERS)]
DepartmentIds = Annotated[frozenset[UUID], Field(max_length=MAX_DEPARTMENTS_EACH)]


class DepartmentStep(BaseModel):
    """A department on the way down from the top."""

    id: UUID
    name: str


class DepartmentOut(BaseModel):
    """A department as a branch of the tree."""

    id: UUID
    parent_id: UUID | None
    name: str
    from_wecom: bool = Field(description="It comes from WeCom's address book.")
    fixed: bool = Field(description="It is changed in WeCom, not here: the address book is connected.")
    people: int = Field(description="Who is in it and below, everybody once; without those who have left.")
    branches: bool = Field(description="Whether there are departments below it.")
    path: list[DepartmentStep] = Field(description="From the top down to the department itself; empty in plain lists.")


class DepartmentIn(BaseModel):
    """A department to make; without `parent_id` it stands at the top."""

    name: DepartmentName
    parent_id: UUID | None = None


class DepartmentPatch(BaseModel):
    """What to change; what is absent stays. `parent_id` null moves it to the top."""

    name: DepartmentName | None = None
    parent_id: UUID | None = None


class PersonDepartment(BaseModel):
    """A department that somebody is in."""

    id: UUID
    name: str
    leads: bool


class ColleagueOut(BaseModel):
    """Somebody who works here, whether they sign in or not."""

    id: UUID
    name: str
    wecom_userid: str | None
    state: Literal["active", "disabled", "invited", "listed", "left"] = Field(
        description="listed: known, without a sign-in. invited: no password has been set yet."
    )
    sign_in_name: str | None
    role: PresetName | Literal["own"] | None = Field(description="Null for people without a sign-in.")
    role_id: UUID | None
    role_name: str | None
    source: Literal["hand", "wecom", "import"]
    fixed: bool = Field(description="Name and departments are changed in WeCom: the address book is connected.")
    departments: list[PersonDepartment]
    left_at: datetime | None
    created_at: datetime


class PersonIn(BaseModel):
    """Somebody to enter, who doesn't sign in yet."""

    name: StaffName
    wecom_userid: WecomUserid = ""
    department_ids: DepartmentIds = frozenset()


class PersonPlaces(BaseModel):
    """The departments that somebody is in."""

    department_ids: DepartmentIds


class InvitationIn(BaseModel):
    """What somebody gets who is to sign in."""

    sign_in_name: Annotated[str, Field(min_length=1, max_length=64)]
    role: GivenRole = "agent"


class StaffImportStart(BaseModel):
    """An uploaded file of purpose `staff_import`."""

    file_id: UUID


class StaffImportRow(BaseModel):
    """A person as read from the file."""

    row: int
    name: str
    wecom_userid: str
    departments: list[str] = Field(description="Each from the top, levels divided by /.")


class StaffImportError(BaseModel):
    """A row that can't be taken, counted as Excel does, and why."""

    row: int
    column: Literal["name", "wecom_userid", "departments"] | None
    message: str


class StaffImportOut(BaseModel):
    """A file of people and how far it is."""

    id: UUID
    file_name: str
    state: Literal["previewed", "applying", "done", "failed"]
    rows_total: int
    rows_failed: int
    rows_done: int
    added: int
    changed: int
    skipped: int
    sample: list[StaffImportRow]
    errors: list[StaffImportError]
    failure: str | None
    created_at: datetime


class AddressBookFigures(BaseModel):
    """What the last complete sync found and did."""

    people: int
    departments: int
    added: int
    changed: int
    returned: int
    left: int
    seconds: int
    finished_at: datetime


class ContactsOut(BaseModel):
    """通讯录同步, with what has to be copied into WeCom's admin console."""

    callback_url: str
    callback_token: str
    callback_aes_key: str
    heard_at: datetime | None = Field(description="When WeCom last called; null: never yet.")


class AddressBookProblem(BaseModel):
    """Why the sync does not go on, and what cures it."""

    code: str
    place: Literal["app", "contacts"] = Field(description="Which of the two credentials WeCom refused.")
    message: str


class AddressBookOut(BaseModel):
    """How the address book is connected and how its sync is."""

    wecom_app_id: UUID
    wecom_app_name: str
    contacts: ContactsOut | None
    state: Literal["idle", "running", "waiting", "asking", "failed"]
    phase: Literal["departments", "ids", "people", "single", "apply", "leaving"] | None
    done: int
    total: int = Field(description="0 while nobody knows.")
    percent: int
    leaving: int | None = Field(description="How many it would mark as left, while it asks.")
    problem: AddressBookProblem | None
    due_at: datetime | None = Field(description="When it goes on, or begins next, by itself.")
    last: AddressBookFigures | None


class AddressBookState(BaseModel):
    """The address book, or null where none is connected."""

    book: AddressBookOut | None


class AddressBookIn(BaseModel):
    """Through which app to read."""

    wecom_app_id: UUID


class ContactsIn(BaseModel):
    """The secret of 管理工具 → 通讯录同步."""

    secret: Secret


class LeavingIn(BaseModel):
    """So many have really left: the number that was shown."""

    leaving: Annotated[int, Field(ge=1)]
