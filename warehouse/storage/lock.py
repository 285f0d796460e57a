"""Who may work on a warehouse: files beside it that one process holds at a time, and the turn of a thread."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from filelock import FileLock, Timeout

_Opened = TypeVar("_Opened")
_Given = ParamSpec("_Given")
_TURNS: dict[Path, threading.RLock] = {}


def turn_of_thread(warehouse: Path) -> threading.RLock:
    """Held by the thread of this process whose turn it is with the warehouse; it may take it again."""
    return _TURNS.setdefault(warehouse.absolute(), threading.RLock())


def one_thread_at_a_time(
    opening: Callable[Concatenate[Path, _Given], AbstractContextManager[_Opened]],
) -> Callable[Concatenate[Path, _Given], AbstractContextManager[_Opened]]:
    """`opening` of a warehouse, in which one thread of this process is at a time: others wait for their turn."""

    @contextmanager
    @wraps(opening)
    def in_turn(path: Path, *args: _Given.args, **kwargs: _Given.kwargs) -> Iterator[_Opened]:
        with turn_of_thread(path), opening(path, *args, **kwargs) as opened:
            yield opened

    return in_turn


@contextmanager
def locked(warehouse: Path, ending: str) -> Iterator[str | None]:
    """Holds `NAME.<ending>` and gives None; where another process does, gives its id and holds nothing.

    The system releases it however the process ends.
    """
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    path = warehouse.with_name(f"{warehouse.stem}.{ending}")
    lock, holder = FileLock(path), None
    try:
        lock.acquire(blocking=False)
    except Timeout:
        holder = path.read_text(encoding="utf-8").strip() or "of another command"
    else:
        path.write_text(str(os.getpid()), encoding="utf-8")
    try:
        yield holder
    finally:
        lock.release()


@contextmanager
def waited_for(warehouse: Path, ending: str) -> Iterator[None]:
    """Holds `NAME.<ending>` as soon as no other process does."""
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(warehouse.with_name(f"{warehouse.stem}.{ending}")):
        yield
