"""Everybody sees who silenced the assistant for all customers, and until when."""

from tests.modules.conversations.desk import Desk
from tests.support.http import application, signed_in


async def test_a_pause_bears_the_name_of_who_paused(desk: Desk) -> None:
    async with signed_in(application(), desk.owner.sign_in_name) as owner:
        paused = (await owner.post("/api/assistant/pause", json={"paused": True, "minutes": 30})).json()
    async with signed_in(application(), desk.xiaoyu.sign_in_name) as agent:
        seen = (await agent.get("/api/assistant/settings")).json()

    assert seen["paused_by"] == desk.owner.name
    assert seen["paused_until"] == paused["paused_until"] is not None


async def test_whoever_wakes_it_takes_the_name_away(desk: Desk) -> None:
    async with signed_in(application(), desk.owner.sign_in_name) as owner:
        await owner.post("/api/assistant/pause", json={"paused": True})
        woken = (await owner.post("/api/assistant/pause", json={"paused": False})).json()

    assert (woken["paused"], woken["paused_until"], woken["paused_by"]) == (False, None, None)
