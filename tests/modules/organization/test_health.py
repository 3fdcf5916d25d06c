"""How a connection is: what came, what was refused and why, which calls failed, and doing failed work again."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from huitouke.kernel import clock
from huitouke.kernel.callbacks import health
from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.context import Actor, ActorKind, Context
from huitouke.kernel.database import connection, transaction
from huitouke.kernel.ids import new_id
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.service import call_failures
from huitouke.wechat.agent import AgentClient
from huitouke.wechat.errors import WecomError
from tests.modules.conversations.desk import Desk, open_desk
from tests.modules.wechat_sandbox.shop import Sandbox
from tests.support.http import application, signed_in


@pytest.fixture
async def owner(desk: Desk) -> AsyncIterator[httpx2.AsyncClient]:
    call_failures._pending.clear()
    call_failures._written.clear()
    async with signed_in(application(), desk.owner.sign_in_name) as client:
        yield client


async def ok(call: Any) -> Any:
    answer = await call
    assert answer.status_code == 200, answer.text
    return answer.json()


async def health_of(owner: httpx2.AsyncClient, desk: Desk) -> Any:
    return await ok(owner.get(f"/api/wecom-apps/{desk.app_id}/health"))


async def dead(desk: Desk, key: str) -> None:
    """Work that a callback woke has failed for good."""
    async with transaction(desk.context) as ctx:
        raw = await connection(ctx)
        await raw.execute(
            "INSERT INTO work_dead_letters (tenant_id, id, source, kind, key, attempts, error, created_at, died_at)"
            " VALUES ($1, $2, 'wake', 'kf.sync', $3, 8, 'it broke', $4, $4)",
            desk.context.tenant_id,
            new_id(),
            key,
            clock.now(),
        )


async def test_a_connection_that_works_says_what_came_and_nothing_else(desk: Desk, owner: httpx2.AsyncClient) -> None:
    await desk.customer_writes()
    found = await health_of(owner, desk)
    assert [(one["name"], one["count"]) for one in found["events"]] == [("kf_msg_or_event", 1)]
    assert found["last_callback_at"] is not None
    assert (found["refused"], found["calls"], found["failed_work"]) == ([], [], 0)


async def test_what_was_refused_is_counted_by_reason_with_what_to_do(desk: Desk, owner: httpx2.AsyncClient) -> None:
    async with transaction(desk.context) as ctx:
        endpoint = await callbacks.endpoint_of(ctx, desk.app_id)
        for reason in ("bad_signature", "bad_signature", "bad_xml"):
            await callbacks.record_refusal(ctx, endpoint.id, new_id(), reason, clock.now())
    refused = (await health_of(owner, desk))["refused"]
    assert {one["name"]: one["count"] for one in refused} == {"bad_signature": 2, "bad_xml": 1}
    assert all(one["message"] and one["fix"] for one in refused)


async def test_calls_that_failed_are_counted_and_told_in_words(
    desk: Desk, owner: httpx2.AsyncClient, running: tuple[Sandbox, str]
) -> None:
    sandbox = running[0]
    client = AgentClient(await organization.wecom_client(desk.context, desk.app_id))
    await sandbox.faults(api_errcode=50003, api_paths=["agent/get"])
    for _ in range(3):
        with pytest.raises(WecomError):
            await client.get(desk.shop.agentid)
    await sandbox.faults()
    (failed,) = (await health_of(owner, desk))["calls"]
    assert (failed["name"], failed["count"]) == ("agent/get · 50003", 1), "the further two wait for the next write"
    assert "停用" in failed["message"]
    assert failed["fix"]


async def test_a_token_that_is_renewed_is_no_failure(
    desk: Desk, owner: httpx2.AsyncClient, running: tuple[Sandbox, str]
) -> None:
    await running[0].post("faults/expire-tokens", None, corp_id=desk.shop.corp_id)
    await AgentClient(await organization.wecom_client(desk.context, desk.app_id)).get(desk.shop.agentid)
    assert (await health_of(owner, desk))["calls"] == []


async def test_failed_work_of_its_callbacks_is_done_again(desk: Desk, owner: httpx2.AsyncClient) -> None:
    await desk.customer_writes()
    await dead(desk, desk.shop.open_kfid)
    await dead(desk, "wk-of-nobodys-callback")
    assert (await health_of(owner, desk))["failed_work"] == 1

    done = await ok(owner.post(f"/api/wecom-apps/{desk.app_id}/replay-failed"))
    assert done == {"replayed": 1, "left": 0}
    await desk.work()
    assert (await health_of(owner, desk))["failed_work"] == 0
    assert len(await desk.messages()) == 1, "what was done is not done twice"


async def test_of_many_fifty_are_done_at_a_time(desk: Desk, owner: httpx2.AsyncClient) -> None:
    await desk.customer_writes()
    for _ in range(health.REPLAYED_AT_ONCE + 7):
        await dead(desk, desk.shop.open_kfid)
    path = f"/api/wecom-apps/{desk.app_id}/replay-failed"
    assert await ok(owner.post(path)) == {"replayed": health.REPLAYED_AT_ONCE, "left": 7}
    assert await ok(owner.post(path)) == {"replayed": 7, "left": 0}


async def test_who_does_not_see_all_and_neighbours_see_no_failed_work(desk: Desk, running: Any) -> None:
    await desk.customer_writes()
    await dead(desk, desk.shop.open_kfid)
    narrow = Context(desk.context.tenant_id, Actor(ActorKind.STAFF, desk.aning.id))
    async with transaction(narrow) as ctx:
        assert await health.failed_work(ctx, "wecom", desk.app_id) == []
    other = await open_desk(*running)
    async with transaction(other.context) as ctx:
        assert await health.failed_work(ctx, "wecom", desk.app_id) == []
