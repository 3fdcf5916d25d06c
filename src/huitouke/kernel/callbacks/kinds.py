"""What a module offers for one kind of callback."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from huitouke.kernel.keys import Secret


class BadCallback(Exception):
    """The request is not one the sender would make. `reason` is a stable word, e.g. `bad_signature`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address that the outside calls, with its secrets. `reference_id` is what it belongs to, e.g. a WeCom app."""

    id: UUID
    tenant_id: UUID
    kind: str
    callback_id: str
    receive_id: str
    token: Secret
    aes_key: Secret
    reference_id: UUID


@dataclass(frozen=True, slots=True)
class Opened:
    """A verified callback: whose it is, its decrypted body, and the wake-up (kind, key) it brings, if any."""

    account: str
    body: bytes
    wake: tuple[str, str] | None
    event: str = ""
    """Its name for people who look for it in the list, e.g. `kf_msg_or_event`."""


class CallbackKind(Protocol):
    """A protocol of callbacks. Both functions are quick (no I/O) and run in the event loop.

    A kind whose sender wants to read something where a POST was taken has that as `accepted: bytes`.
    """

    @property
    def name(self) -> str:
        """Part of the address: lowercase letters, digits, hyphens or underscores."""
        ...

    def verify(self, endpoint: Endpoint, query: Mapping[str, str]) -> bytes:
        """What answers the address check (GET), as it is. Raises BadCallback."""
        ...

    def open(self, endpoint: Endpoint, query: Mapping[str, str], body: bytes) -> Opened:
        """The verified, decrypted callback (POST). Raises BadCallback."""
        ...
