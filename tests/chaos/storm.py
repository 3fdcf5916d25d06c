"""A storm: people talk while everything around them breaks, at random, by a seed; then calm."""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

import asyncpg

from huitouke.kernel.dedicated import CONNECTION_ERRORS
from tests.chaos.merchant import Merchant
from tests.chaos.people import Said, everybody
from tests.chaos.town import Town

WEATHER: Final = {
    "callback_delay_ms": 20,
    "callback_delay_jitter_ms": 300,
    "callback_loss_probability": 0.2,
    "callback_double_probability": 0.3,
    "callback_reorder_probability": 0.3,
    "callback_retry_delay_ms": 500,
    "api_5xx_probability": 0.02,
    "api_busy_probability": 0.03,
    "api_rate_limit_probability": 0.002,
    "api_answer_lost_probability": 0.05,
    "sync_empty_page_probability": 0.1,
    "token_calls": 40,
}
"""Callbacks that are late, lost, doubled and overtake each other; answers that are lost; tokens that die."""

MODELS: Final = ("normal", "normal", "normal", "babble", "error", "invalid_json", "cut_stream", "hang", "slow")
WEATHER_SECONDS: Final = (4.0, 15.0)
TOKENS_SECONDS: Final = 7.0
CUTS_SECONDS: Final = (2.0, 10.0)
CUT_SHARE: Final = 0.5
KILLED_ON_THE_WAY_UP: Final = 0.1
"""How often anyone is killed, be it while it starts; else those who have worked for as long as it took to start."""

POSTGRES_REST_SECONDS: Final = 8.0
"""PostgreSQL is not killed twice within this time: it must get to where it does something."""

POLL_SECONDS: Final = 0.3
TELL_SECONDS: Final = 30.0

BUSY: Final = """
SELECT (SELECT count(*) FROM outbound_messages WHERE state IN ('queued', 'sending')) AS leaving,
       (SELECT count(*) FROM reply_turns WHERE state <> 'idle') AS turns,
       (SELECT count(*) FROM event_queue) + (SELECT count(*) FROM event_retry) AS events,
       (SELECT count(*) FROM work_items WHERE kind LIKE 'conversations.%') AS jobs,
       (SELECT count(*) FROM messages WHERE direction = 'in' AND sender_kind = 'customer' AND msgtype <> 'event')
           AS arrived
"""


@dataclass(frozen=True)
class Plan:
    """How long people talk, and how often what is killed. The rest follows from the seed."""

    seconds: float
    seed: int
    kill_every_seconds: tuple[float, float]
    """Between two kills, at random."""

    postgres_share: float = 0.25
    """Of the kills; the others are shared by our processes."""

    pause_seconds: tuple[float, float] = (0.3, 4.0)
    """Between two messages of one customer."""

    settle_seconds: float = 60.0
    """Within which nothing must be under way any more, when all is calm."""


@dataclass
class Watched:
    """What was said and seen during a storm."""

    said: Said = field(default_factory=Said)
    settled_after: float = 0.0


async def rage(town: Town, merchant: Merchant, plan: Plan, tell: Callable[[str], None] = lambda _: None) -> Watched:
    """Runs the plan to its end, then lets everything settle."""
    began = monotonic()
    ends = began + plan.seconds
    watched = Watched()
    async with asyncio.TaskGroup() as tasks:
        beside = [
            tasks.create_task(task)
            for task in (
                _weather(merchant, plan.seed),
                _tokens(merchant),
                _cuts(town, plan.seed),
                _kills(town, plan),
                _recovery(town),
                _tell(town, began, tell),
            )
        ]
        talking = [
            tasks.create_task(doing) for doing in everybody(merchant, ends, plan.pause_seconds, plan.seed, watched.said)
        ]
        await asyncio.sleep(plan.seconds)
        for task in beside:
            task.cancel()
        await merchant.control("PUT", "faults", {})
        await asyncio.wait(talking)
    await town.ready()
    tell("calm")
    calm_at = monotonic()
    await settle(town, merchant, plan.settle_seconds)
    watched.settled_after = monotonic() - calm_at
    return watched


