"""Tables of the organization: roles, staff, WeCom apps and their access tokens."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import BigInteger, Date, DateTime, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from huitouke.kernel.database import Base, PlatformScoped, TenantScoped
from huitouke.kernel.keys import sealed_column

StaffState = Literal["active", "disabled", "left"]
StaffSource = Literal["hand", "wecom", "import"]
DataScopeKind = Literal["own", "department", "department_below", "chosen", "all"]
WecomAppState = Literal["new", "verified", "failing"]
WecomAppKind = Literal["app", "contacts"]
AddressBookState = Literal["idle", "running", "waiting", "asking", "failed"]
AddressBookPhase = Literal["departments", "ids", "people", "single", "apply", "leaving"]
ImportState = Literal["previewed", "applying", "done", "failed"]


class OwnRole(TenantScoped, Base):
    """A role that the merchant made."""

    __tablename__ = "roles"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Those of modules that are not installed (any more) are kept, and allow nothing."""
    data_scope: Mapped[str] = mapped_column(Text)
    """Whose customers it sees; for `chosen` the departments of `role_departments`."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    version: Mapped[int]


class Department(TenantScoped, Base):
    """A part of the merchant. Departments form a tree; those without a parent stand at the top."""

    __tablename__ = "departments"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    parent_id: Mapped[UUID | None]
    name: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(BigInteger)
    """Place among its siblings, highest first, as WeCom's `order` (path/90196)."""
    wecom_id: Mapped[int | None] = mapped_column(BigInteger)
    """WeCom's number of it; null where it was made here."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class StaffDepartment(TenantScoped, Base):
    """Somebody belongs to a department; people may belong to several."""

    __tablename__ = "staff_departments"

    staff_id: Mapped[UUID] = mapped_column(primary_key=True)
    department_id: Mapped[UUID] = mapped_column(primary_key=True)
    leads: Mapped[bool]


class RoleDepartment(TenantScoped, Base):
    """A department that an own role with the scope `chosen` sees."""

    __tablename__ = "role_departments"

    role_id: Mapped[UUID] = mapped_column(primary_key=True)
    department_id: Mapped[UUID] = mapped_column(primary_key=True)


class Staff(TenantScoped, Base):
    """A person who works for the tenant; their sign-in, where they have one, is the platform's user of `user_id`."""

    __tablename__ = "staff"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID | None]
    """Null for people whom the address book names and who don't sign in."""
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    """A preset's name, or `own`: then `role_id` says which."""
    role_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(Text)
    wecom_userid: Mapped[str | None] = mapped_column(Text)
    notify_app_messages: Mapped[bool]
    """Whether waiting customers ring in this person's WeCom."""
    source: Mapped[str] = mapped_column(Text)
    """Who entered the person: `hand`, `wecom` (the address book, which then decides name and departments), `import`."""
    left_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    left_because: Mapped[str | None] = mapped_column(Text)
    """`hand`: somebody here said so; `address_book`: it no longer names the person, and may name them again."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class WecomApp(TenantScoped, Base):
    """A self-built WeCom app through which we call the tenant's corp."""

    __tablename__ = "wecom_apps"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text, default="app")
    """`contacts` is no app but 通讯录同步: a secret and a callback of its own, no number (path/90196)."""
    corp_id: Mapped[str] = mapped_column(Text)
    agent_id: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    secret_sealed: Mapped[str] = mapped_column(Text)
    callback_endpoint_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(Text)
    last_checked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_check: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
    """What the last check found: [{name, state, message, mistake …}]."""
    refused_ip: Mapped[str | None] = mapped_column(Text)
    """The address from which WeCom refused us last; null once it took us."""
    trusted_ip: Mapped[str | None] = mapped_column(Text)
    """The address that was refused first and trusted then: with another one, our way out has changed."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class WecomDoor(PlatformScoped, Base):
    """The address at which an app's people sign in with WeCom. Who knows the code learns the merchant's name."""

    __tablename__ = "wecom_doors"
    scope_reason = "opened by someone who is not signed in yet; holds ids alone"

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    tenant_id: Mapped[UUID]
    wecom_app_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class AccessToken(TenantScoped, Base):
    """The access token of one credential and the right to renew it."""

    __tablename__ = "access_tokens"

    credential_id: Mapped[UUID] = mapped_column(primary_key=True)
    token_sealed: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    refreshing_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class AddressBook(TenantScoped, Base):
    """Where the tenant's address book is read from, how far the sync under way is, and how the last one ended."""

    __tablename__ = "address_books"

    wecom_app_id: Mapped[UUID]
    """The self-built app that reads departments and names, within its visible range."""
    contacts_app_id: Mapped[UUID | None]
    """通讯录同步; without it people are read by department and nothing is told of changes."""
    state: Mapped[str] = mapped_column(Text)
    run: Mapped[int]
    """Number of the sync; what belongs to an earlier one is no longer stored."""
    phase: Mapped[str | None] = mapped_column(Text)
    cursor: Mapped[str] = mapped_column(Text)
    """Where the phase goes on; committed together with what was done up to there."""
    done: Mapped[int]
    total: Mapped[int]
    """Steps of the phase, departments or people; 0 while nobody knows."""
    listed: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    """The departments that this sync found: the others are taken away when it ends."""
    figures: Mapped[dict[str, int]] = mapped_column(JSONB)
    """What this sync changed so far: added, changed, returned, left."""
    leaving: Mapped[int | None]
    """How many it would mark as left, while it asks whether that is right."""
    leaving_confirmed: Mapped[bool]
    problem: Mapped[str | None] = mapped_column(Text)
    """WeCom's error code, or the reason why there was no answer."""
    problem_place: Mapped[str | None] = mapped_column(Text)
    """Which credential had it: `app` or `contacts`."""
    tries: Mapped[int]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    """When it goes on, or begins next, by itself."""
    heard: Mapped[UUID | None]
    """The last callback that was taken in."""
    last: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """Figures of the last complete sync: people, departments, seconds and those of `figures`."""
    created_at: Mapped[datetime]


