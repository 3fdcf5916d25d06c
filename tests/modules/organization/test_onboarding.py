"""A new owner's way: industry, facts, and answers that are given only once nothing is missing in them."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from huitouke.kernel.database import transaction
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.modules.assistant.models import KnowledgeEntry
from huitouke.modules.conversations.service import PageChange, change_hosted_page, hosted_page
from huitouke.modules.organization.service import NewStaff, add_staff
from tests.support.http import PASSWORD, application, signed_in
from tests.support.new_shop import NewShop, new_shop


@pytest.fixture
async def shop(database: object) -> AsyncIterator[NewShop]:
    async with new_shop() as opened:
        yield opened


async def test_industries_are_offered_and_the_facts_of_the_chosen_one_are_asked(shop: NewShop) -> None:
    begun = (await shop.owner.get("/api/onboarding")).json()
    assert [one["label"] for one in begun["industries"]] == ["餐饮", "电商", "美业", "家政", "教育"]
    assert (begun["industry"], begun["facts"], begun["facts_done"]) == (None, [], False)

    chosen = await shop.chooses("restaurant")
    assert chosen["industry"] == "restaurant"
    assert {"key": "hours", "label": "营业时间", "example": "每天 10:00–21:00", "value": ""} in chosen["facts"]


async def test_what_needs_a_fact_is_answered_from_the_moment_it_is_told_and_never_before(shop: NewShop) -> None:
    await shop.chooses("restaurant")
    assert await shop.answered("几点关门") is None
    assert await shop.answered("订位可以取消吗") is not None, "what every shop says alike is answered at once"

    told = await shop.tells(hours="每天 10:00–21:00")
    assert told["facts_done"]
    assert await shop.answered("几点关门") == "我们的营业时间：每天 10:00–21:00。"

    await shop.tells(hours="周一休息，其余 11:00–20:00")
    assert await shop.answered("几点关门") == "我们的营业时间：周一休息，其余 11:00–20:00。"
    await shop.tells(hours="")
    assert await shop.answered("几点关门") is None, "a fact that was taken away is not told any more"


async def test_a_blank_is_never_told_to_customers_whatever_a_person_does(shop: NewShop) -> None:
    await shop.chooses("restaurant")
    entry = await shop.entry("人均多少钱？")
    assert (entry.state, "【待填：" in entry.answer) == ("off", True)
    path = f"/api/knowledge/entries/{entry.id}"
    refused = await shop.owner.patch(path, json={"state": "on"})
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/assistant.blank_left")
    assert refused.json()["field"] == "answer"

    filled = await shop.owner.patch(path, json={"answer": "人均 60 元左右。", "state": "on"})
    assert filled.status_code == 200
    assert await shop.answered("人均多少钱") == "人均 60 元左右。"


async def test_what_a_person_edited_or_removed_stays_whatever_the_facts_become(shop: NewShop) -> None:
    await shop.chooses("restaurant")
    await shop.tells(hours="每天 10:00–21:00", phone="12345678")
    hours, phone = await shop.entry("几点开门？"), await shop.entry("电话是多少？")
    await shop.owner.patch(f"/api/knowledge/entries/{hours.id}", json={"answer": "睡醒就开。"})
    await shop.owner.delete(f"/api/knowledge/entries/{phone.id}")

    await shop.tells(hours="每天 9:00–22:00", phone="87654321")
    await shop.chooses("restaurant")

    assert await shop.answered("几点关门") == "睡醒就开。"
    assert (await shop.entry("电话是多少？")).deleted_at is not None
    assert "87654321" in (await shop.entry("要排队吗？")).answer, "what nobody touched follows"


async def test_doing_it_again_changes_nothing(shop: NewShop) -> None:
    await shop.chooses("beauty")
    await shop.tells(hours="每天 10:00–21:00")
    before, version = await shop.count(), (await shop.entry("几点营业？")).version
    await shop.chooses("beauty")
    await shop.tells(hours="每天 10:00–21:00")
    assert (await shop.count(), (await shop.entry("几点营业？")).version) == (before, version)


async def test_two_who_choose_at_once_prepare_the_shop_once(shop: NewShop) -> None:
    await asyncio.gather(*(shop.chooses("education") for _ in range(4)))
    alone = await shop.count()
    await shop.chooses("education")
    assert await shop.count() == alone
    async with transaction(shop.context) as ctx:
        questions = list(await ctx.session.scalars(select(KnowledgeEntry.question)))
    assert len(set(questions)) == len(questions)


async def test_another_industry_adds_to_what_is_there_and_takes_nothing_away(shop: NewShop) -> None:
    await shop.chooses("restaurant")
    await shop.tells(hours="每天 10:00–21:00", address="中山路 88 号")
    had = await shop.count()
    chosen = await shop.chooses("ecommerce")
    assert await shop.count() > had
    assert [fact["value"] for fact in chosen["facts"] if fact["key"] == "hours"] == ["每天 10:00–21:00"]
    assert await shop.answered("店在哪里") == "我们的地址：中山路 88 号。"


async def test_a_question_that_the_shop_has_answered_itself_is_not_added(shop: NewShop) -> None:
    own = {"question": "几点开门？", "answer": "睡醒就开。"}
    await shop.owner.post("/api/knowledge/entries", json=own)
    await shop.chooses("restaurant")
    async with transaction(shop.context) as ctx:
        same = await ctx.session.scalars(select(KnowledgeEntry.answer).where(KnowledgeEntry.question == "几点开门？"))
        assert list(same) == ["睡醒就开。"]


@pytest.mark.parametrize(("facts", "reason"), [({"moon": "满"}, "facts"), ({"hours": "长" * 121}, "facts.hours")])
async def test_facts_that_nobody_asks_for_or_that_are_essays_are_refused(
    shop: NewShop, facts: dict[str, str], reason: str
) -> None:
    await shop.chooses("restaurant")
    refused = await shop.owner.put("/api/onboarding/facts", json={"facts": facts})
    assert (refused.status_code, reason.split(".")[0] in refused.json()["field"]) == (422, True)


async def test_facts_need_an_industry_and_an_industry_must_exist(shop: NewShop) -> None:
    assert (await shop.owner.put("/api/onboarding/facts", json={"facts": {"hours": "早"}})).status_code == 422
    assert (await shop.owner.put("/api/onboarding/industry", json={"industry": "moon"})).status_code == 422


async def test_a_fact_is_text_and_can_neither_be_a_template_nor_a_blank(shop: NewShop) -> None:
    await shop.chooses("restaurant")
    await shop.tells(phone="12345678", hours="见门口 {phone}【待填：x】")
    assert await shop.answered("几点关门") == "我们的营业时间：见门口 phone 待填：x。"


async def test_who_does_not_manage_the_shop_sees_and_changes_none_of_it(shop: NewShop) -> None:
    name = f"agent-{new_id().hex}"
    async with transaction(shop.context) as ctx:
        await add_staff(ctx, NewStaff("小雨", name, Secret(PASSWORD), "agent"))
    async with signed_in(application(), name) as agent:
        assert (await agent.get("/api/onboarding")).status_code == 403
        assert (await agent.put("/api/onboarding/industry", json={"industry": "beauty"})).status_code == 403
        assert (await agent.put("/api/simple-mode", json={"simple_mode": False})).status_code == 403


async def test_simple_mode_is_what_a_new_owner_sees_and_one_switch_ends_it(shop: NewShop) -> None:
    me = (await shop.owner.get("/api/session")).json()
    assert me["tenant"]["simple_mode"]
    assert [entry["label"] for entry in me["menu"] if not entry["more"]] == ["今天", "消息", "客户", "活动"]
    assert "settings" in [entry["name"] for entry in me["menu"] if entry["more"]]

    full = await shop.puts("/api/simple-mode", {"simple_mode": False})
    assert [entry["name"] for entry in full["menu"]] == ["conversations", "customers", "assistant", "settings"]
    assert not any(entry["more"] for entry in full["menu"])
    again = await shop.puts("/api/simple-mode", {"simple_mode": True})
    assert again["menu"] == me["menu"]
    noted = [entry["action"] for entry in (await shop.owner.get("/api/audit")).json()["items"]]
    assert noted.count("organization.simple_mode") == 2


async def test_the_facts_open_the_chat_page_with_words_and_questions_that_fit(shop: NewShop) -> None:
    chosen = await shop.chooses("restaurant")
    assert chosen["chat_page"] is None
    told = await shop.tells(hours="每天 10:00–21:00", delivery="3 公里内可以送")
    async with transaction(shop.context) as ctx:
        page = await hosted_page(ctx)
    assert page is not None
    assert (told["chat_page"], page.name, page.is_on) == (page.url, "街角小馆", True)
    assert page.greeting.startswith("您好，欢迎来到街角小馆")
    assert page.questions == ("几点营业？", "可以送外卖吗？"), "only what can be answered is offered"
    for question in page.questions:
        assert await shop.answered(question) is not None


async def test_what_a_person_changed_on_the_page_stays(shop: NewShop) -> None:
    await shop.chooses("restaurant")
    await shop.tells(hours="每天 10:00–21:00")
    async with transaction(shop.context) as ctx:
        await change_hosted_page(ctx, PageChange(name="老馆子", greeting="来啦！", questions=["有座吗？"]))
    await shop.tells(hours="每天 9:00–21:00", address="中山路 88 号")
    async with transaction(shop.context) as ctx:
        page = await hosted_page(ctx)
    assert page is not None
    assert (page.name, page.greeting, page.questions) == ("老馆子", "来啦！", ("有座吗？",))


@pytest.mark.parametrize("industry", ["restaurant", "ecommerce", "beauty", "housekeeping", "education"])
async def test_each_industrys_buttons_on_the_page_are_answered(shop: NewShop, industry: str) -> None:
    asked = (await shop.chooses(industry))["facts"]
    await shop.tells(**{fact["key"]: fact["example"] for fact in asked})
    async with transaction(shop.context) as ctx:
        page = await hosted_page(ctx)
    assert page is not None
    assert len(page.questions) == 4
    unanswered = [question for question in page.questions if await shop.answered(question) is None]
    assert unanswered == []
