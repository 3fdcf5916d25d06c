"""What can go wrong with WeCom, one class per cure.

`errcode` alone decides (path/90313: errmsg texts change without notice); `explain` turns a code into a sentence
that says what to do.
"""

import re
from enum import StrEnum

from huitouke.wechat.error_texts import (
    ERRCODE_TEXTS,
    FALLBACK_TEXT,
    IP_TEXT,
    SEND_FAIL_TEXTS,
    SEND_FAIL_UNKNOWN,
    TRANSPORT_TEXTS,
    Locale,
    Text,
)

ERRMSG_LIMIT_CHARACTERS = 500
FREQUENCY_PAUSE_SECONDS = 60.0  # 45009: the shortest window that WeCom blocks for (path/90312)
CONCURRENCY_PAUSE_SECONDS = 1.0  # 45033: too many calls at the same moment

_CALLER_IP = re.compile(r"from ip:\s*([0-9a-fA-F.:]+)")


class TransportReason(StrEnum):
    """Why there was no errcode to read."""

    CONNECT = "connect"
    TIMEOUT = "timeout"
    BROKEN = "broken"
    SERVER_ERROR = "server_error"
    NOT_FOUND = "not_found"
    NOT_JSON = "not_json"
    TOO_LARGE = "too_large"
    TOKEN_WAIT = "token_wait"  # noqa: S105 - a reason, not a secret


class WecomError(Exception):
    """WeCom refused a call, or did not answer it.

    `errcode` is None when no errcode was received; then `reason` says why. `tries` counts the attempts of this call.
    `may_have_happened` is True when WeCom may have carried out the call although no answer came back.
    """

    def __init__(
        self,
        errcode: int | None,
        errmsg: str,
        path: str,
        *,
        reason: TransportReason | None = None,
        may_have_happened: bool = False,
    ) -> None:
        self.errcode = errcode
        self.errmsg = errmsg[:ERRMSG_LIMIT_CHARACTERS]
        self.path = path
        self.reason = reason
        self.may_have_happened = may_have_happened
        self.tries = 1
        super().__init__(errcode, self.errmsg, path)

    def __str__(self) -> str:
        return f"{self.path}: {self.errcode if self.errcode is not None else self.reason}: {self.errmsg}"

    def hide(self, secret: str) -> None:
        """Take a token or secret out of the text, should the other side have repeated it."""
        self.errmsg = self.errmsg.replace(secret, "***")
        self.args = (self.errcode, self.errmsg, self.path)

    def explain(self, locale: str = "zh-CN") -> str:
        """The sentence for people: what happened and what to do."""
        if self.errcode is not None:
            return explain(self.errcode, locale)
        return explain(self.reason or TransportReason.BROKEN, locale)


class TransientError(WecomError):
    """-1, time-out, broken connection, 5xx: the same call may work a little later."""


class RateLimited(WecomError):
    """45009 (too often) or 45033 (too many at once). `retry_after_seconds` is a lower bound, not a promise."""

    @property
    def retry_after_seconds(self) -> float:
        return CONCURRENCY_PAUSE_SECONDS if self.errcode == 45033 else FREQUENCY_PAUSE_SECONDS


class TokenInvalid(WecomError):
    """40014 or 42001: fetch a new token once and repeat once (path/91039)."""


class WrongSecret(WecomError):
    """40001 or 40091: the secret is wrong, was reset, or belongs to another corp. Only a person can cure it."""


class WrongCorpId(WecomError):
    """40013: the corp id does not exist."""


class IpNotTrusted(WecomError):
    """60020 or 301042: our address is not among the app's 企业可信IP. `ip` is the address WeCom saw, if it said so."""

    @property
    def ip(self) -> str | None:
        found = _CALLER_IP.search(self.errmsg)
        return found.group(1).rstrip(".:") if found else None

    def explain(self, locale: str = "zh-CN") -> str:
        sentence = super().explain(locale)
        return sentence if self.ip is None else f"{sentence}{IP_TEXT[_language(locale)].format(ip=self.ip)}"


class NotPermitted(WecomError):
    """The app lacks a right, a visible range or an authorisation that an administrator must give."""


class KfSendRefused(WecomError):
    """95001, 95002, 95013, 95018, 95031: this message can't be sent now; repeating it is useless (path/94677)."""


class DuplicateMsgid(WecomError):
    """95033: a message with this msgid was accepted before. After a repeat that means success."""


class SyncTokenInvalid(WecomError):
    """95007: the callback's token is wrong or older than ten minutes; pull again without it (path/94670)."""


class TransitionRefused(WecomError):
    """95016: this change of the session's state is not allowed (path/94669)."""


class ServicerUnavailable(WecomError):
    """95014, 95019: the servicer is none, is not activated, or has stopped receiving."""


class UnexpectedAnswer(WecomError):
    """An answer that is none of WeCom's: HTTP 4xx, not JSON, too large. Repeating is useless."""


_CLASSES: dict[int, type[WecomError]] = {
    -1: TransientError,
    **dict.fromkeys((45009, 45033), RateLimited),
    **dict.fromkeys((40014, 42001), TokenInvalid),
    **dict.fromkeys((40001, 40091), WrongSecret),
    40013: WrongCorpId,
    **dict.fromkeys((60020, 301042), IpNotTrusted),
    **dict.fromkeys(
        (48002, 48007, 50003, 60011, 60021, 60030, 301002, 95003, 95011, 95012, 95017),
        NotPermitted,
    ),
    **dict.fromkeys((95001, 95002, 95013, 95018, 95031), KfSendRefused),
    95033: DuplicateMsgid,
    95007: SyncTokenInvalid,
    95016: TransitionRefused,
    **dict.fromkeys((95014, 95019), ServicerUnavailable),
}


def error_for(errcode: int, errmsg: str, path: str) -> WecomError:
    """The exception for an errcode other than 0."""
    return _CLASSES.get(errcode, WecomError)(errcode, errmsg, path)


def explain(code: int | TransportReason, locale: str = "zh-CN") -> str:
    """A short sentence for a shop owner: what happened and what to do. Unknown codes name their number."""
    text: Text | None = TRANSPORT_TEXTS.get(code) if isinstance(code, TransportReason) else ERRCODE_TEXTS.get(code)
    language = _language(locale)
    return FALLBACK_TEXT[language].format(code=code) if text is None else text[language]


def explain_send_failure(fail_type: int, locale: str = "zh-CN") -> str:
    """Why a message that was accepted did not arrive: the `fail_type` of msg_send_fail (path/94670) as a sentence."""
    return SEND_FAIL_TEXTS.get(fail_type, SEND_FAIL_UNKNOWN)[_language(locale)]


def _language(locale: str) -> Locale:
    return "zh-CN" if locale.lower().startswith("zh") else "en"


class CallbackError(Exception):
    """A callback that must be refused. `reason` is stable and safe to store; nothing of the body is in the text."""

    reason = "callback"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.reason)


class BadSignature(CallbackError):
    """msg_signature does not fit: wrong Token, or somebody else's request."""

    reason = "bad_signature"


class BadReceiveId(CallbackError):
    """The body was encrypted for another corp id or suite id."""

    reason = "bad_receive_id"


class BadCiphertext(CallbackError):
    """Not base64, not whole blocks, wrong padding or length: wrong EncodingAESKey or a damaged body."""

    reason = "bad_ciphertext"


class BodyTooLarge(CallbackError):
    """Larger than any callback WeCom sends."""

    reason = "body_too_large"


class BadXml(CallbackError):
    """Not well-formed, or with constructs (DTD, entities, processing instructions) that have no place here."""

    reason = "bad_xml"
