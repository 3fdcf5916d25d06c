"""The audit log keeps what happened; idempotency keys keep things from happening twice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import httpx2
import pytest
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from huitouke.kernel import audit, clock, idempotency
from huitouke.kernel.access import Granted
from huitouke.kernel.context import Actor, ActorKind, Context
from huitouke.kernel.database import transaction
from huitouke.kernel.idempotency import KeyReused
from huitouke.kernel.ids import new_id
from huitouke.kernel.modules import Module, assemble
from tests.support.http import application, make_account, signed_in
from tests.support.world import World


class Order(BaseModel):
    amount_fen: int


class Receipt(BaseModel):
    number: str


def counting() -> tuple[list[str], "idempotency.Callable[[], idempotency.Awaitable[Receipt]]"]:
    made: list[str] = []

    async def produce() -> Receipt:
        await asyncio.sleep(0.05)
        made.append(new_id().hex)
        return Receipt(number=made[-1])

    return made, produce


async def order(world: World, key: str | None, produce, amount_fen: int = 100) -> Receipt:
    async with transaction(world.context) as ctx:
        return await idempotency.once(
            ctx, key, "test.order", produce, returns=Receipt, request=Order(amount_fen=amount_fen)
        )


async def test_the_same_key_gives_the_first_answer_again(world: World):
    made, produce = counting()
    first, again = await order(world, "key-00001", produce), await order(world, "key-00001", produce)
    assert first == again
    assert len(made) == 1


async def test_requests_at_the_same_time_do_it_once(world: World):
    made, produce = counting()
    receipts = await asyncio.gather(*(order(world, "key-00002", produce) for _ in range(5)))
    assert len(made) == 1
    assert len({receipt.number for receipt in receipts}) == 1


async def test_a_failed_first_attempt_leaves_the_key_free(world: World):
    made, produce = counting()

    async def failing() -> Receipt:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        await order(world, "key-00003", failing)
    assert (await order(world, "key-00003", produce)).number == made[0]


async def test_the_key_of_another_request_is_refused(world: World):
    _, produce = counting()
    await order(world, "key-00004", produce, amount_fen=100)
    with pytest.raises(KeyReused):
        await order(world, "key-00004", produce, amount_fen=200)


async def test_a_key_is_forgotten_after_a_week(world: World):
    _, produce = counting()
    await order(world, "key-00005", produce)
    try:
        clock.set_offset(timedelta(days=8).total_seconds())
        await order(world, "key-00006", produce)
    finally:
        clock.set_offset(0)
    async with transaction(world.context) as ctx:
        left = (await ctx.session.execute(text("SELECT key FROM idempotency_keys"))).scalars().all()
    assert left == ["key-00006"]


async def test_without_a_key_nothing_is_remembered(world: World):
    made, produce = counting()
    await order(world, None, produce)
    await order(world, None, produce)
    assert len(made) == 2


async def test_the_audit_log_shows_who_changed_what_newest_first(world: World):
    account = await make_account(world)
    staff_id = new_id()

    async def resolver(ctx: Context, user_id: object) -> Granted | None:
        return Granted(staff_id, "小林", "owner", frozenset({"audit.view"}))

    for number in range(3):
        async with transaction(world.context) as ctx:
            await audit.record(
                ctx, "shelf.changed", "book", "b1", before={"pages": number}, after={"at": ctx.tenant_id}
            )
    async with transaction(world.context) as ctx:
        await audit.record(ctx, "shelf.burnt", "shelf", new_id())

    async with signed_in(
        application(assemble([Module(name="people", access_resolver=resolver)])), account.sign_in_name
    ) as browser:
        first = (await browser.get("/api/audit", params={"limit": 2, "object_kind": "book"})).json()
        second = (
            await browser.get("/api/audit", params={"cursor": first["next_cursor"], "object_kind": "book"})
        ).json()
        everything = (await browser.get("/api/audit")).json()

    assert [entry["before"]["pages"] for entry in first["items"] + second["items"]] == [2, 1, 0]
    assert second["next_cursor"] is None
    assert everything["items"][0]["action"] == "shelf.burnt"
    assert everything["items"][0]["actor_kind"] == "job"


@asynccontextmanager
async def auditor(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser of somebody who may read the log, and nothing else."""
    account = await make_account(world)

    async def resolver(ctx: Context, user_id: object) -> Granted | None:
        return Granted(new_id(), "小林", "owner", frozenset({"audit.view"}))

    app = application(assemble([Module(name="people", access_resolver=resolver)]))
    async with signed_in(app, account.sign_in_name) as browser:
        yield browser


async def noted(world: World, action: str, *, by: UUID | None = None) -> None:
    actor = Actor(ActorKind.STAFF, id=by) if by else Actor(ActorKind.JOB)
    async with transaction(world.context.acting_as(actor)) as ctx:
        await audit.record(ctx, action, "book", "b1", after={"name": "山海经"})


def actions(answer: httpx2.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [entry["action"] for entry in answer.json()["items"]]


async def test_the_audit_log_can_be_narrowed_to_a_person_and_a_period(world: World):
    xiaolin = new_id()
    before = clock.now()
    await noted(world, "book.bought", by=xiaolin)
    await asyncio.sleep(0.005)
    between = clock.now()
    await noted(world, "book.read", by=xiaolin)
    await noted(world, "book.dusted")

    async with auditor(world) as browser:

        async def found(**wanted: object) -> list[str]:
            return actions(await browser.get("/api/audit", params={name: str(value) for name, value in wanted.items()}))

        assert await found(actor_id=xiaolin) == ["book.read", "book.bought"]
        assert await found(actor_id=new_id()) == []
        assert await found(since=before.isoformat(), until=between.isoformat()) == ["book.bought"]
        assert await found(actor_id=xiaolin, since=between.isoformat()) == ["book.read"]
        assert await found(since="0001-01-01T00:00:00Z", until="9999-12-31T23:59:59Z") == [
            "book.dusted",
            "book.read",
            "book.bought",
        ]
        assert (await browser.get("/api/audit", params={"since": "yesterday"})).status_code == 422
        assert (await browser.get("/api/audit", params={"since": "2026-11-21T08:00:00"})).status_code == 422, "no zone"


async def test_who_takes_the_audit_log_out_is_in_it(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(audit, "EXPORT_LIMIT", 2)
    for number in range(3):
        await noted(world, f"book.read_{number}")

    async with auditor(world) as browser:
        export = (await browser.post("/api/audit/exports", params={"object_kind": "book"})).json()
        assert ([one["action"] for one in export["items"]], export["more"]) == (["book.read_2", "book.read_1"], True)
        newest = (await browser.get("/api/audit")).json()["items"][0]

    assert (newest["action"], newest["actor_kind"]) == ("kernel.audit_exported", "staff")
    assert newest["after"] == {"object_kind": "book", "entries": 2}


async def test_nobody_takes_out_the_entries_of_another_merchant(
    world: World, another_world: Callable[[], Awaitable[World]]
):
    await noted(await another_world(), "book.secret")
    async with auditor(world) as browser:
        assert actions(await browser.post("/api/audit/exports")) == []


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log"])
async def test_the_application_can_not_change_the_audit_log(world: World, statement: str):
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with transaction(world.context) as ctx:
            await ctx.session.execute(text(statement))
