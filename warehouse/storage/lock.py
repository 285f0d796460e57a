"""Files beside the warehouse that one process holds at a time, for as long as it does one kind of work."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


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
