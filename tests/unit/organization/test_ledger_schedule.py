"""From which day what can be used: the arithmetic of waiting, against a naive one and by what must always hold."""

from datetime import date, timedelta
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huitouke.kernel.modules import load_modules
from huitouke.modules.organization.prerequisites import prerequisites
from huitouke.modules.organization.prerequisites.schedule import SETTLED, State, Step, ends, longest_chain, to_begin

TODAY = date(2026, 11, 22)
STATES: tuple[State, ...] = ("todo", "handed", "waiting", "done", "not_needed")


@st.composite
def ledgers(draw: st.DrawFn) -> dict[str, Step]:
    """Entries that wait for earlier ones, in any state."""
    steps: dict[str, Step] = {}
    for number in range(draw(st.integers(1, 8))):
        after = draw(st.lists(st.sampled_from(sorted(steps)), unique=True, max_size=3)) if steps else []
        since = TODAY - timedelta(days=draw(st.integers(0, 60)))
        steps[f"e{number}"] = Step(draw(st.integers(0, 40)), tuple(after), draw(st.sampled_from(STATES)), since)
    return steps


@given(ledgers())
def test_days_are_those_of_the_longest_way(steps: dict[str, Step]) -> None:
    """A slow reference: every way from an entry backwards, its days added up."""

    @cache
    def days_to(name: str) -> int:
        step = steps[name]
        if step.state in SETTLED:
            return 0
        if step.state == "waiting":
            assert step.since is not None
            return max(0, step.days - (TODAY - step.since).days)
        return step.days + max((days_to(one) for one in step.after), default=0)

    assert ends(steps, TODAY) == {name: TODAY + timedelta(days=days_to(name)) for name in steps}


@given(ledgers(), st.data())
def test_getting_something_done_never_makes_anything_later(steps: dict[str, Step], data: st.DataObject) -> None:
    before = ends(steps, TODAY)
    name = data.draw(st.sampled_from(sorted(steps)))
    one = steps[name]
    after = ends({**steps, name: Step(one.days, one.after, "done", TODAY)}, TODAY)
    assert all(after[each] <= before[each] for each in steps)


@given(ledgers())
def test_what_can_be_begun_waits_for_nothing_and_something_always_can(steps: dict[str, Step]) -> None:
    begin = to_begin(steps)
    assert all(steps[one].state in SETTLED for name in begin for one in steps[name].after)
    if any(step.state in ("todo", "handed") for step in steps.values()):
        assert begin or any(step.state == "waiting" for step in steps.values())


@given(ledgers())
def test_the_chain_leads_from_what_is_open_now_to_the_last_goal(steps: dict[str, Step]) -> None:
    chain, days = longest_chain(steps, TODAY, steps), ends(steps, TODAY)
    still = [name for name in steps if steps[name].state not in SETTLED]
    if not still:
        assert chain == []
        return
    assert days[chain[-1]] == max(days[name] for name in still)
    assert all(before in steps[name].after for before, name in pairwise(chain))
    first = steps[chain[0]]
    assert first.state == "waiting" or all(steps[one].state in SETTLED for one in first.after)


def test_a_filing_that_takes_twenty_days_is_what_a_new_shop_waits_for() -> None:
    steps = {
        "licence": Step(0),
        "server": Step(1),
        "domain": Step(20, ("licence", "server")),
        "app": Step(1, ("server",)),
    }
    assert ends(steps, TODAY)["domain"] == TODAY + timedelta(days=21)
    assert to_begin(steps) == ["licence", "server"]
    assert longest_chain(steps, TODAY, ["domain", "app"]) == ["server", "domain"]


def test_what_was_to_be_there_yesterday_is_expected_today() -> None:
    late = {"filing": Step(20, state="waiting", since=TODAY - timedelta(days=30))}
    assert ends(late, TODAY) == {"filing": TODAY}


@pytest.fixture(scope="module", autouse=True)
def texts() -> None:
    load_modules()


def test_the_prerequisites_stand_in_an_order_that_works() -> None:
    listed = list(prerequisites().values())
    assert len(listed) >= 11
    for place, one in enumerate(listed):
        assert set(one.after) <= {before.name for before in listed[:place]}


def test_each_has_its_words_in_both_languages() -> None:
    from huitouke.kernel import locales

    for language in locales.LOCALES:
        words = locales.keys(language)
        for one in prerequisites().values():
            wanted = {f"prerequisites.{one.name}{part}" for part in ("", ".why", ".how")}
            wanted |= {f"prerequisites.ask.{asked.name}" for asked in one.asks}
            wanted |= {f"prerequisites.feature.{feature}" for feature in one.features}
            assert wanted <= words, wanted - words
