"""The account that is drawn up after a storm: our rows against the sandbox's own book."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from tests.chaos.merchant import Merchant
from tests.chaos.town import Town

OURS: Final = """
SELECT m.conversation_id, c.customer_address, c.handler, c.state AS conversation_state, c.waiting_since, m.id, m.seq,
       m.direction, m.sender_kind, m.msgtype, m.text, m.state, m.failure_code, m.external_msgid, m.client_id,
       m.created_at, m.content ->> 'event_type' AS event_type
  FROM messages m JOIN conversations c ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id
 ORDER BY m.conversation_id, m.seq
"""
LEASES: Final = """
SELECT i.kind, i.key FROM work_items i
 WHERE i.worker_id IS NOT NULL
   AND (i.lease_until < clock_timestamp() OR NOT EXISTS (SELECT FROM workers w WHERE w.id = i.worker_id))
"""
WORKERS: Final = "SELECT count(*) AS count FROM workers WHERE seen_at < clock_timestamp() - interval '10 seconds'"


@dataclass(frozen=True)
class Account:
    """What both sides have, and what is wrong with it. Seconds: from a phone to our table, and to the answer."""

    received: int
    sent: int
    failed: int
    unknown: int
    by_servicers: int
    letters: int
    longest_to_store: float
    longest_to_answer: float
    wrong: list[str]


async def draw_up(town: Town, merchant: Merchant, said: Sequence[str]) -> Account:
    """Holds our rows against the sandbox's book."""
    ours: dict[str, list[asyncpg.Record]] = defaultdict(list)
    for row in await town.rows(OURS):
        ours[row["customer_address"]].append(row)
    written, api, by_servicers = [await merchant.book(source) for source in ("customer", "api", "servicer")]
    wrong: list[str] = []
    for customer in merchant.customers:
        wrong += inbound(customer, ours[customer], _of(written, customer), "customer")
        wrong += inbound(customer, ours[customer], _of(by_servicers, customer), "servicer")
        wrong += answers(customer, ours[customer])
    everything = [row for rows in ours.values() for row in rows]
    wrong += outbound(everything, api)
    wrong += agents_words(everything, said, api)
    letters = (await merchant.ask("GET", "/api/work/dead-letters?limit=100")).json()["items"]
    # An item whose process is killed every time ends there; what it was to bring about is held to account above.
    wrong += [
        f"dead letter without a reason: {letter['kind']} {letter['key']}" for letter in letters if not letter["error"]
    ]
    wrong += [f"leased for ever: {row['kind']} {row['key']}" for row in await town.owner_rows(LEASES)]
    wrong += [f"{row['count']} dead workers are still listed" for row in await town.owner_rows(WORKERS) if row["count"]]
    states = Counter(row["state"] for row in everything if row["direction"] == "out")
    return Account(
        received=len(written),
        sent=len(api),
        failed=states["failed"],
        unknown=states["unknown"],
        by_servicers=len(by_servicers),
        letters=len(letters),
        longest_to_store=_longest_to_store(everything, written),
        longest_to_answer=_longest_to_answer(written, api),
        wrong=wrong,
    )


def inbound(customer: str, ours: Sequence[Any], theirs: Sequence[dict[str, Any]], source: str) -> list[str]:
    """Every message once, in the order in which it was written, in one conversation."""
    stored = [row["external_msgid"] for row in ours if row["sender_kind"] == source and row["msgtype"] != "event"]
    written = [entry["msgid"] for entry in theirs]
    wrong = []
    doubled = [msgid for msgid, count in Counter(stored).items() if count > 1]
    missing = sorted(set(written) - set(stored))
    if doubled or missing or len(stored) != len(written):
        wrong.append(f"{customer}: {len(stored)} of {source}'s {len(written)}, missing {missing}, doubled {doubled}")
    elif stored != written:
        wrong.append(f"{customer}: {source}'s words out of order")
    if written and len({row["conversation_id"] for row in ours}) != 1:
        wrong.append(f"{customer}: more than one conversation")
    return wrong


