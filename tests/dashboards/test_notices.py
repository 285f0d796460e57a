"""How old a page is and what it lacks, in the words of whoever reads it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from dashboards.figures import formats
from dashboards.frame.markup import part
from dashboards.frame.notices import as_of, failure_notices, failures, reading_lines, warnings
from dashboards.frame.state import State
from dashboards.frame.view import Filters
from warehouse.progress import CollectionProgress, SourceProgress
from warehouse.trust.readings import Reading, Readings

NOW = datetime(2026, 11, 16, 8, 30, tzinfo=UTC)  # a Monday
ZONE = "Europe/Berlin"
MORNING, FRIDAY = datetime(2026, 11, 16, 8, 12, tzinfo=UTC), datetime(2026, 11, 13, 17, 4, tzinfo=UTC)
ALL = ("deployments", "changes", "incidents")
STATE = State("f", "acme", ZONE, NOW, None, (), (), (), ())


def argocd(at: datetime | None = MORNING, is_failing: bool = False) -> Reading:
    return Reading("Argo CD (eu)", ("deployments",), "deployments may be missing", at, is_failing)


def github(at: datetime | None = MORNING, is_failing: bool = False) -> Reading:
    return Reading("GitHub", ("changes",), "lead times may be missing changes", at, is_failing)


def pagerduty(at: datetime | None = MORNING, is_failing: bool = False) -> Reading:
    return Reading("PagerDuty", ("incidents",), "recovery times may be missing incidents", at, is_failing)


def said(*sources: Reading, kinds: tuple[str, ...] = ALL, now: datetime = NOW, **imported: datetime) -> str:
    told, _ = as_of(Readings(sources, imported), kinds, NOW, now, ZONE)
    return "; ".join(f"{one.what} as of {one.when}" * bool(one.what) + f" | {one.why}" for one in told)


def is_old(*sources: Reading, now: datetime = NOW) -> bool:
    return as_of(Readings(sources), ALL, NOW, now, ZONE)[1]


def test_a_page_is_as_old_as_the_source_on_it_that_was_read_longest_ago() -> None:
    earlier = MORNING - timedelta(hours=14)
    assert said(argocd(), github(), pagerduty()) == "Data as of this morning 09:12 | "
    assert said(argocd(), github(earlier), pagerduty()) == "Data as of yesterday 19:12 | "
    assert said(argocd(), github(earlier), kinds=("deployments",)) == "Data as of this morning 09:12 | "
    assert not is_old(argocd(), github(earlier))
    assert is_old(argocd(), github(earlier), now=NOW + timedelta(hours=12))


def test_a_source_that_fails_is_named_and_the_others_are_as_fresh_as_they_are() -> None:
    assert said(argocd(), github(FRIDAY, True), pagerduty()) == (
        "Deployments and incidents as of this morning 09:12 | ; changes as of Friday 18:04 |"
        " GitHub has not been read since"
    )
    assert is_old(argocd(), github(FRIDAY, True))
    assert said(argocd(None, True), pagerduty(), kinds=("deployments", "incidents")) == (
        "Incidents as of this morning 09:12 | ;  | Argo CD (eu) has not been read yet"
    )


def test_what_is_behind_since_one_day_is_told_at_once() -> None:
    later = FRIDAY + timedelta(minutes=30)
    assert said(argocd(FRIDAY, True), github(later, True), pagerduty()) == (
        "Incidents as of this morning 09:12 | ; deployments and changes as of Friday 18:04 |"
        " Argo CD (eu) and GitHub have not been read since"
    )
    assert said(argocd(FRIDAY, True), github(FRIDAY - timedelta(days=1), True)) == (
        "Deployments as of Friday 18:04 | Argo CD (eu) has not been read since;"
        " changes as of Thursday 18:04 | GitHub has not been read since"
    )


def test_where_all_fail_nothing_is_called_fresh() -> None:
    both = [Reading(name, ALL, "", FRIDAY, True) for name in ("GitHub", "PagerDuty")]
    assert said(*both) == "Data as of Friday 18:04 | GitHub and PagerDuty have not been read since"


def test_what_only_imports_tell_is_as_old_as_they_are() -> None:
    assert said(github(), deployments=FRIDAY, kinds=("deployments",)) == "Data as of Friday 18:04 | "
    assert said(kinds=ALL) == "Data as of this morning 09:30 | "


def test_what_fails_is_told_where_it_is_shown_and_the_catalogue_s_failure_everywhere() -> None:
    catalogue = Reading("The service catalogue", (), "services may stand under a former owner", FRIDAY, True)
    sources = (argocd(), github(FRIDAY - timedelta(days=30), True), pagerduty(None, True), catalogue)
    of_catalogue = (
        "The service catalogue has not been read since Friday: services may stand under a former owner"
    )
    assert failures(sources, ("incidents",), NOW, ZONE) == [
        "PagerDuty has not been read yet: recovery times may be missing incidents",
        of_catalogue,
    ]
    assert failures(sources, ("changes", "deployments"), NOW, ZONE) == [
        "GitHub has not been read since 14 Oct 2026: lead times may be missing changes",
        of_catalogue,
    ]
    (told,) = failure_notices(Readings(sources), ("incidents",), Filters(team="payments"), ZONE, NOW)
    assert told.bad
    assert 'href="trust?team=payments"' in part("notice", told)


def begins(view: Filters, **first: date) -> list[str]:
    """The notice of data that begin within the view's days, and where it leads."""
    told = warnings(STATE, Readings(begins=first), ALL, view, ())
    return [text for one in told for text in (one.title, *(one.more or ()))]


