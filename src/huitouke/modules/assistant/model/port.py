"""What the assistant needs of a language model, whoever makes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol


class FailureKind(StrEnum):
    """Why a model gave no usable answer. Each has a sentence in locales under `model.<kind>`."""

    ADDRESS = "address"  # nothing answers there: name unknown, connection refused, no TLS
    FORBIDDEN_ADDRESS = "forbidden_address"  # an address that must not be called
    PATH = "path"  # something answers, but not an OpenAI-compatible endpoint (404 without a model's error)
    KEY = "key"  # 401, 403
    MODEL = "model"  # the model's name is unknown there
    BUSY = "busy"  # 429: too many requests or no credit
    SLOW = "slow"  # no answer in time
    SERVER = "server"  # 5xx
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
class ChatMessage:
    """One message of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model said, thoughts removed. Tokens are None where the endpoint doesn't count."""

    text: str
    model: str
    tokens_in: int | None
    tokens_out: int | None


class ChatModel(Protocol):
    """A model one can talk to."""

    @property
    def name(self) -> str:
        """What traces call it."""
        ...

    async def chat(self, messages: Sequence[ChatMessage], *, max_tokens: int, timeout_seconds: float) -> Completion:
        """One answer, within the time.

        Raises:
            ModelFailure: anything else happened.
        """
        ...
