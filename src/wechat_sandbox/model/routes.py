"""/v1/models, /v1/chat/completions, /v1/embeddings: the OpenAI-compatible paths, with the faults of bad models."""

import asyncio
import base64
import contextlib
import hmac
import re
from collections.abc import AsyncIterator
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from wechat_sandbox.control.common import TheWorld
from wechat_sandbox.model.answering import NO_EVIDENCE_GREETING, Answer, Reading, answer, read_prompt, summary
from wechat_sandbox.model.embeddings import DEFAULT_DIMENSIONS, DIMENSION_LIMIT, embed, packed
from wechat_sandbox.model.filling import fill
from wechat_sandbox.model.replies import DONE, Reply, babble, chunks, completion, tokens_of
from wechat_sandbox.world import World

API_KEY = "sandbox-key"
CHAT_MODEL = "sandbox-chat"
EMBEDDING_MODEL = "sandbox-embedding"
BODY_LIMIT_BYTES = 4 * 1_048_576
MESSAGE_LIMIT = 500
EMBEDDING_INPUT_LIMIT = 2_048
HANG_SECONDS = 3_600.0
SLOW_SECONDS = 8.0
BABBLE_PAUSE_SECONDS = 0.02

JSON_KEY = re.compile(r'"(\w+)"\s*:')
KNOWN_KEYS: dict[str, dict[str, Any]] = {
    "can_answer": {"type": "boolean"},
    "answer": {"type": "string"},
    "evidence": {"type": "array", "items": {"type": "integer"}},
}

router = APIRouter(prefix="/v1", include_in_schema=False)


class ModelError(Exception):
    """An answer in OpenAI's error form."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message

    def response(self) -> JSONResponse:
        body = {"message": self.message, "type": self.kind, "param": None, "code": self.kind}
        return JSONResponse({"error": body}, self.status)


class CutOff(Exception):
    """The connection ends in the middle of an answer, on purpose."""


@router.get("/models")
async def list_models(request: Request, world: TheWorld) -> Response:
    try:
        _check_key(request)
    except ModelError as error:
        return error.response()
    models = [_model(world, name) for name in (CHAT_MODEL, EMBEDDING_MODEL)]
    return JSONResponse({"object": "list", "data": models})


@router.get("/models/{name:path}")
async def one_model(request: Request, world: TheWorld, name: str) -> Response:
    try:
        _check_key(request)
        if name not in (CHAT_MODEL, EMBEDDING_MODEL):
            raise ModelError(404, "model_not_found", f"The model `{name}` does not exist.")
    except ModelError as error:
        return error.response()
    return JSONResponse(_model(world, name))


@router.post("/chat/completions")
async def chat_completions(request: Request, world: TheWorld) -> Response:
    """Any model name is served; `tools` and `response_format` are obeyed."""
    try:
        _check_key(request)
        body = await _body(request)
        if (refusal := await _misbehave(request, world)) is not None:
            return refusal
        reply = _reply(world, body)
    except ModelError as error:
        return error.response()
    created = int(world.clock.now())
    if not body.get("stream"):
        whole = orjson.dumps(completion(reply, created))
        if world.faults.model_mode == "cut_stream":
            return _cut_response(whole)
        return Response(whole, media_type="application/json")
    include_usage = bool((body.get("stream_options") or {}).get("include_usage"))
    return StreamingResponse(_stream(world, reply, created, include_usage), media_type="text/event-stream")


@router.post("/embeddings")
async def embeddings(request: Request, world: TheWorld) -> Response:
    """Vectors of up to 2,048 texts; `dimensions` up to 2,048, as floats or base64."""
    try:
        _check_key(request)
        body = await _body(request)
        if (refusal := await _misbehave(request, world)) is not None:
            return refusal
        texts = _texts_to_embed(body)
    except ModelError as error:
        return error.response()
    dimensions = body.get("dimensions") or DEFAULT_DIMENSIONS
    if not isinstance(dimensions, int) or not 1 <= dimensions <= DIMENSION_LIMIT:
        return ModelError(400, "invalid_request_error", f"dimensions: 1 to {DIMENSION_LIMIT}").response()
    data = []
    for index, text in enumerate(texts):
        vector = embed(text, dimensions)
        value = base64.b64encode(packed(vector)).decode() if body.get("encoding_format") == "base64" else vector
        data.append({"object": "embedding", "index": index, "embedding": value})
    used = sum(tokens_of(text) for text in texts)
    usage = {"prompt_tokens": used, "total_tokens": used}
    return JSONResponse({"object": "list", "data": data, "model": body.get("model") or EMBEDDING_MODEL, "usage": usage})


def _model(world: World, name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": int(world.clock.now()), "owned_by": "wechat-sandbox"}


def _check_key(request: Request) -> None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(key.strip().encode(), API_KEY.encode()):
        raise ModelError(401, "invalid_api_key", "Incorrect API key provided. The sandbox's key is sandbox-key.")


async def _body(request: Request) -> dict[str, Any]:
    data = await request.body()
    if len(data) > BODY_LIMIT_BYTES:
        raise ModelError(413, "invalid_request_error", f"The request is longer than {BODY_LIMIT_BYTES} bytes.")
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise ModelError(400, "invalid_request_error", "The request is not JSON.") from None
    if not isinstance(body, dict):
        raise ModelError(400, "invalid_request_error", "The request is not a JSON object.")
    return body


async def _misbehave(request: Request, world: World) -> Response | None:
    """Waits, hangs or refuses as the switches say; None: go on."""
    mode = world.faults.model_mode
    seconds = world.faults.model_delay_ms / 1_000
    if mode == "hang":
        await _hang(request)
    if mode == "slow":
        seconds = max(seconds, SLOW_SECONDS)
    if seconds:
        await asyncio.sleep(seconds)
    if mode == "error":
        return ModelError(500, "server_error", "The model has failed.").response()
    return None


async def _hang(request: Request) -> None:
    """Says nothing until the caller gives up."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HANG_SECONDS):
            while (await request.receive())["type"] != "http.disconnect":
                pass


