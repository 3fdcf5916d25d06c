"""wechatpy against the sandbox's accounts and callbacks; tests/conformance holds further foreign clients."""

import asyncio
from typing import Any

from wechatpy.enterprise import WeChatClient
from wechatpy.enterprise.crypto import WeChatCrypto

from tests.modules.wechat_sandbox.shop import Shop
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
