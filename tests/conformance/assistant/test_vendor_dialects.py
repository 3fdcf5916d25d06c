"""What six vendors document, sent over a real socket to our adapter.

The fixtures in `dialects` are written after the page that each case names: their forms, codes and sentences are the
vendors', the shop is ours. They are no recordings.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from huitouke.kernel.keys import Secret
from huitouke.kernel.locales import translate
from huitouke.kernel.modules import load_modules
from huitouke.modules.assistant.model.dialects import read_answer
from huitouke.modules.assistant.model.openai_compatible import OpenAiCompatible
from huitouke.modules.assistant.model.port import ChatMessage, Completion, ModelFailure, Tool
from tests.conformance.assistant.endpoint import Endpoint, Reply

FOLDER = Path(__file__).parent / "dialects"
VENDORS = {"Qwen", "DeepSeek", "GLM", "Kimi", "vLLM", "Ollama", "Any"}
TOOL = Tool("check_stock", "是否有货", {"type": "object", "properties": {"product": {"type": "string"}}})
ASKED = [ChatMessage("system", "只输出一个 JSON 对象"), ChatMessage("user", "有大一点的吗")]

load_modules()  # with their texts
FILES = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]
CASES = {f"{file['vendor']}: {case['name']}": case for file in FILES for case in file["cases"]}


def reply_of(case: dict[str, Any]) -> Reply:
    if "json" in case:
        body = json.dumps(case["json"], ensure_ascii=False)
    else:
        body = case["line_end"].join(case["lines"]) if "line_end" in case else "\n".join(case.get("lines", []))
        body = case.get("text", body)
    kind = "text/event-stream" if "lines" in case else "application/json"
    return Reply(case["status"], body.encode(), kind)


@asynccontextmanager
async def answering(case: dict[str, Any]) -> AsyncIterator[tuple[Endpoint, OpenAiCompatible]]:
    async with Endpoint([reply_of(reply) for reply in case["replies"]]) as endpoint:
        yield endpoint, OpenAiCompatible(f"{endpoint.address}/v1", "m", Secret("sk-1"))


async def ask(model: OpenAiCompatible, how: str, said: list[str]) -> Completion:
    """The completion; `said` gets the words of a stream as they come."""
    tools = [TOOL] if how in ("tools", "tool_stream") else []
    if how in ("chat", "tools"):
        return await model.chat(ASKED, max_tokens=800, timeout_seconds=5, tools=tools)
    async for piece in model.stream(ASKED, max_tokens=800, timeout_seconds=5, tools=tools):
        if isinstance(piece, Completion):
            return piece
        said.append(piece)
    raise AssertionError("a stream ends with its completion")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_it_is_understood_as_its_page_means_it(case: dict[str, Any]) -> None:
    expected = case["expects"]
    said: list[str] = []
    async with answering(case) as (endpoint, model):
        if case["ask"] == "embed":
            embeddings = await model.embed(["大码", "几点发货"], timeout_seconds=5)
            assert [list(vector) for vector in embeddings.vectors] == expected["vectors"]
            assert [embeddings.tokens_in] == expected["tokens"]
            return
        try:
            completion = await ask(model, case["ask"], said)
        except ModelFailure as failure:
            assert str(failure.kind) == expected.get("failure"), failure
            assert said == expected.get("pieces", said)
            for locale in ("zh-CN", "en"):  # a sentence with what the other side said, no bare key
                sentence = translate(locale, f"model.{failure.kind}", detail=failure.detail)
                assert len(sentence) > 10, locale
                assert not sentence.startswith("model."), locale
            return
    assert "failure" not in expected, completion
    check(completion, said, expected)
    check_requests(endpoint, expected)


def check(completion: Completion, said: list[str], expected: dict[str, Any]) -> None:
    assert completion.text == expected.get("text", completion.text)
    assert said == expected.get("pieces", said)
    assert [[call.name, call.arguments] for call in completion.tool_calls] == expected.get("calls", [])
    assert all(call.id for call in completion.tool_calls)
    assert len({call.id for call in completion.tool_calls}) == len(completion.tool_calls)
    assert completion.thoughts == expected.get("thoughts", completion.thoughts)
    assert completion.cut_off == expected.get("cut_off", False)
    counted = [completion.tokens_in, completion.tokens_out, completion.tokens_cached]
    assert counted == expected.get("tokens", counted)
    if expected.get("answer") or completion.text.startswith("{"):
        assert read_answer(completion.text).answer == "有的，做到 3XL。"


def check_requests(endpoint: Endpoint, expected: dict[str, Any]) -> None:
    first, last = endpoint.requests[0].body, endpoint.requests[-1].body
    assert first["messages"][1] == {"role": "user", "content": "有大一点的吗"}
    assert endpoint.requests[0].headers["authorization"] == "Bearer sk-1"
    for key, value in expected.get("asked_again", {}).items():
        assert last.get(key) == value, key
        assert first.get(key) != value, key


def test_every_vendor_shows_answers_thoughts_tools_streams_and_refusals() -> None:
    assert {file["vendor"] for file in FILES} == VENDORS
    for file in FILES:
        assert all(page.startswith("https://") for page in file["pages"].values())
        assert {case["page"] for case in file["cases"]} == set(file["pages"]), file["vendor"]
        if file["vendor"] != "Any":
            kinds = {case["ask"] for case in file["cases"]}
            assert {"chat", "stream", "tools", "tool_stream"} <= kinds, file["vendor"]
            assert sum("failure" in case["expects"] for case in file["cases"]) >= 5, file["vendor"]


async def test_what_an_endpoint_refused_once_it_is_not_asked_again() -> None:
    refusal = CASES["Kimi: takes its own temperature only: asked again without one"]["replies"]
    replies = [reply_of(refusal[0]), reply_of(refusal[1]), reply_of(refusal[1])]
    async with Endpoint(replies) as endpoint:
        model = OpenAiCompatible(f"{endpoint.address}/v1", "kimi-k2.6", None)
        for _ in range(2):
            await model.chat(ASKED, max_tokens=800, timeout_seconds=5)
    assert ["temperature" in request.body for request in endpoint.requests] == [True, False, False]


async def test_a_tools_result_goes_back_with_the_call_and_its_thoughts() -> None:
    called = CASES["Kimi: tool calls with ids of its own kind"]
    async with Endpoint(
        [reply_of(called["replies"][0]), reply_of(CASES["Kimi: thoughts beside the answer"]["replies"][0])]
    ) as endpoint:
        model = OpenAiCompatible(f"{endpoint.address}/v1", "kimi-k2-thinking", None)
        first = await model.chat(ASKED, max_tokens=800, timeout_seconds=5, tools=[TOOL])
        talk = [
            *ASKED,
            ChatMessage("assistant", first.text, tool_calls=first.tool_calls, thoughts=first.thoughts),
            ChatMessage("tool", "3XL 有 2 件", tool_call_id=first.tool_calls[0].id),
        ]
        await model.chat(talk, max_tokens=800, timeout_seconds=5, tools=[TOOL])
    sent = endpoint.requests[1].body
    assert sent["tools"][0]["function"]["name"] == "check_stock"
    assert "response_format" not in sent
    assistant, result = sent["messages"][2:]
    assert (assistant["reasoning_content"], assistant["tool_calls"][0]["id"]) == ("要查。", "check_stock:0")
    assert json.loads(assistant["tool_calls"][0]["function"]["arguments"]) == {"product": "茶歇裙", "size": "3XL"}
    assert result == {"role": "tool", "content": "3XL 有 2 件", "tool_call_id": "check_stock:0"}


async def test_many_texts_are_embedded_in_tens_and_stay_in_order() -> None:
    def vectors(request: dict[str, Any]) -> dict[str, Any]:
        data = [{"index": at, "embedding": [float(text), 1.0]} for at, text in enumerate(request["input"])]
        return {"data": list(reversed(data)), "model": "m", "usage": {"prompt_tokens": len(data)}}

    async with Endpoint([], answer=vectors) as endpoint:
        model = OpenAiCompatible(f"{endpoint.address}/v1", "m", None)
        embeddings = await model.embed([str(number) for number in range(25)], timeout_seconds=5)
    assert [vector[0] for vector in embeddings.vectors] == list(range(25))
    assert [len(request.body["input"]) for request in endpoint.requests] == [10, 10, 5]
    assert embeddings.tokens_in == 25


@pytest.mark.parametrize(
    "data",
    [
        [],
        [{"index": 0, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}],
        [{"index": 0, "embedding": "AAAA"}, {"index": 1, "embedding": [1.0]}],
        [{"index": 0, "embedding": [float("nan")]}, {"index": 1, "embedding": [1.0]}],
        ["x", None],
    ],
)
async def test_vectors_that_do_not_fit_the_texts_are_none(data: list[Any]) -> None:
    async with Endpoint([Reply(200, json.dumps({"data": data}).encode())]) as endpoint:
        with pytest.raises(ModelFailure, match="not_json"):
            await OpenAiCompatible(f"{endpoint.address}/v1", "m", None).embed(["a", "b"], timeout_seconds=5)


async def test_a_call_that_is_cancelled_closes_its_connection() -> None:
    async with Endpoint([Reply(200, b"", pause_seconds=30)]) as endpoint:
        model = OpenAiCompatible(f"{endpoint.address}/v1", "m", None)
        call = asyncio.create_task(model.chat(ASKED, max_tokens=1, timeout_seconds=60))
        await asyncio.wait_for(endpoint.asked.wait(), 30)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(endpoint.hung_up.wait(), 30)
