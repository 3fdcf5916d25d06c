"""A tenant's plan over time: upgrade at once, downgrade at the end, read-only when the time is over, renewal."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from huitouke.kernel.plans.period import Subscription
from huitouke.kernel.plans.problems import PlanEndTooEarly, PlanWithoutEnd

START = datetime(2026, 1, 1, tzinfo=UTC)
BASIC, STANDARD, PREMIUM = (UUID(int=number) for number in (1, 2, 3))
PLANS = st.sampled_from([BASIC, STANDARD, PREMIUM])
DAYS = st.integers(min_value=-3, max_value=40)


def days(number: int) -> timedelta:
    return timedelta(days=number)


def test_without_a_plan_nothing_ends() -> None:
    assert not Subscription().expired(START + days(100_000))


def test_an_upgrade_holds_at_once() -> None:
    held = Subscription(BASIC, START + days(30)).changed_now(PREMIUM, START + days(30), START)
    assert held.at(START).plan_id == PREMIUM


def test_a_downgrade_waits_for_the_end_of_the_period() -> None:
    held = Subscription(PREMIUM, START + days(30)).changed_at_end(BASIC, START + days(60), START)
    assert held.at(START + days(29)).plan_id == PREMIUM
    assert held.at(START + days(30)).plan_id == BASIC
    assert not held.expired(START + days(59))
    assert held.expired(START + days(60))


def test_an_upgrade_drops_the_downgrade_that_was_to_come() -> None:
    lower = Subscription(STANDARD, START + days(30)).changed_at_end(BASIC, None, START)
    assert lower.changed_now(PREMIUM, None, START).at(START + days(31)).plan_id == PREMIUM


@pytest.mark.parametrize("end", [None, START])
def test_nothing_follows_a_plan_without_end_or_one_that_is_over(end: datetime | None) -> None:
    with pytest.raises(PlanWithoutEnd):
        Subscription(BASIC, end).changed_at_end(STANDARD, None, START)


def test_what_follows_ends_after_it_begins() -> None:
    with pytest.raises(PlanEndTooEarly):
        Subscription(BASIC, START + days(30)).changed_at_end(STANDARD, START + days(30), START)


@dataclass
class Diary:
    """The slow reference: every day that was agreed, one by one."""

    plans: dict[int, UUID] = field(default_factory=dict)
    """Plan by day, for days that end some time."""
    for_ever: tuple[int, UUID] | None = None
    """From that day on, without end."""

    def on(self, day: int) -> UUID | None:
        if day in self.plans:
            return self.plans[day]
        return self.for_ever[1] if self.for_ever is not None and day >= self.for_ever[0] else None

    def clear_from(self, day: int) -> None:
        self.plans = {each: plan for each, plan in self.plans.items() if each < day}
        self.for_ever = None

    def write(self, first: int, plan: UUID, end: int | None) -> None:
        if end is None:
            self.for_ever = (first, plan)
        else:
            self.plans |= dict.fromkeys(range(first, end), plan)


class PlanOverTime(RuleBasedStateMachine):
    """Whatever operators agree on and however time passes, what holds is what the diary says for the day."""

    def __init__(self) -> None:
        super().__init__()
        self.day = 0
        self.held = Subscription(STANDARD, START + days(14))
        self.diary = Diary()
        self.diary.write(0, STANDARD, 14)
        self.period_end: int | None = 14
        self.following: tuple[UUID, int | None] | None = None

    @property
    def now(self) -> datetime:
        return START + days(self.day)

    def _turn_over(self) -> None:
        if self.following is not None and self.period_end is not None and self.day >= self.period_end:
            self.period_end, self.following = self.following[1], None

    @rule(passed=st.integers(min_value=0, max_value=25))
    def time_passes(self, passed: int) -> None:
        self.day += passed
        self._turn_over()

    @rule(plan=PLANS, length=st.none() | DAYS)
    def the_plan_is_changed_or_renewed_now(self, plan: UUID, length: int | None) -> None:
        until = None if length is None else self.now + days(length)
        if length is not None and length <= 0:
            with pytest.raises(PlanEndTooEarly):
                self.held.changed_now(plan, until, self.now)
            return
        self.held = self.held.changed_now(plan, until, self.now)
        self.period_end = None if length is None else self.day + length
        self.following = None
        self.diary.clear_from(self.day)
        self.diary.write(self.day, plan, self.period_end)

    @rule(plan=PLANS, length=st.none() | DAYS)
    def another_plan_is_to_follow(self, plan: UUID, length: int | None) -> None:
        if self.period_end is None or self.period_end <= self.day:
            with pytest.raises(PlanWithoutEnd):
                self.held.changed_at_end(plan, None, self.now)
            return
        end = None if length is None else self.period_end + length
        until = None if end is None else START + days(end)
        if length is not None and length <= 0:
            with pytest.raises(PlanEndTooEarly):
                self.held.changed_at_end(plan, until, self.now)
            return
        self.held = self.held.changed_at_end(plan, until, self.now)
        self.following = (plan, end)
        self.diary.clear_from(self.period_end)
        self.diary.write(self.period_end, plan, end)

    @invariant()
    def what_holds_is_what_was_agreed_for_today(self) -> None:
        agreed = self.diary.on(self.day)
        assert self.held.expired(self.now) == (agreed is None)
        if agreed is not None:
            assert self.held.at(self.now).plan_id == agreed

    @invariant()
    def settling_early_changes_nothing_later(self) -> None:
        settled = self.held.at(self.now)
        for later in (0, 1, 13, 40, 400):
            moment = self.now + days(later)
            assert settled.at(moment) == self.held.at(moment)
            assert settled.expired(moment) == self.held.expired(moment)


PlanOverTime.TestCase.settings = settings(max_examples=200, stateful_step_count=15, deadline=None)
TestPlanOverTime = PlanOverTime.TestCase
