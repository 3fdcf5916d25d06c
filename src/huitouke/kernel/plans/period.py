"""A tenant's plan over time, as pure values: which one holds now, and how changes go. No job turns it over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from huitouke.kernel.plans.problems import PlanEndTooEarly, PlanWithoutEnd


@dataclass(frozen=True, slots=True)
class Subscription:
    """A plan until `expires_at` (None: without end), and the one that follows it then. Without a plan: no limits."""

    plan_id: UUID | None = None
    expires_at: datetime | None = None
    next_plan_id: UUID | None = None
    next_expires_at: datetime | None = None

    def at(self, now: datetime) -> Subscription:
        """What holds then: the following plan has taken over where the time of the one before is over."""
        if self.next_plan_id is None or self.expires_at is None or now < self.expires_at:
            return self
        return Subscription(self.next_plan_id, self.next_expires_at)

    def expired(self, now: datetime) -> bool:
        """Whether the time is over and nothing follows: from then on everything is read-only."""
        held = self.at(now)
        return held.expires_at is not None and held.expires_at <= now

    def changed_now(self, plan_id: UUID | None, until: datetime | None, now: datetime) -> Subscription:
        """Another plan, or the same for longer, from now on; what was to follow is dropped.

        Raises:
            PlanEndTooEarly: the new end is not in the future.
        """
        if until is not None and until <= now:
            raise PlanEndTooEarly(field="until")
        return Subscription(plan_id, until if plan_id is not None else None)

    def changed_at_end(self, plan_id: UUID, until: datetime | None, now: datetime) -> Subscription:
        """Another plan once the present one's time is over.

        Raises:
            PlanWithoutEnd: the present one has no end, or has come to it.
            PlanEndTooEarly: the following one would end before it begins.
        """
        held = self.at(now)
        if held.expires_at is None or held.expires_at <= now:
            raise PlanWithoutEnd
        if until is not None and until <= held.expires_at:
            raise PlanEndTooEarly(field="until")
        return Subscription(held.plan_id, held.expires_at, plan_id, until)
