"""The live socket: state fetched before + frames received = state fetched afresh, whatever happens in between."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel
from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from huitouke.kernel import clock
from huitouke.kernel.context import Actor, ActorKind, Context, DataScope
from huitouke.kernel.database import Database, transaction
from huitouke.kernel.errors import Unauthenticated
from huitouke.kernel.ids import new_id
from huitouke.kernel.notify import Signal, Topic, send
from huitouke.kernel.realtime import hint, limits, publish, sight_changed
from huitouke.kernel.realtime.app import RealtimeApp
from huitouke.kernel.realtime.standalone import port
from huitouke.kernel.scoping import Owners
from tests.modules.kernel.realtime.parcels import parcels
from tests.support.world import World

PATIENCE_SECONDS = 30


class Change(BaseModel):
    seq: int
    row: int
    value: str


class Notebooks:
    """A stream over memory: notebooks with rows; a change of a row gets the notebook's next number."""

    name = "conversation"
    hints = frozenset({"inbox"})

    def __init__(self) -> None:
        self.rows: dict[UUID, dict[int, Change]] = {}
        self.hidden: set[UUID] = set()
        self.changed_at: dict[UUID, datetime] = {}
        self.reads = 0
        self.slow = 0.0

    def write(self, id: UUID, row: int, value: str) -> int:
        rows = self.rows.setdefault(id, {})
        seq = max((change.seq for change in rows.values()), default=0) + 1
        rows[row] = Change(seq=seq, row=row, value=value)
        self.changed_at[id] = clock.now()
        return seq

    async def frames(self, ctx: Context, id: UUID, after_seq: int, limit: int) -> Sequence[BaseModel]:
        self.reads += 1
        newer = sorted((c for c in self.rows.get(id, {}).values() if c.seq > after_seq), key=lambda c: c.seq)
        await asyncio.sleep(self.slow)
        return newer[:limit]

    async def heads(self, ctx: Context, ids: Sequence[UUID]) -> dict[UUID, int]:
        return {id: max((change.seq for change in self.rows.get(id, {}).values()), default=0) for id in ids}

    async def visible(self, ctx: Context, ids: Sequence[UUID]) -> set[UUID]:
        return set(ids) - self.hidden

    async def changed_since(self, ctx: Context, since: datetime, limit: int) -> Sequence[UUID]:
        return [id for id, at in self.changed_at.items() if at >= since][:limit]


