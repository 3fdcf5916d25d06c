"""The ledger as people see it: entries in words, days reckoned, what waits for what."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, get_args
from zoneinfo import ZoneInfo

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.locales import translate
from huitouke.kernel.shared_links import SharedLink, living_links
from huitouke.modules.organization.ledger_schemas import (
    AskedOut,
    FeatureOut,
    HandedLink,
    HandedOut,
    LedgerFound,
    LedgerOut,
    PrerequisiteOut,
)
from huitouke.modules.organization.models import PrerequisiteState
from huitouke.modules.organization.prerequisites import Prerequisite, prerequisites
from huitouke.modules.organization.prerequisites.registry import Feature
from huitouke.modules.organization.prerequisites.schedule import SETTLED, Step, ends, longest_chain, to_begin
from huitouke.modules.organization.service import prerequisites as service

SHOP_ZONE = ZoneInfo("Asia/Shanghai")
"""Offices that wait are in China, whatever zone the server is in."""


async def ledger(ctx: Context) -> LedgerOut:
    """Everything at once: there are a dozen entries."""
    known, today = await service.states(ctx), clock.now().astimezone(SHOP_ZONE).date()
    listed = prerequisites()
    steps = {name: _step(one, known.get(name)) for name, one in listed.items()}
    days, begin = ends(steps, today), to_begin(steps)
    links = await living_links(ctx, service.LINK_KIND, list(listed))
    items = [
        _item(ctx, one, known.get(name), days[name], can_begin=name in begin, links=links)
        for name, one in listed.items()
    ]
    features = [_feature(ctx, one, listed, steps, days, today) for one in get_args(Feature)]
    chat = [name for name, one in listed.items() if "chat" in one.features]
    return LedgerOut(
        today=today, items=items, features=features, begin_today=begin, chain=longest_chain(steps, today, chat)
    )


def handed(ctx: Context, one: Prerequisite, row: PrerequisiteState, shop: str, expires_at: Any) -> HandedOut:
    """The one entry for whoever holds the link: nothing of the others, nobody's names, no note of the shop's."""
    return HandedOut(
        shop=shop,
        title=_words(ctx, one, ""),
        why=_words(ctx, one, ".why"),
        how=_words(ctx, one, ".how"),
        cost=one.cost,
        days=row.expected_days if row.expected_days is not None else one.usual.days,
        state=row.state,
        asks=[asked.model_copy(update={"value": None}) for asked in _asks(ctx, one, row)],
        expires_at=expires_at,
    )


def _step(one: Prerequisite, row: PrerequisiteState | None) -> Step:
    if row is None:
        return Step(one.usual.days, one.after)
    days = row.expected_days if row.expected_days is not None else one.usual.days
    return Step(days, one.after, row.state, row.since.astimezone(SHOP_ZONE).date())  # type: ignore[arg-type]


def _item(
    ctx: Context,
    one: Prerequisite,
    row: PrerequisiteState | None,
    ready_on: date,
    *,
    can_begin: bool,
    links: Sequence[SharedLink],
) -> PrerequisiteOut:
    expected = row.expected_days if row else None
    return PrerequisiteOut(
        name=one.name,
        title=_words(ctx, one, ""),
        why=_words(ctx, one, ".why"),
        how=_words(ctx, one, ".how"),
        group=one.group,
        who=one.who,
        cost=one.cost,
        days=expected if expected is not None else one.usual.days,
        usual_days=one.usual.days,
        usual_as_of=one.usual.as_of,
        expected_days=expected,
        after=list(one.after),
        features=list(one.features),
        state=row.state if row else "todo",
        since=row.since if row else None,
        ready_on=ready_on,
        can_begin=can_begin,
        note=row.note if row else "",
        assignee_id=row.assignee_id if row else None,
        done_by=row.done_by if row else None,
        asks=_asks(ctx, one, row),
        can_check=one.check is not None,
        found=_found(ctx, row),
        checked_at=row.checked_at if row else None,
        links=[
            HandedLink(id=link.id, label=link.label, created_at=link.created_at, expires_at=link.expires_at)
            for link in links
            if link.reference == one.name
        ],
    )


def _asks(ctx: Context, one: Prerequisite, row: PrerequisiteState | None) -> list[AskedOut]:
    entered, secrets = (row.entered, row.secrets_entered) if row else ({}, [])
    return [
        AskedOut(
            name=asked.name,
            label=translate(ctx.locale, f"prerequisites.ask.{asked.name}"),
            secret=asked.secret,
            required=asked.required,
            value=None if asked.secret else entered.get(asked.name),
            entered=asked.name in (secrets if asked.secret else entered),
        )
        for asked in one.asks
    ]


def _found(ctx: Context, row: PrerequisiteState | None) -> LedgerFound | None:
    if row is None or row.found is None:
        return None
    state, key = row.found["state"], row.found["mistake"]
    if not key:
        return LedgerFound(state=state, message=translate(ctx.locale, f"prerequisites.found.{state}"), fix="")
    values = row.found["values"]
    place = f"organization.mistakes.{key}"
    return LedgerFound(
        state=state,
        message=translate(ctx.locale, place, **values),
        fix=translate(ctx.locale, f"{place}.fix", **values),
    )


def _feature(
    ctx: Context,
    name: str,
    listed: Mapping[str, Prerequisite],
    steps: Mapping[str, Step],
    days: Mapping[str, date],
    today: date,
) -> FeatureOut:
    own = [one.name for one in listed.values() if name in one.features]
    waits = [one for one in own if steps[one].state not in SETTLED]
    off = any(steps[one].state == "not_needed" for one in own)
    return FeatureOut(
        name=name,
        title=translate(ctx.locale, f"prerequisites.feature.{name}"),
        state="off" if off else "waits" if waits else "usable",
        usable_on=max((days[one] for one in own), default=today),
        waits_for=[one for one in listed if one in _with_before(waits, listed, steps)],
    )


def _with_before(names: Sequence[str], listed: Mapping[str, Prerequisite], steps: Mapping[str, Step]) -> set[str]:
    """The open ones among these and all before them; what is under way waits for nothing any more."""
    found: set[str] = set()
    ahead = list(names)
    while ahead:
        name = ahead.pop()
        if name in found or steps[name].state in SETTLED:
            continue
        found.add(name)
        if steps[name].state != "waiting":
            ahead.extend(listed[name].after)
    return found


def _words(ctx: Context, one: Prerequisite, part: str) -> str:
    return translate(ctx.locale, f"prerequisites.{one.name}{part}")
