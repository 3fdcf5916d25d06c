"""The sockets of this process and what they are told.

    publish (commit) ── signal ── dirty streams ── one read per stream ── encoded once ── every socket that has it open

A stream's changes are read from the database by number, never carried by the signal, so a lost, doubled or late
signal changes nothing but the time. A socket is sent only numbers above what it has; each batch that is read begins
at the lowest position among the sockets it goes to, so none is left out.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from itertools import groupby
from time import monotonic
from typing import Final, TypeAlias
from uuid import UUID

import structlog

from huitouke.kernel.access.signed_in import forget
from huitouke.kernel.context import ALL_DATA, ActorKind, Context, Permissions, job_context
from huitouke.kernel.database import transaction
from huitouke.kernel.ending import vital
from huitouke.kernel.masking import reading
from huitouke.kernel.notify import Signal, Topic, subscribed
from huitouke.kernel.realtime import limits
from huitouke.kernel.realtime.frames import Error, Heartbeat, Hint, Reset, encode, encode_change
from huitouke.kernel.realtime.metrics import FRAMES_SENT, SOCKETS
from huitouke.kernel.realtime.publish import RIGHTS, SEPARATOR, SIGHT
from huitouke.kernel.realtime.socket import Socket, StreamKey
from huitouke.kernel.realtime.streams import Stream
from huitouke.kernel.scoping import NOBODYS, Owners, scoped_tables

log = structlog.get_logger(__name__)

TenantKey: TypeAlias = tuple[UUID, StreamKey]
FAILURE_PAUSE_SECONDS: Final = 1.0


class Hub:
    """Knows who has what open, reads what grew, and hands it out."""

    def __init__(self, streams: Iterable[Stream]) -> None:
        self.streams = {stream.name: stream for stream in streams}
        self._fed: dict[str, list[str]] = {}
        for name, stream in self.streams.items():
            self._fed.setdefault(getattr(stream, "follows", name), []).append(name)
        self._sockets: dict[UUID, set[Socket]] = {}
        self._watching: dict[TenantKey, set[Socket]] = {}
        self._dirty: set[TenantKey] = set()
        self._hints: dict[tuple[UUID, str, UUID | None], int] = {}
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._signals = ExitStack()

    @property
    def size(self) -> int:
        """Sockets in this process."""
        return sum(map(len, self._sockets.values()))

    async def start(self) -> None:
        """Begins to listen to signals."""
        self._signals.enter_context(subscribed(Topic.STREAM, self._on_stream))
        self._signals.enter_context(subscribed(Topic.HINT, self._on_hint))
        self._signals.enter_context(subscribed(Topic.GAP, self._on_gap))
        self._tasks = [
            vital(self._pump(), "realtime.pump"),
            vital(self._beat(), "realtime.heartbeat"),
        ]

    async def stop(self) -> None:
        """Tells every client to come back elsewhere, and ends."""
        self._signals.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for socket in [socket for sockets in self._sockets.values() for socket in sockets]:
            socket.end(limits.RESTARTING)

    def room_for(self, context: Context) -> bool:
        """Whether this process, and this person, may have one more socket."""
        own = sum(socket.context.actor == context.actor for socket in self._sockets.get(context.tenant_id, ()))
        visits = context.actor.kind is ActorKind.VISITOR
        limit = limits.SOCKETS_PER_VISITOR if visits else limits.SOCKETS_PER_ACTOR
        return self.size < limits.SOCKETS_PER_PROCESS and own < limit

    def add(self, socket: Socket) -> None:
        """The socket gets hints from now on."""
        self._sockets.setdefault(socket.context.tenant_id, set()).add(socket)
        SOCKETS.set(self.size)

    def remove(self, socket: Socket) -> None:
        """The socket is gone."""
        tenant_id = socket.context.tenant_id
        for key in list(socket.positions):
            self.unwatch(socket, key)
        sockets = self._sockets.get(tenant_id, set())
        sockets.discard(socket)
        if not sockets:
            self._sockets.pop(tenant_id, None)
        SOCKETS.set(self.size)

    def watch(self, socket: Socket, key: StreamKey) -> None:
        """The socket is told when that stream grows. Called before its state is read, so that nothing falls between."""
        self._watching.setdefault((socket.context.tenant_id, key), set()).add(socket)

    def unwatch(self, socket: Socket, key: StreamKey) -> None:
        """The stream is open no more on that socket."""
        socket.positions.pop(key, None)
        place = (socket.context.tenant_id, key)
        watching = self._watching.get(place)
        if watching is not None:
            watching.discard(socket)
            if not watching:
                del self._watching[place]

    def grown(self, tenant_id: UUID, key: StreamKey) -> None:
        """Has the stream read again, if anybody has it open."""
        if (tenant_id, key) in self._watching:
            self._dirty.add((tenant_id, key))
            self._changed.set()

    async def see(self, ctx: Context, socket: Socket, keys: Sequence[StreamKey]) -> set[StreamKey]:
        """Which of the streams the socket's person may see; asks only about what was not asked lately."""
        seen = {key for key in keys if socket.believed_visible(key)}
        unknown = sorted(key for key in keys if socket.believed_visible(key) is None)
        for name, of_stream in groupby(unknown, key=lambda key: key[0]):
            ids = [id for _, id in of_stream]
            visible = await self.streams[name].visible(ctx, ids)
            for id in ids:
                socket.believe((name, id), id in visible)
            seen |= {(name, id) for id in ids if id in visible}
        return seen

    def _on_stream(self, signal: Signal) -> None:
        name, _, id = signal.key.partition(SEPARATOR)
        if signal.tenant_id is not None:
            for fed in self._fed.get(name, ()):
                self.grown(signal.tenant_id, (fed, UUID(id)))

    def _on_hint(self, signal: Signal) -> None:
        if signal.tenant_id in self._sockets and signal.tenant_id is not None:
            kind, _, id = signal.key.partition(SEPARATOR)
            self._doubt(signal.tenant_id, kind)
            place = (signal.tenant_id, kind, UUID(id) if id else None)
            self._hints[place] = max(signal.number, self._hints.get(place, 0))
            self._changed.set()

    def _doubt(self, tenant_id: UUID, kind: str) -> None:
        """What is believed of who may see what ends before anything further is told."""
        if kind == RIGHTS:
            forget(tenant_id=tenant_id)
        for socket in self._sockets[tenant_id]:
            if kind == RIGHTS:
                socket.rights_changed.set()
            if kind == RIGHTS or (kind == SIGHT and socket.context.scope != ALL_DATA):
                socket.believe_nothing()

    def _on_gap(self, _signal: Signal) -> None:
        self._dirty.update(self._watching)
        self._changed.set()

    async def _pump(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            hints, self._hints = self._hints, {}
            dirty, self._dirty = self._dirty, set()
            reads = asyncio.Semaphore(limits.READS_AT_ONCE)
            tenants = {place[0] for place in dirty} | {place[0] for place in hints}
            failed = await asyncio.gather(*(self._tell(tenant_id, dirty, hints, reads) for tenant_id in tenants))
            if any(failed):
                await asyncio.sleep(FAILURE_PAUSE_SECONDS)

    async def _tell(
        self,
        tenant_id: UUID,
        dirty: set[TenantKey],
        hints: dict[tuple[UUID, str, UUID | None], int],
        reads: asyncio.Semaphore,
    ) -> bool:
        """Tells one tenant's sockets; True when it failed, upon which it is tried again."""
        keys = sorted(key for owner, key in dirty if owner == tenant_id)
        async with reads:
            try:
                if keys:
                    async with transaction(job_context(tenant_id)) as ctx:
                        for key in keys:
                            await self._tell_change(ctx, key)
                told = {(kind, id): number for (owner, kind, id), number in hints.items() if owner == tenant_id}
                await self._tell_hints(tenant_id, told)
            except Exception:
                # The database is away, or a stream can't be read: sockets stay, what they miss is read again.
                log.exception("realtime.read_failed", tenant_id=str(tenant_id))
                self._dirty.update((tenant_id, key) for key in keys)
                for place, version in hints.items():
                    if place[0] == tenant_id:
                        self._hints[place] = max(version, self._hints.get(place, 0))
                self._changed.set()
                return True
        return False

    async def _tell_change(self, ctx: Context, key: StreamKey) -> None:
        name, id = key
        listening = self._listening(ctx.tenant_id, key)
        if not listening:
            return
        lowest = min(socket.positions[key].seq for socket in listening)
        changes = await self.streams[name].frames(ctx, id, lowest, limits.RESUME_LIMIT + 1)
        encoded: dict[Permissions, list[tuple[int, str]]] = {}
        allowed = await self._allowed(listening, key)
        for socket in set(listening).difference(allowed):
            if key in socket.positions:
                self.lost(socket, key)
        still = set(self._listening(ctx.tenant_id, key))
        for socket in allowed:
            if socket not in still:
                continue
            frames = encoded.get(permissions := socket.context.permissions)
            if frames is None:  # once for all who may do the same: what they see of a text is the same
                with reading(socket.context):
                    frames = encoded[permissions] = [encode_change(name, id, change) for change in changes]
            if len(frames) > limits.RESUME_LIMIT and socket.positions[key].seq < frames[-1][0]:
                self.reset(socket, key)
                continue
            for seq, text in frames:
                socket.push_change(key, seq, text)
        FRAMES_SENT.inc(len(changes) * len(allowed))

    def reset(self, socket: Socket, key: StreamKey) -> None:
        """Too much is missing: the client fetches the stream afresh and opens it again."""
        self.unwatch(socket, key)
        socket.push(encode(Reset(stream=key[0], id=key[1])))

    def lost(self, socket: Socket, key: StreamKey) -> None:
        """The person may not see it any more: it is closed on their screen, in the words for what never existed."""
        self.unwatch(socket, key)
        socket.push(encode(Error(code="not_found", stream=key[0], id=key[1])))

    def _listening(self, tenant_id: UUID, key: StreamKey) -> list[Socket]:
        """Sockets that have it open and are not just being resumed; the others are read again when they are."""
        listening = []
        for socket in self._watching.get((tenant_id, key), ()):
            position = socket.positions[key]
            if position.resuming:
                position.grown = True
            else:
                listening.append(socket)
        return listening

    async def _allowed(self, sockets: Sequence[Socket], key: StreamKey) -> list[Socket]:
        allowed = []
        for socket in sockets:
            believed = socket.believed_visible(key)
            if believed is None:
                async with transaction(socket.context) as ctx:
                    believed = key in await self.see(ctx, socket, [key])
            if believed:
                allowed.append(socket)
        return allowed

    async def _tell_hints(self, tenant_id: UUID, hints: Mapping[tuple[str, UUID | None], int]) -> None:
        """Hints that name rows of scoped tables reach only who sees the row; whose they are is read once for all."""
        owners: dict[tuple[str, UUID], Owners] = {}
        of_staff = [socket for socket in self._sockets.get(tenant_id, ()) if socket.staffs]
        if any(socket.context.scope != ALL_DATA for socket in of_staff):
            owners = await _owners(tenant_id, hints)
        for (kind, id), version in hints.items():
            text = encode(Hint(kind=kind, id=id, version=version or None))
            of = owners.get((kind, id)) if id is not None else None
            sockets = [socket for socket in self._sockets.get(tenant_id, ()) if socket.staffs]
            about = next((name for name, stream in self.streams.items() if kind in getattr(stream, "hints", ())), None)
            if about is not None and id is not None:
                sockets = await self._allowed(sockets, (about, id))
            for socket in sockets:
                scope = socket.context.scope
                if (kind == SIGHT and scope == ALL_DATA) or (of is not None and not of.seen_within(scope)):
                    continue
                socket.push(text)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(limits.HEARTBEAT_SECONDS)
            for tenant_id in list(self._sockets):
                try:
                    await self.heartbeat(tenant_id)
                except Exception:
                    # One tenant's trouble is not the others': its sockets hear the next heartbeat.
                    log.exception("realtime.heartbeat_failed", tenant_id=str(tenant_id))

    async def heartbeat(self, tenant_id: UUID) -> None:
        """Tells the tenant's sockets the head numbers of what they have open, and reads what they have missed."""
        open_here = [key for owner, key in self._watching if owner == tenant_id]
        heads: dict[StreamKey, int] = {}
        if open_here:
            async with transaction(job_context(tenant_id)) as ctx:
                for name, stream in self.streams.items():
                    ids = [id for of, id in open_here if of == name]
                    if ids:
                        heads.update(((name, id), seq) for id, seq in (await stream.heads(ctx, ids)).items())
        for socket in list(self._sockets.get(tenant_id, ())):
            if monotonic() - socket.heard_at > limits.SILENT_SECONDS:
                socket.end(limits.TOO_SLOW)
                continue
            own = {key: heads[key] for key in socket.positions if key in heads}
            socket.push(encode(Heartbeat(heads={id: seq for (_, id), seq in own.items()})))
            for key, seq in own.items():
                if seq > socket.positions[key].seq:
                    self.grown(tenant_id, key)


async def _owners(tenant_id: UUID, hints: Iterable[tuple[str, UUID | None]]) -> dict[tuple[str, UUID], Owners]:
    """To whom the rows belong that the hints name, where their tables are scoped."""
    found: dict[tuple[str, UUID], Owners] = {}
    named = [(kind, id) for kind, id in hints if id is not None]
    for rule in scoped_tables():
        ids = [id for kind, id in named if kind == rule.hint]
        if rule.owners is None or not ids:
            continue
        async with transaction(job_context(tenant_id)) as ctx:
            owners = await rule.owners(ctx, ids)
        found |= {(str(rule.hint), id): owners.get(id, NOBODYS) for id in ids}
    return found
