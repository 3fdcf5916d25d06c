"""A shop's own chat page on a phone, without WeChat or any account: from a question to a colleague's answer."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

import pytest
from playwright.async_api import expect

from tests.e2e.composers.shop import FAQ, KNOWN_ANSWER, KNOWN_QUESTION, WANTS_A_PERSON, Shop, found_shop
from tests.e2e.composers.stage import Stage
from tests.e2e.pages.looks import chinese_leftovers, faults_of_access, too_wide
from tests.e2e.pages.screens import DESKTOP, Screens
from tests.e2e.pages.words import Language

HOSTILE = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "javascript:alert(1)",
    "‮txt.exe 反向",
    "👨‍👩‍👧‍👦🏳️‍🌈",
    "字" * 900,
)


@dataclass
class WithPage:
    """A shop and where its page is."""

    shop: Shop
    path: str


@pytest.fixture
async def with_page(stage: Stage) -> AsyncIterator[WithPage]:
    """A merchant without WeCom, who knows three answers and has opened the page."""
    shop = await found_shop(stage)
    await shop.teach(FAQ)
    page = await shop.owner.post("/api/hosted-page", {"name": "拾光衣橱", "greeting": "您好，想了解点什么？"})
    await shop.owner.patch("/api/hosted-page", {"questions": ["多久能发货", "可以退换货吗"]})
    yield WithPage(shop, page["path"])
    await shop.close()


async def test_a_visitor_is_answered_at_once_and_finds_the_chat_again(screens: Screens, with_page: WithPage) -> None:
    phone = await screens.visitor(with_page.path)
    await expect(phone.page).to_have_title("拾光衣橱")
    await phone.sees("您好，想了解点什么？")
    await phone.write(KNOWN_QUESTION)
    await phone.sees(KNOWN_ANSWER)
    await expect(phone.log.locator(".theirs").filter(has_text=KNOWN_ANSWER)).to_contain_text("AI")
    await phone.is_sent(KNOWN_QUESTION)

    await phone.page.reload()
    await phone.sees(KNOWN_ANSWER)
    await expect(phone.bubble(KNOWN_QUESTION)).to_have_count(1)


async def test_a_button_asks_a_common_question(screens: Screens, with_page: WithPage) -> None:
    phone = await screens.visitor(with_page.path)
    await phone.page.get_by_role("button", name="多久能发货").click()
    await phone.sees("现货 48 小时内发出")
    await expect(phone.page.get_by_role("button", name="可以退换货吗")).to_have_count(0)


async def test_what_was_written_and_missed_without_a_network_arrives_once(
    screens: Screens, with_page: WithPage
) -> None:
    phone = await screens.visitor(with_page.path)
    phone.watch.expects("net::ERR_INTERNET_DISCONNECTED", "WebSocket")
    await phone.write(KNOWN_QUESTION)
    await phone.sees(KNOWN_ANSWER)
    (row,) = (await with_page.shop.owner.get("/api/conversations"))["items"]

    await phone.line.cut()
    await expect(phone.status).to_contain_text("网络断开了")
    await with_page.shop.owner.post(f"/api/conversations/{row['id']}/take")
    await with_page.shop.owner.post(f"/api/conversations/{row['id']}/messages", {"text": "断网时店长写的"})
    await phone.write("断网时顾客写的")
    await expect(phone.log.locator(".mine").filter(has_text="断网时顾客写的")).to_contain_text("等网络恢复后发送")

    await phone.line.mend()
    await phone.sees("断网时店长写的")
    await phone.is_sent("断网时顾客写的")
    await expect(phone.bubble("断网时店长写的")).to_have_count(1)
    await expect(phone.bubble("断网时顾客写的")).to_have_count(1)
    said = (await with_page.shop.owner.get(f"/api/conversations/{row['id']}/messages"))["items"]
    assert [one["text"] for one in said].count("断网时顾客写的") == 1


async def test_a_reload_while_offline_loses_no_word(screens: Screens, with_page: WithPage) -> None:
    phone = await screens.visitor(with_page.path)
    phone.watch.expects("net::ERR_", "WebSocket")
    await phone.page.route("**/visitor/api/**/messages", lambda route: route.abort())
    await phone.write("还没发出去的话")
    await expect(phone.log.locator(".mine")).to_contain_text("等网络恢复后发送")
    await phone.field.fill("写到一半")

    await phone.page.unroute_all()
    await phone.page.reload()
    await phone.is_sent("还没发出去的话")
    await expect(phone.bubble("还没发出去的话")).to_have_count(1)
    await expect(phone.field).to_have_value("写到一半")


async def test_a_colleague_takes_over_in_the_inbox_and_the_page_says_so(screens: Screens, with_page: WithPage) -> None:
    phone = await screens.visitor(with_page.path)
    await phone.write(WANTS_A_PERSON)
    await expect(phone.status).to_contain_text("已通知人工客服")

    console = await screens.console(with_page.shop.owner)
    row = console.page.get_by_text("访客").first
    await row.click()
    await console.inbox.take()
    await expect(phone.status).to_contain_text("人工客服为您服务")
    await console.inbox.reply("您好，我来帮您")
    await phone.sees("您好，我来帮您")
    reply = phone.log.locator(".theirs").filter(has_text="您好，我来帮您")
    await expect(reply.locator(".ai")).to_have_count(0)


async def test_the_owner_opens_the_page_shares_it_and_sees_changes_beside(screens: Screens, stage: Stage) -> None:
    shop = await found_shop(stage)
    await shop.teach(FAQ)
    console = await screens.console(shop.owner, at="/settings/channels")
    console.watch.expects("403 POST .*/visit")
    await console.page.get_by_role("link", name=console.words("organization.page.none.title")).click()
    await console.button("organization.page.open").click()
    address = console.page.locator("code").filter(has_text="/c/")
    await expect(address).to_be_visible()
    preview = console.page.frame_locator("iframe")
    await expect(preview.locator(".bubble").first).to_contain_text("AI 助手")
    await console.field("organization.page.name").fill("拾光小店")
    await console.page.get_by_label(console.words("organization.page.question", n=1), exact=True).fill("多久能发货")
    await console.button("common.save").click()
    await expect(preview.get_by_role("heading")).to_have_text("拾光小店")

    phone = await screens.visitor("/c/" + str(await address.text_content()).rsplit("/", 1)[1])
    await phone.page.get_by_role("button", name="多久能发货").click()
    await phone.sees("现货 48 小时内发出")

    await console.page.get_by_label(console.words("organization.page.switch_label")).click()
    await expect(console.page.get_by_text(console.words("organization.page.off_hint"))).to_be_visible()
    await expect(preview.get_by_text("暂时休息")).to_be_visible()
    await shop.close()


async def test_hostile_text_is_shown_as_text_on_both_sides(screens: Screens, with_page: WithPage) -> None:
    phone = await screens.visitor(with_page.path)
    for text in HOSTILE:
        await phone.write(text)
        await phone.is_sent(text)
        await expect(phone.bubble(text).first).to_have_text(text)
    assert await too_wide(phone.page) == []
    await expect(phone.page).to_have_title("拾光衣橱")
    console = await screens.console(with_page.shop.owner)
    await console.page.get_by_text("访客").first.click()
    for text in HOSTILE:
        await console.inbox.sees(text)
    assert "owned" not in await console.page.title()


async def test_web_addresses_can_be_tapped_and_nothing_else_can(screens: Screens, with_page: WithPage) -> None:
    phone = await screens.visitor(with_page.path)
    await phone.write("看 https://example.com/a?b=1。javascript:alert(1) 和 http://example.org)")
    links = phone.log.get_by_role("link")
    await expect(links).to_have_count(2)
    assert [await one.get_attribute("href") for one in await links.all()] == [
        "https://example.com/a?b=1",
        "http://example.org",
    ]
    assert await links.first.get_attribute("rel") == "noopener noreferrer nofollow"


async def test_a_page_that_is_off_and_one_that_never_was_say_so(screens: Screens, with_page: WithPage) -> None:
    await with_page.shop.owner.patch("/api/hosted-page", {"is_on": False})
    phone = await screens.visitor(with_page.path)
    phone.watch.expects("403 POST .*/visit")
    await expect(phone.page.get_by_text("拾光衣橱的在线客服暂时休息")).to_be_visible()
    assert await faults_of_access(phone.page) == []
    await with_page.shop.owner.patch("/api/hosted-page", {"is_on": True})
    await phone.page.get_by_role("button", name="再试一次").click()
    await phone.sees("您好，想了解点什么？")

    nowhere = await screens.visitor("/c/thereisnosuch")
    nowhere.watch.expects("404 POST .*/visit")
    await expect(nowhere.page.get_by_role("button", name="再试一次")).to_be_visible()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_page_is_accessible_whole_and_in_one_language(
    screens: Screens, with_page: WithPage, language: Language, theme: Literal["light", "dark"]
) -> None:
    english = language == "en"
    if english:
        wanted = {"name": "Shiguang", "greeting": "Hello! How can we help?", "questions": ["Do you ship abroad?"]}
        await with_page.shop.owner.patch("/api/hosted-page", wanted)
        await with_page.shop.teach({"Do you ship abroad?": "We do, within ten days."})
    faults = []
    for size in ((375, 812), DESKTOP):
        phone = await screens.visitor(with_page.path, size=size, language=language, theme=theme)
        await expect(phone.field).to_be_visible()
        faults += [*await faults_of_access(phone.page), *await too_wide(phone.page)]
        await phone.write("Do you ship abroad?" if english else "多久能发货")
        await phone.sees("within ten days" if english else "现货 48 小时内发出")
        faults += [*await faults_of_access(phone.page), *await too_wide(phone.page)]
        if english:
            faults += await chinese_leftovers(phone.page)
    assert faults == []


async def test_it_works_with_the_keyboard_alone(screens: Screens, with_page: WithPage) -> None:
    desk = await screens.visitor(with_page.path, size=DESKTOP)
    await desk.field.press_sequentially("第一行")
    await desk.field.press("Shift+Enter")
    await desk.field.press_sequentially("第二行")
    await desk.field.press("Enter")
    await desk.is_sent("第一行")
    await expect(desk.bubble("第一行")).to_have_text("第一行\n第二行")
    await expect(desk.field).to_be_focused()


async def test_the_page_brings_its_own_policy_and_stays_out_of_search(screens: Screens, with_page: WithPage) -> None:
    phone = await screens.visitor(with_page.path)
    answer = await phone.page.request.get(f"{screens.stage.console}{with_page.path}")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-robots-tag"] == "noindex"
    assert await phone.page.locator('meta[name="robots"]').get_attribute("content") == "noindex"
    assert await phone.page.evaluate("document.cookie") == "", "no script can read who the visitor is"
