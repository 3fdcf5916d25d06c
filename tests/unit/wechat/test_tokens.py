import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from huitouke.wechat.errors import TransientError, TransportReason, WrongSecret
from huitouke.wechat.tokens import (
    EARLY_RENEWAL,
    KNOWN_FOR,
    REFRESH_LEASE,
    Credential,
    FetchedToken,
    MemoryTokenStore,
    StoredToken,
    TokenCentre,
)
from tests.unit.wechat.support import CREDENTIAL, MovableClock


class Gettoken:
    """Counts calls; `failure` is raised instead of an answer; `gate` holds answers back."""

    def __init__(self, *, same_token: bool = False) -> None:
        self.calls = 0
        self.expires_in = 7200
        self.failure: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.same_token = same_token

    async def __call__(self, credential: Credential) -> FetchedToken:
        self.calls += 1
        await asyncio.sleep(0)
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return FetchedToken("token-1" if self.same_token else f"token-{self.calls}", self.expires_in)


class World:
    """Several processes, each with its own centre, over one store."""

    def __init__(self, processes: int = 1, gettoken: Gettoken | None = None) -> None:
        self.clock = MovableClock()
        self.store = MemoryTokenStore(self.clock)
        self.gettoken = gettoken or Gettoken()
        self.centres = [TokenCentre(self.store, self.gettoken, self.clock, self.sleep) for _ in range(processes)]
        self.centre = self.centres[0]
        self.slept = 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds
        await asyncio.sleep(0)


async def test_fifty_callers_of_five_processes_cause_one_refresh() -> None:
    world = World(processes=5)

    tokens = await asyncio.gather(*(world.centres[number % 5].token(CREDENTIAL) for number in range(50)))

    assert set(tokens) == {"token-1"}
    assert world.gettoken.calls == 1


async def test_a_valid_token_is_used_again() -> None:
    world = World()
    await world.centre.token(CREDENTIAL)
    world.clock.advance(minutes=100)

    assert await world.centre.token(CREDENTIAL) == "token-1"
    assert world.gettoken.calls == 1


async def test_an_expired_token_is_replaced() -> None:
    world = World()
    await world.centre.token(CREDENTIAL)
    world.clock.advance(seconds=7200)

    assert await world.centre.token(CREDENTIAL) == "token-2"


async def test_shortly_before_the_end_one_renews_and_the_others_go_on_with_the_old_token() -> None:
    world = World(processes=3)
    await world.centre.token(CREDENTIAL)
    world.clock.advance(seconds=7200 - EARLY_RENEWAL.total_seconds() + 1)
    world.gettoken.gate = asyncio.Event()

    renewing = asyncio.create_task(world.centres[0].token(CREDENTIAL))
    await asyncio.sleep(0.01)
    others = [await centre.token(CREDENTIAL) for centre in world.centres[1:] for _ in range(5)]
    world.gettoken.gate.set()

    assert set(others) == {"token-1"}
    assert await renewing == "token-2"
    assert await world.centres[1].token(CREDENTIAL) == "token-2"
    assert world.gettoken.calls == 2


async def test_an_early_renewal_that_brings_the_same_token_is_not_tried_with_every_call() -> None:
    world = World(gettoken=Gettoken(same_token=True))
    await world.centre.token(CREDENTIAL)
    world.clock.advance(seconds=7200 - 500)
    world.gettoken.expires_in = 500

    tokens = {await world.centre.token(CREDENTIAL) for _ in range(200)}

    assert tokens == {"token-1"}
    assert world.gettoken.calls == 2


async def test_a_failed_early_renewal_does_not_disturb_the_call() -> None:
    world = World()
    await world.centre.token(CREDENTIAL)
    world.clock.advance(seconds=7200 - 500)
    world.gettoken.failure = WrongSecret(40001, "invalid secret", "gettoken")

    assert await world.centre.token(CREDENTIAL) == "token-1"


async def test_a_wrong_secret_reaches_everybody_who_waits_after_one_call() -> None:
    world = World()
    world.gettoken.failure = WrongSecret(40001, "invalid secret", "gettoken")

    outcomes = await asyncio.gather(*(world.centre.token(CREDENTIAL) for _ in range(50)), return_exceptions=True)

    assert all(isinstance(outcome, WrongSecret) for outcome in outcomes)
    assert world.gettoken.calls == 1


