"""PagerDuty: incidents that go on after they were resolved, or go to another service."""

from datetime import timedelta

from tests.collectors.test_pagerduty_collector import (
    NOW,
    account,
    ago,
    cursors_of,
    incident,
    incidents,
    log,
    run,
    serving,
)


def test_an_incident_that_is_opened_again_is_open_until_it_is_resolved_again() -> None:
    one = incident("Q1", ago(days=9), ago(days=8))
    held = account(one)
    with serving(held) as server:
        first = run(server)
        assert incidents(first)[0].resolved_at == NOW - timedelta(days=8)
        one.update(status="triggered", resolved_at=None)
        held.log_entries.append(log("reopen", "Q1", ago(minutes=30)))
        second = run(server, cursors_of(first))
        (opened,) = incidents(second)
        assert (opened.status, opened.opened_at, opened.resolved_at) == (
            "triggered",
            NOW - timedelta(days=9),
            None,
        )
        # of an account whose incidents do not tell when they were resolved
        one.update(status="resolved")
        held.log_entries.append(log("resolve", "Q1", ago(minutes=10)))
        (resolved,) = incidents(run(server, cursors_of(second)))
    assert (resolved.status, resolved.resolved_at) == ("resolved", NOW - timedelta(minutes=10))


def test_an_incident_that_goes_to_another_service_is_told_with_that_one() -> None:
    one = incident("Q1", ago(hours=9))
    held = account(one)
    with serving(held) as server:
        first = run(server)
        one["service"] = {"id": "POTHER", "type": "service_reference", "summary": "Other"}
        held.log_entries.append(log("reassign", "Q1", ago(minutes=30)))
        (moved,) = incidents(run(server, cursors_of(first)))
    assert moved.source_service == "POTHER"