def _reply(world: World, body: dict[str, Any]) -> Reply:
    messages = _messages(body)
    reading = read_prompt(messages)
    text, tool = _say(body, reading, messages)
    match world.faults.model_mode:
        case "babble":
            text, tool = babble(), None
        case "invalid_json":
            text = '{"can_answer": true, "answer": "' + text.replace('"', "")[:20]
    return Reply(
        text=text,
        tool=tool,
        model=str(body.get("model") or CHAT_MODEL),
        prompt_tokens=sum(tokens_of(text) for _, text in messages),
        completion_tokens=tokens_of(text),
    )


def _say(body: dict[str, Any], reading: Reading, messages: list[tuple[str, str]]) -> tuple[str, str | None]:
    """(text, None), or (JSON arguments, name of the tool to call)."""
    said = answer(reading)
    summed_up = None if reading.passages else summary(messages)
    if summed_up is not None:
        said = Answer(True, summed_up, ())
    wants_json = _json_schema(body, messages)
    if (tool := _chosen_tool(body)) is not None:
        function = tool["function"]
        return _json(fill(function.get("parameters") or {}, said, reading)), str(function["name"])
    if wants_json is not None:
        return _json(fill(wants_json, said, reading)), None
    if not reading.passages and summed_up is None and reading.question:
        return NO_EVIDENCE_GREETING, None
    return said.text + "".join(f" [{number}]" for number in said.evidence), None


def _json_schema(body: dict[str, Any], messages: list[tuple[str, str]]) -> dict[str, Any] | None:
    """The schema to fill; None when plain text is wanted.

    Without a schema of its own, a wish for JSON (in response_format, or in the instructions) is met with the keys
    that the instructions name, as a real model does.
    """
    wanted = body.get("response_format")
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if isinstance(wanted, dict) and kind == "json_schema":
        schema = (wanted.get("json_schema") or {}).get("schema")
        if isinstance(schema, dict):
            return schema
    instructions = "\n".join(text for role, text in messages if role == "system")
    if kind not in ("json_object", "json_schema") and "json" not in instructions.lower():
        return None
    named = [key for key in dict.fromkeys(JSON_KEY.findall(instructions)) if key in KNOWN_KEYS]
    return {"type": "object", "properties": {key: KNOWN_KEYS[key] for key in named or KNOWN_KEYS}}


def _chosen_tool(body: dict[str, Any]) -> dict[str, Any] | None:
    """The tool that must be called; with `auto`, one that has a place for the answer, so that output tools work."""
    tools = [one for one in body.get("tools") or [] if isinstance(one, dict) and one.get("type") == "function"]
    choice = body.get("tool_choice", "auto")
    if not tools or choice == "none":
        return None
    if isinstance(choice, dict):
        name = (choice.get("function") or {}).get("name")
        return next((one for one in tools if one["function"].get("name") == name), None)
    if choice == "required":
        return next((one for one in tools if _has_answer(one)), tools[0])
    return next((one for one in tools if _has_answer(one)), None)


def _has_answer(tool: dict[str, Any]) -> bool:
    return "answer" in ((tool.get("function") or {}).get("parameters") or {}).get("properties", {})


def _messages(body: dict[str, Any]) -> list[tuple[str, str]]:
    """(role, text) of each message; the parts of a multi-part content are joined."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not 1 <= len(messages) <= MESSAGE_LIMIT:
        raise ModelError(400, "invalid_request_error", f"messages: 1 to {MESSAGE_LIMIT} of them are needed.")
    found = []
    for message in messages:
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise ModelError(400, "invalid_request_error", "Each message needs a role.")
        content = message.get("content") or ""
        if isinstance(content, list):
            content = "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
        found.append((message["role"], str(content)))
    return found


def _texts_to_embed(body: dict[str, Any]) -> list[str]:
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    good = isinstance(texts, list) and 1 <= len(texts) <= EMBEDDING_INPUT_LIMIT
    if not isinstance(texts, list) or not good or not all(isinstance(text, str) for text in texts):
        raise ModelError(400, "invalid_request_error", f"input: a text or up to {EMBEDDING_INPUT_LIMIT} texts.")
    return texts


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


async def _stream(world: World, reply: Reply, created: int, include_usage: bool) -> AsyncIterator[bytes]:
    """The events; a babbling model never comes to an end, a cut one stops in the middle without [DONE]."""
    mode = world.faults.model_mode
    pieces = list(chunks(reply, created, include_usage))
    if mode == "cut_stream":
        for piece in pieces[: max(2, len(pieces) // 2)]:
            yield piece
        raise CutOff
    if mode == "babble":
        while True:
            for piece in pieces[1:-1]:
                yield piece
                await asyncio.sleep(BABBLE_PAUSE_SECONDS)
    for piece in pieces:
        yield piece
    yield DONE


def _cut_response(whole: bytes) -> StreamingResponse:
    async def half() -> AsyncIterator[bytes]:
        yield whole[: len(whole) // 2]
        raise CutOff

    return StreamingResponse(half(), media_type="application/json", headers={"Content-Length": str(len(whole))})