@dataclass
class Client:
    """A browser's end of the socket; keeps the state it was told."""

    app: RealtimeApp
    """Held by an ASGI server."""
    cookie: str = "somebody"
    origin: str = "http://shop.test"
    received: list[dict[str, Any]] = field(default_factory=list)
    close_code: int | None = None
    state: dict[UUID, dict[int, str]] = field(default_factory=dict)
    last: dict[UUID, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._to_server: asyncio.Queue[Message] = asyncio.Queue()
        self._news = asyncio.Event()
        self.frozen = asyncio.Event()
        self.frozen.set()

    async def __aenter__(self) -> "Client":
        headers = [(b"cookie", f"huitouke_session={self.cookie}".encode()), (b"origin", self.origin.encode())]
        scope = {"type": "websocket", "path": "/realtime", "headers": headers, "query_string": b""}
        await self._to_server.put({"type": "websocket.connect"})
        self._task = asyncio.create_task(self.app(scope, self._to_server.get, self._on_message))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._to_server.put({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait_for(self._task, PATIENCE_SECONDS)

    async def _on_message(self, message: Message) -> None:
        await self.frozen.wait()
        if message["type"] == "websocket.close":
            self.close_code = message["code"]
        elif message["type"] == "websocket.send":
            frame = json.loads(message["text"])
            self.received.append(frame)
            if frame["type"] == "frame":
                id = UUID(frame["id"])
                if frame["seq"] > self.last.get(id, 0):  # what it has already is dropped
                    self.last[id] = frame["seq"]
                    self.state.setdefault(id, {})[frame["data"]["row"]] = frame["data"]["value"]
        self._news.set()

    async def say(self, **frame: Any) -> None:
        await self.shout(json.dumps(frame, default=str))

    async def shout(self, text: str) -> None:
        await self._to_server.put({"type": "websocket.receive", "text": text})

    async def open(self, *ids: UUID, since: datetime | None = None) -> None:
        await self.say(
            type="open",
            streams={str(id): self.last.get(id, 0) for id in ids},
            since=since.isoformat() if since else None,
        )

    def fetch(self, stream: Notebooks, id: UUID) -> None:
        """What GET gives: the whole state and its number."""
        self.state[id] = {change.row: change.value for change in stream.rows.get(id, {}).values()}
        self.last[id] = max((change.seq for change in stream.rows.get(id, {}).values()), default=0)

    async def until(self, type: str, **wanted: Any) -> dict[str, Any]:
        """The first frame of that type with those values, waiting for it if need be."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                for frame in self.received:
                    if frame["type"] == type and all(frame.get(name) == value for name, value in wanted.items()):
                        return frame
                self._news.clear()
                await self._news.wait()

    async def until_closed(self) -> int:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.close_code is None:
                self._news.clear()
                await self._news.wait()
        return self.close_code


class ClientOverTcp(Client):
    """The same against a port of `huitouke realtime`."""

    async def __aenter__(self) -> "Client":
        self._task = asyncio.create_task(self._live())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._to_server.put({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait_for(self._task, PATIENCE_SECONDS)

    async def _live(self) -> None:
        headers = {"Cookie": f"huitouke_session={self.cookie}"}
        address = f"ws://127.0.0.1:{PORTS[self.app]}/realtime"
        try:
            async with connect(
                address, origin=Origin(self.origin), additional_headers=headers, proxy=None, max_queue=1
            ) as socket:
                speaking = asyncio.create_task(self._speak(socket))
                try:
                    async for text in socket:
                        await self._on_message({"type": "websocket.send", "text": text})
                except ConnectionClosed:
                    pass
                if not speaking.done():
                    assert socket.close_code is not None
                    await self._on_message({"type": "websocket.close", "code": socket.close_code})
                speaking.cancel()
        except InvalidStatus as refused:
            assert refused.response.status_code == 403
            await self._on_message({"type": "websocket.close", "code": 4403})

    async def _speak(self, socket: ClientConnection) -> None:
        while (message := await self._to_server.get())["type"] == "websocket.receive":
            try:
                await socket.send(message["text"])
            except ConnectionClosed:
                return
        await socket.close()


GONE = {False: {limits.TOO_SLOW}, True: {limits.TOO_SLOW, 1006}}
"""How a client that hadn't read learns it: from a real socket it may see nothing but the end."""

PORTS: dict[RealtimeApp, int] = {}
"""Where an application is held by the `websockets` library instead of an ASGI server."""


def browser(app: RealtimeApp, cookie: str = "somebody", origin: str = "http://shop.test") -> Client:
    """A client of the transport that the test runs over."""
    return ClientOverTcp(app, cookie, origin) if app in PORTS else Client(app, cookie, origin)


@pytest.fixture
def stream() -> Notebooks:
    return Notebooks()


@pytest.fixture
def people(world: World) -> dict[str, Context]:
    """Who is signed in, by cookie."""
    return {"somebody": replace(world.context, actor=Actor(ActorKind.STAFF, new_id(), new_id()))}


@pytest.fixture(params=["asgi", "websockets"])
async def app(
    database: Database, stream: Notebooks, people: dict[str, Context], request: pytest.FixtureRequest
) -> AsyncIterator[RealtimeApp]:
    async def resolve(token: str | None) -> Context:
        if token not in people:
            raise Unauthenticated
        return people[token]

    application = RealtimeApp([stream], public_url="http://shop.test", build="test", resolve=resolve)
    await application.start()
    if request.param == "asgi":
        yield application
        await application.stop()
        return
    async with port("127.0.0.1", 0, no_application, application) as opened:
        PORTS[application] = opened.number
        yield application
    del PORTS[application]


async def no_application(scope: Scope, receive: Receive, send: Send) -> None:
    """Sockets alone: nobody asks anything else here."""
    raise AssertionError(scope["path"])


async def write(world: World, stream: Notebooks, id: UUID, row: int, value: str) -> None:
    """A service's use case: the change, and its publication, in one transaction."""
    async with transaction(world.context) as ctx:
        seq = stream.write(id, row, value)
        publish(ctx, stream="conversation", id=id, seq=seq)


async def test_the_first_frame_says_protocol_and_build(app: RealtimeApp) -> None:
    async with browser(app) as client:
        hello = await client.until("hello")
    assert (hello["protocol"], hello["build"]) == (1, "test")


async def test_what_grows_after_it_was_opened_arrives_as_numbered_frames(
    app: RealtimeApp, world: World, stream: Notebooks
) -> None:
    id = new_id()
    async with browser(app) as client:
        await client.open(id)
        await client.until("hello")
        await write(world, stream, id, 1, "one")
        frame = await client.until("frame", seq=1)
    assert frame["data"] == {"row": 1, "value": "one"}
    assert (frame["stream"], frame["id"]) == ("conversation", str(id))


async def test_what_was_missed_is_sent_when_it_is_opened(app: RealtimeApp, world: World, stream: Notebooks) -> None:
    id = new_id()
    for number in range(5):
        await write(world, stream, id, number, str(number))
    async with browser(app) as client:
        client.last[id] = 3
        await client.open(id)
        await client.until("frame", seq=5)
    assert [frame["seq"] for frame in client.received if frame["type"] == "frame"] == [4, 5]


async def test_too_much_missing_is_a_reset_after_which_the_client_fetches_and_goes_on(
    app: RealtimeApp, world: World, stream: Notebooks
) -> None:
    id = new_id()
    for number in range(limits.RESUME_LIMIT + 1):
        stream.write(id, number, "old")
    async with browser(app) as client:
        await client.open(id)
        await client.until("reset", id=str(id))
        client.fetch(stream, id)
        await client.open(id)
        await write(world, stream, id, 0, "new")
        await client.until("frame", seq=limits.RESUME_LIMIT + 2)
    assert client.state[id] == {change.row: change.value for change in stream.rows[id].values()}


async def test_a_client_that_knows_more_than_there_is_fetches_afresh(app: RealtimeApp) -> None:
    id = new_id()
    async with browser(app) as client:
        client.last[id] = 99
        await client.open(id)
        await client.until("reset", id=str(id))


async def test_state_plus_frames_is_the_state_fetched_afresh_through_lost_signals_and_broken_connections(
    app: RealtimeApp, world: World, stream: Notebooks
) -> None:
    chance = random.Random(3)
    ids = [new_id() for _ in range(4)]
    stream.slow = 0.001
    clients = [browser(app) for _ in range(3)]
    stop = asyncio.Event()

    async def browse(client: Client) -> None:
        """Opens, loses the connection, comes back with what it had, opens other things, now and then fetches."""
        while True:
            client.close_code = None
            client.__post_init__()
            async with client:
                for _ in range(chance.randint(1, 4)):
                    mine = chance.sample(ids, chance.randint(1, 4))
                    if chance.random() < 0.2:
                        client.fetch(stream, mine[0])
                    await client.open(*mine)
                    await asyncio.sleep(chance.random() * 0.02)
                if stop.is_set():
                    await client.open(*ids)
                    await asyncio.sleep(0.1)
                    await app.hub.heartbeat(world.tenant_id)  # finds what lost signals left
                    await asyncio.sleep(0.3)
                    return

    async def write_much() -> None:
        for number in range(300):
            id = chance.choice(ids)
            if chance.random() < 0.3:
                stream.write(id, chance.randint(0, 20), f"unsaid {number}")  # committed, its signal is lost
            else:
                await write(world, stream, id, chance.randint(0, 20), str(number))
        stop.set()

    await asyncio.gather(write_much(), *(browse(client) for client in clients))

    for client in clients:
        for id in ids:
            assert client.state[id] == {change.row: change.value for change in stream.rows[id].values()}


async def test_changes_are_read_once_for_all_sockets(app: RealtimeApp, world: World, stream: Notebooks) -> None:
    id = new_id()
    async with browser(app) as one, browser(app) as two, browser(app) as three:
        for client in (one, two, three):
            await client.open(id)
            await client.until("hello")
        await asyncio.sleep(0.05)
        before = stream.reads
        await write(world, stream, id, 1, "x")
        for client in (one, two, three):
            await client.until("frame", seq=1)
    assert stream.reads == before + 1


async def test_what_a_person_may_not_see_is_not_opened_and_not_hinted(
    app: RealtimeApp, world: World, stream: Notebooks
) -> None:
    hidden, seen = new_id(), new_id()
    stream.hidden.add(hidden)
    async with browser(app) as client:
        await client.open(hidden, seen)
        await client.until("error", code="not_found", id=str(hidden))
        await write(world, stream, hidden, 1, "secret")
        async with transaction(world.context) as ctx:
            hint(ctx, "inbox", hidden)
            hint(ctx, "inbox", seen)
        await write(world, stream, seen, 1, "public")
        await client.until("frame", id=str(seen))
        await client.until("hint", id=str(seen))
    assert str(hidden) not in {frame.get("id") for frame in client.received if frame["type"] != "error"}


async def test_what_a_person_may_no_longer_see_stops_within_seconds(
    app: RealtimeApp, world: World, stream: Notebooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "VISIBLE_SECONDS", 0.05)
    id = new_id()
    async with browser(app) as client:
        await client.open(id)
        await write(world, stream, id, 1, "before")
        await client.until("frame", seq=1)
        stream.hidden.add(id)
        await asyncio.sleep(0.1)
        await write(world, stream, id, 2, "after")
        await asyncio.sleep(0.1)
    assert [frame["seq"] for frame in client.received if frame["type"] == "frame"] == [1]


async def test_hints_are_coalesced_and_stay_within_the_tenant(
    app: RealtimeApp, world: World, people: dict[str, Context], another_world: Any
) -> None:
    other = await another_world()
    people["neighbour"] = replace(other.context, actor=Actor(ActorKind.STAFF, new_id(), new_id()))
    async with browser(app) as client, browser(app, cookie="neighbour") as neighbour:
        await client.until("hello")
        await neighbour.until("hello")
        async with transaction(world.context) as ctx:
            for _ in range(50):
                hint(ctx, "counts")
        await client.until("hint", kind="counts")
        await asyncio.sleep(0.05)
    assert sum(frame["type"] == "hint" for frame in client.received) == 1
    assert not any(frame["type"] == "hint" for frame in neighbour.received)


async def test_a_hint_that_names_a_row_reaches_those_who_see_it(
    app: RealtimeApp, world: World, people: dict[str, Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs, nobodys, ours = (new_id() for _ in range(4))
    me, colleague, department = (new_id() for _ in range(3))
    owned = {
        mine: Owners(frozenset({me})),
        theirs: Owners(frozenset({colleague})),
        ours: Owners(frozenset({colleague}), frozenset({department})),
    }
    parcels(monkeypatch, owned)
    people["narrow"] = replace(people["somebody"], scope=DataScope(frozenset({me}), frozenset({department})))
    async with browser(app) as wide, browser(app, cookie="narrow") as narrow:
        await wide.until("hello")
        await narrow.until("hello")
        async with transaction(world.context) as ctx:
            for id in (mine, theirs, nobodys, ours):
                hint(ctx, "parcel", id)
            sight_changed(ctx)
            hint(ctx, "counts")
        await wide.until("hint", kind="counts")
        await narrow.until("hint", kind="counts")
        await wide.until("hint", id=str(theirs))
    heard = [(frame["kind"], frame["id"]) for frame in narrow.received if frame["type"] == "hint"]
    assert set(heard) == {("counts", None), ("sight", None), *(("parcel", str(id)) for id in (mine, nobodys, ours))}
    assert not any(frame.get("kind") == "sight" for frame in wide.received)


async def test_changed_rights_count_at_once_on_open_sockets(
    app: RealtimeApp, world: World, stream: Notebooks, people: dict[str, Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SESSION_CHECK_SECONDS", 3600.0)
    monkeypatch.setattr(limits, "VISIBLE_SECONDS", 3600.0)
    theirs, id = new_id(), new_id()
    parcels(monkeypatch, {theirs: Owners(frozenset({new_id()}))})
    async with browser(app) as client:
        await client.open(id)
        await write(world, stream, id, 1, "before")
        await client.until("frame", seq=1)
        people["somebody"] = replace(people["somebody"], scope=DataScope(frozenset({new_id()})))
        stream.hidden.add(id)
        async with transaction(world.context) as ctx:
            hint(ctx, "rights")
        await client.until("hint", kind="rights")
        await asyncio.sleep(0.05)  # the socket asks who is there now
        await write(world, stream, id, 2, "after")
        assert (await client.until("error"))["code"] == "not_found"
        async with transaction(world.context) as ctx:
            hint(ctx, "parcel", theirs)
            hint(ctx, "counts")
        await client.until("hint", kind="counts")
    assert [frame["seq"] for frame in client.received if frame["type"] == "frame"] == [1]
    assert not any(frame.get("kind") == "parcel" for frame in client.received)


async def test_since_tells_what_changed_meanwhile_with_30_seconds_of_slack(app: RealtimeApp, stream: Notebooks) -> None:
    recent, old = new_id(), new_id()
    stream.write(recent, 1, "x")
    stream.write(old, 1, "x")
    stream.changed_at[recent] = clock.now() - timedelta(seconds=20)
    stream.changed_at[old] = clock.now() - timedelta(seconds=40)
    async with browser(app) as client:
        await client.open(since=clock.now())
        changed = await client.until("changed")
    assert changed["ids"] == [str(recent)]
    assert changed["more"] is False


async def test_a_lost_signal_is_noticed_by_the_heartbeat(app: RealtimeApp, world: World, stream: Notebooks) -> None:
    id = new_id()
    async with browser(app) as client:
        await client.open(id)
        await client.until("hello")
        await asyncio.sleep(0.05)
        stream.write(id, 1, "unsaid")
        await app.hub.heartbeat(world.tenant_id)
        assert (await client.until("heartbeat"))["heads"] == {str(id): 1}
        await client.until("frame", seq=1)


async def test_after_a_gap_of_the_listening_connection_everything_open_is_read_again(
    app: RealtimeApp, stream: Notebooks
) -> None:
    id = new_id()
    async with browser(app) as client:
        await client.open(id)
        await client.until("hello")
        await asyncio.sleep(0.05)
        stream.write(id, 1, "unsaid")
        send(Signal(Topic.GAP, None, "", 0))
        await client.until("frame", seq=1)


async def test_another_sites_page_is_not_let_in(app: RealtimeApp) -> None:
    client = browser(app, origin="http://evil.test")
    async with client:
        assert await client.until_closed() == 4403
    assert client.received == []


async def test_without_a_session_the_socket_closes_with_a_code_the_client_understands(app: RealtimeApp) -> None:
    async with browser(app, cookie="nobody") as client:
        assert await client.until_closed() == limits.SIGNED_OUT


async def test_signing_out_closes_the_socket(
    app: RealtimeApp, people: dict[str, Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SESSION_CHECK_SECONDS", 0.05)
    async with browser(app) as client:
        await client.until("hello")
        people.clear()
        assert await client.until_closed() == limits.SIGNED_OUT


async def test_a_client_that_does_not_read_is_told_to_come_back(
    app: RealtimeApp, world: World, stream: Notebooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "QUEUE_FRAMES", 20)
    words = "x" * (600_000 if app in PORTS else 1)  # the network itself takes some in
    id = new_id()
    async with browser(app) as slow, browser(app) as fast:
        for client in (slow, fast):
            await client.open(id)
            await client.until("hello")
        await asyncio.sleep(0.05)
        slow.frozen.clear()
        for number in range(40):
            await write(world, stream, id, number, words)
            await fast.until("frame", seq=number + 1)
        if app in PORTS:  # it reads nothing at all, and the server is rid of it all the same
            await asyncio.sleep(1.5)
            assert app.hub.size == 1
        slow.frozen.set()
        assert await slow.until_closed() in GONE[app in PORTS]
        assert fast.close_code is None


@pytest.mark.parametrize("text", ["{", "[]", '{"type":"shout"}', '{"type":"open","streams":{"x":1}}', "null"])
async def test_a_frame_that_can_not_be_read_is_answered_and_the_socket_lives(app: RealtimeApp, text: str) -> None:
    async with browser(app) as client:
        await client.shout(text)
        await client.until("error", code="bad_frame")
        await client.say(type="open", stream="unknown", streams={})
        await client.until("error", code="unknown_stream")


async def test_oversized_and_too_many_frames_close_the_socket(app: RealtimeApp) -> None:
    async with browser(app) as client:
        await client.say(type="pong", padding="x" * limits.INCOMING_BYTES)
        assert await client.until_closed() == limits.BAD_FRAME
    async with browser(app) as client:
        for _ in range(limits.INCOMING_PER_WINDOW + 1):
            await client.say(type="pong")
        assert await client.until_closed() == limits.TOO_MANY


async def test_when_the_server_stops_the_clients_are_told_to_come_back(app: RealtimeApp) -> None:
    async with browser(app) as client:
        await client.until("hello")
        await app.stop()
        assert await client.until_closed() == limits.RESTARTING


async def test_who_answers_no_heartbeat_for_long_is_told_to_come_back(
    app: RealtimeApp, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SILENT_SECONDS", 0.1)
    async with browser(app) as talking, browser(app) as silent:
        await talking.until("hello")
        await silent.until("hello")
        await asyncio.sleep(0.15)
        await talking.say(type="pong")
        await asyncio.sleep(0.05)
        await app.hub.heartbeat(world.tenant_id)
        assert await silent.until_closed() == limits.TOO_SLOW
        await talking.until("heartbeat")