async def _kills(town: Town, plan: Plan) -> None:
    """kill -9 of one or another, as often as the plan says."""
    dice = random.Random(f"{plan.seed} kills")
    names = sorted(town.services)
    postgres_rests_until = monotonic() + plan.kill_every_seconds[0]
    while True:
        await asyncio.sleep(dice.uniform(*plan.kill_every_seconds))
        had_their_time = [name for name in names if town.services[name].had_its_time]
        if dice.random() < plan.postgres_share and monotonic() > postgres_rests_until:
            postgres_rests_until = monotonic() + POSTGRES_REST_SECONDS
            town.kill_postgres()
        elif dice.random() < KILLED_ON_THE_WAY_UP:
            await town.kill(dice.choice(names))
        elif had_their_time:
            await town.kill(dice.choice(had_their_time))


async def _cuts(town: Town, seed: int) -> None:
    """Lines that break: the database's, WeCom's in both directions; and sessions that an administrator ends."""
    dice = random.Random(f"{seed} cuts")
    while True:
        await asyncio.sleep(dice.uniform(*CUTS_SECONDS))
        line = dice.choice([*sorted(town.lines), "sessions"])
        if line == "sessions":
            await town.end_sessions(CUT_SHARE)
        else:
            await town.cut(line, dice, CUT_SHARE)


async def _weather(merchant: Merchant, seed: int) -> None:
    """Faults of WeCom that come and go, and a model that is hardly ever the same."""
    dice = random.Random(f"{seed} weather")
    while True:
        worse = dice.uniform(0.2, 1.5)
        faults: dict[str, Any] = {
            name: min(1.0, value * worse) if name.endswith("probability") else value for name, value in WEATHER.items()
        }
        await merchant.control("PUT", "faults", {**faults, "model_mode": dice.choice(MODELS)})
        await asyncio.sleep(dice.uniform(*WEATHER_SECONDS))


async def _tokens(merchant: Merchant) -> None:
    while True:
        await asyncio.sleep(TOKENS_SECONDS)
        await merchant.control("POST", "faults/expire-tokens", corp_id=merchant.corp_id)


async def _recovery(town: Town) -> None:
    """Looks who works again. What is killed again on its way up is not counted: its time begins anew."""
    while True:
        await town.at_work()
        await asyncio.sleep(POLL_SECONDS)


async def _tell(town: Town, began: float, tell: Callable[[str], None]) -> None:
    while True:
        await asyncio.sleep(TELL_SECONDS)
        rows = await town.owner_rows(
            "SELECT count(*) FILTER (WHERE sender_kind = 'customer') AS written,"
            " count(*) FILTER (WHERE direction = 'out' AND state = 'sent') AS sent FROM messages"
        )
        stored = f"{rows[0]['written']} stored, {rows[0]['sent']} sent" if rows else "the database is away"
        tell(
            f"{monotonic() - began:.0f} s, {town.kills} kills, {stored},"
            f" longest recovery {max(town.recoveries, default=0):.1f} s"
        )


async def settle(town: Town, merchant: Merchant, seconds: float) -> None:
    """A passer-by's word makes lost callbacks good, for all of the account; then until nothing is under way."""
    await merchant.says(merchant.customers[-1], "多久发货")
    written = await merchant.written()
    deadline = monotonic() + seconds
    quiet = 0
    busy: dict[str, int] = {}
    while quiet < 3:
        assert monotonic() < deadline, f"still busy after {seconds} s: {busy}, {written} were written"
        with suppress(asyncpg.PostgresError, *CONNECTION_ERRORS):
            busy = dict((await town.rows(BUSY))[0])
        still = busy["leaving"] or busy["turns"] or busy["events"] or busy["jobs"] or busy["arrived"] < written
        quiet = 0 if still else quiet + 1
        await asyncio.sleep(POLL_SECONDS)
