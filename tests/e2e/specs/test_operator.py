"""Who runs the installation: adds a shop, suspends it, and looks in when its owner says so."""

import re

from playwright.async_api import expect

from huitouke.kernel.ids import new_id
from tests.e2e.composers.operators import hire_operator
from tests.e2e.composers.shop import Shop
from tests.e2e.pages.operator import add_shop, open_area, open_shop_page
from tests.e2e.pages.screens import MOBILE, Screens

PASSWORD = "quite another pass phrase"


async def test_an_operator_adds_a_shop_whose_owner_comes_and_fills_its_seats(screens: Screens) -> None:
    area = await open_area(screens, await hire_operator(screens.stage))
    shop, owner = f"新店{new_id().hex[-8:]}", f"owner-{new_id().hex[-10:]}"
    at = await add_shop(area, shop, owner, plan="基础")
    await expect(area.page.get_by_role("link", name=shop)).to_be_visible()

    console = await screens.console(at=at)
    await console.field("app.join.password").fill(PASSWORD)
    await console.button("app.join.submit").click()
    await expect(console.button_named("开始")).to_be_visible()
    await console.go("/settings/plan")
    await expect(console.page.get_by_text("基础")).to_be_visible()
    await expect(console.page.get_by_text(console.words("app.plan.used_of", used="1", limit="3"))).to_be_visible()

    console.watch.expects("409 POST .*/api/staff$")
    for number in range(3):
        await console.go("/settings/staff?new=1")
        await console.field("organization.staff.name").fill(f"同事{number}")
        await console.field("organization.staff.sign_in_name").fill(f"staff-{new_id().hex[-10:]}")
        await console.button("common.save").click()
        if number < 2:
            await expect(console.page.get_by_role("dialog").locator("code")).to_contain_text("/join#")
    await expect(console.page.get_by_text(re.compile("同事账号已满，套餐最多 3 个"))).to_be_visible()


async def test_a_suspended_shops_people_see_why_and_come_back(screens: Screens, shop: Shop) -> None:
    console = await screens.console(shop.owner)
    await expect(console.inbox.list).to_be_visible()
    area = await open_area(screens, await hire_operator(screens.stage))
    await open_shop_page(area, shop.name)
    await area.button("operator.step.do.suspend").click()
    dialog = area.page.get_by_role("dialog")
    await area.field("operator.step.reason").fill("三个月没有缴费")
    await dialog.get_by_role("button", name=area.words("operator.step.do.suspend"), exact=True).click()
    await expect(area.page.get_by_text("三个月没有缴费").first).to_be_visible()

    console.watch.expects("403 ", "WebSocket")
    await console.go("/conversations")
    await expect(console.page.get_by_text(re.compile("已暂停使用：三个月没有缴费"))).to_be_visible()
    await area.button("operator.step.restore").click()
    await area.is_told(area.words("operator.step.done.restore"))
    await console.sign_in(shop.owner.sign_in_name, shop.owner.password)
    await expect(console.inbox.list).to_be_visible()


async def test_a_visit_is_granted_seen_in_the_log_and_ended(screens: Screens, shop: Shop) -> None:
    operator = await hire_operator(screens.stage)
    area = await open_area(screens, operator)
    await open_shop_page(area, shop.name)
    await area.field("operator.visits.reason").fill("收不到消息")
    await area.button("operator.visits.ask").click()
    await expect(area.page.get_by_text(area.words("operator.visits.state.asked"))).to_be_visible()

    console = await screens.console(shop.owner, at="/settings/support")
    await expect(console.page.get_by_text("收不到消息")).to_be_visible()
    await console.button("organization.support.grant_hour").click()
    await console.is_told(console.words("organization.support.done.grant"))

    await open_shop_page(area, shop.name)
    await area.button("operator.visits.enter").click()
    await expect(area.page.get_by_text(re.compile(f"你正以平台支持的身份查看“{shop.name}”"))).to_be_visible()
    await console.button("organization.support.end").click()
    await console.is_told(console.words("organization.support.done.end"))
    area.watch.expects("401 ", "WebSocket")
    await area.go("/conversations")
    await expect(area.button("app.sign_in.submit")).to_be_visible()

    await console.go("/settings/audit")
    for action in ("asked", "granted", "entered", "ended"):
        await expect(
            console.page.get_by_text(console.words(f"organization.audit.action.platform.visit.{action}")).first
        ).to_be_visible()


async def test_plans_are_changed_and_sign_up_is_opened_on_a_phone(screens: Screens) -> None:
    area = await open_area(screens, await hire_operator(screens.stage), size=MOBILE)
    await area.go("/operator/plans")
    await area.page.get_by_role("button", name=area.words("operator.plans.add")).click()
    key = f"p{new_id().hex[-10:]}"
    await area.field("operator.plans.key").fill(key)
    await area.field("operator.plans.name").fill(f"小店{key}")
    await area.page.get_by_label("同事账号").fill("2")
    await area.page.get_by_label(re.compile(area.words("operator.plans.trial_days"))).fill("7")
    await area.button("common.save").click()
    await expect(area.page.get_by_text(f"小店{key}")).to_be_visible()

    await area.go("/operator/settings")
    await area.page.get_by_role("switch", name=area.words("operator.settings.open")).click()
    label = area.words("operator.settings.tried", name=f"小店{key}", n=7)
    await area.field("operator.settings.plan").select_option(label=label)
    await area.button("common.save").click()
    await area.is_told(area.words("common.saved"))

    phone = await screens.console(at="/sign-in", size=MOBILE)
    await phone.page.get_by_role("link", name=phone.words("app.sign_in.to_sign_up")).click()
    await phone.field("app.sign_up.shop").fill("街角小店")
    await phone.field("app.sign_up.owner").fill("店长")
    await phone.field("app.sign_in.name").fill(f"new-{new_id().hex[-10:]}")
    await phone.field("app.sign_in.password").fill(PASSWORD)
    await phone.button("app.sign_up.submit").click()
    await expect(phone.page.get_by_text(re.compile("还有 7 天到期"))).to_be_visible()
