"""Incidents from PagerDuty: https://developer.pagerduty.com/api-reference/ .

`since` filters by creation, so what changed later is told by the account's log entries, and open incidents are read
again. A first run and a later one are the same walk; the first begins at the first day wanted.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from collectors.contract.items import (
    Checkpoint,
    Item,
    Malformed,
    Resume,
    SetAside,
    SourceError,
    record_or_malformed,
)
from collectors.contract.records import Coverage, Incident, Record
from collectors.pagerduty.lists import is_id, open_api, open_incidents, slices
from collectors.transport import cost
from collectors.transport.json_api import TIMEOUT_SECONDS, Api
from collectors.transport.json_values import as_instant, listing, mapping, text, without_keys
from config.sources import PagerDuty
from config.text.quoting import one_short_line

# log entries and incidents can appear a little after the time that they bear
_OVERLAP = timedelta(hours=1)
_STATUSES = ("triggered", "acknowledged", "resolved")
# where an incident tells of persons, which is not kept, in the quarantine neither
_PEOPLE = (
    "assignments",
    "acknowledger",
    "last_status_change_by",
    "first_trigger_log_entry",
    "incidents_responders",
    "responder_requests",
    "subscriber_requests",
)


def try_connection(source: PagerDuty) -> Iterator[str]:
    """What the token opens, in words: incidents, and the log entries that tell what changed; or raises SourceError."""
    with open_api(source) as api:
        for kind in ("incidents", "log_entries"):
            yield _try(api, kind)


def _try(api: Api, kind: str) -> str:
    if not isinstance(api.get(f"/{kind}", {"limit": 1}).get(kind), list):
        raise SourceError(
            f"pagerduty: /{kind} holds no {kind}; check that sources.pagerduty.url is PagerDuty's"
        )
    return f"may read {kind.replace('_', ' ')}"


def collect(
    source: PagerDuty,
    resume: Resume,
    changes: Mapping[str, Sequence[Any]] | None = None,
    timeout: float = TIMEOUT_SECONDS,
) -> Iterator[Item]:
    """Incidents that are new or changed, in order of opening, then open and older ones; a checkpoint per stretch.

    `changes` are the change events that are known, by incident: they stay with it. The cursor (subject `*`) keeps the
    coverage's start, the instant read up to, the log entries of the last hour, and of open and recent incidents what
    was yielded. An unchanged account costs one request, or two with open incidents.
    """
    with open_api(source, timeout) as api:
        yield from _Reader(api, resume, changes or {}).items()


def again(cursors: Mapping[str, Any], items: Iterable[SetAside]) -> dict[str, Any]:
    """The cursor with which each of `items` is asked for; all incidents are, where one has no id to ask for it by."""
    cursor = mapping(cursors.get("*"))
    if not cursor:
        return dict(cursors)
    keys = [item.key for item in items]
    everything = {"until": cursor.get("from_at"), "log": None} if None in keys else {}
    return {**cursors, "*": {**cursor, "again": [key[1] for key in keys if key], **everything}}


class _Log:
    """What an account's log entries say of its incidents."""

    def __init__(self) -> None:
        self.acknowledged_at: dict[str, datetime] = {}
        self.resolved_at: dict[str, datetime] = {}

    def add(self, entry: dict[str, Any]) -> str | None:
        """Takes `entry` in; returns the id of its incident."""
        id, at, kind = (
            text(entry, "incident", "id"),
            as_instant(entry, "created_at"),
            text(entry, "type") or "",
        )
        if id and at and kind.startswith("acknowledge"):
            self.acknowledged_at[id] = min(at, self.acknowledged_at.get(id, at))
        elif id and at and kind.startswith("resolve"):
            self.resolved_at[id] = max(at, self.resolved_at.get(id, at))
        return id


