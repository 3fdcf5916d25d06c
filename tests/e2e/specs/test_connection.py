"""Connecting WeCom step by step; each failing check says in words what is wrong and what to do."""

from playwright.async_api import expect

from tests.e2e.composers.shop import KNOWN_QUESTION, Shop
from tests.e2e.pages.looks import too_wide
from tests.e2e.pages.screens import MOBILE, Screens

CONNECT = "/settings/channels/connect"
SOMEBODY_ELSES_ADDRESS = "203.0.113.7"


async def test_a_wrong_secret_is_said_at_the_first_step_and_cured_there(screens: Screens, new_shop: Shop) -> None:
    console = await screens.console(new_shop.owner, at=CONNECT)
    connect = console.connect
    await connect.fill(corp_id=new_shop.corp_id, agent_id=str(new_shop.agentid), secret="not the right secret")
    await connect.is_at("credentials")
    await expect(connect.check("failed")).to_contain_text("Secret")
    await expect(connect.check("waiting")).to_be_visible()

    await connect.fill_secret(new_shop.secret)
    await connect.is_at("callback")


async def test_what_an_administrator_forgot_to_allow_is_named_with_the_place_where_to_do_it(
    screens: Screens, new_shop: Shop
) -> None:
    sandbox, app = new_shop.stage.sandbox, f"apps/{new_shop.agentid}"
    await sandbox.patch(app, {"trusted_ips": [SOMEBODY_ELSES_ADDRESS]}, corp_id=new_shop.corp_id)
    await new_shop.enter_app()
    console = await screens.console(new_shop.owner, at=f"{CONNECT}?app={new_shop.app_id}&step=rights")
    console.watch.expects("4.. GET .*/api/channel-accounts/available", "5.. GET .*/api/channel-accounts/available")
    connect = console.connect
    await connect.is_at("rights")
    await expect(connect.check("failed").first).to_contain_text("IP")

    await sandbox.patch(app, {"trusted_ips": [], "kf_permission": False}, corp_id=new_shop.corp_id)
    await connect.check_again()
    await expect(connect.check("failed").filter(has_text="这个应用还不能使用微信客服")).to_be_visible()

    await sandbox.patch(app, {"kf_permission": True}, corp_id=new_shop.corp_id)
    await connect.check_again()
    await expect(connect.check("ok").filter(has_text="这个应用可以使用微信客服")).to_be_visible()
    await connect.press("organization.connect.next")
    await connect.is_at("account")


async def test_a_callback_that_is_refused_says_why_and_the_first_message_proves_the_connection(
    screens: Screens, new_shop: Shop
) -> None:
    await new_shop.enter_app()
    console = await screens.console(new_shop.owner, at=f"{CONNECT}?app={new_shop.app_id}&step=callback")
    await console.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    connect = console.connect
    await connect.is_at("callback")
    await expect(console.page.get_by_text(console.words("organization.connect.reach.machine"))).to_be_visible()
    await expect(connect.check("waiting").filter(has_text="还没有收到企业微信的回调")).to_be_visible()
    url = await connect.copied("organization.app.callback_url")
    token = await connect.copied("organization.app.callback_token")
    key = await connect.copied("organization.app.callback_aes_key")

    assert not await new_shop.try_callback(url, "SomebodyMistypedIt", key)
    wrong = connect.check("failed").filter(has_text="签名不对")
    await expect(wrong).to_contain_text(token)

    await new_shop.save_callback(url, token, key)
    await expect(connect.check("waiting").filter(has_text="网址已经通过企业微信的验证")).to_be_visible()
    await connect.press("organization.connect.callback.next")
    await connect.press("organization.connect.next")
    await connect.is_at("account")
    await connect.press("organization.account.adopt")
    await connect.is_at("try")
    await expect(connect.check("waiting").filter(has_text="还没有收到过客户消息的通知")).to_be_visible()

    customer = await new_shop.customer()
    await customer.writes(KNOWN_QUESTION)
    await expect(connect.check("ok").filter(has_text="能收到客户消息的通知")).to_be_visible()
    await connect.press("organization.connect.finish")
    await expect(console.page.get_by_role("heading", level=1, name="小店客服")).to_be_visible()


async def test_the_last_callbacks_are_listed_and_can_be_worked_through_again(screens: Screens, shop: Shop) -> None:
    customer = await shop.customer()
    await customer.asks(KNOWN_QUESTION)
    console = await screens.console(shop.owner, at=f"/settings/channels/apps/{shop.app_id}")
    line = console.page.get_by_role("listitem").filter(has_text=console.words("organization.callback.state.accepted"))
    await expect(line.first).to_be_visible()
    before = len(await customer.answers())
    await line.first.get_by_role("button", name=console.words("organization.callback.replay")).click()
    await console.is_told(console.words("organization.callback.replayed"))
    assert len(await customer.answers()) == before


async def test_on_a_phone_a_mistake_is_named_with_what_to_copy_and_is_cured_there(
    screens: Screens, new_shop: Shop
) -> None:
    sandbox, app = new_shop.stage.sandbox, f"apps/{new_shop.agentid}"
    await sandbox.patch(app, {"trusted_ips": [SOMEBODY_ELSES_ADDRESS]}, corp_id=new_shop.corp_id)
    await new_shop.enter_app()
    console = await screens.console(new_shop.owner, at=f"{CONNECT}?app={new_shop.app_id}&step=rights", size=MOBILE)
    console.watch.expects("4.. GET .*/api/channel-accounts/available", "5.. GET .*/api/channel-accounts/available")
    connect = console.connect
    await connect.is_at("rights")
    named = connect.check("failed").filter(has_text="企业可信 IP")
    await expect(named).to_contain_text("应用管理")
    await expect(named.get_by_role("button", name=console.words("common.copy"))).to_be_visible()
    assert await too_wide(console.page) == []

    await sandbox.patch(app, {"trusted_ips": []}, corp_id=new_shop.corp_id)
    await console.page.get_by_role("button", name=console.words("organization.check.run"), exact=True).first.click()
    await expect(connect.check("ok").first).to_be_visible()
    await expect(named).to_have_count(0)
