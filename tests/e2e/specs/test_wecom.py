"""Handing over to an employee in the WeCom app, and what comes back from there."""

from playwright.async_api import expect

from tests.e2e.composers.shop import WANTS_A_PERSON, Shop
from tests.e2e.pages.screens import Screens

SERVICER_WRITES = "我是林晓，马上帮您查。"


async def test_an_employee_answers_in_the_wecom_app_and_the_console_shows_it(screens: Screens, shop: Shop) -> None:
    await shop.owner.post(f"/api/channel-accounts/{shop.account_id}/servicers", {"userids": ["lin"]})
    customer = await shop.customer()
    await customer.asks("多久能发货")
    phone, console = await screens.phone(customer), await screens.console(shop.owner)
    wecom = await screens.wecom(shop, "lin")
    inbox = console.inbox
    await inbox.open(customer.nickname)

    await inbox.choose("conversations.action.hand_over_wecom")
    dialog = console.dialog("conversations.hand_over.title")
    await expect(dialog).to_match_aria_snapshot(HAND_OVER_DIALOG)
    await dialog.get_by_role("radio", name="lin").check()
    await dialog.get_by_role("button", name=console.words("conversations.action.hand_over_wecom"), exact=True).click()

    await wecom.open(customer.nickname)
    await wecom.sees("多久能发货")
    await wecom.reply(SERVICER_WRITES)
    await phone.sees(SERVICER_WRITES)
    await inbox.sees(SERVICER_WRITES)
    await expect(inbox.field).to_have_count(0)

    await wecom.end()
    await phone.write("有大一点的吗")
    await phone.sees("最大到 3XL")
    await inbox.sees("最大到 3XL")


async def test_a_waiting_customer_reaches_people_as_one_card_in_wecom(screens: Screens, shop: Shop) -> None:
    await shop.colleague("林晓", wecom_userid="lin")
    customer = await shop.customer()
    wecom = await screens.wecom(shop, "lin")
    await customer.asks(WANTS_A_PERSON)
    await wecom.page.get_by_role("link", name=wecom.words("desk.tab.apps")).click()
    thread = wecom.page.get_by_role("region", name=wecom.words("desk.tab.apps"))
    await thread.get_by_role("link").first.click()
    main = wecom.page.get_by_role("main")
    await expect(main).to_contain_text(customer.nickname)
    await customer.writes("有人吗")
    await expect(main.get_by_role("heading", level=3)).to_have_count(1)


HAND_OVER_DIALOG = """
- dialog "转到企业微信接待":
  - banner:
    - heading "转到企业微信接待" [level=2]
    - button "关闭"
  - text: /接待人员在企业微信里结束会话/
  - group "转给谁":
    - text: 转给谁
    - radio "任何在接待的人" [checked]
    - text: 任何在接待的人
    - radio "lin 接待中"
    - text: lin 接待中
  - contentinfo:
    - button "取消"
    - button "转到企业微信"
"""
