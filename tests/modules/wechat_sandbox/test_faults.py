"""Switched-on faults of the API, the clock, setup, records."""

import asyncio

import pytest

from tests.modules.wechat_sandbox.shop import Sandbox, Shop


async def test_errors_of_the_servers_strike_only_the_paths_named(shop: Shop, sandbox: Sandbox) -> None:
    await sandbox.faults(api_5xx_probability=1.0, api_paths=["kf/send_msg"])
    path = f"/cgi-bin/kf/send_msg?access_token={shop.token}"
    assert (await sandbox.http.post(path, json={})).status_code == 502
    assert (await shop.sync())["errcode"] == 0


@pytest.mark.parametrize(("switch", "code"), [("api_busy_probability", -1), ("api_rate_limit_probability", 45009)])
async def test_busy_and_rate_limits(shop: Shop, sandbox: Sandbox, switch: str, code: int) -> None:
    await sandbox.faults(**{switch: 1.0})
    assert (await shop.fetch("getcallbackip"))["errcode"] == code


async def test_a_probability_of_one_half_strikes_about_half_of_the_calls(shop: Shop, sandbox: Sandbox) -> None:
    await sandbox.faults(api_busy_probability=0.5)
    codes = [(await shop.fetch("getcallbackip"))["errcode"] for _ in range(60)]
    assert 15 <= codes.count(-1) <= 45


async def test_a_lost_answer_has_taken_effect(shop: Shop, sandbox: Sandbox) -> None:
    await shop.writes()
    await sandbox.faults(api_answer_lost_probability=1.0)
    fields = {"touser": shop.customer, "open_kfid": shop.open_kfid, "msgtype": "text", "text": {"content": "好"}}
    path = f"/cgi-bin/kf/send_msg?access_token={shop.token}"
    assert (await sandbox.http.post(path, json={**fields, "msgid": "m1"})).status_code == 504
    await sandbox.faults()
    assert (await shop.send(msgid="m1"))["errcode"] == 95033
    assert [one["text"] for one in await shop.chat()] == ["有大一点的吗", "好"]


async def test_calls_can_be_slow(shop: Shop, sandbox: Sandbox) -> None:
    await sandbox.faults(api_delay_ms=150)
    started = asyncio.get_running_loop().time()
    await shop.fetch("getcallbackip")
    assert asyncio.get_running_loop().time() - started >= 0.15


async def test_the_published_frequency_is_enforced_when_switched_on(shop: Shop, sandbox: Sandbox) -> None:
    from wechat_sandbox.rates import Rates
    from wechat_sandbox.wecom import dispatch

    await sandbox.faults(api_frequency_limits=True)
    assert (await shop.fetch("getcallbackip"))["errcode"] == 0
    rates = Rates()
    for _ in range(dispatch.CALLS_PER_MINUTE):
        rates.count(("api",), 60, 100.0)
    assert rates.full(("api",), dispatch.CALLS_PER_MINUTE, 60, 159.0)
    assert not rates.full(("api",), dispatch.CALLS_PER_MINUTE, 60, 161.0)


async def test_unknown_switches_and_impossible_values_are_refused(sandbox: Sandbox) -> None:
    assert (await sandbox.http.put("/sandbox/faults", json={"no_such_fault": 1})).status_code == 422
    assert (await sandbox.http.put("/sandbox/faults", json={"api_5xx_probability": 2})).status_code == 422


async def test_the_clock_moves_by_and_to(sandbox: Sandbox) -> None:
    before = (await sandbox.get("clock"))["now"]
    assert (await sandbox.post("clock", {"advance_seconds": 100}))["offset_seconds"] == 100
    assert (await sandbox.post("clock", {"advance_seconds": 50}))["offset_seconds"] == 150
    assert (await sandbox.get("clock"))["now"] - before >= 150
    assert (await sandbox.post("clock", {"offset_seconds": 0}))["offset_seconds"] == 0
    assert await sandbox.refused(sandbox.post("clock", {})) == 422


async def test_setup_twice_changes_nothing(sandbox: Sandbox) -> None:
    wanted = {
        "corp_name": "店",
        "apps": [{"name": "甲"}, {"name": "乙", "agentid": 7, "secret": "known-secret"}],
        "employees": [{"userid": "lin", "name": "林"}],
        "kf_accounts": [{"name": "客服"}],
        "customers": [{"nickname": "阿明"}],
    }
    first = await sandbox.post("setup", wanted)
    assert await sandbox.post("setup", wanted) == first
    assert [(one["agentid"], one["name"]) for one in first["corp"]["apps"]] == [(1_000_002, "甲"), (7, "乙")]
    other = await sandbox.post("setup", {"corp_id": "ww0001", "corp_name": "店"})
    assert other["corp"]["corp_id"] == "ww0001"
    assert len((await sandbox.get("state"))["corps"]) == 2


async def test_what_does_not_exist_is_404_in_the_documented_form(shop: Shop, sandbox: Sandbox) -> None:
    for path in ("customers/wmnone", "employees/none/sessions", "media/none", "corps/none"):
        answer = await sandbox.http.get(f"/sandbox/{path}")
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found"), path


async def test_the_book_holds_every_message_for_reconciliation(shop: Shop, sandbox: Sandbox) -> None:
    await shop.writes("一")
    await shop.send("二")
    await shop.writes("三")
    page = await sandbox.get("records", limit=2)
    assert [(one["source"], one["text"]) for one in page["items"]] == [("customer", "一"), ("api", "二")]
    rest = await sandbox.get("records", after=page["next_after"])
    assert [(one["source"], one["text"]) for one in rest["items"]] == [("customer", "三")]
    assert rest["next_after"] is None
    assert [one["text"] for one in (await sandbox.get("records", source="api"))["items"]] == ["二"]


async def test_every_operation_is_documented(sandbox: Sandbox) -> None:
    document = (await sandbox.http.get("/sandbox/openapi.json")).json()
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert all(path.startswith("/sandbox/") for path in document["paths"])
    assert len({one["operationId"] for one in operations}) == len(operations) >= 40
    assert (await sandbox.http.get("/sandbox/docs")).status_code == 200


async def test_pages_that_are_not_built_say_how_to_build_them(sandbox: Sandbox) -> None:
    for path in ("/", "/desk"):
        page = await sandbox.http.get(path)
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
    for path in ("/../app.py", "/%2e%2e/%2e%2e/app.py", "/nothing.js"):
        assert (await sandbox.http.get(path)).status_code == 404
