"""What PagerDuty does not say now, or says in words that are not known: set aside, told, and asked for again."""

import json
from datetime import timedelta

import pytest
from werkzeug import Response

from collectors.contract.items import Malformed
from tests.collectors.test_pagerduty_collector import (
    NOW,
    account,
    ago,
    cursors_of,
    events_asked_for,
    incident,
    incidents,
    log,
    many_incidents,
    run,
    serving,
)

EVENTS = {"Q1": [{"id": "E1"}], "Q2": [{"id": "E2"}]}


@pytest.mark.parametrize("status", [402, 403])
def test_a_plan_without_change_events_is_asked_once(status: int) -> None:
    refused = [Response("{}", status)] * 2
    with serving(account(*many_incidents()), faults=refused, fault_path="change_events") as server:
        assert len(incidents(run(server))) == 39
    assert events_asked_for(server) == ["/change_events", "/incidents/Q39/related_change_events"]


@pytest.mark.parametrize("status", [403, 404])
def test_change_events_that_were_not_read_are_unknown_told_and_asked_for_again(status: int) -> None:
    held = account(incident("Q1", ago(days=30), ago(days=29)), change_events=EVENTS)
    with serving(held, faults=[Response("{}", status)], fault_path="related") as server:
        first = run(server)
        second = run(server, cursors_of(first))
        third = run(server, cursors_of(second))
    assert [one.change_events for one in incidents(first)] == [()]
    (told,) = [item for item in first if isinstance(item, Malformed)]
    assert (told.subject, told.key) == ("Q1", json.dumps(["pagerduty", "Q1"]))
    assert (
        f"unknown until they can be read: /incidents/…/related_change_events answered {status}" in told.reason
    )
    assert [[event.id for event in one.change_events] for one in incidents(second)] == [["E1"]]
    assert incidents(second)[0].resolved_at == incidents(first)[0].resolved_at
    assert not [item for item in (*second, *third) if isinstance(item, Malformed)]
    assert incidents(third) == []


def test_a_key_that_may_not_read_them_is_tried_with_one_incident_a_run() -> None:
    held = account(*(incident(f"Q{n}", ago(days=n), ago(days=n)) for n in (1, 2)), change_events=EVENTS)
    refused = [Response("{}", 403)] * 3
    with serving(held, faults=refused, fault_path="change_events") as server:
        first = run(server)
        asked = len(server.requests)
        second = run(server, cursors_of(first))
        again = server.requests[asked:]
        third = run(server, cursors_of(second))
    assert {item.subject for item in first if isinstance(item, Malformed)} == {"Q1", "Q2"}
    assert [path for path in again if "related" in path] == ["/incidents/Q1/related_change_events"]
    assert incidents(second) == [one for one in incidents(first) if one.id == "Q1"]
    assert {one.id: [event.id for event in one.change_events] for one in incidents(third)} == {
        "Q1": ["E1"],
        "Q2": ["E2"],
    }


def test_a_plan_without_them_has_none_and_nothing_is_asked_again() -> None:
    held = account(incident("Q1", ago(days=3), ago(days=2)))
    with serving(held, faults=[Response("{}", 402)], fault_path="related") as server:
        first = run(server)
        assert not [item for item in first if isinstance(item, Malformed)]
        run(server, cursors_of(first))
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
