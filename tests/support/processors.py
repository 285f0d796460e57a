"""A processor for each worker: DuckDB would start a thread for each one in every worker, at a third of the time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_ALL = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set[int]()


def take_one() -> None:
    """Keeps this process, where it is one of several workers, to a processor of its own; Linux alone can do so."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker and _ALL:
        os.sched_setaffinity(0, {sorted(_ALL)[int(worker.removeprefix("gw")) % len(_ALL)]})


@contextmanager
def shared() -> Iterator[None]:
    """Lets what is started within, such as a browser, use all of them."""
    own = os.sched_getaffinity(0) if _ALL else set[int]()
    if _ALL:
        os.sched_setaffinity(0, _ALL)
    try:
        yield
    finally:
        if _ALL:
            os.sched_setaffinity(0, own)