def test_data_that_begin_within_the_period_are_said() -> None:
    may, june = date(2026, 5, 18), date(2026, 6, 1)
    year = Filters(period="12m")
    assert begins(year, deployments=may, incidents=may) == [
        "Of these 12 months, 26 weeks are covered for deployments and incidents, from 18 May 2026 on"
    ]
    assert begins(year, deployments=may, incidents=june) == [
        "Of these 12 months, 26 weeks are covered for deployments, from 18 May 2026 on,"
        " and 24 weeks are covered for incidents, from 1 Jun 2026 on"
    ]
    assert begins(year, deployments=date(2025, 11, 1), incidents=date(2026, 11, 13)) == [
        "Of these 12 months, 3 days are covered for incidents, from 13 Nov 2026 on"
    ]
    assert (
        begins(Filters(period="week"), deployments=may)
        == begins(Filters(period="all"), deployments=may)
        == []
    )
    assert begins(Filters(period="now"), deployments=date(2026, 11, 16), responses=may) == []


def test_an_empty_view_leads_to_where_the_data_begin() -> None:
    view = Filters(period="custom", start=date(2025, 1, 1), end=date(2025, 2, 1), team="payments")
    assert begins(view, deployments=date(2026, 5, 18), incidents=date(2026, 6, 1)) == [
        "Nothing was read of these days: data begin on 18 May 2026",
        "Show 18 May – 17 Jun 2026",
        "?team=payments&period=custom&from=2026-05-18&to=2026-06-18",
    ]


def test_days_that_lie_ahead_are_said_to() -> None:
    ahead = Filters(period="custom", start=date(2030, 1, 1), end=date(2030, 2, 1))
    assert (
        begins(ahead, deployments=date(2026, 5, 18))
        == begins(ahead)
        == [f"These days lie ahead: data are of the days until {formats.day(STATE.today)}"]
    )
    assert begins(replace(ahead, start=STATE.today), deployments=date(2026, 5, 18)) == []


def test_a_collection_that_runs_tells_what_came_and_how_far_it_is() -> None:
    sources = [
        SourceProgress("catalog", "read", {"components": 12, "coverage": 3}),
        SourceProgress(
            "github",
            "reading",
            {"repositories": 1, "pull_requests": 1204, "commits": 1},
            12,
            200,
            "repositories",
        ),
        SourceProgress("argocd:eu", "reading", pause="waiting 35 s for its rate limit"),
        SourceProgress(
            "git", "reading", {}, 3, 9, "repositories", "waiting 900 s for the rate limit, until 09:27 UTC"
        ),
        SourceProgress("pagerduty"),
    ]
    lines = reading_lines(CollectionProgress(NOW, NOW, True, sources))
    assert [tuple(line)[:4] for line in lines] == [
        ("The service catalogue", "✓ read", "12 components", ""),
        ("GitHub", "being read", "1 repository, 1,204 pull requests, 1 commit", "12 of 200 repositories"),
        ("Argo CD (eu)", "being read", "", "waiting 35 s for its rate limit"),
        ("Git", "being read", "", "3 of 9 repositories; waiting 900 s for the rate limit, until 09:27 UTC"),
        ("PagerDuty", "not begun", "", ""),
    ]
    assert "&lt;b&gt;" in part("collecting", "<b>acme</b>", "this morning 09:12", "", lines)
