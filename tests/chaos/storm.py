"""Customers who write while everything around them breaks, and the account that is drawn up afterwards."""

import asyncio
import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from time import monotonic
from typing import Any

import asyncpg

from huitouke.kernel.ids import new_id
from tests.chaos.town import KNOWLEDGE, Merchant, Town

WEATHER = {
    "callback_delay_ms": 20,
    "callback_delay_jitter_ms": 300,
    "callback_loss_probability": 0.2,
    "callback_double_probability": 0.3,
    "callback_reorder_probability": 0.3,
    "callback_retry_delay_ms": 500,
    "api_5xx_probability": 0.02,
    "api_busy_probability": 0.03,
    "api_answer_lost_probability": 0.05,
    "sync_empty_page_probability": 0.1,
    "token_calls": 40,
}
"""Callbacks that are late, lost, doubled and overtake each other; answers that are lost; tokens that die."""

WORDS = [*KNOWLEDGE, *KNOWLEDGE, "你们老板喜欢什么颜色", "转人工"]
SETTLE_SECONDS = 40.0
POLL_SECONDS = 0.3

OURS = """
SELECT m.conversation_id, c.customer_address, c.handler, c.state AS conversation_state, c.waiting_since, m.id, m.seq,
       m.direction, m.sender_kind, m.msgtype, m.text, m.state, m.external_msgid, m.client_id
  FROM messages m JOIN conversations c ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id
 ORDER BY m.conversation_id, m.seq
"""
BUSY = """
SELECT (SELECT count(*) FROM outbound_messages WHERE state IN ('queued', 'sending')) AS leaving,
       (SELECT count(*) FROM reply_turns WHERE state <> 'idle') AS turns,
       (SELECT count(*) FROM event_queue) + (SELECT count(*) FROM event_retry) AS events,
       (SELECT count(*) FROM messages WHERE direction = 'in' AND msgtype <> 'event') AS arrived
"""


@dataclass(frozen=True)
class Plan:
    """How long customers write, and when what is killed, in seconds from the beginning."""

    seconds: float
    kill_server_at: tuple[float, ...]
    kill_postgres_at: tuple[float, ...]
    pause_seconds: tuple[float, float] = (0.3, 4.0)
    """Between two messages of one customer."""


async def rage(town: Town, merchant: Merchant, plan: Plan) -> list[str]:
    """Runs the plan to its end, then lets everything settle. Gives the keys of the agent's answers."""
    await merchant.control("PUT", "faults", WEATHER)
    began = monotonic()
    ends = began + plan.seconds
    said: list[str] = []
    async with asyncio.TaskGroup() as tasks:
        for customer in merchant.customers:
            tasks.create_task(_customer(merchant, customer, ends, plan))
        agent = tasks.create_task(_agent(merchant, ends, said))
        tasks.create_task(_tokens(merchant, ends))
        for at in sorted((*plan.kill_server_at, *plan.kill_postgres_at)):
            await asyncio.sleep(max(0.0, began + at - monotonic()))
            if at in plan.kill_postgres_at:
                town.kill_postgres()
            else:
                await asyncio.to_thread(town.kill_server)
        await agent
    await merchant.control("PUT", "faults", {})
    await town.ready()
    await _settle(town, merchant)
    return said


async def _customer(merchant: Merchant, customer: str, ends: float, plan: Plan) -> None:
    dice = random.Random(customer)
    path = f"customers/{customer}/chats/{merchant.open_kfid}/messages"
    while monotonic() < ends:
        await merchant.control("POST", path, {"msgtype": "text", "text": {"content": dice.choice(WORDS)}})
        await asyncio.sleep(min(dice.uniform(*plan.pause_seconds), max(0.0, ends - monotonic())))


async def _tokens(merchant: Merchant, ends: float) -> None:
    while monotonic() < ends:
        await asyncio.sleep(4)
        await merchant.control("POST", "faults/expire-tokens", corp_id=merchant.corp_id)


async def _agent(merchant: Merchant, ends: float, said: list[str]) -> None:
    """Takes whoever waits, answers once (asking again with the same key until told that it was taken), hands back."""
    while monotonic() < ends:
        waiting = (await merchant.ask("GET", "/api/conversations?view=waiting")).json().get("items", [])
        for row in waiting[:2]:
            base = f"/api/conversations/{row['id']}"
            taken = await merchant.ask("POST", f"{base}/take")
            if taken.status_code != 200:
                continue
            key = new_id().hex
            answers = await asyncio.gather(
                *(merchant.ask("POST", f"{base}/messages", json={"text": f"我来处理 {key}"}, key=key) for _ in range(2))
            )
            if {answer.status_code for answer in answers} == {201}:
                assert len({answer.json()["id"] for answer in answers}) == 1
                said.append(key)
            if len(said) % 4:
                await merchant.ask("POST", f"{base}/hand-back")
        await asyncio.sleep(POLL_SECONDS)


