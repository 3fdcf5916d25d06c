"""Where a worker looks for work: marks per tenant, the low-water mark, waits after failures."""

from hypothesis import given
from hypothesis import strategies as st

from huitouke.kernel.work.execution import BackOff
from huitouke.kernel.work.ready import LowWater, Ready


def test_the_least_hint_counts_and_taking_forgets() -> None:
    ready: Ready[str] = Ready()
    ready.hint("a", 10)
    ready.hint("a", 5)
    ready.hint("a", 8)
    assert ready.take(5) == [("a", 4)]
    assert ready.take(5) == []
    assert not ready.filled.is_set()


def test_busy_keys_stay_and_come_when_they_are_free() -> None:
    ready: Ready[str] = Ready()
    ready.hint("a", 1)
    ready.hint("b", 1)
    assert ready.take(5, busy={"a"}) == [("b", 0)]
    assert not ready.filled.is_set()
    ready.stir()
    assert ready.filled.is_set()
    assert ready.take(5) == [("a", 0)]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 100)), max_size=60), st.integers(1, 4))
def test_every_hinted_key_is_taken_in_turn_with_its_least_mark(hints: list[tuple[str, int]], size: int) -> None:
    ready: Ready[str] = Ready()
    least: dict[str, int] = {}
    for key, seq in hints:
        ready.hint(key, seq)
        least[key] = min(seq, least.get(key, seq))
    taken: dict[str, int] = {}
    while batch := ready.take(size):
        assert len(batch) <= size
        taken.update(batch)
    assert taken == {key: seq - 1 for key, seq in least.items()}


def test_the_low_water_mark_lags_half_a_second() -> None:
    mark = LowWater()
    marks = []
    for at, head in ((0.0, 100), (0.4, 200), (0.5, 300), (2.0, 900)):
        mark.seen(at, head)
        marks.append(mark.mark)
    assert marks == [None, None, 100, 300]


@given(st.integers(1, 100))
def test_waits_double_up_to_the_longest_and_are_scattered(attempts: int) -> None:
    seconds = BackOff(first_seconds=2, longest_seconds=60).after(attempts).total_seconds()
    middle = min(2 * 2 ** (attempts - 1), 60)
    assert middle * 0.75 <= seconds <= middle * 1.25
