"""Quiet hours, as pure values: until when somebody is left alone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

MINUTES_A_DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one minute of the day to another, over midnight where the second is smaller; the same twice: never."""

    start: int
    end: int

    def until(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """When they end, if it is quiet now; None when it isn't. `now` is aware; the answer is in UTC."""
        local = now.astimezone(zone)
        minute = local.hour * 60 + local.minute
        if not self._holds(minute):
            return None
        day = local.date() if minute < self.end else local.date() + timedelta(days=1)
        ending = self._ending(day, zone, fold=0)
        # Where clocks are set back the minute comes twice: the first one may be over.
        return ending if ending > now else self._ending(day, zone, fold=1)

    def _holds(self, minute: int) -> bool:
        if self.start <= self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end

    def _ending(self, day: date, zone: ZoneInfo, *, fold: int) -> datetime:
        hour, minute = divmod(self.end, 60)
        return datetime.combine(day, time(hour, minute, fold=fold), tzinfo=zone).astimezone(UTC)
