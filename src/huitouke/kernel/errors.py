"""Errors as part of the interface (RFC 9457): a class per reason, with a stable type and a sentence for people."""

from typing import Any, ClassVar

from pydantic import ValidationError

MAX_DESCRIPTION_CHARACTERS = 2_000


def describe(error: BaseException) -> str:
    """What went wrong, for a row that people read later: kind and message, in characters that PostgreSQL can hold.

    What pydantic refused is told by field and reason: its own message quotes the values.
    """
    kind = type(error).__name__
    if isinstance(error, ValidationError):
        found = error.errors(include_url=False, include_context=False, include_input=False)
        message = "; ".join(f"{error.title}.{'.'.join(map(str, each['loc']))}: {each['type']}" for each in found)
    else:
        message = str(error)
    return storable(f"{kind}: {message}" if message else kind)


def storable(text: str) -> str:
    """At most 2,000 characters, none of them one that PostgreSQL's text can't hold."""
    return text.replace("\0", "").encode(errors="replace").decode()[:MAX_DESCRIPTION_CHARACTERS]


class Problem(Exception):
    """An expected failure with a status, a stable type, and a sentence in the person's language.

    The sentence is the locale text `problems.<type>`; `params` fill its placeholders and stand in the document.
    `field` names the input at fault, in the API's words.
    """

    status: ClassVar[int] = 400
    type: ClassVar[str] = "bad_request"

    def __init__(self, *, field: str | None = None, **params: Any) -> None:
        super().__init__(self.type)
        self.field = field
        self.params = params

    def __str__(self) -> str:
        details = {**({"field": self.field} if self.field else {}), **self.params}
        return f"{self.type} {details}" if details else self.type


class InvalidInput(Problem):
    """What was sent can't be used; `field` says where, `reason` says why in a stable word."""

    status = 422
    type = "invalid_input"


class Unauthenticated(Problem):
    """Nobody is signed in, or the session is over."""

    status = 401
    type = "unauthenticated"


class PermissionMissing(Problem):
    """The person may not do that; `permission` names what is missing."""

    status = 403
    type = "permission_missing"


class NotFound(Problem):
    """There is no such thing in this tenant."""

    status = 404
    type = "not_found"


class Conflict(Problem):
    """Somebody else was faster, or the state doesn't allow it any more."""

    status = 409
    type = "conflict"


class TooLarge(Problem):
    """Over a limit; `limit` says which."""

    status = 413
    type = "too_large"


class RateLimited(Problem):
    """Too often; `retry_after_seconds` says when to try again."""

    status = 429
    type = "rate_limited"


class OutsideFailed(Problem):
    """A service outside didn't do what we asked; `reason` is a sentence in the person's language."""

    status = 502
    type = "outside_failed"
