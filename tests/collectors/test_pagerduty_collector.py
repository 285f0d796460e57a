"""PagerDuty: what runs yield and ask for, its limits, and what faults do."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stamina
from pydantic import SecretStr
from werkzeug import Request, Response

from collectors.contract.items import Checkpoint, Item, Malformed, Resume, SourceError
from collectors.contract.records import Coverage, Incident
from collectors.pagerduty.change_events import collect_changes
from collectors.pagerduty.collect import collect, try_connection
from config.sources import PagerDuty
from sample_data.model import ArgoCD, Organisation
from sample_data.model import PagerDuty as Account
from sample_data.servers.pagerduty_api import PagerDutyApi
from tests.support.loopback import Loopback, closed_address
from tests.support.places import RECORDED

TOKEN = "pager-secret-1"
NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
SINCE = NOW - timedelta(days=300)
REAL = RECORDED / "pagerduty" / "incidents.json"


def ago(**span: float) -> str:
    return (NOW - timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%SZ")


def incident(id: str, opened: str, resolved: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": id,
        "type": "incident",
        "incident_number": int("".join(c for c in id if c.isdigit()) or 0),
        "title": f"Incident {id}",
        "created_at": opened,
        "updated_at": ago(hours=1),
        "status": "resolved" if resolved else "triggered",
        "resolved_at": resolved,
        "service": {"id": "PSHOP", "type": "service_reference", "summary": "Shop"},
        "urgency": "high",
        "priority": {"id": "P1", "summary": "P2"},
        "acknowledgements": [],
        "html_url": f"https://acme.pagerduty.com/incidents/{id}",
        **more,
    }


def log(kind: str, id: str, at: str) -> dict[str, Any]:
    return {"id": f"{kind}-{id}-{at}", "type": f"{kind}_log_entry", "created_at": at, "incident": {"id": id}}


def logs_of(*incidents: dict[str, Any]) -> list[dict[str, Any]]:
    opened = [log("trigger", i["id"], i["created_at"]) for i in incidents]
    return opened + [log("resolve", i["id"], i["resolved_at"]) for i in incidents if i.get("resolved_at")]


def serving(account: Account, **faults: Any) -> Loopback:
    organisation = Organisation("acme", NOW, [], ArgoCD(), account, {}, {}, {})
    return Loopback(PagerDutyApi(organisation, TOKEN), **faults)


def account(*incidents: dict[str, Any], extra: tuple[dict[str, Any], ...] = (), **more: Any) -> Account:
    return Account(list(incidents), [*logs_of(*incidents), *extra], **more)


def source_at(url: str, token: str = TOKEN) -> PagerDuty:
    return PagerDuty.model_construct(url=url, token=SecretStr(token))


def run(
    server: Loopback, cursors: dict[str, Any] | None = None, now: datetime = NOW, since: datetime = SINCE
) -> list[Item]:
    return list(collect(source_at(server.url), Resume(now, since, cursors or {})))


def changes(
    server: Loopback,
    read: list[Item],
    cursors: dict[str, Any] | None = None,
    now: datetime = NOW,
    is_all: bool = True,
) -> list[Item]:
    """What PagerDuty relates to all incidents that were `read`."""
    return list(
        collect_changes(source_at(server.url), Resume(now, SINCE, cursors or {}), incidents(read), is_all)
    )


def incidents(items: list[Item]) -> list[Incident]:
    return [item for item in items if isinstance(item, Incident)]


def cursors_of(items: list[Item]) -> dict[str, Any]:
    return {item.subject: item.cursor for item in items if isinstance(item, Checkpoint)}


def test_an_incident_has_its_service_urgency_priority_and_times() -> None:
    one = incident("Q1", ago(days=9), ago(days=8), resolve_reason={"type": "other", "incident": {"id": "Q9"}})
    with serving(account(one, extra=(log("acknowledge", "Q1", ago(days=9, minutes=-5)),))) as server:
        (found,) = incidents(run(server))
    assert (found.source, found.id, found.source_service, found.urgency, found.priority) == (
        *("pagerduty", "Q1", "PSHOP", "high", "P2"),
    )
    assert found.opened_at == NOW - timedelta(days=9)
    assert found.acknowledged_at == NOW - timedelta(days=9) + timedelta(minutes=5)
    assert found.resolved_at == NOW - timedelta(days=8)
    assert found.status == "resolved"
    assert found.url == "https://acme.pagerduty.com/incidents/Q1"
    assert found.merged_into is None


def test_without_resolved_at_the_resolve_log_entry_tells_it_and_never_the_update() -> None:
    one = incident("Q1", ago(days=9), None, status="resolved")
    with serving(account(one, extra=(log("resolve", "Q1", ago(days=7)),))) as server:
        assert incidents(run(server))[0].resolved_at == NOW - timedelta(days=7)
    with serving(account(one)) as server:
        assert incidents(run(server))[0].resolved_at is None
    one["resolved_at"] = ago(days=8)
    with serving(account(one, extra=(log("resolve", "Q1", ago(days=7)),))) as server:
        assert incidents(run(server))[0].resolved_at == NOW - timedelta(days=8)


def test_a_merged_incident_names_the_one_it_went_into() -> None:
    reason = {"type": "merge_resolve_reason", "incident": {"id": "Q1", "type": "incident_reference"}}
    with serving(account(incident("Q2", ago(days=9), ago(days=8), resolve_reason=reason))) as server:
        assert incidents(run(server))[0].merged_into == "Q1"


def test_related_change_events_are_asked_for_once_an_incident() -> None:
    event = {
        "id": "01E",
        "links": [{"href": "https://github.com/acme/web/deployments/7", "text": "x"}],
        "custom_details": {"sha": "abc"},
        "correlation_reason": {"reason": "related_service"},
    }
    still_open = incident("Q1", ago(minutes=30))
    held = account(still_open, change_events={"Q1": [event]})
    with serving(held) as server:
        first = run(server)
        told = changes(server, first)
        still_open.update(status="resolved", resolved_at=ago(minutes=10))
        held.log_entries.append(log("resolve", "Q1", ago(minutes=10)))
        stored = {one.id: [dict(event) for event in one.change_events] for one in incidents(told)}
        second = list(collect(source_at(server.url), Resume(NOW, SINCE, cursors_of(first)), stored))
        assert incidents(changes(server, second, cursors_of(told))) == []
        asked = [path for path in server.requests if "related" in path]
    assert [one.change_events for one in incidents(first)] == [()]
    for found in (*incidents(told), *incidents(second)):
        (related,) = found.change_events
        assert (related.id, related.reason) == ("01E", "related_service")
        assert related.links == ("https://github.com/acme/web/deployments/7",)
        assert json.loads(related.details or "") == {"sha": "abc"}
    assert incidents(second)[0].resolved_at == NOW - timedelta(minutes=10)
    assert len(asked) == 1


def test_a_first_run_asks_in_stretches_of_less_than_six_months() -> None:
    old, new = incident("Q1", ago(days=290), ago(days=289)), incident("Q2", ago(days=3), ago(days=2))
    with serving(account(old, new)) as server:
        items = run(server)
    assert [i.id for i in incidents(items)] == ["Q1", "Q2"]
    stretches = [(c.from_at, c.until_at) for c in items if isinstance(c, Coverage)]
    assert stretches == [(SINCE, SINCE + timedelta(days=180)), (SINCE, NOW)]


def test_an_unchanged_account_costs_one_request() -> None:
    recent = incident("Q1", ago(minutes=20), ago(minutes=10))
    with serving(account(recent)) as server:
        cursors = cursors_of(run(server))
        before = len(server.requests)
        items = run(server, cursors, NOW + timedelta(minutes=15))
    assert len(server.requests) - before == 1
    assert incidents(items) == []
    assert [c.until_at for c in items if isinstance(c, Coverage)] == [NOW + timedelta(minutes=15)]


def test_an_open_incident_is_read_again_and_yielded_only_when_it_changed() -> None:
    still_open = incident("Q1", ago(days=30))
    with serving(account(still_open)) as server:
        cursors = cursors_of(run(server))
        before = len(server.requests)
        again = run(server, cursors)
        assert len(server.requests) - before == 2
        still_open["priority"] = {"summary": "P1"}
        changed = run(server, cursors)
    assert incidents(again) == []
    assert [i.priority for i in incidents(changed)] == ["P1"]


def test_an_open_incident_whose_resolution_the_log_does_not_tell_is_read_by_itself() -> None:
    one = incident("Q1", ago(days=30))
    with serving(account(one)) as server:
        cursors = cursors_of(run(server))
        one.update(status="resolved", resolved_at=ago(hours=9))
        assert [i.status for i in incidents(run(server, cursors))] == ["resolved"]


def test_an_acknowledgement_of_an_earlier_run_is_kept_when_the_incident_is_resolved() -> None:
    one = incident("Q1", ago(days=2), status="acknowledged")
    held = account(one, extra=(log("acknowledge", "Q1", ago(days=2, minutes=-5)),))
    with serving(held) as server:
        first = run(server, now=NOW - timedelta(days=1))
        one.update(status="resolved", resolved_at=ago(minutes=30))
        held.log_entries.append(log("resolve", "Q1", ago(minutes=30)))
        (found,) = incidents(run(server, cursors_of(first)))
    assert found.acknowledged_at == NOW - timedelta(days=2) + timedelta(minutes=5)
    assert found.resolved_at == NOW - timedelta(minutes=30)


def test_an_older_incident_that_the_log_names_is_read_by_itself_with_its_own_log() -> None:
    old = incident("Q1", ago(days=400), ago(days=1))
    held = account(old, extra=(log("acknowledge", "Q1", ago(days=399)),))
    with serving(held) as server:
        (found,) = incidents(run(server))
    assert found.acknowledged_at == NOW - timedelta(days=399)
    assert "/incidents/Q1?time_zone=UTC" in server.requests


def test_an_incident_that_is_gone_is_passed_over() -> None:
    held = account(incident("Q1", ago(days=5)))
    with serving(held) as server:
        first = run(server)
        held.incidents.clear()
        assert incidents(run(server, cursors_of(first))) == []


def test_a_run_that_ended_after_its_first_stretch_is_gone_on_with() -> None:
    old, new = incident("Q1", ago(days=290), ago(days=289)), incident("Q2", ago(days=3), ago(days=2))
    with serving(account(old, new)) as server:
        until_first_checkpoint: list[Item] = []
        for item in collect(source_at(server.url), Resume(NOW, SINCE)):
            until_first_checkpoint.append(item)
            if isinstance(item, Checkpoint):
                break
        rest = run(server, cursors_of(until_first_checkpoint))
    assert [i.id for i in incidents(until_first_checkpoint)] == ["Q1"]
    assert [i.id for i in incidents(rest)] == ["Q2"]
    assert {c.from_at for c in rest if isinstance(c, Coverage)} == {SINCE}


def test_an_earlier_first_day_is_read_from_there() -> None:
    old, new = incident("Q1", ago(days=290), ago(days=289)), incident("Q2", ago(days=3), ago(days=2))
    with serving(account(old, new)) as server:
        first = run(server, since=NOW - timedelta(days=10))
        second = run(server, cursors_of(first))
    assert [i.id for i in incidents(first)] == ["Q2"]
    assert [i.id for i in incidents(second)] == ["Q1", "Q2"]


def test_a_run_leaves_the_cursor_that_it_was_given_as_it_was() -> None:
    held = account(incident("Q1", ago(days=5)))
    with serving(held) as server:
        cursors = cursors_of(run(server))
        before = json.dumps(cursors)
        held.incidents[0]["title"] = "Another"
        run(server, cursors)
    assert json.dumps(cursors) == before


def test_a_malformed_incident_is_set_aside_without_the_people_in_it() -> None:
    broken = incident("Q1", ago(days=3), assignments=[{"assignee": {"name": "Jane"}}])
    del broken["title"]
    held = Account([broken, incident("Q2", ago(days=2), ago(days=1))], [])
    answer = {"incidents": [{**broken, "created_at": None}, *held.incidents[1:]], "total": 2, "more": False}
    with serving(held, faults=[Response(json.dumps(answer))], fault_path="/incidents") as server:
        items = run(server, since=NOW - timedelta(days=20))
    (malformed,) = [item for item in items if isinstance(item, Malformed)]
    assert malformed.subject == "Q1"
    assert "opened_at" in malformed.reason
    assert "Jane" not in malformed.raw
    assert "Q2" in {i.id for i in incidents(items)}


def test_a_wrong_token_is_named_but_never_shown() -> None:
    with (
        serving(account()) as server,
        pytest.raises(SourceError, match=r"sources\.pagerduty\.token") as caught,
    ):
        list(try_connection(source_at(server.url, "wrong-secret")))
    assert "401" in str(caught.value)
    assert "wrong-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Response(f"<html>{TOKEN}", content_type="text/html"), "text/html in place of JSON"),
        (Response('{"other": []}'), "the answer has no log_entries"),
        (Response('{"error": {"message": "Invalid"}}', 400), "answered 400.*Invalid"),
        (
            Response(status=302, headers={"Location": "https://evil.example/x"}),
            "a redirect, which is not followed",
        ),
    ],
)
def test_an_answer_that_is_not_pagerduty_s_says_what_came_without_the_token(
    answer: Response, said: str
) -> None:
    with serving(account(), faults=[answer]) as server, pytest.raises(SourceError, match=said) as caught:
        run(server)
    assert TOKEN not in str(caught.value)
    assert len(server.requests) == 1


def test_a_refused_connection_says_which_address() -> None:
    url = closed_address()
    with (
        stamina.set_testing(True, attempts=2),
        pytest.raises(SourceError, match="Connection refused") as caught,
    ):
        list(try_connection(source_at(url)))
    assert url in str(caught.value)


def test_recorded_incidents_are_all_read() -> None:
    if not REAL.exists():
        pytest.skip("the recorded PagerDuty incidents are not here")
    recorded = json.loads(REAL.read_text())
    triggers = [{**i["first_trigger_log_entry"], "incident": {"id": i["id"]}} for i in recorded]
    with serving(Account(recorded, triggers)) as server:
        items = run(server, since=datetime(2025, 11, 1, tzinfo=UTC))
    assert [item for item in items if isinstance(item, Malformed)] == []
    assert {(i.id, i.urgency, i.priority, i.source_service) for i in incidents(items)} == {
        ("Q1QGYB805SG874", "high", "P2", "P00BUSE"),
        ("Q2LUAAA3RGK9UP", "low", "P2", "P00BUSE"),
        ("Q3XPBJRWJEU9R9", "high", None, "P7QOAJ8"),
        ("Q17MJPM38GKM2Q", "high", None, "P94D8C0"),
    }


def burst(*seconds: int) -> Account:
    """So many incidents in each of consecutive seconds nine days ago, merged so that nothing more is asked of them."""
    reason = {"type": "merge_resolve_reason", "incident": {"id": "Q0"}}
    opened = [second for second, n in enumerate(seconds) for _ in range(n)]
    made = [
        incident(f"Q{n}", ago(days=9, seconds=-second), ago(days=8), resolve_reason=reason)
        for n, second in enumerate(opened)
    ]
    return Account(made, [])


def claiming(times: int, api: PagerDutyApi) -> Callable[[Request], Response]:
    """`api`, which says that there are so many times more items than there are."""

    def answer(request: Request) -> Response:
        response = api(request)
        body = json.loads(response.get_data())
        if body.get("total"):
            response.set_data(json.dumps({**body, "total": body["total"] * times}))
        return response

    return answer


@pytest.mark.parametrize(("a_second", "times"), [(51, 100), pytest.param(5_100, 1, marks=pytest.mark.soak)])
def test_a_burst_is_cut_down_to_seconds(a_second: int, times: int) -> None:
    organisation = Organisation("acme", NOW, [], ArgoCD(), burst(a_second, a_second), {}, {}, {})
    with Loopback(claiming(times, PagerDutyApi(organisation, TOKEN))) as server:
        found = incidents(run(server, since=NOW - timedelta(days=10)))
    assert len({i.id for i in found}) == 2 * a_second
    stretches = {request for request in server.requests if "offset=0" in request and "since" in request}
    assert len(stretches) > 20, "ten days are halved until one holds a second"


def test_more_in_one_second_than_can_be_shown_is_told_and_not_passed_over() -> None:
    with (
        serving(burst(10_001)) as server,
        pytest.raises(SourceError, match="10001 incidents within one second"),
    ):
        run(server, since=NOW - timedelta(days=10))
