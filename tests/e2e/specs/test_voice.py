"""A customer's voice: sent on the phone as AMR, decoded and played in the inbox."""

from playwright.async_api import expect

from tests.e2e.composers.shop import Shop
from tests.e2e.pages.screens import Screens

LONGEST_SECONDS = 6.0
"""The sample takes four; what is longer would outlast this journey's patience."""


async def test_a_voice_plays_at_one_press_shows_how_far_it_is_and_ends(screens: Screens, shop: Shop) -> None:
    await shop.pause_assistant()
    customer = await shop.customer()
    phone, console = await screens.phone(customer), await screens.console(shop.owner)
    inbox = console.inbox

    await phone.send_voice()
    await inbox.open(customer.nickname)
    await inbox.play_voice.click()

    player = inbox.voice_player
    await expect(player).to_have_js_property("paused", False)
    await expect(inbox.play_voice).to_have_count(0)
    seconds = await player.evaluate("audio => audio.duration")
    assert 0 < seconds <= LONGEST_SECONDS
    await console.page.wait_for_function(
        "audio => audio.currentTime > 0 && audio.currentTime < audio.duration", arg=await player.element_handle()
    )
    await expect(player).to_have_js_property("ended", True)
    assert await player.evaluate("audio => audio.currentTime") == seconds
