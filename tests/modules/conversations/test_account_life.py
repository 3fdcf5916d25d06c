"""The life of a connection: authorised, withdrawn, disconnected, deleted; and what happens to its conversations."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select

from huitouke.kernel.audit import AuditEntry
from huitouke.kernel.callbacks.models import CallbackEndpoint
from huitouke.kernel.database import transaction
from huitouke.modules.conversations.models import Conversation
from huitouke.modules.organization.models import AccessToken, WecomApp
from tests.modules.conversations.desk import Desk
from tests.support.http import application, signed_in


@pytest.fixture
async def owner(desk: Desk) -> AsyncIterator[httpx2.AsyncClient]:
    async with signed_in(application(), desk.owner.sign_in_name) as client:
        yield client


async def ok(call: Any, status: int = 200) -> Any:
    answer = await call
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def audited(desk: Desk) -> list[str]:
    async with transaction(desk.context) as ctx:
        return list(await ctx.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


async def test_a_disconnected_account_is_gone_and_its_conversations_can_be_read(
    desk: Desk, owner: httpx2.AsyncClient
) -> None:
    row = await desk.customer_writes("有大一点的吗")
    await desk.hands_over()
    path = f"/api/channel-accounts/{desk.account.id}"
    assert (await ok(owner.get(f"{path}/end"))) == {"open_conversations": 1}

    await ok(owner.delete(path), 204)
    await desk.work()

    assert (await ok(owner.get("/api/channel-accounts")))["items"] == []
    assert (await owner.get(path)).status_code == 404
    shown = await ok(owner.get(f"/api/conversations/{row.id}"))
    assert (shown["state"], shown["waiting_since"], shown["can"]["reply"]["reason"]) == ("closed", None, "closed")
    said = (await ok(owner.get(f"/api/conversations/{row.id}/messages")))["items"]
    assert said[0]["text"] == "有大一点的吗"
    assert said[-1]["content"] == {"event_type": "account_disconnected"}
    assert "conversations.account_disconnected" in await audited(desk)
    (there,) = (await desk.shop.call("kf/account/list"))["account_list"]
    assert there["open_kfid"] == desk.shop.open_kfid, "WeCom keeps it"


async def test_what_was_queued_when_the_account_went_has_failed_and_says_why(
    desk: Desk, owner: httpx2.AsyncClient
) -> None:
    await desk.customer_writes()
    await desk.takes(desk.xiaoyu)
    await desk.says(desk.xiaoyu, "稍等")
    await ok(owner.delete(f"/api/channel-accounts/{desk.account.id}"), 204)
    await desk.work()

    (_, message) = await desk.messages()
    assert (message.state, message.failure_code) == ("failed", "account_disconnected")


async def test_connected_again_it_is_the_same_account_with_its_past(desk: Desk, owner: httpx2.AsyncClient) -> None:
    row = await desk.customer_writes("第一次")
    await ok(owner.delete(f"/api/channel-accounts/{desk.account.id}"), 204)
    body = {"wecom_app_id": str(desk.app_id), "open_kfid": desk.shop.open_kfid}
    (offered,) = await ok(owner.get("/api/channel-accounts/available", params={"wecom_app_id": str(desk.app_id)}))
    assert not offered["adopted"]

    again = await ok(owner.post("/api/channel-accounts/adopt", json=body), 201)

    assert again["id"] == str(desk.account.id)
    assert (await desk.customer_writes("第二次")).id == row.id
    assert [message.text for message in await desk.messages()] == ["第一次", "第二次"]


async def test_deleted_at_wecom_it_is_gone_there_too_and_deleting_what_is_gone_there_works(
    desk: Desk, owner: httpx2.AsyncClient
) -> None:
    made = await ok(owner.post("/api/channel-accounts", json={"wecom_app_id": str(desk.app_id), "name": "售后"}), 201)
    await desk.shop.call("kf/account/del", open_kfid=made["external_id"])
    for account_id in (made["id"], desk.account.id):
        await ok(owner.delete(f"/api/channel-accounts/{account_id}", params={"delete_at_wecom": True}), 204)

    assert (await desk.shop.call("kf/account/list"))["account_list"] == []
    assert "conversations.account_deleted" in await audited(desk)


async def test_an_app_is_deleted_with_its_secrets_once_no_account_hangs_on_it(
    desk: Desk, owner: httpx2.AsyncClient
) -> None:
    await desk.customer_writes()
    app = f"/api/wecom-apps/{desk.app_id}"
    refused = await owner.delete(app)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/organization.wecom_app_in_use")

    await ok(owner.delete(f"/api/channel-accounts/{desk.account.id}"), 204)
    await ok(owner.delete(app), 204)
    await desk.work()

    async with transaction(desk.context) as ctx:
        for table in (WecomApp, AccessToken, CallbackEndpoint):
            assert await ctx.session.scalar(select(func.count()).select_from(table)) == 0, table
        assert await ctx.session.scalar(select(func.count(Conversation.id))) == 1
    assert (await owner.get(app)).status_code == 404
    assert "organization.wecom_app_deleted" in await audited(desk)


async def test_agents_can_delete_neither(desk: Desk) -> None:
    async with signed_in(application(), desk.xiaoyu.sign_in_name) as agent:
        assert (await agent.delete(f"/api/channel-accounts/{desk.account.id}")).status_code == 403
        assert (await agent.delete(f"/api/wecom-apps/{desk.app_id}")).status_code == 403


async def test_an_account_that_wecom_takes_from_the_app_says_so_until_it_is_given_back(
    desk: Desk, owner: httpx2.AsyncClient
) -> None:
    path = f"/api/channel-accounts/{desk.account.id}"
    kf = f"kf-accounts/{desk.shop.open_kfid}"
    await desk.shop.sandbox.patch(kf, {"managed_by": []})

    async def state() -> tuple[str, str | None]:
        shown = await ok(owner.get(path))
        return shown["state"], shown["last_error_code"]

    async def withdrawn() -> bool:
        return await state() == ("failing", "48007")

    await desk.eventually(withdrawn)
    assert "通过API管理微信客服账号" in (await ok(owner.get(path)))["last_error"]

    await desk.shop.sandbox.patch(kf, {"managed_by": [desk.shop.agentid]})

    async def works() -> bool:
        return await state() == ("active", None)

    await desk.eventually(works)


async def test_an_account_that_is_newly_authorised_is_offered(desk: Desk, owner: httpx2.AsyncClient) -> None:
    new = await desk.shop.call("kf/account/list")
    made = await desk.shop.sandbox.post(
        "kf-accounts", {"name": "新账号", "managed_by": [desk.shop.agentid]}, corp_id=desk.shop.corp_id
    )
    assert len(new["account_list"]) == 1

    found = await ok(owner.get("/api/channel-accounts/available", params={"wecom_app_id": str(desk.app_id)}))

    (offered,) = [one for one in found if one["open_kfid"] == made["open_kfid"]]
    assert (offered["manageable"], offered["adopted"]) == (True, False)
