"""Cursors: what goes in comes out, and anything else is refused in words."""

import base64
import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huitouke.kernel.errors import InvalidInput
from huitouke.kernel.paging import decode_cursor, encode_cursor, page_of


def test_a_cursor_carries_the_sort_values() -> None:
    identifier, moment = uuid4(), datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
    cursor = encode_cursor(moment, identifier, 7)
    assert decode_cursor(cursor, datetime.fromisoformat, UUID, int) == (moment, identifier, 7)


@pytest.mark.parametrize(
    "values",
    [
        (None, "018f3a5e-1111-7000-8000-000000000001"),
        ("2026-05-01T12:30:00", "018f3a5e-1111-7000-8000-000000000001"),
        ("9999-12-31T23:59:59-23:59", "018f3a5e-1111-7000-8000-000000000001"),
        ("0001-01-01T00:00:00+23:59", "018f3a5e-1111-7000-8000-000000000001"),
        (1e308, "018f3a5e-1111-7000-8000-000000000001"),
        ("2026-05-01T12:30:00Z", None),
        ("2026-05-01T12:30:00Z", 5),
        ("2026-05-01T12:30:00Z",),
    ],
    ids=str,
)
def test_well_formed_values_that_no_list_makes_are_refused_as_well(values: tuple[object, ...]) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(values).encode()).decode()
    with pytest.raises(InvalidInput):
        decode_cursor(cursor, datetime.fromisoformat, UUID)


@given(st.text(max_size=80))
def test_a_made_up_cursor_is_bad_input_and_nothing_worse(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        decode_cursor(cursor, datetime.fromisoformat, UUID)


def test_the_last_page_has_no_next_cursor() -> None:
    assert page_of([1, 2], 2, str).next_cursor is None
    page = page_of([1, 2, 3], 2, str)
    assert page.items == [1, 2]
    assert page.next_cursor == "2"
