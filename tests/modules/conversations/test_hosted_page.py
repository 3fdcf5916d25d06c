"""A shop's own chat page: a visitor writes, is answered by the assistant and by people, live, and comes back."""

from collections.abc import AsyncIterator

import pytest

from huitouke.app import create_app
from huitouke.kernel.database import Database, transaction
from huitouke.kernel.modules import load_modules
from huitouke.kernel.settings import get_settings
from huitouke.modules.conversations import service as conversations
from huitouke.modules.conversations.service.visiting import MESSAGES_OF_VISITOR
from huitouke.services import Role
from tests.modules.wechat_sandbox.shop import serving
from tests.support.time import later, today
from tests.support.visitors import PageShop, page_shop

QUESTION = "有大一点的吗"
ANSWER = "3XL"
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\u202egnp.exe",
    "👨‍👩‍👧‍👦🏳️‍🌈",
    "a\u0301" * 200,
    "'; DROP TABLE messages; --",
    "{{7*7}}",
)


@pytest.fixture(scope="module")
async def address(database: Database) -> AsyncIterator[str]:
    async with serving(create_app(get_settings(), load_modules(), [Role.REALTIME])) as at:
        yield at


@pytest.fixture
async def shop(address: str) -> AsyncIterator[PageShop]:
    async with page_shop(address) as opened:
        yield opened
    await today()


async def test_a_visitor_is_answered_from_the_shops_knowledge_without_any_account_of_wechat(shop: PageShop) -> None:
    async with shop.visitor() as visitor:
        begun = await visitor.visits()
        assert (begun["page"]["name"], begun["chat"], begun["messages"]) == ("拾光衣橱", None, [])
        sent = await visitor.writes(QUESTION)
        async with visitor.listens() as socket:
            await shop.settle()
            answer = await visitor.hears(socket, ANSWER)

    assert (answer["by"], answer["ai"], answer["client_id"]) == ("assistant", True, None)
    assert "【AI 助手】" not in answer["text"], "the page shows the mark itself"
    assert sent["message"]["by"] == "visitor"
    (row,) = await shop.rows()
    assert (row["channel_account"]["kind"], row["handler"]) == ("website", "assistant")
    assert row["customer"]["name"].startswith("访客 ")


async def test_opening_the_page_stores_nobody(shop: PageShop) -> None:
    async with shop.visitor() as visitor:
        await visitor.visits()
        await visitor.visits()
    assert await shop.rows() == []


async def test_who_comes_back_finds_the_conversation_and_somebody_else_does_not(shop: PageShop) -> None:
    async with shop.visitor() as visitor, shop.visitor() as other:
        await visitor.visits()
        await visitor.writes(QUESTION)
        await shop.settle()
        again = await visitor.visits()
        elsewhere = await other.visits()
    assert [one["by"] for one in again["messages"]] == ["visitor", "assistant"]
    assert (elsewhere["chat"], elsewhere["messages"]) == (None, [])


async def test_the_same_client_id_again_is_the_same_message(shop: PageShop) -> None:
    async with shop.visitor() as visitor:
        await visitor.visits()
        first = await visitor.writes("在吗", "once-only-1")
        again = await visitor.writes("在吗", "once-only-1")
        assert first["message"] == again["message"]
        assert [one["client_id"] for one in await visitor.reads()] == ["once-only-1"]


async def test_a_client_id_of_one_visitor_names_nothing_of_another(shop: PageShop) -> None:
    async with shop.visitor() as one, shop.visitor() as other:
        await one.visits()
        await other.visits()
        await one.writes("我的", "the-same-id")
        sent = await other.writes("你的", "the-same-id")
    assert sent["message"]["text"] == "你的"
    assert len(await shop.rows()) == 2


async def test_a_colleague_takes_over_and_answers_live(shop: PageShop) -> None:
    async with shop.visitor() as visitor:
        await visitor.visits()
        await visitor.writes("我要人工")
        await shop.settle()
        (row,) = await shop.rows()
        assert (await visitor.visits())["chat"]["waiting"] is True
        async with visitor.listens() as socket:
            place = f"/api/conversations/{row['id']}"
            assert (await shop.owner.post(f"{place}/take")).status_code == 200
            await visitor.hears(socket, "taken")
            reply = await shop.owner.post(f"{place}/messages", json={"text": "您好，我是店长"})
            assert reply.status_code == 201, reply.text
            await shop.settle()
            heard = await visitor.hears(socket, "您好，我是店长")
    assert (heard["by"], heard["ai"]) == ("person", False)
    assert visitor.chat is not None
    assert (visitor.chat["with_person"], visitor.chat["waiting"]) == (True, False)
    assert "店长" not in str({key: value for key, value in heard.items() if key != "text"}), "no names of colleagues"


async def test_what_was_missed_comes_once_in_order_and_equals_what_is_fetched(shop: PageShop) -> None:
    async with shop.visitor() as visitor:
        await visitor.visits()
        await visitor.writes("在吗")
        async with visitor.listens() as socket:
            await shop.settle()
            await visitor.hears(socket, "在")
        for text in ("第二句", "第三句"):
            await visitor.writes(text)
            await shop.settle()
        async with visitor.listens() as socket:
            await visitor.writes("最后一句")
            await visitor.hears(socket, "最后一句")
        kept = sorted(visitor.said.values(), key=lambda one: one["seq"])
        assert kept == await visitor.reads()


async def test_somebody_who_gave_up_the_socket_reads_on_from_a_number(shop: PageShop) -> None:
    async with shop.visitor() as visitor:
        await visitor.visits()
        sent = await visitor.writes(QUESTION)
        await shop.settle()
        missed = await visitor.reads(after=sent["chat"]["seq"])
        assert [one["by"] for one in missed] == ["assistant"]
        older = await visitor.reads(before=missed[0]["seq"])
        assert [one["text"] for one in older] == [QUESTION]


