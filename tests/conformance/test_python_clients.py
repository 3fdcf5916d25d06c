"""Clients for Python that others wrote, unchanged, against the sandbox: it is right when they work."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
import requests
from pydantic import BaseModel
from wechatpy.enterprise import WeChatClient
from wechatpy.exceptions import WeChatClientException

from tests.modules.wechat_sandbox.shop import Sandbox, Shop, open_shop, running_sandbox
from tests.modules.wechat_sandbox.test_model import SCHEMA, asking, json_schema

REAL = "https://qyapi.weixin.qq.com"
LOOK_UP = {
    "type": "function",
    "function": {
        "name": "final_result",
        "description": "the answer with the numbers of what it rests on",
        "parameters": SCHEMA,
    },
}


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running_sandbox() as running:
        yield running


@pytest.fixture
async def shop(sandbox: Sandbox) -> Shop:
    return await open_shop(sandbox)


class ToSandbox(requests.adapters.HTTPAdapter):
    """Carries what is meant for WeCom to the sandbox; the client knows nothing of it."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        assert request.url is not None
        request.url = request.url.replace(REAL, self._address)
        return super().send(request, *args, **kwargs)


def wecom_client(shop: Shop, secret: str | None = None) -> WeChatClient:
    client = WeChatClient(shop.corp_id, secret or shop.secret)
    client._http.trust_env = False
    client._http.mount(REAL, ToSandbox(shop.sandbox.address))
    return client


async def test_wechatpy_fetches_its_token_and_uses_the_api(shop: Shop) -> None:
    def work() -> dict[str, Any]:
        client = wecom_client(shop)
        uploaded = client.media.upload("file", ("价格.txt", io.BytesIO(b"329\n" * 5)))
        return {
            "user": client.user.get("lin"),
            "departments": client.department.get(),
            "uploaded": uploaded,
            "downloaded": client._http.get(client.media.get_url(uploaded["media_id"])).content,
            "addresses": client.misc.get_wechat_ips(),
            "sent": client.message.send_text(shop.agentid, "lin", "有顾客"),
            "account": client.post("kf/account/list", data={"offset": 0, "limit": 10}),
        }

    said = await asyncio.to_thread(work)

    assert (said["user"]["userid"], said["user"]["name"]) == ("lin", "林")
    assert said["departments"][0]["id"] == 1
    assert said["downloaded"] == b"329\n" * 5
    assert said["addresses"]
    assert said["sent"]["errcode"] == 0
    assert said["account"]["account_list"][0]["open_kfid"] == shop.open_kfid


async def test_wechatpy_takes_a_new_token_when_the_old_one_has_ended(shop: Shop) -> None:
    client = wecom_client(shop)
    first = await asyncio.to_thread(lambda: client.access_token)
    await shop.sandbox.advance(7_300)

    user = await asyncio.to_thread(client.user.get, "lin")

    assert user["userid"] == "lin"
    assert await asyncio.to_thread(lambda: client.access_token) != first


async def test_wechatpy_names_the_refusals_by_their_codes(shop: Shop) -> None:
    with pytest.raises(WeChatClientException) as wrong_secret:
        await asyncio.to_thread(lambda: wecom_client(shop, "no-such-secret").access_token)
    with pytest.raises(WeChatClientException) as nobody:
        await asyncio.to_thread(wecom_client(shop).user.get, "nobody")

    assert (wrong_secret.value.errcode, nobody.value.errcode) == (40001, 60111)


def openai_client(sandbox: Sandbox, **more: Any) -> openai.AsyncOpenAI:
    settings = {"base_url": f"{sandbox.address}/v1", "api_key": "sandbox-key", "max_retries": 0, "timeout": 10, **more}
    return openai.AsyncOpenAI(**settings)


class Reply(BaseModel):
    can_answer: bool
    answer: str
    evidence: list[int]


async def test_the_openai_client_reads_answers_and_what_they_cost(sandbox: Sandbox) -> None:
    async with openai_client(sandbox) as client:
        free: Any = await client.chat.completions.create(**asking("有大一点的吗"))
        formed: Any = await client.chat.completions.create(**asking("几点发货", response_format=json_schema(SCHEMA)))
        parsed: Any = await client.chat.completions.parse(**asking("几点发货"), response_format=Reply)

    assert free.choices[0].message.content.endswith("[2]")
    assert free.choices[0].finish_reason == "stop"
    assert free.usage.total_tokens == free.usage.prompt_tokens + free.usage.completion_tokens
    assert json.loads(formed.choices[0].message.content)["evidence"] == [3]
    assert parsed.choices[0].message.parsed == Reply(
        can_answer=True, answer="每天下午四点前的订单当天发货。", evidence=[3]
    )


