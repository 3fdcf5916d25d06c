"""The frames that stay the same on every page, and the dialogs, as a screen reader hears them."""

from playwright.async_api import expect

from tests.e2e.composers.shop import Shop
from tests.e2e.pages.screens import MOBILE, Screens

SIGN_IN = """
- main:
  - text: 回头客
  - heading "登录" [level=1]
  - paragraph
  - text: 登录名
  - textbox "登录名"
  - text: 密码
  - textbox "密码"
  - button "登录"
  - paragraph
  - navigation "语言":
    - button "简体中文" [pressed]
    - button "English"
"""

RAIL = """
- navigation "主菜单":
  - link "回头客"
  - list:
    - listitem:
      - link "消息"
    - listitem:
      - link "客户"
    - listitem:
      - link "知识库"
    - listitem:
      - link "设置"
  - button "命令面板"
  - button "键盘快捷键"
  - button "我的账户"
"""

BOTTOM_BAR = """
- navigation "主菜单":
  - link "消息"
  - link "客户"
  - link "知识库"
  - link "设置"
  - link "我的"
"""

PALETTE = """
- dialog "命令面板":
  - banner:
    - heading "命令面板" [level=2]
    - button "关闭"
  - combobox "命令面板" [expanded]
  - listbox "命令面板"
"""

CLOSING = """
- dialog "结束这个会话？":
  - banner:
    - heading "结束这个会话？" [level=2]
    - button "关闭"
  - paragraph: /不能撤回/
  - contentinfo:
    - button "取消"
    - button "结束会话"
"""


async def test_the_sign_in_page_reads_from_name_to_button(screens: Screens) -> None:
    console = await screens.console()
    await expect(console.page.get_by_role("main")).to_match_aria_snapshot(SIGN_IN)


async def test_the_menu_stands_at_the_side_and_on_a_phone_below(screens: Screens, shop: Shop) -> None:
    console = await screens.console(shop.owner)
    await expect(console.menu).to_match_aria_snapshot(RAIL)
    narrow = await screens.console(shop.owner, size=MOBILE)
    await expect(narrow.menu).to_match_aria_snapshot(BOTTOM_BAR)


async def test_an_agent_is_offered_no_settings(screens: Screens, shop: Shop) -> None:
    agent = await shop.colleague("小雨")
    console = await screens.console(agent, at="/settings/staff")
    await expect(console.page.get_by_role("heading", name=console.words("app.forbidden.title"))).to_be_visible()
    await expect(console.menu.get_by_role("link", name=console.words("organization.title"))).to_have_count(0)


async def test_ending_a_conversation_is_asked_because_it_cannot_be_taken_back(screens: Screens, shop: Shop) -> None:
    customer = await shop.customer()
    await customer.asks("多久能发货")
    console = await screens.console(shop.owner)
    await console.is_settled()
    await console.page.keyboard.press("ControlOrMeta+k")
    await expect(console.dialog("app.palette.title")).to_match_aria_snapshot(PALETTE)
    await console.page.keyboard.press("Escape")

    inbox = console.inbox
    await inbox.open(customer.nickname)
    await inbox.choose("conversations.action.close")
    dialog = console.dialog("conversations.close.title")
    await expect(dialog).to_match_aria_snapshot(CLOSING)
    await dialog.get_by_role("button", name=console.words("conversations.action.close"), exact=True).click()
    await inbox.status_is("conversations.status.closed")
    await expect(inbox.row(customer.nickname)).to_have_count(0)

    await customer.session_is_over()
    assert "七天内" in await customer.asks("可以退换货吗")
    await expect(inbox.row(customer.nickname)).to_be_visible()
    await inbox.sees("七天内")
