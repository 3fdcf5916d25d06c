"""The OpenAI-compatible model: answers from its evidence, obeys schemas, and fails as told."""

import asyncio
import json
from typing import Any

import httpx2
import pytest

from tests.modules.wechat_sandbox.shop import Sandbox

KEY = {"Authorization": "Bearer sandbox-key"}
EVIDENCE = """你是小店的客服，只依据下面的资料回答。
[1] 问：可以退货吗？答：七天无理由退货，吊牌要在。
[2] 问：有没有大一点的尺码？答：有的，最大到 3XL，腰围 86 厘米。
[3] 问：几点发货？答：每天下午四点前的订单当天发货。
"""
SCHEMA = {
    "type": "object",
    "properties": {
        "can_answer": {"type": "boolean"},
        "answer": {"type": "string"},
        "evidence": {"type": "array", "items": {"type": "integer"}},
    },
    "required": ["can_answer", "answer", "evidence"],
}


def asking(question: str, **more: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": EVIDENCE}, {"role": "user", "content": question}]
    return {"model": "any", "messages": messages, **more}


async def chat(sandbox: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    answer = await sandbox.http.post("/v1/chat/completions", json=body, headers=KEY)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema}}


async def test_it_answers_from_the_passage_that_fits(sandbox: Sandbox) -> None:
    whole = await chat(sandbox, asking("有大一点的吗"))
    assert whole["choices"][0]["message"]["content"] == "有的，最大到 3XL，腰围 86 厘米。 [2]"
    assert whole["choices"][0]["finish_reason"] == "stop"
    assert whole["usage"]["total_tokens"] == whole["usage"]["prompt_tokens"] + whole["usage"]["completion_tokens"]


@pytest.mark.parametrize("form", [{"type": "json_object"}, json_schema(SCHEMA)])
async def test_it_obeys_a_wish_for_json(sandbox: Sandbox, form: dict[str, Any]) -> None:
    whole = await chat(sandbox, asking("退货可以吗", response_format=form))
    assert json.loads(whole["choices"][0]["message"]["content"]) == {
        "can_answer": True,
        "answer": "七天无理由退货，吊牌要在。",
        "evidence": [1],
    }


async def test_it_obeys_instructions_that_name_the_keys(sandbox: Sandbox) -> None:
    body = asking("几点发货")
    body["messages"][0]["content"] += '\n只输出一个 JSON 对象：{"answer": "…", "evidence": [编号]}'
    said = json.loads((await chat(sandbox, body))["choices"][0]["message"]["content"])
    assert said == {"answer": "每天下午四点前的订单当天发货。", "evidence": [3]}


async def test_it_sums_up_what_the_customer_wanted(sandbox: Sandbox) -> None:
    talk = "- 顾客说 买的裙子破了\n- 助手说 抱歉\n- 顾客说 我要投诉，找人工"
    system = '把下面的对话概括成交接摘要，只输出一个 JSON 对象：{"answer": "摘要"}'
    body = {"messages": [{"role": "system", "content": system}, {"role": "user", "content": talk}]}
    said = json.loads((await chat(sandbox, body))["choices"][0]["message"]["content"])
    assert said == {"answer": "顾客先问：买的裙子破了\n最后说：我要投诉，找人工"}


async def test_it_does_not_answer_what_the_evidence_does_not_hold(sandbox: Sandbox) -> None:
    for question in ("你们老板叫什么名字", "支持花呗分期吗", "北京有门店吗"):
        whole = await chat(sandbox, asking(question, response_format=json_schema(SCHEMA)))
        said = json.loads(whole["choices"][0]["message"]["content"])
        assert (said["can_answer"], said["evidence"]) == (False, []), question


async def test_it_calls_an_output_tool(sandbox: Sandbox) -> None:
    tool = {"type": "function", "function": {"name": "final_result", "parameters": SCHEMA}}
    whole = await chat(sandbox, asking("几点发货", tools=[tool], tool_choice="required"))
    (call,) = whole["choices"][0]["message"]["tool_calls"]
    assert whole["choices"][0]["finish_reason"] == "tool_calls"
    assert call["function"]["name"] == "final_result"
    assert json.loads(call["function"]["arguments"])["evidence"] == [3]


async def test_a_tool_without_place_for_an_answer_is_left_alone(sandbox: Sandbox) -> None:
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}
    whole = await chat(sandbox, asking("几点发货", tools=[tool]))
    assert "当天发货" in whole["choices"][0]["message"]["content"]


async def stream(sandbox: Sandbox, body: dict[str, Any], limit: int = 10_000) -> list[str]:
    lines: list[str] = []
    async with sandbox.http.stream(
        "POST", "/v1/chat/completions", json={**body, "stream": True}, headers=KEY
    ) as answer:
        async for line in answer.aiter_lines():
            if line:
                lines.append(line.removeprefix("data: "))
            if len(lines) >= limit:
                break
    return lines


