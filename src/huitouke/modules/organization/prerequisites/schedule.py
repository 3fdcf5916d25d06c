"""From which day what can be used: waiting days along the chain, as pure arithmetic.

Who waits for nothing begins today. What is under way ends after its days, counted from the day it began; what should
have ended already is expected today. What isn't needed holds nothing up.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

State = Literal["todo", "handed", "waiting", "done", "not_needed"]

SETTLED = frozenset({"done", "not_needed"})


@dataclass(frozen=True, slots=True)
class Step:
    """One entry as the arithmetic sees it. `since`: the day it began, of one that is waiting."""

    days: int
    after: tuple[str, ...] = ()
    state: State = "todo"
    since: date | None = None


def ends(steps: Mapping[str, Step], today: date) -> dict[str, date]:
    """The day on which each is there; `steps` in an order in which each stands after those it waits for."""
    found: dict[str, date] = {}
    for name, step in steps.items():
        found[name] = _end(step, today, (found[one] for one in step.after))
    return found


def _end(step: Step, today: date, before: Iterable[date]) -> date:
    match step.state:
        case "done" | "not_needed":
            return today
        case "waiting":
            return max(today, (step.since or today) + timedelta(days=step.days))
        case _:
            return max(today, *before, today) + timedelta(days=step.days)


def to_begin(steps: Mapping[str, Step]) -> list[str]:
    """What can be begun today: not begun, and everything before it is there."""
    return [
        name
        for name, step in steps.items()
        if step.state in ("todo", "handed") and all(steps[one].state in SETTLED for one in step.after)
    ]


def longest_chain(steps: Mapping[str, Step], today: date, goals: Iterable[str]) -> list[str]:
    """What the last of the goals is held up by, from its beginning: begin these first. Empty when all is there."""
    days = ends(steps, today)
    open_goals = [name for name in goals if steps[name].state not in SETTLED]
    if not open_goals:
        return []
    chain = [max(open_goals, key=lambda name: days[name])]
    while steps[chain[-1]].state in ("todo", "handed"):
        before = [one for one in steps[chain[-1]].after if steps[one].state not in SETTLED]
        if not before:
            break
        chain.append(max(before, key=lambda name: days[name]))
    return chain[::-1]
