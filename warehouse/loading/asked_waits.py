"""Keeps when a source asked to be left in peace until, so that no run asks before that by itself."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from collectors.contract.items import AskedToWait, Checkpoint, Item, Resume, SourceError
from collectors.transport.json_values import as_instant

_SUBJECT = "asked to wait"


def patient(
    source: str, collect: Callable[[Resume], Iterator[Item]], is_by_hand: bool
) -> Callable[[Resume], Iterator[Item]]:
    """`collect` of a `source`, which until the instant that it asked to wait for raises SourceError at once.

    Unless it `is_by_hand`, that is wanted by a person.
    """

    def collected(resume: Resume) -> Iterator[Item]:
        until = as_instant(resume.cursors.get(_SUBJECT), "until")
        if until and until > datetime.now(UTC) and not is_by_hand:
            raise SourceError(
                f"{source}: asked to wait until {until:%Y-%m-%d %H:%M} UTC, and is not asked before;"
                f" sixkeys collect --source {source} asks now"
            )
        try:
            yield from collect(resume)
        except AskedToWait as asked:
            yield Checkpoint(_SUBJECT, {"until": asked.until.isoformat()})
            raise

    return collected
