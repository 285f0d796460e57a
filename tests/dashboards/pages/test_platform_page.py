"""The page of the platform: its answers and the misses behind them, and what a service and a team still miss."""

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest

from collectors.contract.records import Component
from dashboards.frame.markup import part
from dashboards.frame.view import Filters
from dashboards.platform_use import content
from dashboards.platform_use.loading import moved_to_paths, platform_numbers
from dashboards.platform_use.missing import rows_of_view, what_is_missing
from tests.support.running_dashboard import opened, shown
from tests.support.small_organisation import HOSTILE
from warehouse.metrics.golden_paths import PathValue
from warehouse.rows.catalogue_entries import described_services
from warehouse.rows.explain import explain
from warehouse.rows.platform_rows import BrokenGuardrail

# that of the fifteen numbers worked out by hand
DAYS = {"period": "custom", "start": date(2026, 10, 12), "end": date(2026, 11, 16)}
CHECKOUT = Filters(service="checkout", **DAYS)


@pytest.fixture(scope="module")
def checkout(sample):
    return platform_numbers(sample.settings.warehouse, sample.settings, CHECKOUT)


class TestRows:
    def test_the_steps_that_were_missed_are_those_worked_out_by_hand(self, checkout):
        assert Counter(one.step for one in checkout.rows.missed) == {"Scan": 5, "Test": 2}
        required = {step.step: step for step in checkout.rows.steps if step.is_required}
        assert {name: (one.followed, one.missed) for name, one in required.items()} == {
            "Test": (14, 2),
            "Scan": (11, 5),
        }

    def test_each_miss_has_its_reason_here_and_in_explain(self, checkout, sample, sample_facts):
        table = content.missed(checkout, CHECKOUT, sample.settings.timezone)
        reasons = {row[-1].text for row in table.rows}
        assert len(reasons) > 4
        days = (DAYS["start"], DAYS["end"])
        of = explain(sample_facts, sample.settings, "golden_path_conformance", {"service": "checkout"}, *days)
        first_misses = {row["reason"] for row in of.rows if row["value"] == 0}
        assert first_misses <= {one.reason for one in checkout.rows.missed}
        assert sum(row["value"] for row in of.rows if row["excluded_because"] is None) == 10

    def test_a_guardrail_is_held_broken_or_unknown_for_every_service(self, sample, sample_facts):
        found = platform_numbers(sample.settings.warehouse, sample.settings, Filters())
        ((services,),) = sample_facts.connection.execute(
            "select count(distinct service) from guardrails"
        ).fetchall()
        assert found.rows.rules
        for rule in found.rows.rules:
            assert rule.held + rule.broken + rule.unknown <= services
        broken = {(one.service, one.rule) for one in found.rows.broken}
        assert ("notifications", "Least privilege") in broken
        assert not [one for one in broken if one[0] == "search"]
        # every kind of miss is there to look at
        assert {rule for _, rule in broken} == {rule.rule for rule in found.rows.rules}
        assert ("fraud-scoring", "Security scanning") in broken

    def test_a_request_waits_or_failed_and_self_service_stands_beside_tickets(self, sample):
        found = platform_numbers(sample.settings.warehouse, sample.settings, Filters(period="all"))
        told = {tuple(cell.text for cell in row[:4]) for row in content.requests(found).rows}
        assert {("Database", "self-service", "3", "1.5 h"), ("Database", "ticket", "2", "7.1 d")} <= told
        states = {one.name: one.status for one in found.rows.open_requests}
        assert states["returns"] == "failed"
        assert states["parcels-db"] == "waiting"


