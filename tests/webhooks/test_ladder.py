"""When a delivery is tried again: eight times and more, over more than 28 hours, never in step."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from hypothesis import example, given
from hypothesis import strategies as st

from apps.webhooks import ladder
from apps.webhooks.ladder import JITTER, LONGEST_ASKED, MOST_ATTEMPTS, STEPS, delay_after, heeding

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@given(st.lists(st.floats(0, 1), min_size=len(STEPS), max_size=len(STEPS)))
def test_attempts_go_on_for_more_than_28_hours(draws: list[float]) -> None:
    waits = []
    for number, draw in enumerate(draws, start=1):
        wait = delay_after(number, spread=lambda low, high, at=draw: low + (high - low) * at)
        assert wait is not None
        assert STEPS[number - 1] * (1 - JITTER) <= wait <= STEPS[number - 1] * (1 + JITTER) + timedelta(microseconds=1)
        waits.append(wait)
    assert timedelta(hours=28) <= sum(waits, timedelta()) <= timedelta(hours=36)
    assert MOST_ATTEMPTS == len(waits) + 1 >= 8
    assert delay_after(MOST_ATTEMPTS) is None and delay_after(MOST_ATTEMPTS + 5) is None


def test_no_two_wait_equally_long() -> None:
    assert len({delay_after(3) for _ in range(20)}) > 10


@given(st.integers(0, 10**9))
def test_what_a_receiver_asks_for_is_heeded_within_bounds(seconds: int) -> None:
    own = timedelta(minutes=5)
    wanted = heeding(own, str(seconds), now=NOW)
    assert wanted == max(own, min(timedelta(seconds=seconds), LONGEST_ASKED))
    assert heeding(LONGEST_ASKED * 2, str(seconds), now=NOW) == LONGEST_ASKED * 2


@example("Mon, 01 Jan 99999999999999999999 00:00:00 GMT")
@example("Mon, 01 Jan 2026 00:00:00 +99999999999999999999")
@given(st.text(max_size=40))
def test_whatever_a_receiver_writes_the_wait_is_bounded(text: str) -> None:
    assert timedelta(minutes=5) <= heeding(timedelta(minutes=5), text, now=NOW) <= LONGEST_ASKED


def test_a_receiver_may_name_a_date() -> None:
    moment = NOW + timedelta(hours=1)
    assert heeding(ladder.STEPS[0], format_datetime(moment, usegmt=True), now=NOW) == timedelta(hours=1)
    assert heeding(ladder.STEPS[0], "Mon, 01 Jan 0001 00:00:00 -2359", now=NOW) == ladder.STEPS[0]
