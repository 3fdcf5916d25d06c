"""Today: sentences with one button each, said because of what is there and gone when it is done."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest

from huitouke.kernel import clock
from huitouke.kernel.database import transaction
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.modules.assistant.reply.outcome import Outcome
from huitouke.modules.assistant.service.traces import build_trace, write_traces
from huitouke.modules.customers import service as customers
from huitouke.modules.organization.service import NewStaff, add_staff
from tests.support.http import PASSWORD, application, signed_in
from tests.support.new_shop import NewShop, new_shop
from tests.support.plans import give_plan, make_plan


@pytest.fixture
async def shop(database: object) -> AsyncIterator[NewShop]:
    async with new_shop() as opened:
        yield opened


@pytest.fixture
def calendar() -> Iterator[None]:
    yield
    clock.set_offset(0)


async def lines(shop: NewShop) -> dict[str, dict[str, Any]]:
    answer = await shop.owner.get("/api/today")
    assert answer.status_code == 200, answer.text
    return {line["name"]: line for line in answer.json()["lines"]}


async def asked(shop: NewShop, question: str, outcome: Outcome) -> None:
    async with transaction(shop.context) as ctx:
        await write_traces(ctx, [build_trace(new_id(), outcome, question=question)])


NO_ANSWER = Outcome("asked_colleague", "nothing_found", "稍等", counts_as_failed=True)
ANSWERED = Outcome("answered", "knowledge", "有的")


async def test_a_new_owner_is_led_one_step_after_the_other(shop: NewShop) -> None:
    begun = await lines(shop)
    assert list(begun) == ["start"]
    assert (begun["start"]["path"], begun["start"]["button"]) == ("/start", "开始")

    await shop.chooses("restaurant")
    assert next(iter(await lines(shop))) == "facts"

    await shop.tells(hours="每天 10:00–21:00", address="中山路 88 号", phone="1", signature="鱼", delivery="有")
    told = await lines(shop)
    assert "facts" not in told
    assert told["facts_left"]["text"].startswith("还有 2 项")
    await shop.tells(booking="打电话", parking="门口")
    assert "facts_left" not in await lines(shop)


async def test_a_question_without_an_answer_is_said_until_somebody_writes_the_answer(shop: NewShop) -> None:
    for question in ("有宠物位吗", "有宠物位吗？", "能开生日会吗"):
        await asked(shop, question, NO_ANSWER)
    await asked(shop, "我要投诉", Outcome("handed_over", "asked_for_person", None, hand_over=True))
    assert (await lines(shop))["unanswered"]["text"].startswith("有 2 个问题")

    listed = (await shop.owner.get("/api/knowledge/questions")).json()["unanswered"]
    assert [(one["question"], one["times"]) for one in listed] == [("有宠物位吗？", 2), ("能开生日会吗", 1)]
    await shop.owner.post("/api/knowledge/entries", json={"question": "有宠物位吗？", "answer": "靠窗两桌可以。"})
    assert (await lines(shop))["unanswered"]["text"].startswith("有 1 个问题")
    await shop.owner.post("/api/knowledge/entries", json={"question": "能开生日会吗", "answer": "可以。"})
    assert "unanswered" not in await lines(shop)


@pytest.mark.usefixtures("calendar")
async def test_a_question_of_last_week_is_no_news(shop: NewShop) -> None:
    await asked(shop, "有宠物位吗", NO_ANSWER)
    clock.set_offset(timedelta(days=7, minutes=1).total_seconds())
    assert "unanswered" not in await lines(shop)


async def test_answers_with_blanks_are_asked_for_and_listed(shop: NewShop) -> None:
    await shop.chooses("restaurant")
    before = (await shop.owner.get("/api/knowledge/questions")).json()["blanks"]
    assert (await lines(shop))["blanks"]["text"].startswith(f"有 {len(before)} 个")
    assert "电话是多少？" not in [entry["question"] for entry in before], "a fact is asked for on its own page"
    assert all("【待填" in entry["answer"] and entry["state"] == "off" for entry in before)
    body = {"answer": "人均 60 元左右。", "state": "on"}
    entry = next(entry for entry in before if entry["question"] == "人均多少钱？")
    await shop.owner.patch(f"/api/knowledge/entries/{entry['id']}", json=body)
    assert len((await shop.owner.get("/api/knowledge/questions")).json()["blanks"]) == len(before) - 1


async def test_what_the_assistant_answered_since_yesterday_is_good_news_and_greetings_are_none(shop: NewShop) -> None:
    await asked(shop, "你好", Outcome("answered", "small_talk_greeting", "您好"))
    assert "answered" not in await lines(shop)
    await asked(shop, "几点开门", ANSWERED)
    said = (await lines(shop))["answered"]
    assert (said["text"], said["tone"]) == ("从昨天到现在，助手替您答了 1 个问题。", "good")


@pytest.mark.usefixtures("calendar")
@pytest.mark.parametrize(
    ("days", "name"), [(0, "nobody_wrote_1"), (2, "nobody_wrote_3"), (6, "nobody_wrote_7"), (10, None)]
)
async def test_in_the_first_week_a_page_that_nobody_has_written_on_is_noticed(
    shop: NewShop, days: int, name: str | None
) -> None:
    assert not any(each.startswith("nobody") for each in await lines(shop)), "there is no page to write on yet"
    await shop.chooses("restaurant")
    await shop.tells()
    clock.set_offset(timedelta(days=days).total_seconds())
    assert [each for each in await lines(shop) if each.startswith("nobody")] == ([name] if name else [])


@pytest.mark.usefixtures("calendar")
@pytest.mark.parametrize(("days", "name"), [(2, "week_3"), (6, "week_7")])
async def test_on_the_third_and_seventh_day_the_owner_is_told_how_it_went(shop: NewShop, days: int, name: str) -> None:
    await asked(shop, "几点开门", ANSWERED)
    await asked(shop, "有宠物位吗", NO_ANSWER)
    clock.set_offset(timedelta(days=days).total_seconds())
    said = (await lines(shop))[name]
    assert "答了 1 个问题，还有 1 个等您来教" in said["text"]


async def test_customers_who_have_not_come_for_a_month_are_counted_and_listed(shop: NewShop) -> None:
    now = clock.now()
    async with transaction(shop.context) as ctx:
        known = await customers.find_or_create_many(ctx, "external_userid", "ww1", ["new", "month", "year", "never"])
        seen = {"new": timedelta(days=1), "month": timedelta(days=31), "year": timedelta(days=365)}
        await customers.note_seen(ctx, {known[name]: now - ago for name, ago in seen.items()})
    said = (await lines(shop))["quiet_customers"]
    assert (said["text"], said["path"]) == ("有 1 位老客 30 天没来了。", "/customers?quiet=30")
    listed = (await shop.owner.get("/api/customers", params={"quiet_days": 30})).json()["items"]
    assert [row["id"] for row in listed][:2] == [str(known["month"]), str(known["year"])]
    assert str(known["new"]) not in [row["id"] for row in listed]


async def test_a_plan_that_ends_soon_is_said_and_one_that_goes_on_is_not(shop: NewShop) -> None:
    tenant_id, plan_id = shop.context.tenant_id, await make_plan("assistant")
    await give_plan(tenant_id, plan_id, clock.now() + timedelta(days=20))
    assert "plan_ends" not in await lines(shop)
    await give_plan(tenant_id, plan_id, clock.now() + timedelta(days=3, minutes=5))
    assert (await lines(shop))["plan_ends"]["text"] == "套餐还有 3 天到期。"
    await give_plan(tenant_id, plan_id, clock.now() - timedelta(minutes=5))
    assert next(iter(await lines(shop))) in ("start", "plan_over")
    assert (await lines(shop))["plan_over"]["tone"] == "urgent"


async def test_people_are_told_what_they_may_act_on(shop: NewShop) -> None:
    name = f"agent-{new_id().hex}"
    async with transaction(shop.context) as ctx:
        await add_staff(ctx, NewStaff("小雨", name, Secret(PASSWORD), "cashier"))
    await asked(shop, "有宠物位吗", NO_ANSWER)
    async with signed_in(application(), name) as cashier:
        assert (await cashier.get("/api/today")).json() == {"lines": []}


async def test_every_sentence_has_its_button_in_both_languages(shop: NewShop) -> None:
    await asked(shop, "有宠物位吗", NO_ANSWER)
    await shop.owner.patch("/api/session", json={"locale": "en"})
    said = await lines(shop)
    assert said["unanswered"]["text"].startswith("The assistant had no answer to 1 question.")
    assert all(
        not line["text"].startswith("today.") and not line["button"].startswith("today.") for line in said.values()
    )
