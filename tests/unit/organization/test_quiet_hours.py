"""Quiet hours: over midnight, in any zone, whatever the clocks there do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huitouke.modules.organization.service.notifying.quiet import QuietHours

ZONES = ["Asia/Shanghai", "Asia/Urumqi", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(text: str, zone: str = "Asia/Shanghai") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-22T21:59", None),
        ("2026-11-22T22:00", "2026-11-23T08:00"),
        ("2026-11-22T23:59", "2026-11-23T08:00"),
        ("2026-11-23T00:00", "2026-11-23T08:00"),
        ("2026-11-23T07:59", "2026-11-23T08:00"),
        ("2026-11-23T08:00", None),
    ],
)
def test_from_ten_in_the_evening_to_eight_in_the_morning(now: str, until: str | None) -> None:
    assert QuietHours(22 * 60, 8 * 60).until(at(now), SHANGHAI) == (at(until) if until else None)


def test_an_hour_at_noon_stays_within_the_day() -> None:
    noon = QuietHours(12 * 60, 13 * 60)
    assert noon.until(at("2026-11-22T12:30"), SHANGHAI) == at("2026-11-22T13:00")
    assert noon.until(at("2026-11-22T13:00"), SHANGHAI) is None


def test_where_the_hour_comes_twice_the_second_one_counts_once_the_first_is_over() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    night = QuietHours(22 * 60, 2 * 60 + 45)
    second = datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=berlin)
    ending = night.until(second.astimezone(UTC), berlin)
    assert ending == datetime(2026, 10, 25, 2, 45, fold=1, tzinfo=berlin).astimezone(UTC)


@given(
    now=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),
    zone=st.sampled_from(ZONES),
    start=st.integers(0, 1439),
    end=st.integers(0, 1439),
)
def test_whoever_is_left_alone_is_told_within_a_day_and_not_before_the_end(
    now: datetime, zone: str, start: int, end: int
) -> None:
    """Against a slow reference: every minute from now on is looked at on the wall's clock."""
    place, hours, moment = ZoneInfo(zone), QuietHours(start, end), now.replace(tzinfo=UTC)
    until = hours.until(moment, place)

    def quiet(when: datetime) -> bool:
        local = when.astimezone(place)
        minute = local.hour * 60 + local.minute
        return start <= minute < end if start <= end else minute >= start or minute < end

    assert (until is not None) == quiet(moment)
    if until is None:
        return
    assert moment < until <= moment + timedelta(hours=25, minutes=1)
    shift = until.astimezone(place).utcoffset() != moment.astimezone(place).utcoffset()
    assert shift or not quiet(until)
    step = moment
    while not shift and step < until:
        assert quiet(step)
        step += timedelta(minutes=37)
