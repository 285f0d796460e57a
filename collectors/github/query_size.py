"""How much is asked of GitHub in one request: half as much after a time-out, and more again once it answers."""

from collections.abc import Callable
from typing import TypeVar

from collectors.github.api import TooMuchError

_Answer = TypeVar("_Answer")

# a request that is too large costs GitHub's time-out, so the larger one is not tried after every answer
_GOOD_ANSWERS = 3


class QuerySize:
    """Room for `full` items in a request, or for as many as GitHub has the time for."""

    def __init__(self, full: int) -> None:
        self._full = self._size = full
        self._answers = 0

    def fitting(self, ask: Callable[[int], _Answer], wanted: int | None = None) -> _Answer:
        """What `ask` answers for the `wanted` items, or for as many of them as there is room for.

        Raises TooMuchError where one is too many.
        """
        while True:
            size = self._size if wanted is None else min(self._size, wanted)
            try:
                answer = ask(size)
            except TooMuchError:
                if size <= 1:
                    raise
                self._size, self._answers = size // 2, 0
                continue
            self._answers += size == self._size  # a smaller one does not show that more would fit
            if self._answers >= _GOOD_ANSWERS:
                self._size, self._answers = min(self._full, self._size * 2), 0
            return answer
