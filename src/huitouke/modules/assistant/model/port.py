"""What the assistant needs of a language model, whoever makes it: chat, stream, tools, embeddings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol


class FailureKind(StrEnum):
    """Why a model gave no usable answer. Each has a sentence in locales under `model.<kind>`."""

    ADDRESS = "address"  # nothing answers there: name unknown, connection refused, no TLS
    FORBIDDEN_ADDRESS = "forbidden_address"  # an address that must not be called
    PATH = "path"  # something answers, but not an OpenAI-compatible endpoint (404 without a model's error)
    KEY = "key"  # 401, 403
    MODEL = "model"  # the model's name is unknown there
    BUSY = "busy"  # 429: too many requests, or the service is overloaded
    CREDIT = "credit"  # 402 and its like: the account has no money left
    FILTERED = "filtered"  # the endpoint's own check of contents stopped the question or the answer
    PROMPT_TOO_LONG = "prompt_too_long"  # more text than the model can read
    SLOW = "slow"  # no answer in time
    SERVER = "server"  # 5xx, or a connection that broke
    CUT = "cut"  # a stream that ended before its end
    REFUSED = "refused"  # another 4xx, or an error in a 200
    TOO_LONG = "too_long"  # an answer without an end
    NOT_JSON = "not_json"  # the body is no completion
    EMPTY = "empty"  # a completion without text


class ModelFailure(Exception):
    """The model gave no usable answer. `detail` is what the other side said, shortened; never shown to customers."""

    def __init__(self, kind: FailureKind, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}" if detail else str(kind))
        self.kind = kind
        self.detail = detail[:300]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model wants called. `arguments` is None when it wrote no JSON object: tell it so."""

    id: str
    name: str
    arguments: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may ask for. `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a prompt.

    An assistant's message repeats the `tool_calls` and `thoughts` of its Completion (Kimi and DeepSeek refuse calls
    that come back without their thoughts); a tool's message names its call.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    thoughts: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model said, thoughts apart. Token counts are None where the endpoint doesn't count.

    `cut_off`: the limit of tokens was reached, so the text may end in the middle.
    `tokens_cached` are those of `tokens_in` that the endpoint had read before.
    """

    text: str
    model: str
    tokens_in: int | None
    tokens_out: int | None
    tokens_cached: int | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    thoughts: str = ""
    cut_off: bool = False


@dataclass(frozen=True, slots=True)
class Embeddings:
    """One vector per text, in the order of the texts, all of one length."""

    vectors: tuple[tuple[float, ...], ...]
    model: str
    tokens_in: int | None


class ChatModel(Protocol):
    """A model one can talk to. Whoever cancels a call, or closes a stream, closes its connection."""

    @property
    def name(self) -> str:
        """What traces call it."""
        ...

    async def chat(
        self, messages: Sequence[ChatMessage], *, max_tokens: int, timeout_seconds: float, tools: Sequence[Tool] = ()
    ) -> Completion:
        """One answer, within the time: a JSON object where the endpoint knows that wish, free with `tools`.

        Raises:
            ModelFailure: anything else happened.
        """
        ...

    def stream(
        self, messages: Sequence[ChatMessage], *, max_tokens: int, timeout_seconds: float, tools: Sequence[Tool] = ()
    ) -> AsyncIterator[str | Completion]:
        """Free text piece by piece as it is written, thoughts left out, and the whole Completion at the end.

        The whole counts: some templates show only at a thought's end that it was one.

        Raises:
            ModelFailure: anything else happened, at whatever piece.
        """
        ...


class EmbeddingModel(Protocol):
    """A model that turns texts into vectors."""

    async def embed(self, texts: Sequence[str], *, timeout_seconds: float) -> Embeddings:
        """A vector for each text, within the time.

        Raises:
            ModelFailure: anything else happened.
        """
        ...
