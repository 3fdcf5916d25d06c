"""What the plug-in tells the others. Payloads hold ids, states and figures, never people's words."""

from typing import ClassVar

from huitouke.kernel.events import Event


class GoalReached(Event):
    """Customers wrote as many messages on one day as the goal says. `day` is that day in UTC, as YYYY-MM-DD."""

    event_type: ClassVar[str] = "visits.goal_reached"

    day: str
    messages: int