async def test_after_a_failure_the_next_call_may_try_at_once() -> None:
    world = World()
    world.gettoken.failure = WrongSecret(40001, "invalid secret", "gettoken")
    with pytest.raises(WrongSecret):
        await world.centre.token(CREDENTIAL)
    world.gettoken.failure = None

    assert await world.centre.token(CREDENTIAL) == "token-2"


async def test_when_the_refreshing_process_dies_another_takes_over_after_its_reservation() -> None:
    world = World()
    await world.store.begin_refresh(CREDENTIAL, world.clock() + REFRESH_LEASE)

    async def sleep(seconds: float) -> None:
        world.clock.advance(seconds=seconds)
        await asyncio.sleep(0)

    centre = TokenCentre(world.store, world.gettoken, world.clock, sleep)
    started = world.clock()

    assert await centre.token(CREDENTIAL) == "token-1"
    assert REFRESH_LEASE <= world.clock() - started <= REFRESH_LEASE + timedelta(seconds=2)


async def test_waiting_for_another_process_ends_with_an_error_that_may_be_retried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("huitouke.wechat.tokens.WAIT_LIMIT_SECONDS", 0.02)
    world = World()
    await world.store.begin_refresh(CREDENTIAL, world.clock() + REFRESH_LEASE)

    with pytest.raises(TransientError) as caught:
        await world.centre.token(CREDENTIAL)

    assert caught.value.reason is TransportReason.TOKEN_WAIT
    assert world.gettoken.calls == 0


async def test_a_refused_token_is_dropped_but_never_a_newer_one() -> None:
    world = World(processes=2)
    old = await world.centre.token(CREDENTIAL)

    await world.centres[0].invalidate(CREDENTIAL, old)
    new = await world.centres[0].token(CREDENTIAL)
    await world.centres[1].invalidate(CREDENTIAL, old)

    assert await world.centres[1].token(CREDENTIAL) == new == "token-2"
    assert world.gettoken.calls == 2


async def test_a_caller_that_gives_up_does_not_take_the_token_from_the_others() -> None:
    world = World()
    world.gettoken.gate = asyncio.Event()
    impatient = asyncio.create_task(world.centre.token(CREDENTIAL))
    patient = asyncio.create_task(world.centre.token(CREDENTIAL))
    await asyncio.sleep(0.01)

    impatient.cancel()
    world.gettoken.gate.set()

    assert await patient == "token-1"
    assert world.gettoken.calls == 1


async def test_credentials_do_not_share_tokens() -> None:
    world = World()
    other = Credential("wwcorp", "other-secret", key="app-2")

    assert await world.centre.token(CREDENTIAL) != await world.centre.token(other)


def test_neither_secret_nor_token_is_printed() -> None:
    assert "the-app-secret" not in repr(CREDENTIAL)
    assert "abc" not in repr(FetchedToken("abc", 7200))


async def test_a_token_is_read_from_the_store_once_in_half_a_minute_unless_it_is_refused() -> None:
    world = World()
    reads = 0
    read = world.store.read

    async def counted(credential: Credential) -> StoredToken | None:
        nonlocal reads
        reads += 1
        return await read(credential)

    world.store.read = counted  # type: ignore[method-assign]  # how often the store is asked is what it is about
    await world.centre.token(CREDENTIAL)
    before = reads
    for _ in range(10):
        assert await world.centre.token(CREDENTIAL) == "token-1"
    assert reads == before + 1

    await world.centre.invalidate(CREDENTIAL, "token-1")
    assert await world.centre.token(CREDENTIAL) == "token-2"


async def test_another_processes_token_is_taken_up_within_half_a_minute_and_one_of_an_old_secret_never() -> None:
    world = World(processes=2)
    assert await world.centre.token(CREDENTIAL) == "token-1"
    assert await world.centre.token(CREDENTIAL) == "token-1"
    await world.centres[1].invalidate(CREDENTIAL, "token-1")
    assert await world.centres[1].token(CREDENTIAL) == "token-2"

    world.clock.advance(seconds=KNOWN_FOR.total_seconds())
    assert await world.centre.token(CREDENTIAL) == "token-2"

    await world.store.drop(CREDENTIAL, "token-2")
    assert await world.centre.token(replace(CREDENTIAL, secret="another")) == "token-3"
