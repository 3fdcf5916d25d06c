"""Ids: they bear their time and grow."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from huitouke.kernel import clock
from huitouke.kernel.ids import lowest_id, new_id, time_of

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))


def test_ids_of_one_process_grow_strictly() -> None:
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


@given(MOMENTS)
def test_an_id_for_imported_history_bears_that_time(moment: datetime) -> None:
    identifier = new_id(moment)
    assert abs((time_of(identifier) - moment).total_seconds()) < 0.001
    assert lowest_id(moment) <= identifier


def test_an_id_is_a_uuid_of_version_seven() -> None:
    identifier = new_id()
    assert UUID(str(identifier)).version == 7
    assert identifier.variant == "specified in RFC 4122"


def test_after_a_clock_moved_by_days_ids_bear_the_present_again() -> None:
    clock.set_offset(9 * 24 * 3600)
    new_id()
    clock.set_offset(0)
    assert abs((time_of(new_id()) - clock.now()).total_seconds()) < 1
