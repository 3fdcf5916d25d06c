"""Any OpenAI-compatible endpoint, over httpx2: docs/decisions/model-client.md says why not with a framework."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Final

from huitouke.kernel.keys import Secret
from huitouke.modules.assistant.model.addresses import parse_address
from huitouke.modules.assistant.model.completions import Assembly, read_completion, read_embeddings
from huitouke.modules.assistant.model.failures import failure_of_status
from huitouke.modules.assistant.model.port import (
    ChatMessage,
    Completion,
    Embeddings,
    FailureKind,
    ModelFailure,
    Tool,
)
from huitouke.modules.assistant.model.streams import EventLines, is_event_stream
from huitouke.modules.assistant.model.transport import Deadline, Response, post
from huitouke.modules.assistant.model.wishes import Request, chat_body

MAX_BODY_BYTES: Final = 256 * 1024
"""A completion of 800 tokens with its thoughts has some 20 KB, streamed some 150; what is longer never ends."""

EMBEDDING_BATCH: Final = 10
"""Texts per request: what DashScope takes (help.aliyun.com, text-embedding-v4); the others take more."""

MAX_TEXTS: Final = 1_000
MAX_EMBEDDINGS_BYTES: Final = 4 * 1024 * 1024
"""10 vectors of 8,192 numbers, printed with all their digits, have some 1.8 MB."""


class OpenAiCompatible:
    """One endpoint with one model: a ChatModel and an EmbeddingModel."""

    def __init__(self, base_url: str, model: str, api_key: Secret | None) -> None:
        """Raises ModelFailure(FORBIDDEN_ADDRESS) for an address that can't be used."""
        self._address = parse_address(base_url)
        self._model = model
        self._api_key = api_key

    @property
    def name(self) -> str:
        """The model's name as the endpoint calls it."""
        return self._model

    async def chat(
        self, messages: Sequence[ChatMessage], *, max_tokens: int, timeout_seconds: float, tools: Sequence[Tool] = ()
    ) -> Completion:
        """One answer; an endpoint that only streams is listened to until its end. See the port."""
        request = self._request(messages, max_tokens, tools, stream=False)
        deadline = Deadline.after(timeout_seconds)
        while True:
            async with self._post("chat/completions", request.encoded(), deadline, MAX_BODY_BYTES) as response:
                data = await response.body()
            if response.status == 200:
                return read_completion(data, self._model, with_tools=bool(tools))
            if not request.without_what_it_refuses(response.status, data):
                raise failure_of_status(response.status, data)

    async def stream(
        self, messages: Sequence[ChatMessage], *, max_tokens: int, timeout_seconds: float, tools: Sequence[Tool] = ()
    ) -> AsyncGenerator[str | Completion]:
        """The answer piece by piece, then whole. See the port."""
        request = self._request(messages, max_tokens, tools, stream=True)
        deadline = Deadline.after(timeout_seconds)
        while True:
            async with self._post("chat/completions", request.encoded(), deadline, MAX_BODY_BYTES) as response:
                if response.status == 200:
                    async with aclosing(self._pieces(response, with_tools=bool(tools))) as pieces:
                        async for piece in pieces:
                            yield piece
                    return
                data = await response.body()
            if not request.without_what_it_refuses(response.status, data):
                raise failure_of_status(response.status, data)

    async def embed(self, texts: Sequence[str], *, timeout_seconds: float) -> Embeddings:
        """A vector for each of up to 1,000 texts, asked for in tens. See the port."""
        assert 0 < len(texts) <= MAX_TEXTS, f"1 to {MAX_TEXTS} texts"
        deadline = Deadline.after(timeout_seconds)
        starts = range(0, len(texts), EMBEDDING_BATCH)
        parts = [await self._embed(texts[start : start + EMBEDDING_BATCH], deadline) for start in starts]
        if len({len(part.vectors[0]) for part in parts}) != 1:
            raise ModelFailure(FailureKind.NOT_JSON, "vectors of several lengths")
        counted = [part.tokens_in for part in parts if part.tokens_in is not None]
        vectors = tuple(vector for part in parts for vector in part.vectors)
        return Embeddings(vectors, parts[0].model, sum(counted) if counted else None)

    async def _embed(self, texts: Sequence[str], deadline: Deadline) -> Embeddings:
        body = {"model": self._model, "input": list(texts), "encoding_format": "float"}
        content = json.dumps(body, ensure_ascii=False).encode()
        async with self._post("embeddings", content, deadline, MAX_EMBEDDINGS_BYTES) as response:
            data = await response.body()
        if response.status != 200:
            raise failure_of_status(response.status, data)
        return read_embeddings(data, self._model, len(texts))

    async def _pieces(self, response: Response, *, with_tools: bool) -> AsyncGenerator[str | Completion]:
        """The words of a stream as they come, then the completion; of a body that is no stream, all at once."""
        lines, assembly = EventLines(), Assembly(self._model)
        whole = bytearray()
        events: bool | None = None
        async with aclosing(response.chunks()) as chunks:
            async for chunk in chunks:
                if not events:
                    whole += chunk
                    events = is_event_stream(bytes(whole[:64]))
                    if not events:
                        continue
                    chunk, whole = bytes(whole), bytearray()
                for payload in lines.feed(chunk):
                    if said := assembly.payload(payload):
                        yield said
                    if assembly.done:
                        break
                if assembly.done:
                    break
        if not events:
            completion = read_completion(bytes(whole), self._model, with_tools=with_tools)
            if completion.text:
                yield completion.text
            yield completion
            return
        for payload in lines.end():
            if said := assembly.payload(payload):
                yield said
        completion = assembly.completion(streamed=True, with_tools=with_tools)
        if said := assembly.rest():
            yield said
        yield completion

    def _request(
        self, messages: Sequence[ChatMessage], max_tokens: int, tools: Sequence[Tool], *, stream: bool
    ) -> Request:
        endpoint = (self._address.base_url, self._model)
        return Request(endpoint, chat_body(self._model, messages, max_tokens, tools, stream=stream))

    def _post(
        self, path: str, content: bytes, deadline: Deadline, max_bytes: int
    ) -> AbstractAsyncContextManager[Response]:
        return post(self._address, path, content, self._api_key, deadline=deadline, max_bytes=max_bytes)
