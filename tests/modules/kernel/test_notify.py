"""Signals reach this process at once and the others within milliseconds, one statement for many commits."""

import asyncio

import asyncpg
import pytest

from huitouke.kernel.database import Database
from huitouke.kernel.ids import new_id
from huitouke.kernel.notify import (
    CHANNEL,
    PAYLOAD_LIMIT_BYTES,
    Notifier,
    NotifierError,
    Outbox,
    Signal,
    Topic,
    pack,
    send,
    subscribed,
    unpack,
)

PATIENCE_SECONDS = 30


async def test_a_signal_reaches_this_process_at_once_and_others_once_coalesced(database: Database) -> None:
    here: list[Signal] = []
    there: list[str] = []
    listener = await database.connect_direct()
    await listener.add_listener(CHANNEL, lambda *arguments: there.append(arguments[3]))
    notifier = Notifier(database)
    await notifier.start()
    tenant = new_id()
    with subscribed(Topic.STREAM, here.append):
        for number in range(100):
            send(Signal(Topic.STREAM, tenant, "conversation:1", number))
        assert len(here) == 100
        await asyncio.sleep(0.2)
        assert len(here) == 100  # its own NOTIFY is not delivered twice
    await notifier.stop()
    await listener.close()

    ours = [signal for payload in there for signal in unpack(payload)[1] if signal.tenant_id == tenant]
    assert ours == [Signal(Topic.STREAM, tenant, "conversation:1", 99)]


async def test_a_signal_of_another_process_is_delivered(database: Database) -> None:
    got = asyncio.Event()
    tenant = new_id()
    notifier = Notifier(database)
    await notifier.start()
    other = await database.connect_direct()
    with subscribed(Topic.WORK, lambda signal: got.set() if signal.tenant_id == tenant else None):
        (payload,) = pack("other", [Signal(Topic.WORK, tenant, "", 5)])
        await other.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)
        await asyncio.wait_for(got.wait(), PATIENCE_SECONDS)
    await other.close()
    await notifier.stop()


async def test_garbage_on_the_channel_is_survived(database: Database) -> None:
    notifier = Notifier(database)
    await notifier.start()
    other = await database.connect_direct()
    for payload in ("", "{", "[]", '["x",["zz",null,"",1]]', '["x",[1]]', '"text"'):
        await other.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)
    got = asyncio.Event()
    tenant = new_id()
    with subscribed(Topic.WORK, lambda signal: got.set() if signal.tenant_id == tenant else None):
        (payload,) = pack("other", [Signal(Topic.WORK, tenant, "", 5)])
        await other.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)
        await asyncio.wait_for(got.wait(), PATIENCE_SECONDS)
    await other.close()
    await notifier.stop()


async def test_a_lost_listening_connection_is_replaced_and_the_gap_is_said(database: Database) -> None:
    gap = asyncio.Event()
    notifier = Notifier(database)
    await notifier.start()
    with subscribed(Topic.GAP, lambda _: gap.set()):
        assert notifier._listening is not None
        notifier._listening.terminate()
        await asyncio.wait_for(gap.wait(), PATIENCE_SECONDS)
    await notifier.stop()


async def test_a_notify_that_does_not_come_back_refuses_the_start(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a transaction pooler does to LISTEN: it is accepted, and nothing ever arrives."""
    monkeypatch.setattr("huitouke.kernel.notify.SELF_TEST_SECONDS", 0.1)

    async def deaf(self: object, channel: str, callback: object) -> None:
        return None

    monkeypatch.setattr(asyncpg.Connection, "add_listener", deaf)
    notifier = Notifier(database)
    with pytest.raises(NotifierError, match="DATABASE_DIRECT_URL"):
        await notifier.start()


def test_the_least_place_of_work_and_the_greatest_number_of_a_stream_count() -> None:
    box = Outbox()
    tenant = new_id()
    for number in (7, 3, 9):
        box.add(Signal(Topic.WORK, tenant, "", number))
        box.add(Signal(Topic.EVENTS, tenant, "1", number))
        box.add(Signal(Topic.STREAM, tenant, "conversation:1", number))
        box.add(Signal(Topic.HINT, tenant, "inbox:", number))
    assert {(signal.topic, signal.number) for signal in box.take()} == {
        (Topic.WORK, 3),
        (Topic.EVENTS, 3),
        (Topic.STREAM, 9),
        (Topic.HINT, 9),
    }
    assert box.take() == []


def test_a_full_outbox_drops_and_counts() -> None:
    box = Outbox(limit=10)
    for number in range(15):
        box.add(Signal(Topic.HINT, None, str(number), 0))
    assert box.dropped == 5
    assert len(box.take()) == 10


def test_payloads_keep_below_postgresqls_limit_and_lose_nothing() -> None:
    signals = [Signal(Topic.STREAM, new_id(), f"conversation:{new_id()}", n) for n in range(1000)]
    signals.append(Signal(Topic.HINT, None, "提示:", 0))
    payloads = pack("origin", signals)
    assert all(len(payload.encode()) <= PAYLOAD_LIMIT_BYTES for payload in payloads)
    assert [signal for payload in payloads for signal in unpack(payload)[1]] == signals
    assert {unpack(payload)[0] for payload in payloads} == {"origin"}
