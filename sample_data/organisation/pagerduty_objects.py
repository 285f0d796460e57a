"""PagerDuty's incidents, log entries and related change events, as its REST API gives them.

https://developer.pagerduty.com/api-reference/9d0b4b12e36f9-list-incidents
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sample_data.model import PagerDuty
from sample_data.work.plans import ChangeEvent, Incident

Json = dict[str, Any]
_API, _PAGES = "https://api.pagerduty.com", "https://acme.pagerduty.com"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_POLICY = ("PESCALT", "Engineering on call")


def identity(kind: str, key: str, length: int = 13) -> str:
    """An id that looks like PagerDuty's and is always the same for `key`."""
    number, text = int(hashlib.sha1(f"{kind}/{key}".encode()).hexdigest(), 16), ""
    while len(text) < length:
        number, digit = divmod(number, 36)
        text += _DIGITS[digit]
    return {"incident": "Q", "entry": "R", "user": "P", "priority": "P"}.get(kind, "") + text


def incident_id(key: str) -> str:
    """The id of the incident that a plan declares."""
    return identity("incident", key)


def pagerduty(
    incidents: Iterable[Incident], services: Mapping[str, str], shas: Mapping[tuple[str, str], str]
) -> PagerDuty:
    """The account with its incidents in the order of their opening; `shas` are commits by (repository, plan's key)."""
    made = PagerDuty()
    ordered = sorted(incidents, key=lambda incident: (incident.opened, incident.key))
    numbers = {incident.key: number for number, incident in enumerate(ordered, start=101)}
    titles = {incident.key: f"[#{numbers[incident.key]}] {incident.title}" for incident in ordered}
    for incident in ordered:
        service = _reference("service", incident.service, services[incident.service], "service-directory")
        entries = _log_entries(incident, service, titles[incident.key])
        made.log_entries += entries
        made.incidents.append(_incident(incident, numbers[incident.key], service, entries, titles))
        made.change_events[incident_id(incident.key)] = [
            _change_event(event, service, shas) for event in incident.change_events
        ]
    made.log_entries.sort(key=lambda entry: (entry["created_at"], entry["id"]))
    return made


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _reference(kind: str, ident: str, summary: str, page: str) -> Json:
    plural = {"escalation_policy": "escalation_policies", "priority": "priorities"}.get(kind, f"{kind}s")
    return {
        "id": ident,
        "type": f"{kind}_reference",
        "summary": summary,
        "self": f"{_API}/{plural}/{ident}",
        "html_url": f"{_PAGES}/{page}/{ident}",
    }


def _incident(
    incident: Incident, number: int, service: Json, entries: list[Json], titles: Mapping[str, str]
) -> Json:
    ident = incident_id(incident.key)
    status = "resolved" if incident.resolved else "acknowledged" if incident.acknowledged else "triggered"
    changed = incident.resolved or incident.acknowledged or incident.opened
    user = _reference(
        "user", identity("user", service["id"], 6), f"On call for {service['summary']}", "users"
    )
    is_open = incident.resolved is None
    made = _reference("incident", ident, titles[incident.key], "incidents") | {
        "type": "incident",
        "incident_number": number,
        "title": incident.title,
        "description": incident.title,
        "created_at": _at(incident.opened),
        "updated_at": _at(changed),
        "status": status,
        "incident_key": hashlib.md5(ident.encode()).hexdigest(),
        "service": service,
        "assignments": [{"at": _at(incident.opened), "assignee": user}] if is_open else [],
        "assigned_via": "escalation_policy",
        "last_status_change_at": _at(changed),
        "resolved_at": _at(incident.resolved) if incident.resolved else None,
        "first_trigger_log_entry": {
            **{key: entries[0][key] for key in ("id", "summary", "self", "html_url")},
            "type": "trigger_log_entry_reference",
        },
        "alert_counts": {"all": 1, "triggered": int(is_open), "resolved": int(not is_open)},
        "is_mergeable": True,
        "incident_type": {"name": "incident_default"},
        "escalation_policy": _reference("escalation_policy", *_POLICY, "escalation_policies"),
        "teams": [],
        "pending_actions": [],
        "acknowledgements": [],
        "basic_alert_grouping": None,
        "alert_grouping": None,
        "last_status_change_by": user if incident.acknowledged else service,
        "priority": None,
        "resolve_reason": None,
        "urgency": incident.urgency,
    }
    if is_open and incident.acknowledged:
        made["acknowledgements"] = [{"at": _at(incident.acknowledged), "acknowledger": user}]
    if incident.priority:
        priority = identity("priority", incident.priority, 6)
        reference = _reference("priority", priority, incident.priority, "priorities")
        made["priority"] = reference | {"type": "priority", "name": incident.priority, "html_url": None}
    if incident.merged_into:
        target = incident.merged_into
        made["resolve_reason"] = {
            "type": "merge_resolve_reason",
            "incident": _reference("incident", incident_id(target), titles[target], "incidents"),
        }
    return made


def _log_entries(incident: Incident, service: Json, title: str) -> list[Json]:
    happened = (
        (
            "trigger",
            "Triggered through the API.",
            incident.opened,
            {"type": "api", "summary": incident.title},
        ),
        ("acknowledge", "Acknowledged on the website.", incident.acknowledged, {"type": "website"}),
        ("resolve", "Resolved on the website.", incident.resolved, {"type": "website"}),
    )
    return [
        _reference("log_entry", identity("entry", f"{incident.key}/{kind}", 25), summary, "log_entries")
        | {
            "type": f"{kind}_log_entry",
            "self": f"{_API}/log_entries/{identity('entry', f'{incident.key}/{kind}', 25)}",
            "created_at": _at(at),
            "agent": service,
            "channel": channel,
            "service": service,
            "incident": _reference("incident", incident_id(incident.key), title, "incidents"),
            "teams": [],
            "contexts": [],
            "event_details": {"description": incident.title},
        }
        for kind, summary, at, channel in happened
        if at
    ]


def _change_event(event: ChangeEvent, service: Json, shas: Mapping[tuple[str, str], str]) -> Json:
    ident = "01" + identity("change", f"{event.repo}/{event.at}", 24)
    sha = shas[event.repo, event.deployment] if event.deployment else None
    links = (
        [{"href": f"https://github.com/acme/{event.repo}/commit/{sha}", "text": "The commit"}] if sha else []
    )
    return {
        "id": ident,
        "type": "change_event",
        "self": f"{_API}/change_events/{ident}",
        "summary": event.summary,
        "timestamp": _at(event.at),
        "source": "github-actions",
        "integration": {"id": "PGITHUB", "type": "inbound_integration_reference"},
        "services": [{"id": service["id"], "type": "service_reference"}],
        "links": links,
        "custom_details": {"revision": sha} if sha else {},
        "correlation_reason": {"reason": event.reason},
    }