async def test_who_writes_after_the_end_opens_the_conversation_again(shop: PageShop) -> None:
    async with shop.visitor() as visitor:
        await visitor.visits()
        await visitor.writes(QUESTION)
        await shop.settle()
        (row,) = await shop.rows()
        await shop.owner.post(f"/api/conversations/{row['id']}/take")
        assert (await shop.owner.post(f"/api/conversations/{row['id']}/close")).status_code == 200
        assert (await visitor.visits())["chat"]["open"] is False
        assert ("shop", "closed") in await visitor.texts()
        await visitor.writes("还有一个问题")
        assert (await visitor.visits())["chat"]["open"] is True


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_text(shop: PageShop, text: str) -> None:
    async with shop.visitor() as visitor:
        await visitor.visits()
        sent = await visitor.writes(text)
    assert sent["message"]["text"] == text
    (row,) = await shop.rows()
    stored = await shop.owner.get(f"/api/conversations/{row['id']}/messages")
    assert stored.json()["items"][0]["text"] == text


@pytest.mark.parametrize("text", ["", "   ", "长" * 1_001, "x" * 100_000])
async def test_nothing_and_too_much_are_refused_with_the_reason(shop: PageShop, text: str) -> None:
    async with shop.visitor() as visitor:
        await visitor.visits()
        answer = await visitor.posts(text)
        assert answer.status_code == 422, answer.text
        assert answer.json()["type"].startswith("/problems/invalid_input")
    assert await shop.rows() == []


async def test_a_flood_is_told_to_wait_and_costs_the_shop_nothing(shop: PageShop) -> None:
    async with shop.visitor() as visitor:
        await visitor.visits()
        answers = [await visitor.posts(f"第 {number} 条") for number in range(MESSAGES_OF_VISITOR.times + 3)]
        codes = [answer.status_code for answer in answers]
        assert codes == [201] * MESSAGES_OF_VISITOR.times + [429] * 3
        assert answers[-1].json()["detail"].startswith("发得太快了")
        assert int(answers[-1].headers["Retry-After"]) >= 1
        await later(61)
        assert (await visitor.posts("过了一分钟")).status_code == 201


async def test_a_page_that_is_off_says_so_kindly_and_opens_again_at_its_old_address(shop: PageShop) -> None:
    async with shop.visitor() as visitor:
        await visitor.visits()
        await visitor.writes(QUESTION)
        off = await shop.owner.patch("/api/hosted-page", json={"is_on": False})
        assert off.json()["is_on"] is False
        for answer in (
            await visitor.client.post(f"{visitor.place}/visit"),
            await visitor.client.get(f"{visitor.place}/messages"),
            await visitor.posts("在吗"),
        ):
            assert (answer.status_code, answer.json()["type"]) == (403, "/problems/conversations.page_off")
            assert answer.json()["detail"] == "拾光衣橱的在线客服暂时休息，请稍后再来。"
        await shop.owner.patch("/api/hosted-page", json={"is_on": True})
        assert [one["by"] for one in (await visitor.visits())["messages"]] == ["visitor"]


async def test_a_shop_has_one_page_however_often_it_is_opened(shop: PageShop) -> None:
    again = await shop.owner.post("/api/hosted-page", json={"name": "另一个名字"})
    assert again.status_code == 201, again.text
    assert (again.json()["name"], again.json()["path"]) == ("拾光衣橱", shop.page.path)
    listed = (await shop.owner.get("/api/channel-accounts")).json()["items"]
    assert [(one["kind"], one["channel"], one["wecom"]) for one in listed] == [("website", "网页客服", False)]


async def test_what_stands_on_the_page_can_be_changed(shop: PageShop) -> None:
    wanted = {
        "name": "拾光小店",
        "greeting": "欢迎",
        "color": "#AA3300",
        "questions": ["怎么退货", " 怎么退货 ", "", "有实体店吗"],
        "record_number": "沪ICP备00000000号",
    }
    changed = await shop.owner.patch("/api/hosted-page", json=wanted)
    assert changed.status_code == 200, changed.text
    async with shop.visitor() as visitor:
        page = (await visitor.visits())["page"]
    assert page["questions"] == ["怎么退货", "有实体店吗"]
    assert (page["name"], page["greeting"], page["color"]) == ("拾光小店", "欢迎", "#aa3300")
    assert page["record_number"] == "沪ICP备00000000号"


@pytest.mark.parametrize(
    "wrong",
    [{"color": "red"}, {"color": "#12345g"}, {"questions": ["1", "2", "3", "4", "5"]}, {"name": "   "}],
)
async def test_what_can_not_stand_on_a_page_is_refused(shop: PageShop, wrong: dict[str, object]) -> None:
    assert (await shop.owner.patch("/api/hosted-page", json=wrong)).status_code == 422


async def test_a_page_whose_account_was_disconnected_is_gone_and_comes_back_with_its_people(shop: PageShop) -> None:
    async with shop.visitor() as visitor:
        await visitor.visits()
        await visitor.writes(QUESTION)
        ended = await shop.owner.delete(f"/api/channel-accounts/{shop.page.account_id}")
        assert ended.status_code == 204, ended.text
        gone = await visitor.client.post(f"{visitor.place}/visit")
        assert (gone.status_code, gone.json()["type"]) == (404, "/problems/visitors.page_gone")
        async with transaction(shop.world.context) as ctx:
            again = await conversations.open_hosted_page(ctx, name="又来了")
        assert again.code == shop.page.code
        assert (await visitor.visits())["messages"] != []