async def _settle(town: Town, merchant: Merchant) -> None:
    """A last word of each customer makes lost callbacks good; then until nothing is under way."""
    for customer in merchant.customers:
        path = f"customers/{customer}/chats/{merchant.open_kfid}/messages"
        await merchant.control("POST", path, {"msgtype": "text", "text": {"content": "多久发货"}})
    written = len(await merchant.book("customer"))
    deadline = monotonic() + SETTLE_SECONDS
    quiet = 0
    while quiet < 3:
        (busy,) = await town.rows(BUSY)
        still = busy["leaving"] or busy["turns"] or busy["events"] or busy["arrived"] < written
        quiet = 0 if still else quiet + 1
        assert monotonic() < deadline, f"still busy after {SETTLE_SECONDS} s: {dict(busy)}, {written} were written"
        await asyncio.sleep(POLL_SECONDS)


@dataclass(frozen=True)
class Account:
    """What both sides have, and what is wrong with it."""

    received: int
    sent: int
    wrong: list[str]


async def draw_up(town: Town, merchant: Merchant, said: list[str]) -> Account:
    """Holds our rows against the sandbox's book."""
    ours: dict[str, list[asyncpg.Record]] = defaultdict(list)
    for row in await town.rows(OURS):
        ours[row["customer_address"]].append(row)
    theirs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in await merchant.book("customer"):
        theirs[entry["external_userid"]].append(entry)
    wrong: list[str] = []
    for customer in merchant.customers:
        wrong += _inbound(customer, ours[customer], theirs[customer])
        wrong += _answers(customer, ours[customer])
    everything = [row for rows in ours.values() for row in rows]
    api = await merchant.book("api")
    wrong += _outbound(everything, api)
    wrong += _agents_words(everything, said, api)
    letters = (await merchant.ask("GET", "/api/work/dead-letters")).json()["items"]
    wrong += [f"dead letter {letter['kind']}: {letter['error']}" for letter in letters]
    return Account(sum(map(len, theirs.values())), len(api), wrong)


def _inbound(customer: str, ours: list[asyncpg.Record], theirs: list[dict[str, Any]]) -> list[str]:
    """Every message once, in the order in which it was written, in one conversation without gaps in its numbers."""
    stored = [row["external_msgid"] for row in ours if row["direction"] == "in" and row["msgtype"] != "event"]
    written = [entry["msgid"] for entry in theirs]
    wrong = []
    doubled = [msgid for msgid, count in Counter(stored).items() if count > 1]
    missing = [msgid for msgid in written if msgid not in set(stored)]
    if doubled or missing or len(stored) > len(written):
        wrong.append(f"{customer}: {len(stored)} of {len(written)} stored, missing {missing}, doubled {doubled}")
    elif stored != written:
        wrong.append(f"{customer}: out of order")
    if len({row["conversation_id"] for row in ours}) != 1:
        wrong.append(f"{customer}: more than one conversation")
    return wrong


def _answers(customer: str, ours: list[asyncpg.Record]) -> list[str]:
    """After the last word of the customer somebody spoke, or a person is called; never two answers to one turn."""
    wrong = []
    unanswered = False
    since_the_assistant = True
    for row in ours:
        if row["msgtype"] == "event":
            continue
        if row["direction"] == "in":
            unanswered = since_the_assistant = True
        elif row["state"] in ("sent", "unknown"):
            unanswered = False
            if row["sender_kind"] == "assistant":
                if not since_the_assistant:
                    wrong.append(f"{customer}: answered twice before number {row['seq']}")
                since_the_assistant = False
    last = ours[-1]
    if unanswered and last["handler"] != "agent":
        wrong.append(f"{customer}: nobody answered, nobody was called ({last['handler']})")
    return wrong


def _outbound(ours: list[asyncpg.Record], api: list[dict[str, Any]]) -> list[str]:
    """What we call sent is in WeCom's book once, and nothing else is."""
    sent = {row["id"].hex for row in ours if row["direction"] == "out" and row["state"] == "sent"}
    shown = {row["id"].hex for row in ours if row["direction"] == "out" and row["state"] in ("failed", "unknown")}
    booked = Counter(entry["msgid"] for entry in api)
    wrong = [f"sent twice: {msgid}" for msgid, count in booked.items() if count > 1]
    wrong += [f"called sent, but WeCom has it not: {msgid}" for msgid in sent - set(booked)]
    wrong += [f"WeCom has it, but we do not call it sent: {msgid}" for msgid in set(booked) - sent - shown]
    under_way = [row["id"] for row in ours if row["state"] in ("queued", "sending")]
    return wrong + [f"still under way: {id}" for id in under_way]


def _agents_words(ours: list[asyncpg.Record], said: list[str], api: list[dict[str, Any]]) -> list[str]:
    """What an agent was told is taken is there once, and on the phone at most once."""
    wrong = []
    for key in said:
        rows = [row for row in ours if row["client_id"] == key]
        phones = [entry for entry in api if key in entry["text"]]
        if len(rows) != 1 or len(phones) > 1 or (rows[0]["state"] == "sent" and not phones):
            wrong.append(f"agent's {key}: {len(rows)} rows, {len(phones)} on the phone")
    return wrong
