"""Clients that others wrote, against the sandbox: it is right when they work unchanged."""

import asyncio
import json
from typing import Any

import openai
from wechatpy.enterprise import WeChatClient
from wechatpy.enterprise.crypto import WeChatCrypto

from tests.modules.wechat_sandbox.shop import Sandbox, Shop
from tests.modules.wechat_sandbox.test_model import SCHEMA, asking, json_schema
from wechat_sandbox.crypto import encrypt, signature

TOKEN, AES_KEY, CORP_ID = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7"


async def test_wechatpy_sends_and_pulls(shop: Shop) -> None:
    await shop.writes("在吗")

    def work() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        client = WeChatClient(shop.corp_id, shop.secret, access_token=shop.token)
        client.API_BASE_URL = f"{shop.sandbox.address}/cgi-bin/"
        sent = client.post(
            "kf/send_msg",
            data={"touser": shop.customer, "open_kfid": shop.open_kfid, "msgtype": "text", "text": {"content": "在"}},
        )
        pulled = client.post("kf/sync_msg", data={"open_kfid": shop.open_kfid})
        return sent, pulled, client.message.send_text(shop.agentid, "lin", "有顾客")

    sent, pulled, told = await asyncio.to_thread(work)
    assert sent["msgid"]
    assert pulled["msg_list"][0]["text"]["content"] == "在吗"
    assert told["errcode"] == 0
    assert [one["text"] for one in await shop.chat()] == ["在吗", "在"]


def test_wechatpy_decrypts_what_the_sandbox_encrypts() -> None:
    plain = "<xml><ToUserName><![CDATA[小店]]></ToUserName></xml>"
    for length in range(40):  # every length of padding
        text = plain + " " * length
        encrypted = encrypt(text.encode(), AES_KEY, CORP_ID)
        mark = signature(TOKEN, "1409659813", "1372623149", encrypted)
        body = f"<xml><ToUserName><![CDATA[x]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
        crypto = WeChatCrypto(TOKEN, AES_KEY, CORP_ID)
        assert crypto.decrypt_message(body, mark, "1409659813", "1372623149") == text


async def test_the_openai_client_chats_streams_and_embeds(sandbox: Sandbox) -> None:
    async with openai.AsyncOpenAI(base_url=f"{sandbox.address}/v1", api_key="sandbox-key") as client:
        whole: Any = await client.chat.completions.create(**asking("有大一点的吗", response_format=json_schema(SCHEMA)))
        assert json.loads(whole.choices[0].message.content)["evidence"] == [2]
        pieces: list[str] = []
        stream: Any = await client.chat.completions.create(**asking("几点发货", stream=True))
        async for piece in stream:
            pieces.append(piece.choices[0].delta.content or "")
        assert "当天发货" in "".join(pieces)
        vectors = await client.embeddings.create(model="sandbox-embedding", input=["大码", "大码"])
        assert vectors.data[0].embedding == vectors.data[1].embedding
        assert len(vectors.data[0].embedding) == 256
        assert [one.id async for one in client.models.list()] == ["sandbox-chat", "sandbox-embedding"]
