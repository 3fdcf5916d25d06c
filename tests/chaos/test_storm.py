"""Kills and bad weather while customers write: nothing is lost, doubled, out of order or left unanswered.

The short storm is part of every run; `make chaos MINUTES=30` makes it as long as one likes.
"""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.storm import Plan, draw_up, rage
from tests.chaos.town import merchant, town

SHORT = Plan(seconds=20, kill_server_at=(3, 12, 17), kill_postgres_at=(9,))
MINUTES = float(os.environ.get("HUITOUKE_CHAOS_MINUTES", "3"))
Record = Callable[[str, object], None]


async def weather(folder: Path, plan: Plan, customers: int, record_property: Record) -> None:
    async with town(folder) as running, merchant(running, customers) as shop:
        said = await rage(running, shop, plan)
        account = await draw_up(running, shop, said)
    kills = ", ".join(f"{running.done.count(what)} × {what}" for what in sorted(set(running.done)))
    record_property(
        "figure", f"storm of {plan.seconds:.0f} s, {kills}: {account.received} messages in, {account.sent} out"
    )
    assert account.received > plan.seconds, "nobody wrote"
    assert account.sent > 0, "nobody answered"
    assert account.wrong == []


async def test_in_a_short_storm_every_message_is_kept_once_and_answered_once(
    tmp_path: Path, record_property: Record
) -> None:
    await weather(tmp_path, SHORT, 8, record_property)


@pytest.mark.long
@pytest.mark.timeout(0)
async def test_in_a_storm_as_long_as_asked_for(tmp_path: Path, record_property: Record) -> None:
    seconds = MINUTES * 60
    dice = random.Random(7)
    at, kills, outages = 0.0, [], []
    while (at := at + dice.uniform(4, 12)) < seconds - 8:
        # The launcher gives up on a PostgreSQL that dies five times a minute.
        (outages if dice.random() < 0.15 else kills).append(at)
    await weather(tmp_path, Plan(seconds, tuple(kills), tuple(outages)), 20, record_property)