class TestWords:
    def test_the_answers_are_in_the_order_of_the_questions(self, sample):
        found = platform_numbers(sample.settings.warehouse, sample.settings, Filters())
        answers = content.answers(found, Filters())
        assert [answer.tile.cell.metric.id for answer in answers] == list(content.QUESTIONS)
        guardrails = next(one for one in answers if one.place == "guardrail-compliance")
        # nothing was read before the period ended: what holds today is said to be of today
        assert guardrails.tile.last_known == ("33.3 %", "today, of 3 services")

    def test_it_is_worth_it_only_where_both_sides_have_enough_rows(self):
        on = PathValue("web", "lead_time", 3600.0, 9, True)
        off = PathValue(None, "lead_time", 7200.0, 9, True)
        assert content.worth_it([on, off]) == ["Lead Time for Changes: 60 min on web, 2 h off the paths"]
        assert content.worth_it([on, PathValue(None, "lead_time", 7200.0, 2, False)]) == []
        assert content.worth_it([on]) == []

    def test_what_moved_says_its_keys_before_and_since(self, sample):
        warehouse, settings = sample.settings.warehouse, sample.settings
        for view in (Filters(), Filters(team="platform"), Filters(service="identity")):
            ((move, told),) = content.since_moves(moved_to_paths(warehouse, settings, view), view)
            # those that sample_data/README.md works out
            assert move.text == "identity in the weeks before it moved on 17 Aug 2026 and since"
            assert "row=identity-path" in move.address
            assert "Lead Time for Changes 3.6 h, then 27 min" in told
            assert "Change Failure Rate 11.5 %, then 6 %" in told
            assert "Mean Time to Recovery" not in told  # of three and two incidents
        before = Filters(period="custom", start=date(2026, 6, 1), end=date(2026, 8, 17))
        assert moved_to_paths(warehouse, settings, before) == ()
        assert moved_to_paths(warehouse, settings, Filters(team="storefront")) == ()

    def test_a_group_has_the_numbers_of_each_of_its_teams(self, sample):
        found = platform_numbers(sample.settings.warehouse, sample.settings, Filters(group="commerce"))
        _, rows = content.team_rows(found, Filters(group="commerce"))
        assert [name.text for name, _ in rows] == ["fulfilment", "storefront"]
        everybody = platform_numbers(sample.settings.warehouse, sample.settings, Filters())
        of_all = {(one.metric, one.name): one for one in everybody.by_team}
        assert all(of_all[one.metric, one.name] == one for one in found.by_team)

    def test_a_service_is_told_what_it_misses_and_what_to_do(self, sample, sample_facts):
        warehouse, settings = sample.settings.warehouse, sample.settings
        entries = described_services(sample_facts, {"service": "delivery"})
        view = Filters(service="delivery", **DAYS)
        told = what_is_missing(rows_of_view(warehouse, settings, view), entries, view)
        assert "Golden path" in [row[1].text for row in told.rows]
        assert "Paved road: runtime" in [row[1].text for row in told.rows]
        rows = what_is_missing(rows_of_view(warehouse, settings, CHECKOUT), (), CHECKOUT).rows
        assert "Step Scan (2 deployments)" in [row[1].text for row in rows]  # of two no run has such a job
        assert all(row[3].text for row in rows)

    def test_a_to_do_list_is_cut_on_the_page_and_whole_in_its_csv(self, sample, sample_facts):
        view = Filters(team="payments", **DAYS)
        entries = described_services(sample_facts, {"team": "payments"})
        rows = rows_of_view(sample.settings.warehouse, sample.settings, view)
        told = what_is_missing(rows, entries, view)
        many = replace(told, rows=told.rows * 20, total=len(told.rows) * 20)
        assert (len(many.beginning.rows), len(many.as_csv)) == (20, many.total)
        assert {row["Of"] for row in many.as_csv} == {row[0].text for row in told.rows}
        html = part("list", many.beginning, "To do", of="platform_use")
        assert html.count('data-label="Why" class="wide"') == 20, "a reason is never cut"
        # scans are no manifests
        broken = BrokenGuardrail(
            "fraud-scoring", "payments", "Security scanning", "Service x", "no scan", None
        )
        alone = replace(rows, broken=(broken,), missed=(), off_road=(), open_requests=())
        ((_, _, why, to_do),) = what_is_missing(alone, (), view).rows
        assert (why.text, "manifest" in to_do.text) == ("no scan", False)


class TestPage:
    def test_where_nothing_is_known_it_says_what_to_do(self, small):
        app = opened(small.folder, "platform")
        assert not app.exception
        assert "Nothing is known of the platform yet" in shown(app)

    def test_names_are_text_and_a_path_that_nobody_described_is_told(self, small, tmp_path):
        extra = Component(name="billing", owner="payments", repo="acme/billing", golden_path=HOSTILE)
        app = opened(small.copied(tmp_path, extra).folder, "platform")
        assert not app.exception
        html = shown(app)
        assert "not in the configuration" in html
        assert "1 of 5 services on a golden path" in html
        assert "<img" not in html
