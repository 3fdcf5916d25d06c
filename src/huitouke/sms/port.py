"""What a provider of SMS does, and what its refusals mean."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from huitouke.sms.error_texts import FALLBACK, TEXTS

Failure = Literal["final", "retry", "unknown", "account"]
"""`final`: this message can't be sent. `retry`: it did not happen and may work later. `unknown`: it may have happened.
`account`: nothing can be sent until a person does something about the account, its signature or its template."""

OUT_ID_CHARACTERS: Final = 64


@dataclass(frozen=True, slots=True)
class Sms:
    """One message to one phone number. `out_id` is ours and comes back in the receipt."""

    phone: str = field(repr=False)
    """As E.164, e.g. +8613800138000."""
    sign: str
    template_code: str
    params: Mapping[str, str] = field(repr=False)
    out_id: str


class SmsError(Exception):
    """The provider didn't take it, or nobody knows. Its text never holds number, parameters or secret."""

    def __init__(self, code: str, failure: Failure) -> None:
        super().__init__(code)
        self.code = code
        self.failure: Failure = failure


class SmsProvider(Protocol):
    """A way to phones."""

    async def send(self, message: Sms) -> str:
        """Hands the message over; gives the provider's id of it. Raises SmsError."""
        ...


def explain(code: str, locale: str = "zh-CN") -> str:
    """The sentence behind a code: what happened and what to do."""
    language: Literal["zh-CN", "en"] = "zh-CN" if locale.lower().startswith("zh") else "en"
    text = TEXTS.get(code)
    return text[language] if text is not None else FALLBACK[language].format(code=code)
