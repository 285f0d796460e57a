"""Keeps when a source asked to be left in peace until, so that no run asks before that by itself."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from collectors.contract.items import AskedToWait, Checkpoint, Item, Resume, SourceError
from collectors.transport.json_values import as_instant

_SUBJECT = "asked to wait"


def patient(source: str, collect: Callable[[Resume], Iterator[Item]]) -> Callable[[Resume], Iterator[Item]]:
    """`collect`, which raises SourceError at once before the instant until when the `source` asked to wait."""

    def collected(resume: Resume) -> Iterator[Item]:
        until = as_instant(resume.cursors.get(_SUBJECT), "until")
        if until and until > datetime.now(UTC):
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


def impatient(cursors: Mapping[str, Any]) -> dict[str, Any]:
    """The cursors with which a source is asked at once, since a person wants it."""
    return {subject: cursor for subject, cursor in cursors.items() if subject != _SUBJECT}