class _Reader:
    """One run: the cursor that it began with and what it has learnt so far."""

    def __init__(self, api: Api, resume: Resume, changes: Mapping[str, Sequence[Any]]) -> None:
        self.api, self.now, self.changes = api, resume.now, changes
        cursor = mapping(resume.cursors.get("*"))
        from_at, until = as_instant(cursor, "from_at"), as_instant(cursor, "until")
        if from_at is None or until is None or resume.since < from_at:
            # a first run, or one that is asked for more than was ever read
            cursor, from_at, until = {}, resume.since, resume.since
        self.from_at = from_at
        self.start = max(from_at, until - _OVERLAP)
        # None: nothing can be taken as read
        self.logged = set(cursor["log"]) if isinstance(cursor.get("log"), list) else None
        self.known: dict[str, dict[str, Any]] = dict(mapping(cursor, "known"))
        self.again: set[str] = set(listing(cursor, "again"))
        self.log = _Log()
        self.touched: set[str] = set()
        self.read: set[str] = set()

    def items(self) -> Iterator[Item]:
        """The whole run."""
        recent = self._read_log()
        open_before = [id for id, known in self.known.items() if known.get("open")]
        if self.logged is None or self.touched:
            for end, found in slices(
                self.api, "incidents", {"sort_by": "created_at:asc"}, self.start, self.now
            ):
                yield from self._incidents(found)
                cost.current_meter().part((end - self.start).days, (self.now - self.start).days, "days")
                if end < self.now:
                    yield from self._checkpoint(end, None)
        if self.logged is None or self.touched or open_before:
            yield from self._incidents(open_incidents(self.api))
        for id in sorted(self.touched.union(open_before, self.again) - self.read):
            yield from self._incidents(self._one(id))
        yield from self._checkpoint(self.now, recent)

    def _read_log(self) -> list[str]:
        """Reads the log entries since the last run; returns the ids of those that the next run will meet again."""
        recent = []
        for _, entries in slices(self.api, "log_entries", {"is_overview": "true"}, self.start, self.now):
            for entry in entries:
                id, entry_id = self.log.add(entry), text(entry, "id") or ""
                if id and is_id(id) and entry_id not in (self.logged or ()):
                    self.touched.add(id)
                if (at := as_instant(entry, "created_at")) and at >= self.now - _OVERLAP:
                    recent.append(entry_id)
        return recent

    def _one(self, id: str) -> Iterator[dict[str, Any]]:
        """An incident by itself, with the log entries that are older than this run's; nothing if it is gone."""
        path = f"/incidents/{quote(id, safe='')}"
        response = self.api.send(path, {"time_zone": "UTC"}, accept=(404,))
        if response.status_code == 404:
            return
        if id not in self.known:
            query = {"is_overview": "true", "time_zone": "UTC", "limit": 100}
            for entry in listing(self.api.get(f"{path}/log_entries", query), "log_entries"):
                self.log.add({**mapping(entry), "incident": {"id": id}})
        yield mapping(self.api.content(response), "incident")

    def _incidents(self, found: Iterable[dict[str, Any]]) -> Iterator[Item]:
        for shown in found:
            parsed = self._parsed(without_keys(shown, _PEOPLE))
            if parsed is None:
                continue
            item, record = parsed
            if isinstance(record, Incident):
                yield from self._told(item, record)
            else:
                yield record

    def _parsed(self, item: Any) -> tuple[Any, Record | Malformed] | None:
        """An incident as it came and as a record; None where it was read already."""
        if not isinstance(item, dict):
            return item, Malformed(Incident.TABLE, "?", "an incident that is no object", json.dumps(item))
        id = text(item, "id") or ""
        if id and not is_id(id):
            reason = "id: is no id of PagerDuty's"
            return item, Malformed(Incident.TABLE, one_short_line(id), reason, json.dumps(item))
        if id in self.read:
            return None
        fields = self._fields(item, mapping(self.known.get(id)))
        if fields["status"] not in _STATUSES:
            # what it means is not known, so neither is whether its times still hold
            fields["status"] = None
        record = record_or_malformed(Incident, id or "?", fields, item)
        if id:  # what cannot be read is no better when it is asked for by itself
            self.read.add(id)
        return item, record

    def _told(self, item: Any, record: Incident) -> Iterator[Item]:
        """The incident, where something of it changed."""
        before = mapping(self.known.get(record.id))
        state = hashlib.sha256(record.model_dump_json().encode()).hexdigest()[:16]
        self.known[record.id] = {
            "state": state,
            "open": record.status != "resolved",
            "opened_at": record.opened_at.isoformat(),
            "acknowledged_at": record.acknowledged_at and record.acknowledged_at.isoformat(),
        }
        if state != before.get("state") or record.id in self.again:
            changes = self.changes.get(record.id, ())
            yield record_or_malformed(Incident, record.id, {**dict(record), "change_events": changes}, item)

    def _fields(self, item: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        id, status = text(item, "id") or "", text(item, "status") or ""
        times = (as_instant(entry, "at") for entry in listing(item, "acknowledgements"))
        acknowledged = [at for at in (*times, self.log.acknowledged_at.get(id)) if at]
        reason = mapping(item, "resolve_reason")
        merged = text(reason, "type") == "merge_resolve_reason"
        return {
            "source": "pagerduty",
            "id": id,
            "source_service": text(item, "service", "id"),
            "title": text(item, "title") or text(item, "summary") or "",
            "urgency": text(item, "urgency"),
            "priority": text(item, "priority", "summary") or text(item, "priority", "name"),
            "status": status,
            "opened_at": item.get("created_at"),
            "acknowledged_at": before.get("acknowledged_at") or min(acknowledged, default=None),
            "resolved_at": (item.get("resolved_at") or self.log.resolved_at.get(id))
            if status == "resolved"
            else None,
            "merged_into": text(reason, "incident", "id") if merged else None,
            "url": text(item, "html_url"),
        }

    def _checkpoint(self, until: datetime, log: list[str] | None) -> Iterator[Item]:
        yield Coverage(source="pagerduty", subject="*", from_at=self.from_at, until_at=until)
        oldest = until - _OVERLAP
        self.known = {
            id: known
            for id, known in self.known.items()
            if known.get("open") or ((at := as_instant(known, "opened_at")) and at >= oldest)
        }
        cursor = {
            "from_at": self.from_at.isoformat(),
            "until": until.isoformat(),
            "log": log,
            "known": self.known,
        }
        yield Checkpoint("*", json.loads(json.dumps(cursor)))
