"""Files beside the warehouse that one process holds at a time, for as long as it does one kind of work."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(warehouse: Path, ending: str) -> Iterator[str | None]:
    """Holds `NAME.<ending>` and gives None; where another process does, gives its id and holds nothing.

    The system releases it however the process ends.
    """
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    with warehouse.with_name(f"{warehouse.stem}.{ending}").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            yield lock.read().strip() or "of another command"
            return
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield None
