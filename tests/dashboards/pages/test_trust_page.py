"""Can I trust this? What stands against the numbers, from the facts to sentences, tables and the page."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from collectors.contract.items import Malformed
from collectors.contract.records import Component, Coverage, Deployment
from collectors.files import backstage
from dashboards.frame import trust_sentences
from dashboards.frame.markup import part
from dashboards.frame.view import Filters
from dashboards.trust import content as trust
from dashboards.trust import history
from dashboards.trust.loading import Trust
from dashboards.trust.loading import trust as load
from tests.conftest import Sample, Small, once
from tests.support.running_dashboard import opened, shown
from tests.support.small_organisation import FIRST, HOSTILE, NOW
from warehouse.building.build import build
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.values import compute
from warehouse.scorecards.delivery_book import DeliveryEntry, Message, claim, settle
from warehouse.storage.store import open_warehouse
from warehouse.trust import runs_and_doubts
from warehouse.trust.coverage import UNTOLD, UNTRACED, Freshness, Gap, ServiceCoverage, Unmapped
from warehouse.trust.coverage import coverage as coverage_of
from warehouse.trust.coverage_weeks import CoverageWeek, coverage_weeks
from warehouse.trust.runs_and_doubts import Doubts, RecordedRun
from warehouse.trust.silenced import SilencedSource

AT = datetime(2026, 11, 16, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def doubtful(small: Small, shared_folder: Path) -> Small:
    return once(shared_folder, "doubtful", lambda folder: written(small, folder))


def written(small: Small, folder: Path) -> Small:
    """An organisation of which one source failed, one week was missed, and three items could not be read."""
    own = small.copied(folder)
    settings = own.settings
    read = (
        Coverage(source="git", subject="acme/billing", from_at=FIRST, until_at=NOW - timedelta(weeks=3)),
        Coverage(source="git", subject="acme/billing", from_at=NOW - timedelta(weeks=2), until_at=NOW),
    )
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert(read)
        broken = [Malformed("deployments", f"acme/checkout#{n}", "id: missing", f"{n}") for n in range(2)]
        warehouse.quarantine("github", [*broken, Malformed("commits", HOSTILE, HOSTILE, "{}")], NOW)
    told = Message("scorecard", "team", HOSTILE, "2026-W45")
    for channel, status, error in (
        ("email", "refused", f"answered 550 {HOSTILE}"),
        ("slack", "delivered", None),
    ):
        targets = claim(settings.warehouse, told, channel, ["one", "other"], (), NOW - timedelta(hours=1))
        settle(settings.warehouse, [DeliveryEntry(told, channel, to, status, error) for to in targets], NOW)
    build(settings, NOW)
    return own


class TestReading:
    def test_doubts_count_what_stands_against_the_organisation(self, doubtful):
        with open_facts(doubtful.settings.warehouse) as facts:
            found = runs_and_doubts.doubts(facts)
        assert found == Doubts(gaps=1, of_nobody=1, unmapped=1, quarantined=3)

    def test_a_gap_counts_for_the_days_and_the_services_that_it_concerns(self, doubtful):
        def gaps(**asked) -> int:
            with open_facts(doubtful.settings.warehouse) as facts:
                return runs_and_doubts.doubts(facts, **asked).gaps

        assert gaps(start=date(2026, 10, 26), end=date(2026, 11, 2)) == 1
        assert gaps(start=date(2026, 11, 3)) == gaps(end=date(2026, 10, 26)) == 0
        assert gaps(where={"service": "billing"}) == gaps(where={"team": "payments"}) == 1
        assert gaps(where={"service": "ingest"}) == 0

    def test_what_belongs_to_no_service_is_told_of_the_organisation_only(self, doubtful):
        with open_facts(doubtful.settings.warehouse) as facts:
            found = runs_and_doubts.doubts(facts, where={"team": "payments"})
        assert (found.of_nobody, found.unmapped, found.quarantined) == (0, 0, 0)

    def test_the_last_run_of_each_source_and_its_last_good_one(self, doubtful):
        with open_facts(doubtful.settings.warehouse) as facts:
            runs = {run.source: run for run in runs_and_doubts.last_runs(facts)}
        assert (runs["github"].status, runs["github"].succeeded_at) == ("ok", NOW)
        assert (runs["pagerduty"].status, runs["pagerduty"].succeeded_at) == ("failed", None)

    def test_items_set_aside_are_grouped_by_reason(self, doubtful):
        with open_facts(doubtful.settings.warehouse) as facts:
            found = runs_and_doubts.set_aside(facts)
        assert [(item.kind, item.reason, item.items) for item in found] == [
            ("deployments", "id: missing", 2),
            ("commits", HOSTILE, 1),
        ]

    def test_the_sample_is_as_it_was_made(self, sample: Sample):
        with open_facts(sample.settings.warehouse) as facts:
            found = runs_and_doubts.doubts(facts)
        assert (found.gaps, found.quarantined) == (0, 0)
        assert found.unmapped == 3
        # one incident of several services is their team's
        assert found.of_nobody == 3


class TestSentences:
    def test_nothing_is_said_where_nothing_is_wrong(self):
        assert trust_sentences.trust_sentences(Doubts()) == []
        fine = coverage(deployments=10, traced=8, incidents=5, linked_by={"window": 4}, unlinked=1)
        known = trust.to_know(Trust(fine, (), (), Doubts()), ())
        assert trust.headline(known) == "Nothing known stands against these numbers"

    def test_each_doubt_is_one_sentence(self):
        found = Doubts(2, 5, 1, 3, 14)
        assert trust_sentences.trust_sentences(found) == [
            "2 stretches of time in which a source was not read, with 5 entries known to be lost",
            "1 incident belongs to no single service, team or system and counts for the organisation only",
            "3 names with data are in no catalogue",
            "14 items could not be read and were set aside",
        ]
        known = trust.to_know(Trust(None, (), (), found), ("PagerDuty has not been read yet: …",))
        assert len(known) == 5
        assert trust.headline(known).startswith("5 things to know")

    def test_the_headline_counts_a_tile_that_is_too_low(self):
        low = coverage(deployments=10, traced=7, incidents=5, linked_by={"window": 3}, unlinked=2)
        known = trust.to_know(Trust(low, (), (), Doubts()), ())
        assert known == [
            "Only 70 % of deployments can be traced to their commit: lead time speaks of these alone",
            "Only 60 % of incidents can be linked to a cause: failure rates may be too low",
        ]
        assert [share.doubt for share in trust.shares(low) if share.doubt] == known
        assert part("shares", trust.shares(low), of="trust").count("six-tile missed") == 2
        few = coverage(deployments=4, traced=0, changes=100)
        assert trust.to_know(Trust(few, (), (), Doubts()), ()) == []

    def test_what_an_import_leaves_out_is_told_and_is_no_doubt(self):
        imported = coverage(deployments=9, untold=9, traced_by={UNTOLD: 9}, incidents=6, are_nameless=True)
        assert trust.to_know(Trust(imported, (), (), Doubts()), ()) == []
        traced, _, linked = trust.shares(imported)
        assert (traced.figure, traced.parts) == ("–", ("9 imported without a commit",))
        assert (linked.figure, linked.parts) == ("–", ("6 imported without a service",))
        unwatched = replace(imported, statuses={"change_failure_rate": "unwatched"})
        (line,) = trust.service_lines(Trust(None, (unwatched,), (), Doubts()), Filters(), "UTC")
        assert line.wanting == ("no imported incident names it",)
        assert not line.is_idle
        assert "9 imported without a commit" in part("services", [line], 1, of="trust")

    def test_the_overview_links_to_the_same_view_of_the_page(self):
        html = part(
            "doubts", [HOSTILE, *trust_sentences.trust_sentences(Doubts(1))], "trust?team=a&period=12w"
        )
        assert 'href="trust?team=a&amp;period=12w"' in html
        assert "<img" not in html


def coverage(name: str = "checkout", **other) -> ServiceCoverage:
    return ServiceCoverage("service", name, 1, True, **other)


class TestTables:
    def test_shares_say_of_what_they_are_made(self):
        traced, changes, incidents = trust.shares(
            coverage(
                deployments=300,
                traced=299,
                traced_by={"deployment": 290, "image sha": 9, UNTRACED: 1},
                incidents=3,
                linked_by={"rollback": 1, "link: blames none": 1},
                unlinked=1,
            )
        )
        assert (traced.figure, traced.of) == ("99.7 %", "299 of 300 deployments")
        assert traced.parts == (
            "290 by GitHub deployment",
            "9 by image SHA",
            "1 with unknown commit",
        )
        assert (changes.figure, changes.percent) == ("–", None)
        assert incidents.parts == ("1 by rollback", "1 caused by none, by hand", "1 unlinked")

    def test_almost_all_is_not_all(self):
        assert trust.shares(coverage(deployments=10_000, traced=9_999))[0].figure == "99.9 %"
        assert trust.shares(coverage(deployments=10_000, traced=1))[0].figure == "0.1 %"

    def test_services_that_want_something_come_first_and_idle_ones_last(self):
        services = (
            coverage("idle"),
            coverage("fine", deployments=2, traced=2),
            coverage("zeta", deployments=2, traced=1),
            replace(coverage("nobody", changes=3), is_mapped=False),
        )
        lines = trust.service_lines(Trust(None, services, (), Doubts()), Filters(), "UTC")
        assert [line.name for line in lines] == ["nobody", "zeta", "fine", "idle"]
        assert lines[0].wanting == ("owned by nobody",)
        assert lines[1].wanting == ("1 untraced deployment",)

    def test_a_service_whose_incidents_are_not_read_wants_them(self):
        unwatched = replace(
            coverage("cli", deployments=2, traced=2), statuses={"change_failure_rate": "unwatched"}
        )
        (line,) = trust.service_lines(Trust(None, (unwatched,), (), Doubts()), Filters(), "UTC")
        assert line.wanting == ("incidents are not read",)

    def test_a_service_is_as_fresh_as_its_oldest_source(self):
        fresh = (Freshness("git", AT, AT), Freshness("pagerduty", AT - timedelta(days=2), AT))
        (line,) = trust.service_lines(
            Trust(None, (coverage(freshness=fresh),), (), Doubts()), Filters(), "Europe/Berlin"
        )
        assert line.read_until == "14 Nov 2026, 09:00"
        assert line.read_each == "git: 16 Nov 2026, 09:00\npagerduty: 14 Nov 2026, 09:00"

    def test_a_gap_of_several_facts_is_one(self):
        gaps = tuple(Gap(fact, "argocd", "app", AT, AT, 2) for fact in ("deployments", "changes"))
        assert trust.stretches([coverage(gaps=gaps)]) == [("argocd", "app", AT, AT, 2)]

    def test_failed_sources_come_first_and_say_when_they_were_read_last(self):
        runs = (
            RecordedRun("a", "ok", AT, AT + timedelta(seconds=90), None, 1200, 0, AT),
            RecordedRun(
                "b", "failed", AT, AT, "answered 503", 0, 2, AT - timedelta(hours=3), 12, 3, 45_000, 35.2
            ),
            RecordedRun("c", "running", AT, None, None, 0, 0, None),
        )
        found = {source.name: source for source in trust.source_lines(runs, "UTC")}
        assert list(found) == ["b", "a", "c"]
        assert found["b"].said == "answered 503 (last read 16 Nov 2026, 05:00)"
        assert found["c"].said == "no reason was recorded (never read yet)"
        assert (found["a"].took, found["a"].items) == ("1.5 min", "1,200")
        assert (found["b"].requests, found["b"].received, found["b"].waited) == (
            "12 (3 failed)",
            "0.04 MB",
            "35 s",
        )

    def test_an_unmapped_name_says_what_would_claim_it(self):
        names = [Unmapped("repository", "acme/cron", 0), Unmapped("Argo CD application", "shop", 4)]
        assert [name.annotation for name in trust.unmapped(names)] == [
            "argocd/app-name: shop",
            "github.com/project-slug: acme/cron",
        ]

    def test_what_claims_a_name_is_a_component_to_copy_and_the_file_for_it(self):
        names = [Unmapped("repository", "acme/cron", 2), Unmapped("Argo CD application", "a: b", 1)]
        repository, application = trust.unmapped(names, from_github=True)
        assert repository.file.startswith("catalog-info.yaml of acme/cron")
        assert application.file == "the component's catalog-info.yaml"
        assert trust.unmapped(names)[0].file == "a file of sources.catalog.files"

    @pytest.mark.parametrize("name", ["acme/cron", "a: b", "1", "#x", HOSTILE, 'a"b', "é/✓"])
    @pytest.mark.parametrize(
        ("kind", "claims"),
        [
            ("repository", lambda found: found.repo),
            ("Argo CD application", lambda found: found.argocd_apps[0]),
            ("PagerDuty service", lambda found: found.pagerduty_services[0]),
        ],
    )
    def test_the_component_to_copy_claims_the_name_once_it_is_collected(self, kind, claims, name):
        (made,) = trust.unmapped([Unmapped(kind, name, 1)])
        (found,) = backstage.parse(made.descriptor, "catalog-info.yaml")
        assert claims(found) == name

    def test_a_source_that_is_not_heard_is_told_in_words(self):
        found = [SilencedSource("web", "argocd", "workflow_runs", 1204, date(2026, 11, 2), date(2026, 11, 9))]
        assert trust.silenced_cells(found) == [("web", "Argo CD", "workflow runs", "1,204", "2 – 9 Nov 2026")]


class TestHistory:
    def test_runs_are_the_last_ones_of_each_source_the_newest_first(self, doubtful):
        with open_facts(doubtful.settings.warehouse) as facts:
            found = runs_and_doubts.recent_runs(facts, 10)
            assert runs_and_doubts.recent_runs(facts, 1) == runs_and_doubts.last_runs(facts)
        assert [(run.source, run.status) for run in found] == [
            ("github", "ok"),
            ("github", "failed"),
            ("pagerduty", "failed"),
        ]
        histories = {one.source: one for one in history.histories(found, "UTC")}
        assert histories["github"].summary == "2 runs · 1 failed · usually 0.0 s"
        assert [run.status for run in histories["github"].runs] == ["✓ read", "✗ failed"]

    def test_coverage_by_week_adds_up_to_that_of_the_range(self, sample: Sample):
        start, end = date(2026, 8, 24), date(2026, 11, 16)
        with open_facts(sample.settings.warehouse) as facts:
            for scope, where in (("organisation", {}), ("team", {"team": "payments"})):
                of_scope = coverage_of(facts, sample.settings, scope, start, end)
                (whole,) = [one for one in of_scope if not where or one.name == "payments"]
                weeks = coverage_weeks(facts, start, end, where)
                assert len(weeks) == 12
                assert sum(week.deployments for week in weeks) == whole.deployments
                assert sum(week.traced for week in weeks) == whole.traced
                assert sum(week.changes for week in weeks) == whole.changes
                assert sum(week.with_pull_request for week in weeks) == whole.changes_with_pull_request
                assert sum(week.incidents for week in weeks) == whole.incidents
                assert sum(week.incidents - week.linked for week in weeks) == whole.unlinked

    def test_a_week_without_rows_is_empty_and_not_zero(self):
        named, shares = history.weekly(
            [CoverageWeek(date(2026, 11, 2)), CoverageWeek(date(2026, 11, 9), 4, 3)]
        )
        assert named == [("W45", "2 Nov 2026"), ("W46", "9 Nov 2026")]
        assert shares[0].cells == (("", ""), ("75 %", "3 of 4 deployments"))
        assert history.weekly([CoverageWeek(date(2026, 11, 2))]) == ([], [])


class TestPage:
    def test_what_is_left_out_as_told_by_another_source_is_counted(self, small, tmp_path):
        more = [
            Deployment(
                source=source, id=f"{source}-{hour}", repo="acme/ingest", environment="production", status="success",
                finished_at=NOW - timedelta(days=2, hours=hour),
            )
            for source, hours in (("deployments", (0, 24)), ("jenkins", (1, 2, 3)))
            for hour in hours
        ]  # fmt: skip
        app = opened(small.copied(tmp_path, *more).folder, "trust", period="12w")
        assert not app.exception
        assert "Left out, since another source tells of the service" in shown(app)
        assert (
            '<th scope="row"><span class="name">ingest</span></th><td>GitHub deployments</td><td>jenkins</td>'
            '<td class="number">3</td>' in re.sub(r' data-label="[^"]*"', "", shown(app))
        )

    def test_it_says_everything_that_stands_against_the_numbers(self, doubtful):
        app = opened(doubtful.folder, "trust", period="12w")
        assert not app.exception
        for text in (
            "5 things to know before you rely on these numbers",
            "1 stretch of time in which a source was not read",
            "answered 503 &lt;b&gt;later&lt;/b&gt; (never read yet)",
            "Not read between",
            "Did not arrive",
            "email (2)",
            "answered 550 &lt;img src=x",
            "name: legacy-reports",
            "id: missing",
            "&lt;img src=x onerror=alert(1)&gt;",
        ):
            assert text in shown(app), text
        assert "<img" not in shown(app)
        assert ">slack" not in shown(app), "what arrived is no doubt"

    def test_it_is_narrowed_as_every_page_is(self, doubtful):
        app = opened(doubtful.folder, "trust", team="platform", period="12w")
        assert "team platform" in shown(app)
        assert ">ingest</a>" in shown(app)
        assert ">checkout</a>" not in shown(app)
        assert "Could not be read and were set aside" not in shown(app)

    @pytest.mark.parametrize(
        "names", [{"system": "shop", "team": "platform"}, {"team": "payments", "service": "ingest"}]
    )
    def test_filters_that_exclude_each_other_say_so(self, doubtful, names):
        app = opened(doubtful.folder, "trust", **names)
        assert not app.exception
        assert "Nothing matches all of these filters" in shown(app)

    def test_the_overview_says_the_same_and_leads_there(self, doubtful):
        html = shown(opened(doubtful.folder, period="12w"))
        assert "Before you rely on these:" in html
        assert "1 stretch of time in which a source was not read" in html
        assert 'href="trust?period=12w"' in html

    def test_the_shares_are_of_what_all_filters_leave(self, small, tmp_path):
        moved = Component(name="ingest", owner="payments", system="data", repo="acme/ingest")
        settings = small.copied(tmp_path, moved).settings
        whole, narrowed = (
            load(settings.warehouse, settings, Filters(period="all", team="payments", system=system))
            for system in (None, "data")
        )
        with open_facts(settings.warehouse) as facts:
            view = (facts, settings, "team", None, None, None, {"team": "payments", "system": "data"})
            n = {value.metric: value.n for value in compute(*view)}
        assert [service.name for service in narrowed.services] == ["ingest"]
        assert narrowed.whole.deployments < whole.whole.deployments
        assert narrowed.whole.deployments == n["deployment_frequency"]

    def test_every_period_and_scope_has_a_page(self, sample: Sample):
        for view in (Filters(), Filters(period="all"), Filters(system="shop"), Filters(service="checkout")):
            found = load(sample.settings.warehouse, sample.settings, view)
            assert found.whole is not None
            lines = trust.service_lines(found, view, "UTC")
            drawn = part("services", lines, len(lines), of="trust")
            assert all(service.name in drawn for service in found.services)
