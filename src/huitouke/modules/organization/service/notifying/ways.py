"""What carries notices out of the console: the protocol of a channel, and the registry of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol
from uuid import UUID

from huitouke.kernel.context import Context
from huitouke.kernel.modules import load_modules

NOTICE_CHANNELS: Final = "organization.notice_channels"
"""Registry of `NoticeChannel`."""

Failure = Literal["final", "retry", "unknown"]
"""`final`: repeating is useless. `retry`: it did not happen, and may work later. `unknown`: it may have happened."""


class NotSent(Exception):
    """The channel didn't take it, or nobody knows. `code` is what `explain` turns into a sentence."""

    def __init__(self, code: str, failure: Failure, *, after_seconds: float | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.failure: Failure = failure
        self.after_seconds = after_seconds


@dataclass(frozen=True, slots=True)
class Message:
    """A notice in the words of its recipient. `url` is absolute, empty where there is nothing to open."""

    title: str
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """What goes out at once: one notice, or several that waited. `list_url` opens all of them."""

    messages: Sequence[Message]
    locale: str
    list_url: str


class NoticeChannel(Protocol):
    """A way to people, or to groups. Its label is the text `notices.channels.<name>`."""

    @property
    def name(self) -> str:
        """Stable, stands in rows."""
        ...

    async def reaches(self, ctx: Context, staff_ids: Sequence[UUID]) -> set[UUID]:
        """Which of these people can be told this way at present. Called in a transaction."""
        ...

    async def address(self, ctx: Context, recipient_id: UUID) -> Any:
        """All that `send` needs to know of the recipient; None when there is no way (any more). In a transaction."""
        ...

    async def send(self, context: Context, address: Any, envelope: Envelope) -> None:
        """Sends it. Called outside of transactions. Raises NotSent."""
        ...

    def explain(self, code: str, locale: str) -> str:
        """The sentence behind a code of NotSent: what happened and what to do."""
        ...


def all_channels() -> tuple[NoticeChannel, ...]:
    """What the loaded modules offer, in their order."""
    return tuple(load_modules().extensions(NOTICE_CHANNELS))


def channel_named(name: str) -> NoticeChannel | None:
    """The channel of that name; None for one whose module is not there (any more)."""
    return next((channel for channel in all_channels() if channel.name == name), None)
