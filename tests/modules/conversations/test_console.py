"""The inbox over HTTP: lists, one conversation, sending, who handles it, accounts; with the rights of each role."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import update

from huitouke.kernel.database import transaction
from huitouke.modules.conversations.models import ChannelAccount, Message
from tests.modules.conversations.desk import Desk, Person
from tests.modules.conversations.pages import customer_text, page
from tests.support.http import application, signed_in


@pytest.fixture
async def xiaoyu(desk: Desk) -> AsyncIterator[httpx2.AsyncClient]:
    async with signed_in(application(), desk.xiaoyu.sign_in_name) as client:
        yield client


@pytest.fixture
async def owner(desk: Desk) -> AsyncIterator[httpx2.AsyncClient]:
    async with signed_in(application(), desk.owner.sign_in_name) as client:
        yield client


async def ok(call: Any, status: int = 200) -> Any:
    answer = await call
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def test_a_conversation_is_listed_opened_taken_answered_and_handed_back(
    desk: Desk, xiaoyu: httpx2.AsyncClient
) -> None:
    row = await desk.customer_writes("有大一点的吗")
    base = f"/api/conversations/{row.id}"

    (listed,) = (await ok(xiaoyu.get("/api/conversations")))["items"]
    assert (listed["id"], listed["last_preview"], listed["unread"]) == (str(row.id), "有大一点的吗", 1)
    detail = await ok(xiaoyu.get(base))
    assert detail["can"]["reply"] == {"allowed": False, "reason": "take_first", "sentence": "先点「我来回」再回复。"}
    assert detail["customer"]["identities"][0]["value"] == desk.shop.customer

    taken = await ok(xiaoyu.post(f"{base}/take"))
    assert taken["staff"] == {"id": str(desk.xiaoyu.id), "name": "小雨"}
    assert taken["can"]["reply"]["allowed"]
    headers = {"Idempotency-Key": "0123456789"}
    sent = await ok(xiaoyu.post(f"{base}/messages", json={"text": "有的"}, headers=headers), 201)
    again = await ok(xiaoyu.post(f"{base}/messages", json={"text": "有的"}, headers=headers), 201)
    assert (sent["id"], sent["state"], sent["client_id"]) == (again["id"], "queued", "0123456789")
    await desk.work()
    shown = (await ok(xiaoyu.get(f"{base}/messages")))["items"]
    assert [(one["sender_kind"], one["text"], one["state"]) for one in shown if one["msgtype"] != "event"] == [
        ("customer", "有大一点的吗", "received"),
        ("agent", "有的", "sent"),
    ]
    assert (await ok(xiaoyu.get("/api/conversations/counts"))) == {"mine": 1, "waiting": 0, "assistant": 0, "open": 1}
    assert (await ok(xiaoyu.post(f"{base}/hand-back")))["handler"] == "assistant"
    paused = await ok(xiaoyu.post(f"{base}/pause-assistant", json={"paused": True, "minutes": 30}))
    assert paused["assistant_paused_until"] is not None
    assert (await ok(xiaoyu.post(f"{base}/close")))["state"] == "closed"
    assert (await ok(xiaoyu.get("/api/conversations", params={"view": "closed"})))["items"][0]["id"] == str(row.id)


async def test_two_agents_over_http_the_second_is_told_who_has_it(desk: Desk, xiaoyu: httpx2.AsyncClient) -> None:
    row = await desk.customer_writes()
    await desk.takes(desk.aning)

    answer = await xiaoyu.post(f"/api/conversations/{row.id}/take")

    problem = answer.json()
    assert answer.status_code == 409
    assert problem["type"] == "/problems/conversations.already_taken"
    assert problem["detail"] == "阿宁已经在接待这位客户了。"
    assert problem["params"]["name"] == "阿宁"


async def test_lists_page_without_gaps_or_doubles_in_every_order(desk: Desk, xiaoyu: httpx2.AsyncClient) -> None:
    await desk.work()
    await page(desk, [customer_text(f"m{n}", f"wm-{n}", f"第 {n} 位") for n in range(7)], "c1")
    for sort in ("newest", "waiting"):
        seen: list[str] = []
        cursor: str | None = None
        while True:
            query = {"sort": sort, "limit": "3", **({"cursor": cursor} if cursor else {})}
            got = await ok(xiaoyu.get("/api/conversations", params=query))
            seen += [row["id"] for row in got["items"]]
            cursor = got["next_cursor"]
            if cursor is None:
                break
        assert len(seen) == len(set(seen)) == 7


async def test_messages_page_backwards(desk: Desk, xiaoyu: httpx2.AsyncClient) -> None:
    await desk.work()
    await page(desk, [customer_text(f"m{n}", "wm-a", f"第 {n} 句") for n in range(5)], "c1")
    row = await desk.conversation("wm-a")
    path = f"/api/conversations/{row.id}/messages"

    newest = await ok(xiaoyu.get(path, params={"limit": 2}))
    older = await ok(xiaoyu.get(path, params={"limit": 3, "before_seq": newest["items"][0]["seq"]}))

    assert [one["text"] for one in older["items"] + newest["items"]] == [f"第 {n} 句" for n in range(5)]
    assert (newest["has_more"], older["has_more"]) == (True, False)


async def test_a_search_finds_names_remarks_and_last_words(desk: Desk, xiaoyu: httpx2.AsyncClient) -> None:
    row = await desk.customer_writes("想买亚麻衬衫")
    customer_id = (await ok(xiaoyu.get(f"/api/conversations/{row.id}")))["customer"]["id"]
    await ok(xiaoyu.patch(f"/api/customers/{customer_id}", json={"remark": "周老板"}))

    for q, found in (("亚麻", 1), ("周老", 1), ("羽绒", 0)):
        assert len((await ok(xiaoyu.get("/api/conversations", params={"q": q})))["items"]) == found


async def test_a_failed_message_says_why_in_the_persons_language(desk: Desk, xiaoyu: httpx2.AsyncClient) -> None:
    row = await desk.customer_writes()
    async with transaction(desk.context) as ctx:
        await ctx.session.execute(update(Message).values(state="failed", failure_code="send_fail.10"))
    path = f"/api/conversations/{row.id}/messages"

    (message,) = (await ok(xiaoyu.get(path)))["items"]
    assert message["failure"] == {"code": "send_fail.10", "sentence": "客户拒收了消息。"}
    await ok(xiaoyu.patch("/api/session", json={"locale": "en"}))
    (message,) = (await ok(xiaoyu.get(path)))["items"]
    assert message["failure"]["sentence"] == "The customer rejects messages."


async def test_agents_may_not_change_accounts(desk: Desk, xiaoyu: httpx2.AsyncClient) -> None:
    assert (await xiaoyu.patch(f"/api/channel-accounts/{desk.account.id}", json={"name": "新名字"})).status_code == 403
    assert (await xiaoyu.get("/api/channel-accounts")).status_code == 200


async def test_an_account_is_made_linked_staffed_and_checked(desk: Desk, owner: httpx2.AsyncClient) -> None:
    made = await ok(owner.post("/api/channel-accounts", json={"wecom_app_id": str(desk.app_id), "name": "售后"}), 201)
    path = f"/api/channel-accounts/{made['id']}"
    link = await ok(owner.post(f"{path}/link"))
    assert "/kf/" in link["url"]
    assert (await ok(owner.get(path)))["link"] == link["url"]
    added = await ok(owner.post(f"{path}/servicers", json={"userids": ["lin", "nobody"]}))
    assert [(one["userid"], one["name"], one["receiving"], bool(one["problem"])) for one in added] == [
        ("lin", "小雨", True, False),
        ("nobody", None, False, True),
    ]
    changed = await ok(owner.patch(path, json={"name": "售后服务", "greeting": "您好", "handover_to": "wecom"}))
    assert (changed["name"], changed["greeting"], changed["handover_to"]) == ("售后服务", "您好", "wecom")
    checks = (await ok(owner.post(f"{path}/check")))["checks"]
    assert [(check["name"], check["state"]) for check in checks] == [
        ("account", "ok"),
        ("servicers", "ok"),
        ("callback", "waiting"),
    ]
    available = await ok(owner.get("/api/channel-accounts/available", params={"wecom_app_id": str(desk.app_id)}))
    assert all(one["adopted"] for one in available)
    twice = await owner.post(
        "/api/channel-accounts/adopt", json={"wecom_app_id": str(desk.app_id), "open_kfid": made["external_id"]}
    )
    assert (twice.status_code, twice.json()["type"]) == (409, "/problems/conversations.account_exists")


async def test_what_wecom_called_is_listed_and_can_be_replayed(desk: Desk, owner: httpx2.AsyncClient) -> None:
    await desk.customer_writes()

    page = await ok(owner.get(f"/api/wecom-apps/{desk.app_id}/callbacks"))

    (called,) = page["items"]
    assert (called["state"], called["event"], called["reason"]) == ("accepted", "kf_msg_or_event", None)
    assert (await ok(owner.post(f"/api/callbacks/{called['id']}/replay"))) == {"woken": True}
    await desk.work()
    assert len(await desk.messages()) == 1
    (check,) = [c for c in (await ok(owner.post(f"/api/wecom-apps/{desk.app_id}/check")))["checks"] if c["fix"] == ""][
        -1:
    ]
    assert (check["name"], check["state"]) == ("callback", "ok")


async def test_a_secret_that_was_changed_is_explained_in_plain_words(desk: Desk, owner: httpx2.AsyncClient) -> None:
    app = f"apps/{desk.shop.agentid}"
    await desk.shop.sandbox.patch(app, {"secret": "another-secret-of-the-app-3"}, corp_id=desk.shop.corp_id)
    async with transaction(desk.context) as ctx:
        await ctx.session.execute(update(ChannelAccount).values(state="failing", last_error_code="40001"))

    shown = await ok(owner.get(f"/api/channel-accounts/{desk.account.id}"))
    assert "Secret" in shown["last_error"]
    (first, second, *_) = (await ok(owner.post(f"/api/wecom-apps/{desk.app_id}/check")))["checks"]
    assert (first["name"], first["state"], second["state"]) == ("credentials", "failed", "waiting")
    assert "Secret" in first["fix"]


async def test_what_another_tenant_has_does_not_exist(desk: Desk, running: Any, xiaoyu: httpx2.AsyncClient) -> None:
    from tests.modules.conversations.desk import open_desk

    other = await open_desk(*running)
    row = await other.customer_writes()

    for path in ("", "/messages"):
        assert (await xiaoyu.get(f"/api/conversations/{row.id}{path}")).status_code == 404
    assert (await xiaoyu.post(f"/api/conversations/{row.id}/take")).status_code == 404


async def test_a_person_without_the_right_sees_nothing(desk: Desk) -> None:
    stranger: Person = desk.xiaoyu
    async with signed_in(application(), stranger.sign_in_name) as client:
        await client.delete("/api/session")
        assert (await client.get("/api/conversations")).status_code == 401
