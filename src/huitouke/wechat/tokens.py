"""One access token per app, shared by all processes, renewed by one of them (path/91039)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Protocol

from huitouke.wechat.errors import TransientError, TransportReason, WecomError

EARLY_RENEWAL = timedelta(minutes=10)  # with less than this left one caller renews, the others use the old token
RENEWAL_PAUSE = timedelta(seconds=60)  # between two early renewals of one process
REFRESH_LEASE = timedelta(seconds=10)  # how long one process may take before another may try
KNOWN_FOR = timedelta(seconds=30)  # a process looks into the store again after that; before, a refusal makes it look
KNOWN_LIMIT = 10_000  # tokens
WAIT_LIMIT_SECONDS = 15.0
FIRST_POLL_SECONDS = 0.05
LONGEST_POLL_SECONDS = 1.0

_log = logging.getLogger("huitouke.wechat.tokens")


@dataclass(frozen=True, slots=True)
class Credential:
    """One app's right to call. `key` names it in the token store and in logs."""

    corp_id: str
    secret: str = field(repr=False)
    key: str


@dataclass(frozen=True, slots=True)
class StoredToken:
    token: str = field(repr=False)
    expires_at: datetime


class TokenStore(Protocol):
    """Where all processes share tokens and agree on who renews. Every method is one atomic step of its own."""

    async def read(self, credential: Credential) -> StoredToken | None:
        """The token last saved and not dropped, expired or not."""
        ...

    async def begin_refresh(self, credential: Credential, until: datetime) -> bool:
        """Reserve the refresh until then. True for exactly one caller while no other reservation is alive."""
        ...

    async def save(self, credential: Credential, token: str, expires_at: datetime) -> None:
        """Store the token and end the reservation."""
        ...

    async def abandon_refresh(self, credential: Credential) -> None:
        """End the reservation without a token."""
        ...

    async def drop(self, credential: Credential, token: str) -> bool:
        """Forget the stored token where it is still this one. True when it was."""
        ...


@dataclass(frozen=True, slots=True)
class FetchedToken:
    token: str = field(repr=False)
    expires_in_seconds: int


@dataclass(frozen=True, slots=True)
class _Known:
    """A token that this process has just read from the store."""

    token: str = field(repr=False)
    secret: str = field(repr=False)
    until: datetime

    def holds(self, credential: Credential, now: datetime) -> bool:
        """Not with another secret: whatever was fetched with the old one is gone."""
        return self.secret == credential.secret and now < self.until


Fetch = Callable[[Credential], Awaitable[FetchedToken]]
Clock = Callable[[], datetime]
Sleep = Callable[[float], Awaitable[None]]


