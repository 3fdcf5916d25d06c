"""What the SMS provider knows: its accounts, and the messages on phones."""

from collections import deque
from dataclasses import dataclass, field

KEPT = 1_000


@dataclass
class Account:
    """What the provider knows of a customer of its own. States: approved, pending, rejected."""

    key_id: str
    secret: str
    credit: int = 1_000
    signs: dict[str, str] = field(default_factory=dict)
    templates: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Code → (text with ${variables}, state)."""


@dataclass(frozen=True)
class Sms:
    """A message on a phone."""

    id: int
    phone: str
    text: str
    biz_id: str
    out_id: str
    at: float


class Provider:
    """All accounts and phones; in memory only."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.messages: deque[Sms] = deque(maxlen=KEPT)
        self._last = 0

    def deliver(self, phone: str, text: str, out_id: str, at: float) -> Sms:
        self._last += 1
        message = Sms(self._last, phone, text, f"{self._last:012d}^0", out_id, at)
        self.messages.append(message)
        return message
