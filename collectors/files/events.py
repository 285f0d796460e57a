"""Events: those of the configuration, of files of the record `events`, and of the form of the page of targets.

The form keeps a file for each event in the folder `inbox/events` beside the warehouse, from where it is collected.
"""

import glob
import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from collectors.contract.items import Item, Malformed, Resume, SourceError, record_or_malformed
from collectors.contract.records import Event
from collectors.files.record_files import read_records
from collectors.files.whole_files import put_json
from collectors.transport.json_values import mapping
from config.sources import EventEntry
from config.text.references import require_resolved
from config.years import in_utc

_FORM, _CONFIGURATION = "form", "configuration"
_KEPT = ("at", "until", "title", "kind", "scope", "resets", "url")


def collect(entries: Sequence[EventEntry], folder: Path, timezone: str, resume: Resume) -> Iterator[Item]:
    """All events that `entries` and the form's `folder` tell; days are those of `timezone`.

    Raises SourceError, after the rest was read, for a glob that matches no file; DataError for a file's first mistake.
    """
    require_resolved([entry.files for entry in entries])
    missing = []
    zone = ZoneInfo(timezone)
    for entry in entries:
        if entry.files is None:
            yield _configured(entry, zone)
            continue
        found = sorted(glob.glob(entry.files, recursive=True))
        missing += [] if found else [entry.files]
        for name in found:
            yield from read_records(Event.TABLE, Path(name))
    for path in _files(folder):
        yield _told(path)
    if missing:
        raise SourceError(f"events: {missing[0]} matches no file; mend events in the configuration")


def event_inbox(warehouse: Path) -> Path:
    """The folder of the form's events that belong to `warehouse`."""
    return warehouse.parent / "inbox" / "events"


def put_event(folder: Path, event: Event) -> None:
    """Keeps what somebody told by the form, whole or not at all."""
    content = event.model_dump(mode="json", include=set(_KEPT))
    put_json(folder / f"{event.id.removeprefix(f'{_FORM}-')}.json", content)


def take_back(folder: Path, id: str) -> None:
    """Removes what the form told; nothing where there is none of this id."""
    for path in _files(folder):
        if _id(path) == id:
            path.unlink(missing_ok=True)


def kept_events(folder: Path) -> list[Event]:
    """What the form told and nobody took back, the newest first."""
    found = (_told(path) for path in _files(folder))
    return sorted(
        (one for one in found if isinstance(one, Event)), key=lambda one: (one.at, one.id), reverse=True
    )


def withdrawn(folder: Path, ids: Iterable[str]) -> set[str]:
    """Those of the ids that came by the form and were taken back since."""
    kept = {_id(path) for path in _files(folder)}
    return {id for id in ids if id.startswith(f"{_FORM}-") and id not in kept}


def event_of(entry: EventEntry, timezone: str) -> Event:
    """What somebody tells by the form, under a key of its own. Raises ValueError where it ends before it begins."""
    return _event(entry, ZoneInfo(timezone), f"{_FORM}-{secrets.token_hex(8)}")


def _configured(entry: EventEntry, zone: ZoneInfo) -> Item:
    told = json.dumps([str(entry.at), entry.title, entry.scope])
    id = f"{_CONFIGURATION}-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
    try:
        return _event(entry, zone, id)
    except ValueError as error:
        raise SourceError(f"events: {entry.title}: {error}; mend events in the configuration") from None


def _event(entry: EventEntry, zone: ZoneInfo, id: str) -> Event:
    try:
        return Event(
            id=id,
            at=_instant(entry.at, zone),
            until=_instant(entry.until, zone, is_end=True) if entry.until else None,
            **entry.model_dump(include={"title", "kind", "scope", "resets", "url"}),
        )
    except ValidationError as error:
        raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None


def _instant(told: date | datetime | None, zone: ZoneInfo, is_end: bool = False) -> datetime:
    """The instant that was told, or the beginning or the end of the day."""
    if isinstance(told, datetime):
        return told
    if told is None:
        raise ValueError("at is missing")
    day = told + timedelta(days=1) if is_end else told
    return in_utc(datetime.combine(day, time(), zone))


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))


def _id(path: Path) -> str:
    return f"{_FORM}-{path.stem}"


def _told(path: Path) -> Item:
    try:
        content: dict[str, Any] = mapping(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SourceError(f"events: {path} cannot be read: {error.strerror}") from None
    except ValueError:
        return Malformed(Event.TABLE, str(path), "is not JSON", "")
    fields = {key: content[key] for key in _KEPT if key in content}
    return record_or_malformed(Event, str(path), {**fields, "id": _id(path)}, fields)
