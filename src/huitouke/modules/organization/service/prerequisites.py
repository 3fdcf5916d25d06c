"""The ledger of prerequisites: what is begun, waits, is done; by people, by a check, or by whoever holds a link."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from huitouke.kernel import audit, clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import InvalidInput, NotFound
from huitouke.kernel.shared_links import NewSharedLink, SharedLink, make_shared_link, revoke_shared_link
from huitouke.modules.organization.models import PrerequisiteState, Staff
from huitouke.modules.organization.prerequisites import Found, Prerequisite, prerequisite
from huitouke.modules.organization.prerequisites.registry import MAX_VALUE_CHARACTERS
from huitouke.modules.organization.prerequisites.schedule import SETTLED, State

LINK_KIND: Final = "prerequisite"
LINK_LIFETIME: Final = timedelta(days=14)
BY_CHECK: Final = "check"


@dataclass(frozen=True, slots=True)
class PrerequisiteChange:
    """What to change; None leaves it. `unassigned` takes the assignee away, `usual_days` the own figure."""

    state: State | None = None
    note: str | None = None
    assignee_id: UUID | None = None
    unassigned: bool = False
    expected_days: int | None = None
    usual_days: bool = False


async def change_prerequisite(
    ctx: Context, name: str, change: PrerequisiteChange, *, by: str | None = None
) -> PrerequisiteState:
    """Says how far it is. `by` is the name of who says so, where it is nobody of the staff. Raises NotFound."""
    row = await _row(ctx, prerequisite(name))
    before = _facts(row)
    if change.state is not None and change.state != row.state:
        row.state, row.since = change.state, clock.now()
        row.done_by = (by or await _name_of_actor(ctx)) if change.state in SETTLED else None
    if change.note is not None:
        row.note = change.note.strip()
    if change.assignee_id is not None:
        if await ctx.session.scalar(select(Staff.id).where(Staff.id == change.assignee_id)) is None:
            raise NotFound(kind="staff")
        row.assignee_id = change.assignee_id
    if change.unassigned:
        row.assignee_id = None
    if change.expected_days is not None or change.usual_days:
        row.expected_days = change.expected_days
    await ctx.session.flush()
    await _audited(ctx, row, before)
    return row


async def enter_values(ctx: Context, name: str, values: Mapping[str, str]) -> PrerequisiteState:
    """Takes in what the entry asks for: plain values are kept, secrets go where they are used and nowhere else.

    Raises NotFound, InvalidInput for a value that isn't asked for, is missing or too long, and what `take` raises.
    """
    one = prerequisite(name)
    cleaned = _cleaned(one, values)
    row = await _row(ctx, one)
    before = _facts(row)
    if one.take is not None:
        await one.take(ctx, cleaned)
    secret = {asked.name for asked in one.asks if asked.secret}
    row.entered = {**row.entered, **{key: value for key, value in cleaned.items() if key not in secret}}
    row.secrets_entered = sorted({*row.secrets_entered, *(key for key in cleaned if key in secret)})
    await ctx.session.flush()
    await _audited(ctx, row, before)
    return row


async def check_prerequisite(context: Context, name: str) -> Found | None:
    """Tries it live and keeps what was found; None where only a person can tell. Right, it is done.

    Opens transactions of its own around the look. Raises NotFound.
    """
    one = prerequisite(name)
    if one.check is None:
        return None
    async with transaction(context) as ctx:
        entered = dict((await _row(ctx, one)).entered)
    found = await one.check(context, entered)
    async with transaction(context) as ctx:
        row = await _row(ctx, one)
        before = _facts(row)
        row.found = {"state": found.state, "mistake": found.mistake, "values": dict(found.values)}
        row.checked_at = clock.now()
        if found.state == "ok" and row.state != "done":
            row.state, row.since, row.done_by = "done", clock.now(), BY_CHECK
        elif found.state == "failed" and row.state == "done" and row.done_by == BY_CHECK:
            row.state, row.since, row.done_by = "todo", clock.now(), None
        await ctx.session.flush()
        if before["state"] != row.state:
            await _audited(ctx, row, before)
    return found


async def hand_over(ctx: Context, name: str, label: str) -> NewSharedLink:
    """A link that shows this entry alone, for `label` to tick and to enter what it asks for.

    Raises NotFound, TooManySharedLinks.
    """
    one = prerequisite(name)
    link = await make_shared_link(ctx, LINK_KIND, name, label=label.strip(), lifetime=LINK_LIFETIME)
    row = await _row(ctx, one)
    if row.state == "todo":
        row.state, row.since = "handed", clock.now()
        await ctx.session.flush()
    facts = {"name": name, "for": label.strip(), "expires_at": link.expires_at}
    await audit.record(ctx, "organization.prerequisite_handed_over", "prerequisite", name, after=facts)
    return link


async def take_back(ctx: Context, link_id: UUID) -> None:
    """Ends a link: whoever holds it sees nothing any more. Raises NotFound."""
    name = await revoke_shared_link(ctx, LINK_KIND, link_id)
    await audit.record(ctx, "organization.prerequisite_taken_back", "prerequisite", name, after={"name": name})


async def label_of(ctx: Context, link_id: UUID) -> str:
    """For whom the link was made. Raises NotFound when it ended meanwhile."""
    label = await ctx.session.scalar(
        select(SharedLink.label).where(SharedLink.id == link_id, SharedLink.revoked_at.is_(None))
    )
    if label is None:
        raise NotFound(kind="shared_link")
    return label


async def states(ctx: Context) -> dict[str, PrerequisiteState]:
    """What is known of each prerequisite that has been touched; there are as many as prerequisites."""
    rows = await ctx.session.scalars(select(PrerequisiteState).order_by(PrerequisiteState.name).limit(200))
    return {row.name: row for row in rows}


async def state_of(ctx: Context, name: str) -> PrerequisiteState:
    """The state of that one. Raises NotFound."""
    return await _row(ctx, prerequisite(name))


async def _row(ctx: Context, one: Prerequisite) -> PrerequisiteState:
    """The row, locked; made when this is the first that is said of it."""
    await ctx.session.execute(
        insert(PrerequisiteState)
        .values(
            tenant_id=ctx.tenant_id, name=one.name, state="todo", since=clock.now(), note="", entered={},
            secrets_entered=[],
        )
        .on_conflict_do_nothing()
    )  # fmt: skip
    row = await ctx.session.scalar(
        select(PrerequisiteState).where(PrerequisiteState.name == one.name).with_for_update()
    )
    assert row is not None, "it was there or has just been made"
    return row


def _cleaned(one: Prerequisite, values: Mapping[str, str]) -> dict[str, str]:
    known = {asked.name: asked for asked in one.asks}
    cleaned = {key: value.strip() for key, value in values.items() if value.strip()}
    for key, value in cleaned.items():
        if key not in known or len(value) > MAX_VALUE_CHARACTERS or not value.isprintable():
            raise InvalidInput(field=key, reason="prerequisite_value")
    missing = next((key for key, asked in known.items() if asked.required and key not in cleaned), None)
    if missing is not None:
        raise InvalidInput(field=missing, reason="prerequisite_missing")
    return cleaned


async def _name_of_actor(ctx: Context) -> str:
    name = await ctx.session.scalar(select(Staff.name).where(Staff.id == ctx.actor.id)) if ctx.actor.id else None
    return name or ctx.actor.kind.value


def _facts(row: PrerequisiteState) -> dict[str, Any]:
    return {
        "name": row.name,
        "state": row.state,
        "note": row.note,
        "assignee_id": row.assignee_id,
        "expected_days": row.expected_days,
        "entered": dict(row.entered),
        "secrets": list(row.secrets_entered),
    }


async def _audited(ctx: Context, row: PrerequisiteState, before: dict[str, Any]) -> None:
    after = _facts(row)
    if after != before:
        await audit.record(
            ctx, "organization.prerequisite_changed", "prerequisite", row.name, before=before, after=after
        )
