"""Cursors: what goes in comes out, and anything else is refused in words."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huitouke.kernel.errors import InvalidInput
from huitouke.kernel.paging import decode_cursor, encode_cursor, page_of


def test_a_cursor_carries_the_sort_values() -> None:
    identifier, moment = uuid4(), datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
    cursor = encode_cursor(moment, identifier, None)
    assert decode_cursor(cursor, datetime.fromisoformat, UUID, int) == (moment, identifier, None)


@given(st.text(max_size=80))
def test_a_made_up_cursor_is_bad_input_and_nothing_worse(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        decode_cursor(cursor, datetime.fromisoformat, UUID)


def test_the_last_page_has_no_next_cursor() -> None:
    assert page_of([1, 2], 2, str).next_cursor is None
    page = page_of([1, 2, 3], 2, str)
    assert page.items == [1, 2]
    assert page.next_cursor == "2"
