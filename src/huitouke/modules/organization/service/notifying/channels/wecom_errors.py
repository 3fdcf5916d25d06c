"""What WeCom's errors mean for a notice. Messages to staff have no id of ours, so nothing is sent twice on a guess."""

from huitouke.modules.organization.service.notifying.ways import NotSent
from huitouke.wechat.errors import RateLimited, TokenInvalid, TransientError, TransportReason, WecomError
from huitouke.wechat.errors import explain as explain_code

GONE = "gone"
"""Our own code: what it was sent through is not there any more."""


def not_sent(error: WecomError) -> NotSent:
    """The error as channels tell it."""
    code = str(error.errcode if error.errcode is not None else error.reason)
    if error.may_have_happened:
        return NotSent(code, "unknown")
    if isinstance(error, RateLimited):
        return NotSent(code, "retry", after_seconds=error.retry_after_seconds)
    return NotSent(code, "retry" if isinstance(error, TransientError | TokenInvalid) else "final")


def explain(code: str, locale: str) -> str:
    """The sentence behind a code of `not_sent`."""
    if code.lstrip("-").isdecimal():
        return explain_code(int(code), locale)
    try:
        return explain_code(TransportReason(code), locale)
    except ValueError:
        return explain_code(TransportReason.BROKEN, locale)
