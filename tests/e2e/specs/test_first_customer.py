"""A new owner on a phone: from signing up to a customer's answered question, with no account of WeChat or WeCom."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import select

from huitouke.kernel.database import platform_transaction
from huitouke.kernel.ids import new_id
from huitouke.kernel.plans.models import Plan
from huitouke.modules.organization.operator_schemas import SettingsBody
from huitouke.modules.organization.service import platform
from tests.e2e.composers.stage import Stage
from tests.e2e.pages.console import Console
from tests.e2e.pages.screens import MOBILE, Screens

PASSWORD = "quite another pass phrase"
MOST_CLICKS = 10

MINE = re.compile("我的$")
"""Notices nobody has read yet stand before its name."""

FEW = ["今天", "消息", "客户", "活动", MINE]

COUNTING = """
addEventListener('click', (event) => {
  const typing = event.target.closest('input:not([type=checkbox]), textarea');
  if (event.isTrusted && !typing) window.counted();
}, true);
"""
"""Tells of everything that is pressed outside of fields to type in."""


@pytest.fixture
async def open_for_all(stage: Stage) -> AsyncIterator[None]:
    """Shops may sign up, until the journey is over: others begin where nobody may."""
    with stage.in_database():
        async with platform_transaction() as session:
            plan_id = await session.scalar(select(Plan.id).where(Plan.key == "standard"))
            assert plan_id is not None
            await platform.open_sign_up(session, plan_id)
    yield
    with stage.in_database():
        async with platform_transaction() as session:
            await platform.change_settings(session, SettingsBody(sign_up_open=False, sign_up_plan_id=None))


class Clicks:
    """How often the owner pressed something."""

    def __init__(self) -> None:
        self.count = 0

    async def follow(self, page: Page) -> None:
        """Counts on this page and on those that it opens."""

        def one_more(source: object) -> None:
            self.count += 1

        await page.context.expose_binding("counted", one_more)
        await page.context.add_init_script(COUNTING)


async def signs_up(phone: Console) -> None:
    await phone.page.get_by_role("link", name=phone.words("app.sign_in.to_sign_up")).click()
    await phone.field("app.sign_up.shop").fill("街角小馆")
    await phone.field("app.sign_up.owner").fill("店长")
    await phone.field("app.sign_in.name").fill(f"new-{new_id().hex[-10:]}")
    await phone.field("app.sign_in.password").fill(PASSWORD)
    await phone.button("app.sign_up.submit").click()


@pytest.mark.usefixtures("open_for_all")
async def test_from_signing_up_to_the_first_answer_with_few_clicks(screens: Screens) -> None:
    phone, clicks = await screens.console(at="/", size=MOBILE), Clicks()
    await phone.button("app.sign_in.submit").wait_for()
    await clicks.follow(phone.page)
    await phone.page.reload()
    await signs_up(phone)

    await phone.page.get_by_role("button", name=re.compile("^餐饮")).click()
    await phone.page.get_by_label("营业时间", exact=True).fill("每天 10:00–21:00")
    await phone.page.get_by_label("地址", exact=True).fill("中山路 88 号")
    await phone.button("organization.start.facts.done").click()
    await expect(phone.page.get_by_role("img", name=phone.words("organization.start.qr"))).to_be_visible()
    async with phone.page.context.expect_page() as opened:
        await phone.page.get_by_role("link", name=phone.words("organization.start.try")).click()
    chat = await opened.value

    await chat.get_by_placeholder("输入您的问题").fill("你们几点关门呀")
    await chat.get_by_role("button", name="发送", exact=True).click()
    await expect(chat.get_by_role("log")).to_contain_text("我们的营业时间：每天 10:00–21:00。")
    assert 4 <= clicks.count <= MOST_CLICKS, f"{clicks.count} clicks"

    await phone.go("/")
    await expect(phone.page.get_by_role("heading", name="今天", level=1)).to_be_visible()
    await expect(phone.page.get_by_text("从昨天到现在，助手替您答了 1 个问题。")).to_be_visible()


@pytest.mark.usefixtures("open_for_all")
async def test_the_way_is_gone_on_with_where_it_was_left_and_what_is_missing_is_taught(screens: Screens) -> None:
    phone = await screens.console(at="/sign-in", size=MOBILE)
    await signs_up(phone)
    await phone.page.get_by_role("button", name=re.compile("^美业")).wait_for()
    await phone.go("/")
    await phone.button_named("开始").click()
    await phone.page.get_by_role("button", name=re.compile("^美业")).click()
    await expect(phone.page.get_by_label("怎么预约", exact=True)).to_be_visible()

    await phone.go("/")
    await phone.button_named("去填").click()
    await phone.button("organization.start.facts.skip").click()
    await phone.button("organization.start.ready.on").click()
    await phone.button_named("补一补").click()
    row = phone.page.get_by_role("listitem").filter(has_text="怎么收费？")
    await expect(row.get_by_role("button")).to_be_disabled()
    await row.get_by_role("textbox").fill("剪发 68 元，染发 298 元起。")
    await row.get_by_role("button").click()
    await phone.is_told(phone.words("assistant.questions.taught"))
    await expect(row).to_be_hidden()


@pytest.mark.usefixtures("open_for_all")
async def test_five_entries_on_the_phone_everything_else_one_page_away_and_one_switch(screens: Screens) -> None:
    phone = await screens.console(at="/sign-in", size=MOBILE)
    await signs_up(phone)
    await phone.page.get_by_role("button", name=re.compile("^餐饮")).wait_for()
    links = phone.menu.get_by_role("link")
    await expect(links).to_have_text(FEW)
    for name in ("消息", "客户", "活动", "我的"):
        await phone.menu.get_by_role("link", name=name).click()
        await expect(phone.page.get_by_role("main").first).to_be_visible()

    more = phone.page.get_by_role("navigation", name=phone.words("app.me.more"))
    await expect(more.get_by_role("link")).to_have_text([re.compile("^通知"), "助手", "设置"])
    await phone.page.get_by_role("switch", name=phone.words("app.simple.switch")).click()
    await expect(links).to_have_text(["消息", "客户", "知识库", "设置", MINE])
    await phone.page.get_by_role("switch", name=phone.words("app.simple.switch")).click()
    await expect(links).to_have_text(FEW)
