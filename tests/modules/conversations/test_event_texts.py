"""What an account says by itself: to who comes, when a servicer takes over, at the end; each code once and in time."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from huitouke.kernel import clock
from huitouke.kernel.database import transaction
from huitouke.modules.conversations import service as conversations
from huitouke.modules.conversations.models import Message
from huitouke.modules.conversations.service.event_texts import answer_event
from tests.modules.conversations.desk import Desk
from tests.modules.conversations.pages import event, page
from tests.support.http import application, signed_in


async def closes(desk: Desk) -> None:
    row = await desk.conversation()
    async with transaction(desk.owner.context) as ctx:
        await conversations.close(ctx, row.id)


async def said(desk: Desk, kind: str) -> list[Message]:
    return [message for message in await desk.messages() if message.content.get("on_event") == kind]


def sent(desk: Desk, kind: str) -> Any:
    async def is_sent() -> bool:
        return [message.state for message in await said(desk, kind)] == ["sent"]

    return is_sent


async def test_a_conversation_that_is_closed_here_ends_with_the_closing_text(desk: Desk) -> None:
    await desk.set_account(closing="感谢光临")
    await desk.customer_writes("谢谢")
    await closes(desk)

    await desk.eventually(sent(desk, "closing"))
    assert [one["text"] for one in await desk.phone()] == ["谢谢", "感谢光临"]
    row = await desk.conversation()
    assert (row.state, row.session_state, await desk.shop.state()) == ("closed", 4, 4)
    assert row.last_preview == "感谢光临"


async def test_a_servicer_says_hello_when_the_session_comes_and_goodbye_when_it_ends(desk: Desk) -> None:
    await desk.set_account(taken="阿宁为您服务", closing="感谢光临")
    await desk.shop.serves("wang")
    await desk.customer_writes("找人工")
    await desk.hands_over("wecom")
    await desk.eventually(sent(desk, "taken"))

    await desk.shop.sandbox.post(desk.shop.desk("end", "wang"))

    await desk.eventually(sent(desk, "closing"))
    assert [one["text"] for one in await desk.phone()] == ["找人工", "阿宁为您服务", "感谢光临"]
    assert {delivery.counted for delivery in await desk.deliveries()} == {False}, "they cost nothing of the window"


async def test_what_is_switched_off_is_kept_but_not_said(desk: Desk) -> None:
    await desk.set_account(closing="感谢光临", closing_on=False, greeting="欢迎", greeting_on=False)
    await desk.shop.enters()
    await desk.customer_writes("谢谢")
    await closes(desk)
    await desk.work()

    assert [one["text"] for one in await desk.phone()] == ["谢谢"]
    assert (desk.account.closing, desk.account.greeting) == ("感谢光临", "欢迎")


async def test_a_text_whose_code_is_over_is_shown_as_not_sent(desk: Desk) -> None:
    await desk.set_account(closing="感谢光临")
    await desk.customer_writes("谢谢")
    await closes(desk)
    await desk.eventually(sent(desk, "closing"))
    row = await desk.conversation()
    async with transaction(desk.context) as ctx:  # once more, as if nobody had worked for a minute
        await answer_event(ctx, row.id, "closing", "CODE", clock.now() - timedelta(seconds=1))
    await desk.work()

    (_, late) = await said(desk, "closing")
    assert (late.state, late.failure_code) == ("failed", "event_code_expired")


async def test_a_code_that_wecom_knows_as_used_is_not_tried_again(desk: Desk) -> None:
    await desk.set_account(closing="感谢光临")
    await desk.customer_writes("谢谢")
    row = await desk.conversation()
    async with transaction(desk.context) as ctx:
        await answer_event(ctx, row.id, "closing", "unknown-code", clock.now() + timedelta(seconds=20))
    await desk.work()

    (message,) = await said(desk, "closing")
    assert (message.state, message.failure_code) == ("failed", "event_code_expired")
    assert [delivery.attempts for delivery in await desk.deliveries()] == [1]


async def test_an_event_that_came_in_too_late_says_that_its_text_was_left_out(desk: Desk) -> None:
    await desk.set_account(greeting="欢迎光临")
    await desk.work()
    async with desk.later(60):
        entered = clock.now() - timedelta(seconds=30)
        await page(desk, [event("e1", "wm-a", "enter_session", at=entered, welcome_code="CODE", scene="x")], "c1")

    (line,) = await desk.messages(lines=True)
    assert (line.content["event_type"], line.content["left_out"]) == ("enter_session", "greeting")


async def test_the_same_page_twice_says_hello_once(desk: Desk) -> None:
    await desk.set_account(greeting="欢迎光临")
    await desk.work()
    entered = event("e1", "wm-a", "enter_session", welcome_code="CODE", scene="x")
    await page(desk, [entered], "c1")
    await page(desk, [entered], "c2")

    assert len(await said(desk, "greeting")) == 1


@pytest.mark.parametrize("kind", ["greeting", "closing", "taken"])
async def test_each_text_is_set_over_http_with_its_switch(desk: Desk, kind: str) -> None:
    path = f"/api/channel-accounts/{desk.account.id}"
    async with signed_in(application(), desk.owner.sign_in_name) as owner:
        assert await patched(owner, path, {kind: " 您好 "}, kind) == ("您好", True)
        assert await patched(owner, path, {f"{kind}_on": False}, kind) == ("您好", False)
        assert await patched(owner, path, {kind: ""}, kind) == ("", False)
        refused = await owner.patch(path, json={kind: "长" * 700})
        assert (refused.status_code, refused.json()["field"]) == (422, kind)


async def patched(owner: httpx2.AsyncClient, path: str, body: dict[str, Any], kind: str) -> tuple[str, bool]:
    answer = await owner.patch(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()[kind], answer.json()[f"{kind}_on"]
