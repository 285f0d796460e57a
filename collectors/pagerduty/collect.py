"""Incidents from PagerDuty: https://developer.pagerduty.com/api-reference/ .

`since` filters by creation, so what changed later is told by the account's log entries, and open incidents are read
again. A first run and a later one are the same walk; the first begins at the first day wanted.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from urllib.parse import quote

from collectors.contract.items import (
    Checkpoint,
    Item,
    Malformed,
    Resume,
    SetAside,
    SourceError,
    key_of,
    record_or_malformed,
)
from collectors.contract.records import Coverage, Incident, Record
from collectors.pagerduty.lists import AT_ONCE, PAGE, is_id, open_api, open_incidents, slices
from collectors.transport import cost
from collectors.transport.in_order import in_order
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
    source: PagerDuty, resume: Resume, linked: Collection[str] = (), timeout: float = TIMEOUT_SECONDS
) -> Iterator[Item]:
    """Incidents that are new or changed, in order of opening, then open and older ones; a checkpoint per stretch.

    Of incidents that are `linked` to what caused them, PagerDuty is not asked what it relates to them.
    The cursor (subject `*`) keeps the coverage's start, the instant read up to, the log entries of the last hour, of
    open and recent incidents what was yielded, and whose change events could not be read: they are asked for again. An
    unchanged account costs one request, or two with open incidents.
    """
    with open_api(source, timeout) as api:
        yield from _Reader(api, resume, linked).items()


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

    def __init__(self, api: Api, resume: Resume, linked: Collection[str]) -> None:
        self.api, self.now, self.linked = api, resume.now, linked
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
        self.related_events: bool | None = None  # not known yet
        self.refusal: str | None = None  # why PagerDuty tells of none, where that is no answer
        self.unknown_events: set[str] = set(listing(cursor, "unknown_events"))  # of which incidents

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
        for id in sorted(self.unknown_events - self.read):
            if self.related_events is False:  # what refuses one refuses all
                break
            yield from self._incidents(self._one(id))
            if id not in self.read:
                self.unknown_events.discard(id)
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
        rest = iter(found)
        while batch := list(islice(rest, PAGE)):
            read = [each for shown in batch if (each := self._parsed(without_keys(shown, _PEOPLE)))]
            events = self._related_events(
                [incident for _, incident in read if isinstance(incident, Incident)]
            )
            for item, record in read:
                if isinstance(record, Incident):
                    yield from self._told(item, record, events.get(record.id))
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

    def _told(
        self, item: Any, record: Incident, related: list[dict[str, Any]] | str | None
    ) -> Iterator[Item]:
        """The incident with its change events, where something of it changed.

        `related` are new ones, or why they could not be read; None: they were not asked for.
        """
        before = mapping(self.known.get(record.id))
        state = hashlib.sha256(record.model_dump_json().encode()).hexdigest()[:16]
        events = related if isinstance(related, list) else listing(before, "events")
        is_known_now = isinstance(related, list) and record.id in self.unknown_events
        self.known[record.id] = {
            "state": state,
            "open": record.status != "resolved",
            "opened_at": record.opened_at.isoformat(),
            "acknowledged_at": record.acknowledged_at and record.acknowledged_at.isoformat(),
            "events": events,
        }
        if state != before.get("state") or is_known_now:
            yield record_or_malformed(Incident, record.id, {**dict(record), "change_events": events}, item)
        if isinstance(related, str):
            self.unknown_events.add(record.id)
            reason = f"its change events are unknown until they can be read: {related}"
            yield Malformed(Incident.TABLE, record.id, reason, json.dumps({"id": record.id}), key_of(record))
        else:
            self.unknown_events.discard(record.id)

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

    def _related_events(self, read: Iterable[Incident]) -> dict[str, list[dict[str, Any]] | str]:
        """By incident, what PagerDuty relates to it where that is not known, or why it says nothing: a request each.

        Not asked where they were merged or are linked already, for nothing else would be believed; nor where the
        account has no change events, which one request tells for all.
        """
        asked = [
            incident.id
            for incident in read
            if not incident.merged_into
            and incident.id not in self.linked
            and (incident.id not in self.known or incident.id in self.unknown_events)
        ]
        if len(asked) > 1 and self.related_events is None:
            answer = self.api.send("/change_events", {"limit": 1}, accept=(402, 403, 404))
            if answer.is_success and not listing(self.api.content(answer), "change_events"):
                self.related_events = False
        # the first by itself: a plan or a token that does not have them is asked once
        first = [found for id in asked[:1] for found in self._related_to(id)]
        return dict([*first, *in_order(self._related_to, asked[1:], AT_ONCE)])

    def _related_to(self, id: str) -> Iterator[tuple[str, list[dict[str, Any]] | str]]:
        if self.related_events is False:
            yield id, self.refusal or []
            return
        path = f"/incidents/{quote(id, safe='')}/related_change_events"
        response = self.api.send(path, accept=(402, 403, 404))
        self.related_events = response.status_code not in (402, 403)
        answered = f"/incidents/…/related_change_events answered {response.status_code}"
        if response.status_code == 403:
            self.refusal = f"{answered}; give the key read access to change events"
        if response.status_code in (403, 404):
            yield id, self.refusal or answered
            return
        found = self.api.content(response).get("change_events") if response.is_success else []
        if not isinstance(found, list):
            yield id, "/incidents/…/related_change_events answered no list"
            return
        yield id, [_change_event(event) for event in found if text(event, "id")]

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
            "unknown_events": sorted(self.unknown_events),
        }
        yield Checkpoint("*", json.loads(json.dumps(cursor)))


def _change_event(event: dict[str, Any]) -> dict[str, Any]:
    details = event.get("custom_details")
    return {
        "id": text(event, "id"),
        "reason": text(event, "correlation_reason", "reason"),
        "links": [href for link in listing(event, "links") if (href := text(link, "href"))],
        "details": json.dumps(details, sort_keys=True) if details else None,
    }