async def test_the_openai_client_streams_words_and_counts(sandbox: Sandbox) -> None:
    async with openai_client(sandbox) as client:
        request = asking("几点发货", stream=True, stream_options={"include_usage": True})
        pieces: list[Any] = [piece async for piece in await client.chat.completions.create(**request)]
        async with client.chat.completions.stream(**asking("几点发货")) as helper:
            whole: Any = await helper.get_final_completion()

    text = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
    assert "当天发货" in text
    assert pieces[-1].usage.completion_tokens > 0
    assert [piece.choices[0].finish_reason for piece in pieces if piece.choices][-1] == "stop"
    assert whole.choices[0].message.content == text


async def test_the_openai_client_calls_tools_whole_and_in_pieces(sandbox: Sandbox) -> None:
    request = asking("几点发货", tools=[LOOK_UP], tool_choice="required")
    async with openai_client(sandbox) as client:
        whole: Any = await client.chat.completions.create(**request)
        (call,) = whole.choices[0].message.tool_calls
        async with client.chat.completions.stream(**request) as helper:
            streamed: Any = await helper.get_final_completion()
        said = {"role": "assistant", "content": None, "tool_calls": [call.model_dump()]}
        result = {"role": "tool", "tool_call_id": call.id, "content": "[9] 问：几点发货？答：每天五点发货。"}
        request["messages"] = [*request["messages"], said, result]
        after: Any = await client.chat.completions.create(**{**request, "tool_choice": "none"})

    assert whole.choices[0].finish_reason == "tool_calls"
    assert json.loads(call.function.arguments)["evidence"] == [3]
    (again,) = streamed.choices[0].message.tool_calls
    assert (again.function.name, again.function.arguments) == (call.function.name, call.function.arguments)
    assert after.choices[0].message.content


async def test_the_openai_client_embeds_in_both_encodings(sandbox: Sandbox) -> None:
    async with openai_client(sandbox) as client:
        packed = await client.embeddings.create(model="sandbox-embedding", input=["大码", "几点发货"], dimensions=64)
        plain = await client.embeddings.create(
            model="sandbox-embedding", input=["大码", "几点发货"], dimensions=64, encoding_format="float"
        )
        models = [one.id async for one in client.models.list()]
        one = await client.models.retrieve("sandbox-chat")

    assert [entry.index for entry in packed.data] == [0, 1]
    for first, second in zip(packed.data, plain.data, strict=True):
        assert first.embedding == pytest.approx(second.embedding, abs=1e-6)
    assert len(plain.data[0].embedding) == 64
    assert packed.usage.total_tokens > 0
    assert models == ["sandbox-chat", "sandbox-embedding"]
    assert one.owned_by == "wechat-sandbox"


async def test_the_openai_client_names_every_failure_by_its_class(sandbox: Sandbox) -> None:
    async with openai_client(sandbox, api_key="wrong") as stranger:
        with pytest.raises(openai.AuthenticationError) as wrong_key:
            await stranger.chat.completions.create(**asking("在吗"))
    async with openai_client(sandbox, timeout=0.5) as client:
        with pytest.raises(openai.BadRequestError) as bad:
            await client.chat.completions.create(model="any", messages=[])
        with pytest.raises(openai.NotFoundError):
            await client.models.retrieve("no-such-model")
        await sandbox.faults(model_mode="error")
        with pytest.raises(openai.InternalServerError):
            await client.chat.completions.create(**asking("在吗"))
        await sandbox.faults(model_mode="hang")
        with pytest.raises(openai.APITimeoutError):
            await client.chat.completions.create(**asking("在吗"))
        await sandbox.faults(model_mode="cut_stream")
        with pytest.raises(openai.APIConnectionError):
            await client.chat.completions.create(**asking("在吗"))

    assert wrong_key.value.code == "invalid_api_key"
    assert "messages" in bad.value.message
