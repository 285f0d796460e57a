"""Each fault of a real service against each collector: what is stored, what is reported, how much is asked for."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Request, Response

from collectors.contract.records import Record, WorkflowRun
from collectors.git.collect import CLONES_AT_ONCE
from sample_data.model import Organisation
from sample_data.servers import faults
from sample_data.servers.faults import Fault
from tests.support.faulty_sources import Bench, Outcome, serving
from tests.support.loopback import Loopback
from tests.support.mail_server import secured

SOURCES = (
    "github",
    "github rest",
    "github issues",
    "github runs",
    "github commits",
    "git",
    "argocd",
    "pagerduty",
    "backstage",
    "survey",
)
# each costs seconds of waiting: one that asks by HTTP, and git
WAITING = [
    pytest.param(
        source,
        marks=[] if source in ("github", "git") else [pytest.mark.soak],
    )
    for source in SOURCES
]


@pytest.fixture(scope="module")
def well(
    tmp_path_factory: pytest.TempPathFactory, behind_every_api: Organisation
) -> Callable[[str], Outcome]:
    """What a source gives where nothing is wrong."""
    found: dict[str, Outcome] = {}

    def outcome(source: str) -> Outcome:
        if source not in found:
            with serving(tmp_path_factory.mktemp("well"), behind_every_api) as bench:
                found[source] = bench.read(source)
        return found[source]

    return outcome


@pytest.fixture
def bench(tmp_path: Path, behind_every_api: Organisation) -> Iterator[Bench]:
    with serving(tmp_path, behind_every_api) as bench:
        yield bench


def keyed(outcome: Outcome) -> dict[tuple[Any, ...], Record]:
    """What is in the warehouse afterwards, without the addresses of a server that is another one each time."""
    return {
        (record.TABLE, *(getattr(record, key) for key in record.KEY)): record.model_copy(
            update=_without_addresses(record)
        )
        for record in outcome.stored
    }


def _without_addresses(record: Record) -> dict[str, Any]:
    if isinstance(record, WorkflowRun):
        return {"url": None, "jobs": tuple(job.model_copy(update={"url": None}) for job in record.jobs)}
    return {"url": None} if "url" in type(record).model_fields else {}


def test_each_source_gives_something_and_counts_what_it_asks_for(well: Callable[[str], Outcome]) -> None:
    for source in SOURCES:
        outcome = well(source)
        assert (outcome.error, outcome.set_aside, outcome.waits) == (None, [], [])
        assert len(outcome.stored) >= 3
        # git's own requests are more than the one command that makes them
        assert outcome.meter.requests == (1 if source == "git" else len(outcome.asked))
        assert outcome.meter.failed_requests == 0
        assert outcome.meter.bytes > 100 or source == "git"


def assert_one_more_request(outcome: Outcome, well: Outcome) -> None:
    """The same is stored as where nothing is wrong, and one request more was made."""
    assert (outcome.error, outcome.set_aside) == (None, [])
    assert keyed(outcome) == keyed(well)
    assert len(outcome.asked) == len(well.asked) + 1


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    "fault",
    [faults.status(502, "<html>Bad gateway"), faults.truncated, faults.reset],
    ids=["502 once", "truncated", "reset"],
)
def test_a_fault_that_passes_costs_one_more_request(
    bench: Bench, well: Callable[[str], Outcome], source: str, fault: Fault
) -> None:
    bench.faulty.next(fault)
    outcome = bench.read(source)
    assert_one_more_request(outcome, well(source))
    # a body that was cut off after its status looks well to what counts GitHub's requests
    assert outcome.meter.failed_requests == (not (fault is faults.truncated and "github" in source))


@pytest.mark.parametrize("source", WAITING)
def test_an_answer_that_does_not_come_is_asked_for_once_more(
    bench: Bench, well: Callable[[str], Outcome], source: str
) -> None:
    bench.faulty.next(faults.stall)
    outcome = bench.read(source, patience=3)
    assert_one_more_request(outcome, well(source))
    assert outcome.meter.failed_requests == 1


TOO_MANY = faults.status(429, "{}", Retry_After="1")
LIMITS = [
    ("github", faults.secondary_limit(1), "GitHub"),
    ("github rest", faults.secondary_limit(1), "GitHub"),
    ("argocd", TOO_MANY, "argocd main"),
    ("survey", TOO_MANY, "survey"),
]
MORE_LIMITS = [
    ("pagerduty", TOO_MANY, "pagerduty"),
    *((f"github {part}", faults.secondary_limit(1), "GitHub") for part in ("issues", "runs", "commits")),
    *((source, TOO_MANY, "GitHub") for source in SOURCES if source.startswith("github")),
]


@pytest.mark.parametrize(
    ("source", "fault", "limit"),
    [*LIMITS, *(pytest.param(*more, marks=pytest.mark.soak) for more in MORE_LIMITS)],
)
def test_a_rate_limit_is_waited_out_as_asked_and_said(
    bench: Bench, well: Callable[[str], Outcome], source: str, fault: Fault, limit: str
) -> None:
    bench.faulty.next(fault)
    outcome = bench.read(source, retry_at_once=False)
    assert_one_more_request(outcome, well(source))
    assert outcome.waits == [f"waiting 1 s for {limit}'s rate limit"]
    assert 0.99 <= outcome.meter.waited_seconds < 2


# how often each source asks before it gives up
ONCE = dict.fromkeys(SOURCES, 1)
LASTING: dict[str, tuple[Fault, str, dict[str, int]]] = {
    # an owner may be an organisation or a user
    "401": (faults.status(401, {"message": "Bad credentials"}), "401|could not read Username", ONCE),
    "403": (faults.status(403, {"message": "Resource not accessible"}), "403", ONCE),
    "404": (faults.status(404, {"message": "Not Found"}), "404|not found", ONCE | {"github rest": 2}),
    "500 for ever": (
        faults.status(500, "oops"),
        "500",
        {
            "github": 4,
            "github rest": 4,
            "github issues": 4,
            "github runs": 4,
            "github commits": 4,
            "git": 3,
            "argocd": 2,
            "pagerduty": 2,
            "backstage": 2,
            "survey": 2,
        },
    ),
    "HTML": (
        faults.html,
        r"something other than|text/html|no list|a page in place of CSV",
        # git takes a page for an empty repository of an old server, so it is asked once more
        ONCE | {"git": 4},
    ),
}


@pytest.mark.parametrize(
    ("source", "name"),
    [
        # GitHub's client waits longer each time
        pytest.param(
            source, name, marks=[pytest.mark.soak] if name == "500 for ever" and " " in source else []
        )
        for source in SOURCES
        for name in LASTING
    ],
)
def test_a_fault_that_stays_ends_the_run_with_its_reason(bench: Bench, source: str, name: str) -> None:
    fault, said, asked = LASTING[name]
    bench.faulty.next(fault, times=None)
    outcome = bench.read(source)
    assert outcome.error is not None
    assert outcome.error.startswith(source.partition(" ")[0])
    assert any(part in outcome.error for part in said.split("|"))
    assert "\n" not in outcome.error
    assert (outcome.stored, outcome.set_aside) == ([], [])
    assert len(outcome.asked) == asked[source]
    assert outcome.meter.failed_requests == (0 if name == "HTML" else outcome.meter.requests)


@pytest.mark.parametrize("source", ["github", "git", "argocd", "pagerduty", "survey"])
def test_a_certificate_that_is_not_trusted_is_told_at_once(bench: Bench, tmp_path: Path, source: str) -> None:
    with Loopback(lambda request: Response("{}"), tls=secured(tmp_path, "tls")["ssl_context"]) as server:
        bench.url = server.url
        outcome = bench.read(source, retry_at_once=False)
    assert outcome.error is not None
    assert "certificate" in outcome.error
    assert "self-signed" in outcome.error or source == "git"
    assert (outcome.meter.requests, outcome.waits, outcome.meter.waited_seconds) == (1, [], 0)


@pytest.mark.parametrize("source", ["github", "github commits", "argocd", "pagerduty", "survey"])
def test_who_asks_to_wait_for_longer_than_a_run_does_ends_the_run_at_once(bench: Bench, source: str) -> None:
    far = faults.status(403 if "github" in source else 429, "{}", Retry_After="99999")
    bench.faulty.next(far, times=None)
    outcome = bench.read(source, retry_at_once=False)
    assert outcome.error is not None
    name = {"argocd": "argocd main"}.get(source, source.partition(" ")[0])
    assert re.fullmatch(
        rf"{name}: asks to wait until \S+ \S+ UTC; a run after that goes on from there", outcome.error
    )
    assert (len(outcome.asked), outcome.waits) == (1, [])
    assert outcome.meter.waited_seconds < 0.1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, {"message": "API rate limit exceeded for user ID 1."}),
        (429, {"message": "API rate limit exceeded for user ID 1."}),
        (200, {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}),
    ],
    ids=["403", "429", "GraphQL"],
)
def test_a_limit_of_github_s_that_is_hours_from_its_reset_ends_the_run_at_once(
    bench: Bench, status: int, body: dict[str, Any]
) -> None:
    reset = datetime.now(UTC) + timedelta(hours=3)
    told = {"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(round(reset.timestamp()))}
    bench.faulty.next(faults.status(status, body, **told), times=None)
    outcome = bench.read("github", retry_at_once=False)
    assert outcome.error is not None
    until = datetime.strptime(
        outcome.error.partition(";")[0], "github: asks to wait until %Y-%m-%d %H:%M UTC"
    )
    assert abs(until.replace(tzinfo=UTC) - reset) < timedelta(minutes=2)
    assert (len(outcome.asked), outcome.waits) == (1, [])


@pytest.mark.parametrize("source", [source for source in SOURCES if source != "survey"])
def test_a_redirect_elsewhere_is_not_followed_with_a_token(bench: Bench, source: str) -> None:
    with Loopback(lambda request: Response("{}")) as other:
        for code in (301, 302, 307, 308):
            bench.faulty.next(faults.status(code, "", Location=f"{other.url}/elsewhere"))
            assert bench.read(source).error
        assert other.requests == []


def test_a_link_to_a_next_page_elsewhere_is_not_followed(
    bench: Bench, well: Callable[[str], Outcome]
) -> None:
    with Loopback(lambda request: Response("[]")) as other:
        page = faults.status(200, "[]", Link=f'<{other.url}/repos?page=2>; rel="next"')
        bench.faulty.next(page, "/tags")
        outcome = bench.read("github rest")
        assert other.requests == []
    assert outcome.error is None
    assert len(outcome.asked) == len(well("github rest").asked) + 1


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("fault", [faults.offset, faults.milliseconds], ids=["offset", "milliseconds"])
def test_an_instant_is_the_same_however_it_is_written(
    bench: Bench, well: Callable[[str], Outcome], source: str, fault: Fault
) -> None:
    bench.faulty.next(fault, times=None)
    outcome = bench.read(source)
    assert (outcome.error, outcome.set_aside) == (None, [])
    assert keyed(outcome) == keyed(well(source))
    assert len(outcome.asked) == len(well(source).asked)


@pytest.mark.parametrize(
    ("source", "key", "path"),
    [
        ("github", "pullRequests", ""),
        ("github", "releases", ""),
        ("github issues", "issues", ""),
        ("github rest", "", "/releases"),
        ("github runs", "workflow_runs", "/actions/runs?"),
        ("github commits", "", "/commits?"),
        ("pagerduty", "incidents", ""),
    ],
)
def test_pages_that_shift_while_they_are_read_store_each_item_once(
    bench: Bench, well: Callable[[str], Outcome], source: str, key: str, path: str
) -> None:
    bench.faulty.next(faults.repeated(key), path, times=None)
    outcome = bench.read(source)
    assert (outcome.error, outcome.set_aside) == (None, [])
    assert bench.faulty.repeats, "there was no second page"
    assert keyed(outcome) == keyed(well(source))
    assert len(outcome.asked) == len(well(source).asked)


def both_times(_: Any, value: Any) -> Any:
    return {**value, "items": value["items"] * 2} if "items" in value else value


# what is stored less, what is set aside, and why
ODD: dict[str, tuple[str, Fault, int, int, str]] = {
    "a null in GitHub's lists": ("github", faults.null_items("nodes"), 0, 0, ""),
    "a null in GitHub's lists by REST": ("github rest", faults.null_items(""), 0, 0, ""),
    "no author": ("github", faults.null("author"), 0, 0, ""),
    "no user": ("github rest", faults.null("user"), 0, 0, ""),
    "no commit in a pull request's": ("github rest", faults.null("commit"), 74, 74, "commits.0.authored_at"),
    "an unknown state of a deployment": ("github", faults.unknown("state"), 3, 3, "status"),
    "a null among issues": ("github issues", faults.null_items("nodes"), 0, 0, ""),
    "no labels that can be read": ("github issues", faults.null("labels"), 0, 0, ""),
    "an unknown state of an issue": ("github issues", faults.unknown("state"), 0, 0, ""),
    "a null among runs": ("github runs", faults.null_items("workflow_runs"), 0, 0, ""),
    "a null among jobs": ("github runs", faults.null_items("jobs"), 0, 0, ""),
    "nobody who ran it": ("github runs", faults.null("actor"), 0, 0, ""),
    "an unknown conclusion": ("github runs", faults.unknown("conclusion"), 0, 0, ""),
    "a null among commits": ("github commits", faults.null_items(""), 0, 0, ""),
    "a null among parents": ("github commits", faults.null_items("parents"), 0, 0, ""),
    "no account of an author": ("github commits", faults.null("author"), 0, 103, "authored_at"),
    "no committer": ("github commits", faults.null("committer"), 0, 103, "committed_at"),
    "no commit in it": ("github commits", faults.null("commit"), 1, 104, ""),
    "a null among applications": ("argocd", faults.null_items("items"), 0, 1, "metadata.uid"),
    "a null in a history": ("argocd", faults.null_items("history"), 0, 1, "without an id"),
    "no metadata": ("argocd", faults.null("metadata"), 5, 1, "metadata.uid"),
    "no status": ("argocd", faults.null("status"), 5, 0, ""),
    "no source": ("argocd", faults.null("source"), 0, 0, ""),
    "an application twice": ("argocd", faults.changed(both_times), 0, 0, ""),
    "an unknown phase": ("argocd", faults.unknown("phase"), 1, 1, "status: Input should be"),
    "a null among incidents": ("pagerduty", faults.null_items("incidents"), 0, 4, "no object"),
    "a null in the log": ("pagerduty", faults.null_items("log_entries"), 0, 0, ""),
    "no service": ("pagerduty", faults.null("service"), 0, 0, ""),
    "no priority": ("pagerduty", faults.null("priority"), 0, 0, ""),
    "an unknown urgency": ("pagerduty", faults.unknown("urgency"), 0, 0, ""),
}


@pytest.mark.parametrize("name", ODD)
def test_an_item_of_another_shape_is_kept_or_set_aside_and_the_others_are_read(
    bench: Bench, well: Callable[[str], Outcome], name: str
) -> None:
    source, fault, less, set_aside, reason = ODD[name]
    bench.faulty.next(fault, times=None)
    outcome = bench.read(source)
    assert outcome.error is None
    assert len(keyed(well(source))) - len(keyed(outcome)) == less
    assert keyed(outcome).keys() <= keyed(well(source)).keys()
    assert len(outcome.set_aside) == set_aside
    assert all(reason in malformed.reason for malformed in outcome.set_aside)
    assert len(outcome.asked) <= len(well(source).asked)


def test_a_page_that_does_not_tell_whether_more_follow_is_not_taken_for_the_last(bench: Bench) -> None:
    bench.faulty.next(faults.null("pageInfo"), times=None)
    outcome = bench.read("github")
    assert outcome.error is not None
    assert "does not say whether acme has more repositories" in outcome.error


def test_a_host_in_trouble_is_left_in_peace(bench: Bench) -> None:
    asked: list[str] = []

    def troubled(request: Request) -> Response:
        asked.append(request.path)
        return Response("busy", 503)

    with Loopback(troubled) as server:
        bench.url = server.url
        outcome = bench.read("git", repositories=30)
    assert outcome.error is not None
    assert "(2 more repositories failed)" in outcome.error
    # three that failed, and those that had been begun until then: three times each
    assert len(asked) <= (3 + 2 * CLONES_AT_ONCE) * 3
