"""The change events that PagerDuty relates to incidents: a request for each incident, so for those that ask for one."""

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from collectors.contract.items import Checkpoint, Item, Malformed, Resume, key_of, record_or_malformed
from collectors.contract.records import Incident
from collectors.pagerduty.lists import AT_ONCE, PAGE, open_api
from collectors.transport import cost
from collectors.transport.in_order import in_order
from collectors.transport.json_api import TIMEOUT_SECONDS, Api
from collectors.transport.json_values import as_instant, listing, mapping, text
from config.sources import PagerDuty

_SUBJECT = "change events"
# a deployment may be told a little after the incident that it caused
_LOOKED_BACK = timedelta(days=2)


class AskedIncidents:
    """What the cursor (subject `change events`) keeps: until when all were looked at, and which were asked for.

    Of the `unknown` PagerDuty could not tell; they are asked for again.
    """

    def __init__(self, resume: Resume) -> None:
        cursor = mapping(resume.cursors.get(_SUBJECT))
        self.until = as_instant(cursor, "until")
        self.asked: dict[str, str] = dict(mapping(cursor, "asked"))
        self.unknown: set[str] = set(listing(cursor, "unknown"))

    @property
    def since(self) -> datetime | None:
        """The first opening of those that are looked at; None: all are."""
        return self.until - _LOOKED_BACK if self.until else None

    def lacks(self, incident: Incident) -> bool:
        """Whether the incident is still to be asked for."""
        is_late = self.since is not None and incident.opened_at < self.since
        return incident.id in self.unknown or not (is_late or incident.id in self.asked)

    def checkpoint(self) -> Checkpoint:
        """What the next run goes on from."""
        since = self.since.isoformat() if self.since else ""
        kept = {id: opened_at for id, opened_at in self.asked.items() if opened_at >= since}
        until = self.until.isoformat() if self.until else None
        return Checkpoint(_SUBJECT, {"until": until, "asked": kept, "unknown": sorted(self.unknown)})


def collect_changes(
    source: PagerDuty,
    resume: Resume,
    incidents: Sequence[Incident],
    is_all: bool = True,
    timeout: float = TIMEOUT_SECONDS,
) -> Iterator[Item]:
    """Those of `incidents` to which PagerDuty relates change events, with these; each is asked for once.

    `is_all`: nothing that has happened until now will be among them later. Raises SourceError where PagerDuty cannot be
    read.
    """
    known = AskedIncidents(resume)
    wanted = [incident for incident in incidents if known.lacks(incident)]
    if wanted:
        with open_api(source, timeout) as api:
            related = _Related(api)
            for start in range(0, len(wanted), PAGE):
                batch = wanted[start : start + PAGE]
                told = related.to([incident.id for incident in batch])
                for incident in batch:
                    yield from _told(incident, told[incident.id], known)
                yield known.checkpoint()
                cost.current_meter().part(start + len(batch), len(wanted), "incidents")
    if is_all:
        known.until = resume.now
    yield known.checkpoint()


def _told(incident: Incident, events: list[dict[str, Any]] | str, known: AskedIncidents) -> Iterator[Item]:
    """The incident with its change events, or why they are unknown."""
    if isinstance(events, str):
        known.unknown.add(incident.id)
        reason = f"its change events are unknown until they can be read: {events}"
        yield Malformed(
            Incident.TABLE, incident.id, reason, json.dumps({"id": incident.id}), key_of(incident)
        )
        return
    if events or incident.id in known.unknown:
        yield record_or_malformed(Incident, incident.id, {**dict(incident), "change_events": events}, {})
    known.unknown.discard(incident.id)
    known.asked[incident.id] = incident.opened_at.isoformat()


class _Related:
    """Asks what is related; not at all where the account has no change events, which one request tells for all."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._is_told: bool | None = None  # not known yet
        self._refusal: str | None = None  # why PagerDuty tells of none, where that is no answer

    def to(self, ids: Collection[str]) -> dict[str, list[dict[str, Any]] | str]:
        """By incident its change events, or why PagerDuty says nothing."""
        asked = list(ids)
        if len(asked) > 1 and self._is_told is None:
            answer = self._api.send("/change_events", {"limit": 1}, accept=(402, 403, 404))
            if answer.is_success and not listing(self._api.content(answer), "change_events"):
                self._is_told = False
        # the first by itself: a plan or a token that does not have them is asked once
        first = [found for id in asked[:1] for found in self._of(id)]
        return dict([*first, *in_order(self._of, asked[1:], AT_ONCE)])

    def _of(self, id: str) -> Iterator[tuple[str, list[dict[str, Any]] | str]]:
        if self._is_told is False:
            yield id, self._refusal or []
            return
        path = f"/incidents/{quote(id, safe='')}/related_change_events"
        response = self._api.send(path, accept=(402, 403, 404))
        self._is_told = response.status_code not in (402, 403)
        answered = f"/incidents/…/related_change_events answered {response.status_code}"
        if response.status_code == 403:
            self._refusal = f"{answered}; give the key read access to change events"
        if response.status_code in (403, 404):
            yield id, self._refusal or answered
            return
        found = self._api.content(response).get("change_events") if response.is_success else []
        if not isinstance(found, list):
            yield id, "/incidents/…/related_change_events answered no list"
            return
        yield id, [_change_event(event) for event in found if text(event, "id")]


def _change_event(event: dict[str, Any]) -> dict[str, Any]:
    details = event.get("custom_details")
    return {
        "id": text(event, "id"),
        "reason": text(event, "correlation_reason", "reason"),
        "links": [href for link in listing(event, "links") if (href := text(link, "href"))],
        "details": json.dumps(details, sort_keys=True) if details else None,
    }
