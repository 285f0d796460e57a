"""Several at once: results in order, no more than allowed, errors, and an end that waits for nobody."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.transport.cost import Meter, current_meter, metered
from collectors.transport.in_order import in_order
from collectors.transport.pace import seconds_left
from collectors.transport.pacing import Hold
from collectors.transport.side_by_side import Await, side_by_side

WAIT_SECONDS = 30.0


@given(sizes=st.lists(st.integers(0, 700), max_size=12), at_once=st.integers(1, 5))
def test_results_come_thing_by_thing_in_their_order(sizes: list[int], at_once: int) -> None:
    def work(thing: tuple[int, int]) -> Iterator[tuple[int, int]]:
        number, size = thing
        for part in range(size):
            yield number, part

    found = list(in_order(work, list(enumerate(sizes)), at_once))
    assert found == [(number, part) for number, size in enumerate(sizes) for part in range(size)]


def test_as_many_as_allowed_are_at_work_and_never_more() -> None:
    together = threading.Barrier(3)  # breaks if fewer than three come
    lock = threading.Lock()
    at_work: list[int] = []
    most = 0

    def work(thing: int) -> Iterator[int]:
        nonlocal most
        with lock:
            at_work.append(thing)
            most = max(most, len(at_work))
        together.wait(WAIT_SECONDS)
        with lock:
            at_work.remove(thing)
        yield thing

    assert list(in_order(work, range(12), 3)) == list(range(12))
    assert most == 3


def test_others_go_on_behind_a_slow_first_one_and_those_far_ahead_wait_for_it() -> None:
    go_on = threading.Event()
    made = 0

    def work(thing: int) -> Iterator[int]:
        nonlocal made
        if thing == 0:
            assert go_on.wait(WAIT_SECONDS)
        for _ in range(5_000):
            made += thing > 0
            yield thing

    results = in_order(work, range(40), 2)
    taker = threading.Thread(target=lambda: taken.extend(results))
    taken: list[int] = []
    taker.start()
    while made < 10_000:  # the second worker goes on
        taker.join(0.01)
    assert made < 11_000
    go_on.set()
    taker.join(WAIT_SECONDS)
    assert taken == [thing for thing in range(40) for _ in range(5_000)]


def test_an_error_is_raised_after_what_comes_before_it_and_ends_the_rest() -> None:
    begun: list[int] = []

    def work(thing: int) -> Iterator[int]:
        begun.append(thing)
        yield thing
        if thing == 3:
            raise ValueError("three")

    results = in_order(work, range(100_000), 2)
    assert list(islice(results, 4)) == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="three"):
        next(results)
    assert len(begun) < 100_000


def test_nothing_new_is_begun_for_who_goes_away_and_nobody_waits_for_who_is_at_work() -> None:
    never = threading.Event()
    begun: list[int] = []

    def work(thing: int) -> Iterator[int]:
        begun.append(thing)
        if thing > 1:
            never.wait(WAIT_SECONDS)
        yield thing

    results = in_order(work, range(50), 2)
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]
    never.set()
    assert set(begun) <= {0, 1, 2, 3}


def test_an_interrupted_program_ends_although_somebody_is_at_work() -> None:
    program = (
        "import time, os, signal\n"
        "from collectors.transport.in_order import in_order\n"
        # who was started in the background has inherited that it is ignored
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def work(thing):\n"
        "    if thing: os.kill(os.getpid(), signal.SIGINT)\n"
        "    time.sleep(600)\n"
        "    yield thing\n"
        "list(in_order(work, range(9), 2))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=WAIT_SECONDS
    )
    assert "KeyboardInterrupt" in done.stderr


def test_all_workers_count_on_the_meter_of_their_source() -> None:
    def work(thing: int) -> Iterator[int]:
        current_meter().request(size=thing)
        yield thing

    with metered(Meter()) as meter:
        assert sum(in_order(work, range(100), 4)) == meter.bytes == 4950
    assert meter.requests == 100


def test_what_one_is_asked_to_wait_is_waited_by_all_and_told_once() -> None:
    told: list[str] = []
    meter = Meter(on_wait=told.append)
    hold = Hold(meter, "github")
    hold.back(1.0, "for the limit")
    hold.back(0.5, "for less")  # is over before the first one is

    def work(thing: int) -> Iterator[float]:
        hold.wait()
        yield meter.waited_seconds

    waited = list(in_order(work, range(4), 4))
    assert told == ["waiting 1 s for the limit"]
    assert waited == [meter.waited_seconds] * 4
    assert 0.9 < meter.waited_seconds <= 1


def test_no_more_leave_within_a_minute_than_are_allowed() -> None:
    told: list[str] = []
    hold = Hold(Meter(on_wait=told.append), "github", a_minute=2)
    hold.wait()
    hold.wait()
    third = threading.Thread(target=hold.wait, daemon=True)
    third.start()
    while not told:
        third.join(0.01)
    assert told == ["waiting 60 s so as not to ask too often"]
    assert third.is_alive()


@given(
    after=st.integers(1, 6).flatmap(
        lambda n: st.tuples(
            *(st.sets(st.integers(0, max(at - 1, 0))) if at else st.just(set()) for at in range(n))
        )
    )
)
def test_each_is_begun_once_those_that_it_comes_after_are_done_and_no_later(
    after: tuple[set[int], ...],
) -> None:
    happened: list[tuple[str, str]] = []

    def work(name: str, _: Await) -> str:
        happened.append(("begun", name))
        happened.append(("done", name))
        return name

    # those that wait come first
    named = [(str(at), [*map(str, others), "nobody"]) for at, others in enumerate(after)]
    wanted = dict(reversed(named))
    assert sorted(side_by_side(work, wanted)) == sorted(wanted)
    for name, others in wanted.items():
        for other in others[:-1]:
            assert happened.index(("done", other)) < happened.index(("begun", name))


def test_what_waits_for_nobody_is_read_beside_what_takes_long() -> None:
    together = threading.Barrier(3)  # breaks if fewer than three come
    found = side_by_side(lambda name, _: together.wait(WAIT_SECONDS) >= 0, {"a": [], "b": [], "c": []})
    assert list(found) == [True] * 3


def test_who_is_at_work_may_wait_for_others_and_says_for_which() -> None:
    told: list[str] = []
    is_told = threading.Event()

    def tell(name: str) -> None:
        told.append(name)
        is_told.set()

    def work(name: str, awaited: Await) -> str:
        if name == "waits":
            awaited(["long", "nobody"], tell)
        else:
            assert is_told.wait(WAIT_SECONDS)
        return name

    assert list(side_by_side(work, {"waits": [], "long": []})) == ["long", "waits"]
    assert told == ["long"]


def test_what_is_raised_ends_all_and_who_has_not_begun_does_not_begin() -> None:
    begun: list[str] = []
    is_over = threading.Event()

    def work(name: str, _: Await) -> str:
        begun.append(name)
        if name == "broken":
            raise KeyboardInterrupt
        is_over.wait(WAIT_SECONDS)
        return name

    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        list(side_by_side(work, {"long": [], "broken": [], "later": ["long"]}))
    is_over.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(WAIT_SECONDS)
    assert sorted(begun) == ["broken", "long"]


def simulated(
    works: list[tuple[float, float]], pauses: dict[int, float]
) -> Iterator[tuple[float, float | None, float]]:
    """(share done, what is estimated, what is left) after each of `works`, of (how much it is, seconds)."""
    total = sum(work for work, _ in works)
    ends = sum(seconds for _, seconds in works) + sum(pauses.values())
    elapsed, done = 0.0, 0.0
    waits: list[tuple[float, float]] = []
    for number, (work, seconds) in enumerate(works):
        if number in pauses:
            waits.append((done, pauses[number]))
            elapsed += pauses[number]
        elapsed, done = elapsed + seconds, done + work
        yield done / total, seconds_left(elapsed, done, total, waits), ends - elapsed


# requests of a first collection as the sample server answered them: a hundred pull requests (500 parts of work) or 250
# deployments (500) each, of which the pull requests take longer
RECORDED = [(500.0, 0.17)] * 400 + [(500.0, 0.11)] * 80
HOURLY = [(500.0, 2.0)] * 3000


@pytest.mark.parametrize(
    ("works", "pauses", "first"),
    [
        (RECORDED, {}, 0.1),
        ([(500.0, seconds) for _, seconds in RECORDED for seconds in (0.05, 0.3)], {}, 0.1),
        (RECORDED, {20: 60.0}, 0.1),
        (RECORDED, {20: 60.0, 30: 30.0, 31: 30.0}, 0.1),
        # five budgets of an hour: they are known of once the first is used up
        (HOURLY, dict.fromkeys(range(600, 3000, 600), 2400.0), 0.21),
    ],
    ids=["recorded", "uneven", "one wait", "several waits", "limits by the hour"],
)
def test_an_estimate_is_right_within_a_factor_of_two(
    works: list[tuple[float, float]], pauses: dict[int, float], first: float
) -> None:
    told = 0
    for share, estimated, left in simulated(works, pauses):
        if first <= share and left > 1:
            assert estimated is not None
            assert left / 2 <= estimated <= left * 2, share
            told += 1
    assert told > 300


@pytest.mark.parametrize(("seconds", "is_told"), [(35.0, False), (900.0, True)])
def test_a_wait_of_more_than_a_minute_says_until_when(seconds: float, is_told: bool) -> None:
    told: list[str] = []
    Meter(on_wait=told.append).wait(seconds, "for its rate limit")
    until = re.search(r", until (\d\d:\d\d) UTC$", told[0])
    assert told[0].startswith(f"waiting {seconds:.0f} s for its rate limit")
    assert bool(until) == is_told
    if until:
        expected = {f"{datetime.now(UTC) + timedelta(seconds=seconds - late):%H:%M}" for late in (0, 60)}
        assert until[1] in expected


@pytest.mark.parametrize(("elapsed", "done"), [(60, 0), (1, 5), (60, 10), (60, 12)])
def test_nothing_is_estimated_of_what_has_not_begun_has_just_begun_or_is_done(
    elapsed: float, done: float
) -> None:
    assert seconds_left(elapsed, done, 10) is None
