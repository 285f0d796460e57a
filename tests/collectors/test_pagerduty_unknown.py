"""The change events that PagerDuty relates to incidents, and what it does not say now or not in words we know."""

import json
from datetime import timedelta
from typing import Any

import pytest
from werkzeug import Response

from collectors.contract.items import Malformed, Resume
from collectors.pagerduty.change_events import AskedIncidents
from tests.collectors.test_pagerduty_collector import (
    NOW,
    SINCE,
    account,
    ago,
    changes,
    cursors_of,
    incident,
    incidents,
    log,
    run,
    serving,
)
from tests.support.loopback import Loopback

EVENTS = {"Q1": [{"id": "E1"}], "Q2": [{"id": "E2"}]}


def events_asked_for(server: Loopback) -> list[str]:
    return [path.partition("?")[0] for path in server.requests if "change_events" in path]


def many_incidents() -> list[dict[str, Any]]:
    return [incident(f"Q{n}", ago(hours=n), ago(hours=n)) for n in range(1, 40)]


def test_an_account_that_has_no_change_events_is_not_asked_for_those_of_each_incident() -> None:
    with serving(account(*many_incidents())) as server:
        read = run(server)
        assert len(incidents(read)) == 39
        assert events_asked_for(server) == [], "where nothing may have caused them, nothing is asked"
        assert incidents(changes(server, read)) == []
    assert events_asked_for(server) == ["/change_events"]


def test_the_change_events_of_many_incidents_are_asked_for_once_each_and_stay_with_theirs() -> None:
    events = {f"Q{n}": [{"id": f"E{n}"}] for n in range(1, 40, 2)}
    with serving(account(*many_incidents(), change_events=events)) as server:
        read = run(server)
        told = changes(server, read)
        again = changes(server, read, cursors_of(told))
    related = {incident.id: [event.id for event in incident.change_events] for incident in incidents(told)}
    assert related == {f"Q{n}": [f"E{n}"] for n in range(1, 40, 2)}
    assert list(related) == [f"Q{n}" for n in range(39, 0, -2)]
    assert len(events_asked_for(server)) == 1 + 39
    assert incidents(again) == []


def test_until_when_incidents_were_looked_at_moves_on_once_all_is_told_that_may_cause_them() -> None:
    with serving(account(incident("Q1", ago(days=9), ago(days=8)), incident("Q2", ago(hours=5)))) as server:
        read = run(server)
        some = changes(server, read, is_all=False)
        every = changes(server, read, cursors_of(some))
        asked = [AskedIncidents(Resume(NOW, SINCE, cursors_of(told))) for told in (some, every)]
    assert [one.since for one in asked] == [None, NOW - timedelta(days=2)]
    assert [sorted(one.asked) for one in asked] == [["Q1", "Q2"], ["Q2"]], (
        "older ones are not looked at again"
    )


@pytest.mark.parametrize("status", [402, 403])
def test_a_plan_without_change_events_is_asked_once(status: int) -> None:
    refused = [Response("{}", status)] * 2
    with serving(account(*many_incidents()), faults=refused, fault_path="change_events") as server:
        assert incidents(changes(server, run(server))) == []
    assert events_asked_for(server) == ["/change_events", "/incidents/Q39/related_change_events"]


@pytest.mark.parametrize("status", [403, 404])
def test_change_events_that_were_not_read_are_unknown_told_and_asked_for_again(status: int) -> None:
    held = account(incident("Q1", ago(days=30), ago(days=29)), change_events=EVENTS)
    with serving(held, faults=[Response("{}", status)], fault_path="related") as server:
        read = run(server)
        first = changes(server, read)
        second = changes(server, read, cursors_of(first))
        third = changes(server, read, cursors_of(second))
    assert incidents(first) == []
    (told,) = [item for item in first if isinstance(item, Malformed)]
    assert (told.subject, told.key) == ("Q1", json.dumps(["pagerduty", "Q1"]))
    assert (
        f"unknown until they can be read: /incidents/…/related_change_events answered {status}" in told.reason
    )
    assert [[event.id for event in one.change_events] for one in incidents(second)] == [["E1"]]
    assert not [item for item in (*second, *third) if isinstance(item, Malformed)]
    assert incidents(third) == []


def test_a_key_that_may_not_read_them_is_tried_with_one_incident_a_run() -> None:
    held = account(*(incident(f"Q{n}", ago(days=n), ago(days=n)) for n in (1, 2)), change_events=EVENTS)
    refused = [Response("{}", 403)] * 4
    with serving(held, faults=refused, fault_path="change_events") as server:
        read = run(server)
        first = changes(server, read)
        asked = len(server.requests)
        second = changes(server, read, cursors_of(first))
        again = server.requests[asked:]
        third = changes(server, read, cursors_of(second))
    assert {item.subject for item in first if isinstance(item, Malformed)} == {"Q1", "Q2"}
    assert [path for path in again if "related" in path] == ["/incidents/Q2/related_change_events"]
    assert incidents(second) == []
    assert {one.id: [event.id for event in one.change_events] for one in incidents(third)} == {
        "Q1": ["E1"],
        "Q2": ["E2"],
    }


def test_a_plan_without_them_has_none_and_nothing_is_asked_again() -> None:
    held = account(incident("Q1", ago(days=3), ago(days=2)))
    with serving(held, faults=[Response("{}", 402)], fault_path="related") as server:
        read = run(server)
        first = changes(server, read)
        assert not [item for item in first if isinstance(item, Malformed)]
        changes(server, read, cursors_of(first))
    assert len(events_asked_for(server)) == 1


def test_incidents_that_cannot_be_read_are_set_aside_once_and_not_asked_for_again() -> None:
    bad = [incident(f"Q{n}", ago(days=n), ago(days=n)) for n in range(1, 54)]
    held = account(*bad, incident("Q99", ago(days=3), ago(days=2)))
    for each in bad:
        each["resolved_at"] = "soon"
    with serving(held) as server:
        items = run(server)
        assert not [
            path for path in server.requests if path.startswith("/incidents/Q") and "related" not in path
        ]
    aside = [item.subject for item in items if isinstance(item, Malformed)]
    assert sorted(aside) == sorted(each["id"] for each in bad)
    assert [one.id for one in incidents(items)] == ["Q99"]


def test_an_incident_of_a_status_that_is_not_known_is_set_aside_and_read_once_it_is_known() -> None:
    paused = incident("Q1", ago(days=3))
    paused["status"] = "paused"
    held = account(paused, incident("Q2", ago(days=2), ago(days=1)))
    with serving(held) as server:
        first = run(server)
        paused.update(status="resolved", resolved_at=ago(minutes=10))
        held.log_entries.append(log("resolve", "Q1", ago(minutes=10)))
        second = run(server, cursors_of(first))
    assert [one.id for one in incidents(first)] == ["Q2"]
    aside = [item for item in first if isinstance(item, Malformed)]
    assert {(one.subject, "status" in one.reason) for one in aside} == {("Q1", True)}
    assert [(one.id, one.resolved_at) for one in incidents(second)] == [("Q1", NOW - timedelta(minutes=10))]
