"""Completions as OpenAI-compatible endpoints write them, in forms that differ from OpenAI's own.

The bodies are written after the forms that the endpoints document or are known for; they are not recordings.
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huitouke.modules.assistant.model.completions import read_completion
from huitouke.modules.assistant.model.dialects import ModelAnswer, read_answer
from huitouke.modules.assistant.model.port import FailureKind, ModelFailure

ANSWER = '{"can_answer": true, "answer": "有的，做到 3XL。", "evidence": [1]}'
EXPECTED = ModelAnswer(True, "有的，做到 3XL。", (1,))


LAST = 'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}'


def body(message: dict[str, Any], **more: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 150}
    document = {"id": "x", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage, **more}
    return json.dumps(document, ensure_ascii=False).encode()


def stream(*pieces: dict[str, Any], end: str = "data: [DONE]\n\n") -> bytes:
    lines = [f"data: {json.dumps({'model': 'm', 'choices': [{'index': 0, 'delta': piece}]})}\n\n" for piece in pieces]
    return ("".join(lines) + end).encode()


ANSWERED = {
    "plain": body({"content": ANSWER}),
    "thoughts in a field of their own (DeepSeek, Qwen, GLM, Kimi)": body(
        {"content": ANSWER, "reasoning_content": '也许 {"can_answer": false}'}
    ),
    "thoughts in `reasoning` (vLLM, OpenRouter)": body({"content": ANSWER, "reasoning": "让我想想"}),
    "thoughts in tags (DeepSeek-R1 and Qwen3 on Ollama and vLLM)": body(
        {"content": f'<think>\n{{"can_answer": false}} 嗯\n</think>\n\n{ANSWER}'}
    ),
    "thoughts whose beginning is in the template (R1 on vLLM)": body({"content": f"嗯，资料一\n</think>\n{ANSWER}"}),
    "fenced JSON (GLM, Qwen)": body({"content": f"```json\n{ANSWER}\n```"}),
    "a sentence before the JSON": body({"content": f"好的，以下是回答：\n{ANSWER}\n希望有帮助。"}),
    "content in parts": body(
        {"content": [{"type": "text", "text": ANSWER[:20]}, {"type": "text", "text": ANSWER[20:]}]}
    ),
    "a tool call instead of content": body(
        {
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": ANSWER}}],
        }
    ),
    "without usage (Ollama, proxies)": body({"content": ANSWER}, usage=None),
    "a stream where none was asked for": stream(
        {"role": "assistant"}, {"content": ANSWER[:9]}, {"content": ANSWER[9:]}
    ),
    "a stream with thoughts and comments": b": keep-alive\n\n"
    + stream({"reasoning_content": "想"}, {"content": ANSWER}),
    "a stream whose last piece says that it is the last": stream({"content": ANSWER}, end=LAST),
    "evidence as texts": body({"content": ANSWER.replace("[1]", '["[1]"]')}),
    "evidence as one number": body({"content": ANSWER.replace("[1]", "1")}),
    "a truth value as a text": body({"content": ANSWER.replace("true", '"true"')}),
    "citations within the answer": body({"content": '{"can_answer": true, "answer": "有的，做到 3XL。[1]"}'}),
    "plain text with a citation": body({"content": "有的，做到 3XL。 [1]"}),
}


@pytest.mark.parametrize("said", ANSWERED.values(), ids=ANSWERED.keys())
def test_an_answer_is_understood(said: bytes) -> None:
    assert read_answer(read_completion(said, "asked").text) == EXPECTED


NOT_AN_ANSWER = {
    "the model says that it can't": '{"can_answer": false, "answer": "不知道", "evidence": []}',
    "JSON that broke off": '{"can_answer": true, "answer": "有的，做',
    "plain text without evidence": "有的，我们什么都有，全部半价！",
    "an empty object": "{}",
    "an answer that is no text": '{"can_answer": true, "answer": {"a": 1}, "evidence": [1]}',
    "fenced rubbish": "```json\n{oops}\n```",
}


@pytest.mark.parametrize("text", NOT_AN_ANSWER.values(), ids=NOT_AN_ANSWER.keys())
def test_what_is_no_answer_is_none(text: str) -> None:
    assert not read_answer(text).can_answer


FAILURES = {
    "not JSON": (b"<html><body>502 Bad Gateway</body></html>", FailureKind.NOT_JSON),
    "a list": (b"[]", FailureKind.NOT_JSON),
    "nothing": (b"", FailureKind.NOT_JSON),
    "another document": (b'{"hello": 1}', FailureKind.NOT_JSON),
    "no choices": (b'{"choices": []}', FailureKind.EMPTY),
    "an empty text": (body({"content": "  "}), FailureKind.EMPTY),
    "only thoughts": (body({"content": None, "reasoning_content": "想"}), FailureKind.EMPTY),
    "a thought without an end": (body({"content": "<think>我一直想"}), FailureKind.EMPTY),
    "an error in a 200": (b'{"error": {"message": "something broke", "type": "x"}}', FailureKind.REFUSED),
    "a wrong key in a 200 (OpenAI form)": (
        b'{"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}',
        FailureKind.KEY,
    ),
    "a wrong key in a 200 (DashScope form)": (
        b'{"code": "InvalidApiKey", "message": "Invalid API-key provided.", "request_id": "1"}',
        FailureKind.KEY,
    ),
    "no credit in a 200 (MiniMax form)": (
        b'{"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}',
        FailureKind.CREDIT,
    ),
    "an unknown model (Ollama form)": (
        b'{"error": {"message": "model \\"qwen9\\" not found, try pulling it first", "type": "api_error"}}',
        FailureKind.MODEL,
    ),
    "an unknown model (vLLM form)": (
        b'{"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError", "code": 404}',
        FailureKind.MODEL,
    ),
    "an error as a text": (b'{"error": "rate limit exceeded"}', FailureKind.BUSY),
    "an error within a stream": (b'data: {"error": {"message": "quota exceeded"}}\n\n', FailureKind.BUSY),
    "a stream that ended before its end": (stream({"content": ANSWER}, end=""), FailureKind.CUT),
    "a stream that was cut in the middle of a line": (b'data: {"choices": [{"del', FailureKind.NOT_JSON),
}


@pytest.mark.parametrize(("said", "kind"), FAILURES.values(), ids=FAILURES.keys())
def test_a_failure_is_named(said: bytes, kind: FailureKind) -> None:
    with pytest.raises(ModelFailure) as caught:
        read_completion(said, "asked")
    assert caught.value.kind is kind


def test_tokens_are_counted_where_the_endpoint_counts() -> None:
    counted = read_completion(body({"content": ANSWER}), "asked")
    uncounted = read_completion(body({"content": ANSWER}, usage={"prompt_tokens": "many"}), "asked")

    assert (counted.tokens_in, counted.tokens_out) == (120, 30)
    assert (uncounted.tokens_in, uncounted.tokens_out) == (None, None)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_completion_or_a_failure(said: bytes) -> None:
    try:
        assert read_completion(said, "asked").text
    except ModelFailure as failure:
        assert failure.kind in FailureKind


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "message", "content", "delta", "error", "usage", "answer", "evidence", "tool_calls"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(json_values)
def test_any_document_is_a_completion_or_a_failure(document: Any) -> None:
    try:
        assert read_completion(json.dumps(document).encode(), "asked").text
    except ModelFailure as failure:
        assert failure.kind in FailureKind


@given(st.text(max_size=200) | json_values.map(json.dumps))
def test_any_text_is_an_answer_or_none(text: str) -> None:
    assert isinstance(read_answer(text), ModelAnswer)
