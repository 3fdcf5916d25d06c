"""Paging by cursor: the last row's sort values, sealed in an opaque text."""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import orjson
from fastapi import Query
from pydantic import BaseModel

from huitouke.kernel.errors import InvalidInput

T = TypeVar("T")

MAX_LIMIT = 100
DEFAULT_LIMIT = 50
MAX_CURSOR_LENGTH = 512

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows per page.")]
Cursor = Annotated[str | None, Query(max_length=MAX_CURSOR_LENGTH, description="`next_cursor` of the page before.")]


class Page(BaseModel, Generic[T]):
    """One page of a list. `next_cursor` is null on the last page."""

    items: list[T]
    next_cursor: str | None = None


def encode_cursor(*values: str | int | float | datetime | UUID) -> str:
    """The text that stands for the place after the row with these sort values."""
    return base64.urlsafe_b64encode(orjson.dumps(values, default=str)).rstrip(b"=").decode()


def decode_cursor(cursor: str, *types: Callable[[Any], Any]) -> tuple[Any, ...]:
    """The sort values of `encode_cursor`, each turned by its type (`UUID`, `int`, `datetime.fromisoformat`).

    Moments come out in UTC.

    Raises:
        InvalidInput: the text wasn't made by `encode_cursor` for this list.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = orjson.loads(base64.urlsafe_b64decode(padded.encode()))
        if not isinstance(values, list) or len(values) != len(types):
            raise ValueError("another list's cursor")
        return tuple(_in_utc(turn(value)) for turn, value in zip(types, values, strict=True))
    except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error, orjson.JSONDecodeError) as error:
        raise InvalidInput(field="cursor", reason="cursor") from error


def _in_utc(value: Any) -> Any:
    """A moment so that PostgreSQL can hold it: 9999-12-31 west of Greenwich is beyond its last."""
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise ValueError("a moment without its offset")
    return value.astimezone(UTC)


def page_of(rows: Sequence[T], limit: int, cursor_of: Callable[[T], str]) -> Page[T]:
    """The page out of `limit + 1` fetched rows: the row too many only tells that there is a next page."""
    items = list(rows[:limit])
    more = len(rows) > limit
    return Page(items=items, next_cursor=cursor_of(items[-1]) if more and items else None)