class AddressBookPerson(TenantScoped, Base):
    """A person that the sync under way has read and not yet compared."""

    __tablename__ = "address_book_people"

    userid_key: Mapped[str] = mapped_column(Text, primary_key=True)
    """The userid in lower case: WeCom knows no case."""
    userid: Mapped[str] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(Text)
    """Null beyond the app's visible range."""
    departments: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    leads: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))


class StaffImport(TenantScoped, Base):
    """A file of people, as it was found and as far as it has been taken in."""

    __tablename__ = "staff_imports"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    file_id: Mapped[UUID]
    file_name: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    rows_total: Mapped[int]
    rows_failed: Mapped[int]
    rows_done: Mapped[int]
    added: Mapped[int]
    changed: Mapped[int]
    skipped: Mapped[int]
    sample: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    errors: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    failure: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Onboarding(TenantScoped, Base):
    """How far a new owner has come, and what the shop told of itself; at most one row per tenant."""

    __tablename__ = "onboarding"

    industry: Mapped[str | None] = mapped_column(Text)
    facts: Mapped[dict[str, str]] = mapped_column(JSONB)
    """By the fact's key (`service/industries.py`); what nobody told is missing."""
    facts_at: Mapped[datetime | None]
    started_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CompanyProfile(TenantScoped, Base):
    """The company behind the shop, as on its licence; empty texts where nobody has entered them."""

    __tablename__ = "company_profiles"

    name: Mapped[str] = mapped_column(Text)
    licence_number: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    contact_name: Mapped[str] = mapped_column(Text)
    contact_phone: Mapped[str] = mapped_column(Text)
    industry: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime]


class CallFailure(TenantScoped, Base):
    """How often a call of an app failed with a code on a day."""

    __tablename__ = "wecom_call_failures"

    wecom_app_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    path: Mapped[str] = mapped_column(Text, primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    count: Mapped[int]
    last_at: Mapped[datetime]


class PrerequisiteState(TenantScoped, Base):
    """How far the shop is with one prerequisite of going live; without a row it has not begun."""

    __tablename__ = "prerequisite_states"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime]
    note: Mapped[str] = mapped_column(Text)
    assignee_id: Mapped[UUID | None]
    expected_days: Mapped[int | None]
    entered: Mapped[dict[str, str]] = mapped_column(JSONB)
    """What was asked for and may be shown again; secrets go where they are used, and stand here by name alone."""
    secrets_entered: Mapped[list[str]] = mapped_column(JSONB)
    done_by: Mapped[str | None] = mapped_column(Text)
    found: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """{state, mistake, values} of the last live check."""
    checked_at: Mapped[datetime | None]


sealed_column("wecom_apps", "secret_sealed")
sealed_column("access_tokens", "token_sealed", key="credential_id")
