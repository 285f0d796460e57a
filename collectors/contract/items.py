"""What a collector's generator yields beside records, and what it is told to resume from.

A collector is a generator of `Item`s. Rows since the last `Checkpoint` are stored with it in one transaction, so
everything that a checkpoint's cursor claims to have read is in the warehouse once the cursor is.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from collectors.contract.records import Record
from config.errors import SixkeysError


@dataclass(frozen=True)
class Malformed:
    """An item that could not be read: set aside in the quarantine with its reason, neither stored nor lost.

    Where its `key` is known, it leaves the quarantine once a later run reads the same item well. One that may have led
    to other files `hides` them: those whose places begin so, if no other file led to them.
    """

    kind: str
    subject: str
    reason: str
    raw: str
    key: str | None = None
    hides: str | None = None


@dataclass(frozen=True)
class SetAside:
    """An item of the quarantine that is to be read again: what `Malformed` said of it."""

    kind: str
    subject: str
    key: tuple[str, ...] | None


@dataclass(frozen=True)
class Checkpoint:
    """All that was yielded before is complete up to `cursor` (any JSON value) for `subject`."""

    subject: str
    cursor: Any


@dataclass(frozen=True)
class Gone:
    """What is stored of `record` under `key` is no such thing any more, and is to be forgotten."""

    record: type[Record]
    key: tuple[Any, ...]


Item = Record | Malformed | Checkpoint | Gone


@dataclass(frozen=True)
class Resume:
    """Where to go on: the cursors of earlier runs by subject, the first day wanted, and the run's own instant (UTC)."""

    now: datetime
    since: datetime
    cursors: Mapping[str, Any] = field(default_factory=dict)


class SourceError(SixkeysError):
    """A source that cannot be read: which, what it answered, and what to do. Never holds a secret."""


class AskedToWait(SourceError):
    """A source that asks to be left in peace for longer than a run waits: `until` when, in UTC."""

    def __init__(self, source: str, until: datetime) -> None:
        minute = until + timedelta(seconds=59)
        super().__init__(
            f"{source}: asks to wait until {minute:%Y-%m-%d %H:%M} UTC; a run after that goes on from there"
        )
        self.until = until


def tried(attempt: Callable[[], str]) -> str | SourceError:
    """What `attempt` says of a small request that was answered, or why it was not; raises AskedToWait."""
    try:
        return attempt()
    except AskedToWait:  # nothing else would be answered either
        raise
    except SourceError as error:
        return error


def record_or_malformed(
    record: type[Record], subject: str, fields: dict[str, Any], raw: Any
) -> Record | Malformed:
    """The record made of `fields`, or what was wrong with it together with the item as it came (`raw`)."""
    try:
        return record(**fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or record.TABLE
        reason = f"{where}: {first['msg']}"
        raw_text = json.dumps(raw, default=str, sort_keys=True)
        return Malformed(record.TABLE, subject, reason, raw_text, key_of_fields(record, fields))


def key_of(record: Record) -> str | None:
    """By what `record` is known, the same as that of a malformed item of the same key."""
    return key_of_fields(type(record), dict(record))


def key_of_fields(record: type[Record], fields: Mapping[str, Any]) -> str | None:
    """By what a record made of `fields` is known; None where a part that every record has is missing."""
    parts = []
    for name in record.MENDED_BY or record.KEY:
        field = record.model_fields[name]
        part = fields.get(name, None if field.is_required() else field.default)
        if part is None or (part == "" and field.is_required()):
            return None
        parts.append(str(part))
    return json.dumps(parts)
