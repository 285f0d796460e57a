"""Golden paths: who follows which, and the numbers of those services worked out again from their rows."""

from datetime import date, timedelta
from statistics import median

import pytest

from collectors.contract.records import Component
from config.settings import GoldenPath
from dashboards.frame.markup import part
from dashboards.frame.view import Filters
from dashboards.platform_use import golden_paths
from tests.support import small_organisation
from tests.support.small_organisation import HOSTILE
from warehouse.metrics.golden_paths import on_and_off_paths
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.values import compute
from warehouse.rows.catalogue_entries import CatalogueEntry, described_services
from warehouse.rows.explain import explain

MONDAY = date(2026, 11, 16)
DAYS = (MONDAY - timedelta(weeks=8), MONDAY)
ON = {"checkout": ("payments", "shop"), "ingest": ("platform", "data")}


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    extra = tuple(
        Component(name=name, owner=team, system=system, repo=f"acme/{name}", golden_path="service")
        for name, (team, system) in ON.items()
    )
    settings = small_organisation.write(tmp_path_factory.mktemp("paths"), extra=extra)
    with open_facts(settings.warehouse) as facts:
        yield facts, settings


def rows(opened, metric, services):
    facts, settings = opened
    found = (explain(facts, settings, metric, {"service": name}, *DAYS) for name in services)
    return [row["value"] for of in found for row in of.rows if row["excluded_because"] is None]


class TestNumbers:
    def test_a_path_pools_the_rows_of_its_services(self, opened):
        found = {(v.path, v.metric): v for v in on_and_off_paths(opened[0], *DAYS)}
        times, failed = rows(opened, "lead_time", ON), rows(opened, "change_failure_rate", ON)
        assert found["service", "lead_time"].value == pytest.approx(median(times))
        assert found["service", "lead_time"].n == len(times)
        assert found["service", "change_failure_rate"].value == pytest.approx(sum(failed) / len(failed))
        others = ("billing", "search", HOSTILE)
        # what is in no catalogue is neither on a path nor off it
        off = rows(opened, "lead_time", others)
        assert (found[None, "lead_time"].value, found[None, "lead_time"].n) == (median(off), len(off))

    def test_a_frequency_is_a_service_s_average(self, opened):
        found = {(v.path, v.metric): v for v in on_and_off_paths(opened[0], *DAYS)}
        counted = len(rows(opened, "deployment_frequency", ON))
        assert found["service", "deployment_frequency"].value == pytest.approx(counted / (2 * 56))

    def test_it_narrows_to_a_team_and_leaves_out_what_people_are_asked(self, opened):
        found = on_and_off_paths(opened[0], *DAYS, {"team": "platform"})
        assert {value.path for value in found} == {"service"}
        assert "developer_satisfaction" not in {value.metric for value in found}
        lead = next(value for value in found if value.metric == "lead_time")
        assert lead.n == len(rows(opened, "lead_time", ["ingest"]))

    def test_too_few_rows_are_told(self, opened):
        week = on_and_off_paths(opened[0], MONDAY - timedelta(days=7), MONDAY, {"service": "ingest"})
        lead = next(value for value in week if value.metric == "lead_time")
        assert (lead.n, lead.is_enough) == (3, False)
        columns, compared = golden_paths.comparison(
            week, golden_paths.paths([], described_services(opened[0]), Filters())
        )
        assert columns == ["service"]
        assert "3 changes, too few" in part("comparison", columns, compared, of="platform_use")


def entry(name, team="payments", path=None, mapped=True):
    return CatalogueEntry((), name, team, "shop", mapped, None, None, None, None, path)


class TestAdoption:
    entries = (
        entry("a", "x", "service"),
        entry("b", "x"),
        entry("c", "y", HOSTILE),
        entry("d", None),
        entry("e", None, mapped=False),
    )

    def test_paths_come_as_configured_and_then_those_that_only_services_name(self):
        configured = [
            GoldenPath(name="batch"),
            GoldenPath(name="service", url="https://docs.example/service"),
        ]
        found = golden_paths.paths(configured, self.entries, Filters())
        assert [(path.name, path.known, path.adopted) for path in found] == [
            ("batch", True, "0 of 4 services"),
            ("service", True, "1 of 4 services"),
            (HOSTILE, False, "1 of 4 services"),
        ]
        html = part("paths", found, of="platform_use")
        assert "no service follows it yet" in html
        assert 'href="https://docs.example/service"' in html
        assert "<img" not in html

    def test_teams_with_the_lowest_share_come_first_and_the_catalogue_s_services_count(self):
        paths = golden_paths.paths([GoldenPath(name="service")], self.entries, Filters())
        found = golden_paths.adoption(self.entries, paths, Filters(period="12w"))
        assert [(line.team, line.adopted, line.each) for line in found] == [
            ("owned by no team", "0 of 1 service", ("0", "0")),
            ("x", "1 of 2 services", ("1", "0")),
            ("y", "1 of 1 service", ("0", "1")),
        ]
        assert found[1].address == "team?team=x&period=12w"

    def test_services_off_any_path_are_listed_and_unmapped_ones_are_not(self):
        assert [service.name for service in golden_paths.off_path(self.entries, Filters())] == ["b", "d"]


class TestAdoptionAsAMetric:
    """How many follow a path, on the last day on which that was read."""

    def test_a_stretch_has_what_holds_at_its_end_however_long_it_is(self, opened):
        facts, settings = opened
        adopted = ["golden_path_adoption"]
        weeks = compute(facts, settings, "organisation", "week", *DAYS, metrics=adopted)
        (whole,) = compute(facts, settings, "organisation", None, *DAYS, metrics=adopted)
        # checkout and ingest of checkout, ingest, billing, search and the one of the hostile name
        assert (whole.value, whole.n) == (weeks[-1].value, weeks[-1].n) == (pytest.approx(2 / 5), 5)
        assert weeks[0].n == 3  # two repositories came later
        of_teams = {one.name: one for one in compute(facts, settings, "team", None, *DAYS, metrics=adopted)}
        assert sum(one.n for one in of_teams.values()) == whole.n

    def test_between_two_reading_days_nothing_is_known(self, opened):
        facts, settings = opened
        (found,) = compute(
            facts, settings, "organisation", None, MONDAY - timedelta(7), MONDAY - timedelta(2),
            metrics=["golden_path_adoption"],
        )  # fmt: skip
        assert (found.value, found.status) == (None, "no data")

    def test_it_is_explained_by_one_row_a_service(self, opened):
        found = explain(*opened, "golden_path_adoption", {}, *DAYS)
        assert {row["service"] for row in found.rows if row["value"]} == set(ON)
        counted = [row["service"] for row in found.rows if row["excluded_because"] is None]
        assert found.n == len(counted) == len(set(counted)), "of the last reading day alone"

    def test_where_nobody_names_a_path_it_is_unknown_and_not_none(self, tmp_path):
        settings = small_organisation.write(tmp_path)
        with open_facts(settings.warehouse) as facts:
            (found,) = compute(facts, settings, "organisation", None, *DAYS, metrics=["golden_path_adoption"])
        assert (found.value, found.status) == (None, "none")
