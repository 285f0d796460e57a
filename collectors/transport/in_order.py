"""Work on several things at once whose results come in the order of the things, as if they were done one by one."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextvars import copy_context
from typing import Generic, TypeVar

Thing = TypeVar("Thing")
Result = TypeVar("Result")

# results that wait to be taken, all together: what is further ahead than that pauses
_HELD = 10_000
# results are handed over in bundles, so that threads do not wait for each other at each of them
_BUNDLE = 200
_BUNDLE_SECONDS = 0.5


def in_order(
    work: Callable[[Thing], Iterable[Result]], things: Collection[Thing], at_once: int
) -> Iterator[Result]:
    """What `work` gives for each of `things`, thing by thing in their order, with at most `at_once` at work.

    What `work` raises is raised here once all that comes before it was taken, and nothing new is begun after it. An
    iterator that is closed begins nothing new either; who is at work then is not waited for.
    """
    if at_once == 1 or len(things) < 2:
        for thing in things:
            yield from work(thing)
        return
    lanes: list[_Lane[Thing, Result]] = [_Lane(thing) for thing in things]
    desk = _Desk(lanes)
    for _ in range(min(at_once, len(lanes))):
        # a context of its own, with the current meter in it; a daemon, so that an interrupted program ends at once
        threading.Thread(target=copy_context().run, args=(desk.serve, work), daemon=True).start()
    try:
        for lane in lanes:
            yield from desk.taken(lane)
    finally:
        desk.close()


class _Lane(Generic[Thing, Result]):
    """A thing, and what it came to that was not taken yet."""

    def __init__(self, thing: Thing) -> None:
        self.thing = thing
        self.results: list[Result] = []
        self.is_done = False
        self.error: BaseException | None = None


class _ClosedError(Exception):
    """Nobody wants the result any more."""


class _Desk(Generic[Thing, Result]):
    """Where workers fetch things and hand results over."""

    def __init__(self, lanes: list[_Lane[Thing, Result]]) -> None:
        self._changed = threading.Condition()
        self._waiting = iter(lanes)
        self._first = lanes[0]  # the one whose results are taken now
        self._held = 0
        self._is_closed = False  # nothing new is begun
        self._is_left = False  # and nothing is taken any more

    def serve(self, work: Callable[[Thing], Iterable[Result]]) -> None:
        """A worker's whole life: one thing after the other."""
        while lane := self._next():
            bundle: list[Result] = []
            begun = time.monotonic()
            try:
                for result in work(lane.thing):
                    bundle.append(result)
                    if len(bundle) >= _BUNDLE or time.monotonic() - begun > _BUNDLE_SECONDS:
                        self._hand_over(lane, bundle)
                        bundle, begun = [], time.monotonic()
                self._hand_over(lane, bundle, is_done=True)
            except _ClosedError:
                return
            except BaseException as error:  # raised again where the results are taken
                self._fail(lane, bundle, error)
                return

    def taken(self, lane: _Lane[Thing, Result]) -> Iterator[Result]:
        """The results of `lane` as they come; raises what its work raised."""
        is_done = False
        while not is_done:
            with self._changed:
                self._first = lane
                self._changed.notify_all()
                self._changed.wait_for(lambda: lane.results or lane.is_done)
                results, lane.results = lane.results, []
                self._held -= len(results)
                is_done = lane.is_done
            yield from results
        if lane.error:
            raise lane.error

    def close(self) -> None:
        """Lets go of the workers."""
        with self._changed:
            self._is_closed = self._is_left = True
            self._changed.notify_all()

    def _next(self) -> _Lane[Thing, Result] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._held < _HELD)
            return None if self._is_closed else next(self._waiting, None)

    def _hand_over(self, lane: _Lane[Thing, Result], results: list[Result], is_done: bool = False) -> None:
        with self._changed:
            # whoever is waited for may always go on
            self._changed.wait_for(lambda: self._is_left or lane is self._first or self._held < _HELD)
            if self._is_left:
                raise _ClosedError
            lane.results += results
            lane.is_done = is_done
            self._held += len(results)
            self._changed.notify_all()

    def _fail(self, lane: _Lane[Thing, Result], results: list[Result], error: BaseException) -> None:
        with self._changed:
            self._is_closed = True
            lane.results += results
            lane.error, lane.is_done = error, True
            self._held += len(results)
            self._changed.notify_all()
