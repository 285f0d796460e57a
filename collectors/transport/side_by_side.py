"""Work on several things at once, each as soon as those that it comes after are done."""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextvars import copy_context
from queue import SimpleQueue
from typing import TypeVar

_Result = TypeVar("_Result")
Await = Callable[[Collection[str], Callable[[str], None]], None]


def side_by_side(
    work: Callable[[str, Await], _Result], after: Mapping[str, Collection[str]]
) -> Iterator[_Result]:
    """What `work` gives for each key of `after`, as it comes: a thread each, begun once those in its value are done.

    `work` is given the key, and what waits for others of them, telling for which. What is no key is not waited for.
    What `work` raises is raised here, and ends the iteration. Who is at work then, or once the iterator is closed, is
    not waited for; who has not begun does not begin.
    """
    ended: SimpleQueue[tuple[_Result | None, BaseException | None]] = SimpleQueue()
    done = {name: threading.Event() for name in after}
    is_over = threading.Event()

    def awaited(names: Collection[str], tell: Callable[[str], None] = lambda name: None) -> None:
        for name in names:
            if name in done and not done[name].is_set():
                tell(name)
                done[name].wait()

    def begin(name: str) -> None:
        awaited(after[name])
        if is_over.is_set():
            return
        try:
            ended.put((work(name, awaited), None))
        except BaseException as error:  # raised again where the results are taken
            ended.put((None, error))
        finally:
            done[name].set()

    for name in after:
        # a daemon, so that an interrupted program ends at once
        threading.Thread(target=copy_context().run, args=(begin, name), name=name, daemon=True).start()
    try:
        for _ in after:
            result, error = ended.get()
            if error:
                raise error
            yield result  # type: ignore[misc]  # there is one where there is no error
    finally:
        is_over.set()
        for one in done.values():
            one.set()
