"""Clients for Node that others wrote, in one process each: they read what we write, and write what we read."""

import asyncio
import json
import random
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from huitouke.wechat.crypto import CallbackCrypto, signature
from tests.conformance.test_wechatpy_crypto import random_keys, random_text
from tests.modules.wechat_sandbox.shop import Shop, open_shop, running_sandbox
from wechat_sandbox import crypto as sandbox_crypto

PEERS = Path(__file__).parent / "peers"
ROOT = Path(__file__).parents[2]
BODIES = 4_000
TIMEOUT_SECONDS = 60

pytestmark = pytest.mark.xdist_group("node peers")


@pytest.fixture(scope="module")
def node() -> str:
    """The Node that runs them; their packages are there after this."""
    prepared = subprocess.run(
        [sys.executable, "scripts/peers.py"], cwd=ROOT, check=True, capture_output=True, text=True, timeout=300
    )
    return prepared.stdout.splitlines()[-1]


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with running_sandbox() as sandbox:
        yield await open_shop(sandbox)


def test_wecoms_own_crypto_and_ours_read_thousands_of_bodies_of_each_other(node: str) -> None:
    seed = secrets.randbits(32)
    dice = random.Random(seed)
    asked: list[dict[str, str]] = []
    for number in range(BODIES):
        token, key, receive_id = random_keys(dice)
        text = random_text(dice)
        # Half of them as our own replies are encrypted, half as the sandbox encrypts its callbacks.
        ours = CallbackCrypto(token, key, receive_id)
        theirs = ours.encrypt(text.encode()) if number % 2 else sandbox_crypto.encrypt(text.encode(), key, receive_id)
        asked.append(
            {
                "token": token,
                "key": key,
                "receiveId": receive_id,
                "timestamp": str(dice.randint(0, 2**31)),
                "nonce": str(dice.randint(0, 10**9)),
                "text": text,
                "theirs": theirs,
            }
        )
    lines = "\n".join(json.dumps(one) for one in asked)
    done = subprocess.run(
        [node, PEERS / "crypto.cjs"], input=lines, check=True, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]

    assert len(answers) == BODIES
    for one, answer in zip(asked, answers, strict=True):
        parts = one["token"], one["timestamp"], one["nonce"]
        assert (answer["message"], answer["id"]) == (one["text"], one["receiveId"]), seed
        assert answer["theirSignature"] == signature(*parts, one["theirs"]), seed
        assert answer["theirSignature"] == sandbox_crypto.signature(*parts, one["theirs"]), seed
        ours = CallbackCrypto(one["token"], one["key"], one["receiveId"])
        body = f"<xml><Encrypt><![CDATA[{answer['sealed']}]]></Encrypt></xml>".encode()
        assert ours.decrypt(answer["signature"], one["timestamp"], one["nonce"], body).decode() == one["text"], seed
        opened, receive_id = sandbox_crypto.decrypt(answer["sealed"], one["key"])
        assert (opened.decode(), receive_id) == (one["text"], one["receiveId"]), seed


async def test_a_wecom_client_fetches_its_token_and_uses_the_sandbox(node: str, shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "price list.txt"
    file.write_text("茶歇裙 329 元\n" * 3)
    arguments = [shop.sandbox.address, shop.corp_id, shop.secret, str(shop.agentid), "lin", str(file)]

    def work() -> dict[str, Any]:
        command = [node, str(PEERS / "client.cjs"), *arguments]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
        return dict(json.loads(done.stdout))

    said = await asyncio.to_thread(work)

    assert len(said["token"]["accessToken"]) > 20
    assert (said["user"]["userid"], said["user"]["name"]) == ("lin", "林")
    assert said["sent"]["errcode"] == 0
    assert said["uploaded"]["type"] == "file"
    assert said["uploaded"]["media_id"]
    assert said["departments"]["department"][0]["id"] == 1
    assert said["refused"]["code"] == 40001
    assert said["unknownUser"]["code"] == 60111
    told = await shop.sandbox.get("employees/lin/app-messages")
    assert "有顾客" in json.dumps(told, ensure_ascii=False)