class TokenCentre:
    """Gives valid tokens. `fetch` calls gettoken; `clock` gives aware times; `sleep` is replaced in tests only."""

    def __init__(self, store: TokenStore, fetch: Fetch, clock: Clock, sleep: Sleep = asyncio.sleep) -> None:
        self._store = store
        self._fetch = fetch
        self._clock = clock
        self._sleep = sleep
        self._obtaining: dict[str, asyncio.Task[str]] = {}
        self._no_early_renewal_before: dict[str, datetime] = {}
        self._known: dict[str, _Known] = {}

    async def token(self, credential: Credential) -> str:
        """A token that is valid now.

        Raises what `fetch` raises (WrongSecret, IpNotTrusted, …), and TransientError when another process
        has been refreshing for 15 s without success.
        """
        if (known := self._known.get(credential.key)) is not None and known.holds(credential, self._clock()):
            return known.token
        stored = await self._store.read(credential)
        if stored is None or stored.expires_at <= self._clock():
            return await self._obtain_together(credential)
        if stored.expires_at - self._clock() < EARLY_RENEWAL:
            return await self._renew_early(credential, stored)
        self._remember(credential, stored)
        return stored.token

    async def invalidate(self, credential: Credential, token: str) -> None:
        """Tell that WeCom refused this token. A newer one in the store is left alone."""
        self._known.pop(credential.key, None)
        await self._store.drop(credential, token)

    def _remember(self, credential: Credential, stored: StoredToken) -> None:
        if len(self._known) >= KNOWN_LIMIT:
            self._known.clear()
        until = min(stored.expires_at - EARLY_RENEWAL, self._clock() + KNOWN_FOR)
        self._known[credential.key] = _Known(stored.token, credential.secret, until)

    async def _obtain_together(self, credential: Credential) -> str:
        """One task per credential and process; whoever needs the token awaits it, failures included."""
        task = self._obtaining.get(credential.key)
        if task is None:
            task = asyncio.create_task(self._obtain(credential))
            self._obtaining[credential.key] = task
            task.add_done_callback(lambda done: self._forget(credential.key, done))
        return await asyncio.shield(task)

    def _forget(self, key: str, task: asyncio.Task[str]) -> None:
        self._obtaining.pop(key, None)
        if not task.cancelled():
            task.exception()  # seen here too, in case every caller was cancelled meanwhile

    async def _obtain(self, credential: Credential) -> str:
        """Refresh, or wait for the process that does; take over when its reservation runs out."""
        started = monotonic()
        pause = FIRST_POLL_SECONDS
        while True:
            if await self._store.begin_refresh(credential, self._clock() + REFRESH_LEASE):
                stored = await self._store.read(credential)
                if stored is not None and stored.expires_at > self._clock():
                    await self._store.abandon_refresh(credential)  # somebody finished between our two looks
                    return stored.token
                return (await self._refresh(credential)).token
            if monotonic() - started > WAIT_LIMIT_SECONDS:
                raise TransientError(
                    None, "another process is refreshing the token", "gettoken", reason=TransportReason.TOKEN_WAIT
                )
            await self._sleep(pause)
            pause = min(pause * 2, LONGEST_POLL_SECONDS)
            stored = await self._store.read(credential)
            if stored is not None and stored.expires_at > self._clock():
                return stored.token

    async def _renew_early(self, credential: Credential, stored: StoredToken) -> str:
        """The old token still works: try once a minute, and never fail because of it.

        gettoken may return the same token until it expires, so that an early renewal can bring nothing.
        """
        now = self._clock()
        not_before = self._no_early_renewal_before.get(credential.key)
        if not_before is not None and now < not_before:
            return stored.token
        self._no_early_renewal_before[credential.key] = now + RENEWAL_PAUSE
        if not await self._store.begin_refresh(credential, now + REFRESH_LEASE):
            return stored.token
        try:
            return (await self._refresh(credential)).token
        except WecomError as error:
            _log.warning("wechat.token.early_renewal_failed key=%s error=%s", credential.key, error)
            return stored.token

    async def _refresh(self, credential: Credential) -> FetchedToken:
        try:
            fetched = await self._fetch(credential)
            expires_at = self._clock() + timedelta(seconds=fetched.expires_in_seconds)
            await self._store.save(credential, fetched.token, expires_at)
        except BaseException:  # also when cancelled: others must not wait for the reservation to run out
            await self._store.abandon_refresh(credential)
            raise
        return fetched


class MemoryTokenStore:
    """A TokenStore for one process: tests, scripts, single use."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens: dict[str, StoredToken] = {}
        self._reserved_until: dict[str, datetime] = {}

    async def read(self, credential: Credential) -> StoredToken | None:
        return self._tokens.get(credential.key)

    async def begin_refresh(self, credential: Credential, until: datetime) -> bool:
        reserved_until = self._reserved_until.get(credential.key)
        if reserved_until is not None and reserved_until > self._clock():
            return False
        self._reserved_until[credential.key] = until
        return True

    async def save(self, credential: Credential, token: str, expires_at: datetime) -> None:
        self._tokens[credential.key] = StoredToken(token, expires_at)
        self._reserved_until.pop(credential.key, None)

    async def abandon_refresh(self, credential: Credential) -> None:
        self._reserved_until.pop(credential.key, None)

    async def drop(self, credential: Credential, token: str) -> bool:
        stored = self._tokens.get(credential.key)
        if stored is None or stored.token != token:
            return False
        del self._tokens[credential.key]
        return True
