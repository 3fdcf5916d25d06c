"""The clock of tests beside which a server of ours runs: it follows the database's row, and would set it back."""

from huitouke.kernel import clock
from huitouke.kernel.http.testing import ClockIn, move_clock


async def later(seconds: float) -> None:
    """Moves the clock of all processes ahead by that much."""
    await move_clock(ClockIn(offset_seconds=clock.offset_seconds() + seconds))


async def today() -> None:
    """Moves it back to the present."""
    await move_clock(ClockIn(offset_seconds=0))
