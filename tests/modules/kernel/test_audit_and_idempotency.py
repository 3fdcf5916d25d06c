"""The audit log keeps what happened; idempotency keys keep things from happening twice."""

import asyncio
from datetime import timedelta

import pytest
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from huitouke.kernel import audit, clock, idempotency
from huitouke.kernel.access import Granted
from huitouke.kernel.context import Context
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


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log"])
async def test_the_application_can_not_change_the_audit_log(world: World, statement: str):
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with transaction(world.context) as ctx:
            await ctx.session.execute(text(statement))
