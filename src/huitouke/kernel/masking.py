"""Numbers by which people are reached or known, hidden from whoever may not see them: the one place that masks.

Schemas declare their fields as such (`Annotated[str, masked_unless(CONTACTS)]`), and what leaves the API, or goes over
a socket, is masked for its reader while it is written. Jobs have no reader: they see everything. Some 2 µs a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from pydantic import PlainSerializer

if TYPE_CHECKING:
    from huitouke.kernel.context import Context, Permissions

CONTACTS: Final = "customers.contacts"
"""The permission to see numbers and addresses of people in full."""

_WIDE: Final = str.maketrans("０１２３４５６７８９＋＠－", "0123456789+@-")
_SUSPECT: Final = re.compile(r"\d{4}|@")
_DASH: Final = r"[ -]?"
_EMAIL: Final = r"(?P<email>[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5})"
# 15 and 18 digits: GB 11643; the birthday in the middle keeps numbers of orders out.
_ID_CARD: Final = r"(?P<id>[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx])"
_BANK: Final = rf"(?P<bank>[3-6]\d{{3}}(?:{_DASH}\d{{4}}){{3}}(?:{_DASH}\d{{1,3}})?)"
_MOBILE: Final = rf"(?P<mobile>(?:(?:\+|00)?86{_DASH})?1[3-9]\d{_DASH}\d{{4}}{_DASH}\d{{4}})"
_ABROAD: Final = r"(?P<abroad>\+[1-9]\d{7,14})"
_LANDLINE: Final = rf"(?P<landline>0(?:10|2\d|[3-9]\d\d){_DASH}[2-9]\d{{6,7}})"
_NUMBERS: Final = re.compile(rf"{_EMAIL}|(?<!\d)(?:{_ID_CARD}|{_BANK}|{_MOBILE}|{_ABROAD}|{_LANDLINE})(?!\d)", re.ASCII)
_LONG_RUN: Final = r"[0-9][0-9 -]{4,}[0-9]"
"""In PostgreSQL's words: anything that holds a number, and more; what is searched without the right is searched so."""


def mask(text: str) -> str:
    """The text with its numbers and addresses hidden: 138****8000, z***@example.com, 110***********1234, **** 5678."""
    plain = text.translate(_WIDE)
    if not _SUSPECT.search(plain):
        return text
    return _NUMBERS.sub(_masked, plain)


def mask_value(value: Any) -> Any:
    """The same of every text in a value as JSON has them."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Mapping):
        return {key: mask_value(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [mask_value(one) for one in value]
    return value


def unmasked(text: str, before: str) -> str:
    """A text that somebody edited who saw `before` masked: what they left masked is what it was.

    So that saving a form changes only what the person changed.
    """
    for match in _NUMBERS.finditer(before.translate(_WIDE)):
        hidden = _masked(match)
        if hidden != match[0]:
            text = text.replace(hidden, match[0], 1)
    return text


def without_numbers(column: Any) -> Any:
    """SQL: the column with everything hidden in which a number could stand, for searches of who may not see them."""
    from sqlalchemy import func

    return func.regexp_replace(column, _LONG_RUN, "*", "g")


_reader: ContextVar[Permissions | None] = ContextVar("reader", default=None)


def read_by(permissions: Permissions) -> None:
    """From here on, in this request, what is written is read by somebody with these permissions."""
    _reader.set(permissions)


@contextmanager
def reading(context: Context) -> Iterator[None]:
    """What is written inside is read by that person."""
    token = _reader.set(context.permissions)
    try:
        yield
    finally:
        _reader.reset(token)


def masked_unless(*permissions: str, of: Any = str) -> PlainSerializer:
    """Marks a field of a schema whose numbers only people with any of these permissions see. `of`: its type."""

    def shown(value: Any) -> Any:
        reader = _reader.get()
        if reader is None or any(one in reader for one in permissions):
            return value
        return mask_value(value)

    return PlainSerializer(shown, return_type=of)


def _masked(match: re.Match[str]) -> str:
    text = match[0]
    match match.lastgroup:
        case "email":
            name, _, host = text.partition("@")
            return f"{name[0]}***@{host}"
        case "id":
            return f"{text[:3]}{'*' * 11}{text[-4:]}"
        case "bank":
            digits = re.sub(r"\D", "", text)
            return f"**** {digits[-4:]}" if _luhn(digits) else text
        case "mobile":
            digits = re.sub(r"\D", "", text)[-11:]
            begin = text[: len(text) - len(text.lstrip("+0"))] + "86 " if len(re.sub(r"\D", "", text)) > 11 else ""
            return f"{begin}{digits[:3]}****{digits[-4:]}"
        case "abroad":
            return f"{text[:4]}****{text[-3:]}"
        case _:
            digits = re.sub(r"\D", "", text)
            return f"{digits[:4]}****{digits[-3:]}"


def _luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1), as on bank cards."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0
