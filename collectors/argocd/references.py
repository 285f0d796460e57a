"""What config revisions name, asked for once although many applications come from them."""

import threading
from collections import defaultdict
from collections.abc import Callable

ShaAndRepository = tuple[str | None, str | None]  # (sha, repository)


class References:
    """What a (config repository, revision) names; for several threads."""

    def __init__(self) -> None:
        self._found: dict[tuple[str | None, str], ShaAndRepository] = {}
        self._locks: defaultdict[tuple[str | None, str], threading.Lock] = defaultdict(threading.Lock)

    def get(
        self, key: tuple[str | None, str], ask: Callable[[], ShaAndRepository | None]
    ) -> ShaAndRepository | None:
        """The commit at `key`, or what `ask` says of it; its None is not kept, so that the next one asks again."""
        with self._locks[key]:
            if key not in self._found:
                answer = ask()
                if answer is None:
                    return None
                self._found[key] = answer
            return self._found[key]
