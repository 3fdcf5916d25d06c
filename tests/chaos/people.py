"""The people of a storm: customers who write, agents in the console, servicers in the WeCom app, each with dice."""

import asyncio
import random
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

from huitouke.kernel.ids import new_id
from tests.chaos.merchant import KNOWLEDGE, SERVICERS, Merchant, Person

WORDS: Final = [*KNOWLEDGE, *KNOWLEDGE, *KNOWLEDGE, "你们老板喜欢什么颜色", "转人工"]
ENTERS: Final = 0.05
BURST: Final = 0.15
LOOK_SECONDS: Final = 0.4
KEEPS: Final = 10
"""More than so many conversations an agent does not keep."""

SERVICER_ENDS: Final = 0.4


@dataclass
class Said:
    """What people were told is taken: keys of agents' answers, each in its text."""

    agents: list[str] = field(default_factory=list)


async def customer(merchant: Merchant, one: str, ends: float, pause_seconds: tuple[float, float], seed: str) -> None:
    """Writes, now and then several times at once, and sometimes comes in by the code, which brings the greeting."""
    dice = random.Random(seed)
    while monotonic() < ends:
        if dice.random() < ENTERS:
            await merchant.control("POST", f"customers/{one}/enter", {"open_kfid": merchant.open_kfid})
        for _ in range(dice.randint(2, 3) if dice.random() < BURST else 1):
            await merchant.says(one, dice.choice(WORDS))
        await asyncio.sleep(min(dice.uniform(*pause_seconds), max(0.0, ends - monotonic())))


async def agent(person: Person, ends: float, said: Said, seed: str) -> None:
    """Takes whoever waits (now and then one that the assistant has), answers, and gives most of them back."""
    dice = random.Random(seed)
    while monotonic() < ends:
        view = "waiting" if dice.random() < 0.8 else "assistant"
        rows = (await person.ask("GET", f"/api/conversations?view={view}&sort=waiting&limit=5")).json().get("items", [])
        if rows:
            await _serve(person, dice.choice(rows)["id"], dice, said)
        mine = (await person.ask("GET", "/api/conversations?view=mine&limit=50")).json().get("items", [])
        for row in mine[KEEPS:]:
            await person.ask("POST", f"/api/conversations/{row['id']}/hand-back")
        if mine and dice.random() < 0.3:
            await _answer(person, dice.choice(mine)["id"], said)
        await asyncio.sleep(LOOK_SECONDS)


async def _serve(person: Person, conversation_id: str, dice: random.Random, said: Said) -> None:
    base = f"/api/conversations/{conversation_id}"
    if (await person.ask("POST", f"{base}/take")).status_code != 200:
        return
    await _answer(person, conversation_id, said)
    fate = dice.random()
    if fate < 0.55:
        await person.ask("POST", f"{base}/hand-back")
    elif fate < 0.65:
        await person.ask("POST", f"{base}/close")
    elif fate < 0.80:
        await person.ask("POST", f"{base}/hand-over", json={"to": "wecom", "note": "请接待"})


async def _answer(person: Person, conversation_id: str, said: Said) -> None:
    """Twice at the same time with the same key, as an impatient browser would."""
    key = new_id().hex
    path = f"/api/conversations/{conversation_id}/messages"
    both = await asyncio.gather(
        *(person.ask("POST", path, json={"text": f"我来处理 {key}"}, key=key) for _ in range(2))
    )
    if {answer.status_code for answer in both} == {201}:
        assert len({answer.json()["id"] for answer in both}) == 1
        said.agents.append(key)


async def servicer(merchant: Merchant, userid: str, ends: float, seed: str) -> None:
    """Answers in the WeCom app whoever was given to them, and ends some of the sessions."""
    dice = random.Random(seed)
    base = f"employees/{userid}/sessions"
    while monotonic() < ends:
        for session in await merchant.control("GET", base):
            where = f"{base}/{session['open_kfid']}/{session['external_userid']}"
            if session["last_sender"] == "customer" or dice.random() < 0.1:
                text = {"msgtype": "text", "text": {"content": f"同事 {userid} 回复 {new_id().hex}"}}
                await merchant.try_control("POST", f"{where}/messages", text)
            elif dice.random() < SERVICER_ENDS:
                await merchant.try_control("POST", f"{where}/end", {})
        await asyncio.sleep(1)


def everybody(merchant: Merchant, ends: float, pause_seconds: tuple[float, float], seed: int, said: Said) -> list[Any]:
    """What all of them do until then. The last customer only passes by when the storm is over."""
    doing = [
        customer(merchant, one, ends, pause_seconds, f"{seed} customer {number}")
        for number, one in enumerate(merchant.customers[:-1])
    ]
    doing += [agent(person, ends, said, f"{seed} agent {number}") for number, person in enumerate(merchant.agents)]
    return doing + [servicer(merchant, userid, ends, f"{seed} servicer {userid}") for userid in SERVICERS]
