"""Kills and bad weather while customers write: nothing is lost, doubled, out of order or left unanswered.

The short storm is part of every run; `make chaos MINUTES=30` makes it as long as one likes, HUITOUKE_CHAOS_SEED=… has
the dice fall again as they fell in a run that failed (what they hit then depends on the machine).
"""

import os
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

import pytest

from tests.chaos.account import draw_up
from tests.chaos.merchant import team
from tests.chaos.storm import Plan, rage
from tests.chaos.town import MORE_WORKERS, THREE_ROLES, merchant, town

SHORT = Plan(seconds=15, seed=7, kill_every_seconds=(1.5, 3.5))
MINUTES = float(os.environ.get("HUITOUKE_CHAOS_MINUTES", "3"))
Record = Callable[[str, object], None]


def tell(sentence: str) -> None:
    """For whoever watches a long run (pytest -s)."""
    print(sentence, flush=True)


def _counted(what: Mapping[str, int]) -> str:
    return ", ".join(f"{count} × {name}" for name, count in sorted(what.items()))


async def weather(
    folder: Path, plan: Plan, processes: Mapping[str, Sequence[str]], customers: int, record_property: Record
) -> None:
    tell(f"HUITOUKE_CHAOS_SEED={plan.seed}")
    async with (
        town(folder, processes) as running,
        merchant(running, customers) as shop,
        team(shop, f"{running.wecom_url}/v1"),
    ):
        watched = await rage(running, shop, plan, tell)
        account = await draw_up(running, shop, watched.said.agents)
        cut_off = {name: line.resets for name, line in running.lines.items()}
        endings = [ending for service in running.services.values() for ending in service.endings]
    figure = "\n  ".join(
        (
            f"storm of {plan.seconds:.0f} s (seed {plan.seed}), {running.kills} kills: {_counted(running.done)}",
            f"{len(endings)} restarts of what ended by itself, {_counted(cut_off)} connections reset",
            f"{account.received} messages in, {account.sent} out, {account.failed} failed, {account.unknown} unknown,"
            f" {account.by_servicers} by servicers, {account.letters} dead letters",
            f"at work again after {median(running.recoveries):.1f} s (median of {len(running.recoveries)}),"
            f" {max(running.recoveries):.1f} s at longest",
            f"stored after {account.longest_to_store:.1f} s and answered after {account.longest_to_answer:.1f} s at"
            f" longest; nothing under way {watched.settled_after:.1f} s after the storm",
        )
    )
    tell(figure)
    for sentence in (*endings[:20], *account.wrong):
        tell(sentence)
    record_property("figure", figure)
    assert account.received > plan.seconds / 2, "nobody wrote"
    assert account.sent > 0, "nobody answered"
    assert running.kills > 0
    assert account.wrong == []


async def test_in_a_short_storm_every_message_is_kept_once_and_answered_once(
    tmp_path: Path, record_property: Record
) -> None:
    await weather(tmp_path, SHORT, THREE_ROLES, 8, record_property)


@pytest.mark.long
@pytest.mark.timeout(0)
async def test_in_a_storm_as_long_as_asked_for(tmp_path: Path, record_property: Record) -> None:
    seed = int(os.environ.get("HUITOUKE_CHAOS_SEED") or random.randrange(1_000_000))
    plan = Plan(MINUTES * 60, seed, kill_every_seconds=(1, 4), pause_seconds=(1, 12), settle_seconds=150)
    await weather(tmp_path, plan, MORE_WORKERS, 24, record_property)