async def test_it_streams_piece_by_piece_with_usage_at_the_end(sandbox: Sandbox) -> None:
    lines = await stream(sandbox, asking("有大一点的吗", stream_options={"include_usage": True}))
    assert lines[-1] == "[DONE]"
    events = [json.loads(line) for line in lines[:-1]]
    text = "".join(one["choices"][0]["delta"].get("content") or "" for one in events if one["choices"])
    assert text.startswith("有的，最大到 3XL")
    assert len(events) > 4
    assert events[-1]["usage"]["completion_tokens"] > 0


@pytest.mark.parametrize("key", [None, "Bearer wrong", "sandbox-key"])
async def test_a_wrong_key_is_refused(sandbox: Sandbox, key: str | None) -> None:
    headers = {"Authorization": key} if key else {}
    for path in ("chat/completions", "embeddings"):
        answer = await sandbox.http.post(f"/v1/{path}", json=asking("x"), headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "invalid_api_key"
    assert (await sandbox.http.get("/v1/models", headers=headers)).status_code == 401


async def test_models_are_listed_and_bad_requests_refused(sandbox: Sandbox) -> None:
    listed = (await sandbox.http.get("/v1/models", headers=KEY)).json()["data"]
    assert [one["id"] for one in listed] == ["sandbox-chat", "sandbox-embedding"]
    for content in (b"no json", b"[]", b"{}", b'{"messages": []}', b'{"messages": [1]}'):
        answer = await sandbox.http.post("/v1/chat/completions", content=content, headers=KEY)
        assert answer.status_code == 400


async def test_embeddings_are_the_same_each_time_and_near_for_near_texts(sandbox: Sandbox) -> None:
    texts = ["有没有大码", "大码有没有", "几点发货"]
    answer = await sandbox.http.post("/v1/embeddings", json={"input": texts, "model": "m"}, headers=KEY)
    same, near, far = (one["embedding"] for one in answer.json()["data"])
    again = await sandbox.http.post("/v1/embeddings", json={"input": texts[0], "model": "m"}, headers=KEY)
    assert again.json()["data"][0]["embedding"] == same

    def product(first: list[float], second: list[float]) -> float:
        return sum(a * b for a, b in zip(first, second, strict=True))

    assert product(same, same) == pytest.approx(1.0)
    assert product(same, near) > product(same, far) + 0.2
    packed = await sandbox.http.post(
        "/v1/embeddings", json={"input": "x", "encoding_format": "base64", "dimensions": 8}, headers=KEY
    )
    assert isinstance(packed.json()["data"][0]["embedding"], str)


# ---- a bad model


async def test_a_hanging_model_says_nothing(sandbox: Sandbox) -> None:
    await sandbox.faults(model_mode="hang")
    with pytest.raises(httpx2.ReadTimeout):
        await sandbox.http.post("/v1/chat/completions", json=asking("在吗"), headers=KEY, timeout=0.3)


async def test_a_failing_model_answers_500(sandbox: Sandbox) -> None:
    await sandbox.faults(model_mode="error")
    answer = await sandbox.http.post("/v1/chat/completions", json=asking("在吗"), headers=KEY)
    assert answer.status_code == 500
    assert answer.json()["error"]["type"] == "server_error"


async def test_a_slow_model_answers_in_the_end(sandbox: Sandbox) -> None:
    await sandbox.faults(model_delay_ms=200)
    started = asyncio.get_running_loop().time()
    await chat(sandbox, asking("在吗"))
    assert asyncio.get_running_loop().time() - started >= 0.2


async def test_a_babbling_model_never_ends(sandbox: Sandbox) -> None:
    await sandbox.faults(model_mode="babble")
    lines = await stream(sandbox, asking("在吗"), limit=50)
    assert len(lines) == 50
    whole = await chat(sandbox, asking("在吗", response_format=json_schema(SCHEMA)))
    text = whole["choices"][0]["message"]["content"]
    assert len(text) >= 100_000
    assert not text.startswith("{")


async def test_invalid_json_is_cut_in_its_middle(sandbox: Sandbox) -> None:
    await sandbox.faults(model_mode="invalid_json")
    whole = await chat(sandbox, asking("几点发货", response_format=json_schema(SCHEMA)))
    with pytest.raises(json.JSONDecodeError):
        json.loads(whole["choices"][0]["message"]["content"])


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_cut_stream_ends_without_its_end(sandbox: Sandbox, streamed: bool) -> None:
    await sandbox.faults(model_mode="cut_stream")
    with pytest.raises(httpx2.RemoteProtocolError):
        if streamed:
            await stream(sandbox, asking("几点发货"))
        else:
            await chat(sandbox, asking("几点发货"))