def answers(customer: str, ours: Sequence[Any]) -> list[str]:
    """After the last word of the customer somebody spoke, or a person has it or is called; one answer a turn."""
    wrong = []
    unanswered: int | None = None
    since_the_assistant = True
    for row in ours:
        if row["msgtype"] == "event":
            if row["event_type"] in PEOPLE_SAW_IT:
                unanswered = None
        elif row["sender_kind"] == "customer":
            unanswered, since_the_assistant = unanswered or row["seq"], True
        elif row["sender_kind"] != "system" and row["state"] in ("sent", "unknown", "received"):
            unanswered = None
            if row["sender_kind"] == "assistant":
                if not since_the_assistant:
                    wrong.append(f"{customer}: answered twice before number {row['seq']}")
                since_the_assistant = False
    last = ours[-1]
    if unanswered is not None and last["handler"] == "assistant" and last["waiting_since"] is None:
        state = last["conversation_state"]
        wrong.append(f"{customer}: number {unanswered} was not answered, nobody was called ({state})")
    return wrong


PEOPLE_SAW_IT: Final = frozenset({"closed"})
"""Whoever ends a conversation has it before their eyes."""


def outbound(ours: Sequence[Any], api: Sequence[dict[str, Any]]) -> list[str]:
    """What we call sent is in WeCom's book once, with the same words, and nothing else is."""
    rows = {row["id"].hex: row for row in ours if row["direction"] == "out" and row["sender_kind"] != "servicer"}
    booked = Counter(entry["msgid"] for entry in api)
    wrong = [f"sent twice: {msgid}" for msgid, count in booked.items() if count > 1]
    for msgid, row in rows.items():
        match row["state"]:
            case "sent":
                if msgid not in booked:
                    wrong.append(f"called sent, but WeCom has it not: {msgid}")
            case "failed" | "unknown":
                if not row["failure_code"]:
                    wrong.append(f"{row['state']} without a reason: {msgid}")
                if row["state"] == "failed" and msgid in booked:
                    wrong.append(f"WeCom has what we call failed ({row['failure_code']}): {msgid}")
            case state:
                wrong.append(f"still {state}: {msgid}")
    for entry in api:
        row = rows.get(entry["msgid"])
        if row is None:
            wrong.append(f"WeCom has what we never wrote: {entry['msgid']}")
        elif not entry["text"].endswith(row["text"]):
            wrong.append(f"other words at WeCom: {entry['msgid']}")
    return wrong


def agents_words(ours: Sequence[Any], said: Sequence[str], api: Sequence[dict[str, Any]]) -> list[str]:
    """What an agent was told is taken is there once, and on the phone at most once."""
    rows = Counter(row["client_id"] for row in ours)
    states = {row["client_id"]: row["state"] for row in ours}
    phones = Counter(entry["text"].rpartition(" ")[2] for entry in api)
    return [
        f"agent's {key}: {rows[key]} rows, {phones[key]} on the phone, {states.get(key)}"
        for key in said
        if rows[key] != 1 or phones[key] > 1 or (states[key] == "sent" and not phones[key])
    ]


def _of(book: Sequence[dict[str, Any]], customer: str) -> list[dict[str, Any]]:
    return [entry for entry in book if entry["external_userid"] == customer]


def _longest_to_store(ours: Sequence[Any], written: Sequence[dict[str, Any]]) -> float:
    stored = {row["external_msgid"]: row["created_at"].timestamp() for row in ours if row["sender_kind"] == "customer"}
    return max((stored[entry["msgid"]] - entry["at"] for entry in written if entry["msgid"] in stored), default=0.0)


def _longest_to_answer(written: Sequence[dict[str, Any]], api: Sequence[dict[str, Any]]) -> float:
    """From the last word of a customer to the first message of ours after it."""
    longest = 0.0
    waiting: dict[str, float] = {}
    for entry in sorted([*written, *api], key=lambda entry: entry["seq"]):
        customer = entry["external_userid"]
        if entry["source"] == "customer":
            waiting[customer] = entry["at"]
        elif customer in waiting:
            longest = max(longest, entry["at"] - waiting.pop(customer))
    return longest
