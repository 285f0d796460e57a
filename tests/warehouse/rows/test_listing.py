"""Lists of deployments and incidents: which rows, in what order, on which page, and what belongs to them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.contract.records import ChangeEvent, Deployment, Incident
from tests.conftest import Sample
from tests.support import small_organisation
from tests.support.small_organisation import HOSTILE, NOW
from warehouse.metrics.facts import Facts
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.values import compute
from warehouse.rows import listed_details, listing
from warehouse.rows.listing import DEPLOYMENTS, INCIDENTS, LEFT_OUT, Listing, ListQuery, counts, rows

MOST = 100_000
EVERYTHING = ListQuery(start=date(2026, 1, 1))
EXTRA = (
    Deployment(
        source="import", id="Hot/1", repo="acme/checkout", service="checkout", environment="prod-eu",
        sha="ABCD" * 10, ref="Release-9", status="failure", started_at=NOW - timedelta(days=2),
    ),
    Incident(
        source="import", id="still", service="billing", title="100 % of [all] users_ wait", urgency="high",
        opened_at=NOW - timedelta(weeks=9),
        change_events=(ChangeEvent(id="e1", reason="most_recent", links=("https://ci.example/1",), details="x"),),
    ),
    Incident(source="import", id="gone", service="billing", opened_at=NOW - timedelta(days=3),
             resolved_at=NOW - timedelta(days=2), merged_into="still"),
)  # fmt: skip


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_organisation.write(tmp_path_factory.mktemp("listing"), extra=EXTRA).warehouse


@pytest.fixture(scope="module")
def facts(warehouse: Path) -> Iterator[Facts]:
    with open_facts(warehouse) as opened:
        yield opened


def key(listing: Listing, row: dict) -> tuple:
    return tuple(row[column] for column in listing.key)


def ids(found: list[dict]) -> list[str]:
    return [row["id"] for row in found]


def asked(**wanted) -> ListQuery:
    return ListQuery(**{"start": date(2026, 1, 1), **wanted})


class TestPages:
    @settings(max_examples=30, deadline=None)
    @given(
        listing=st.sampled_from([DEPLOYMENTS, INCIDENTS]),
        size=st.integers(40, 400),
        order=st.sampled_from(["newest", "oldest", "most", "longest", "open", "none such"]),
        search=st.sampled_from(["", "checkout", "import", "1 payments", HOSTILE, "100%"]),
        state=st.sampled_from(
            [None, "counted", "failed", "blames", "left out", "left out: unsuccessful: failure", "none"]
        ),
        team=st.sampled_from([None, "payments"]),
    )
    def test_pages_hold_each_row_once_in_one_order(self, facts, listing, size, order, search, state, team):
        wanted = asked(search=search, state=state, where={"team": team} if team else {})
        whole = rows(facts, listing, wanted, order, MOST)
        total = counts(facts, listing, wanted).total
        paged = [
            row
            for offset in range(0, total, size)
            for row in rows(facts, listing, wanted, order, size, offset)
        ]
        assert [key(listing, row) for row in paged] == [key(listing, row) for row in whole]
        assert len(whole) == total == len({key(listing, row) for row in whole})

    @settings(max_examples=30, deadline=None)
    @given(
        search=st.text(alphabet="chekout-19 %_'\\$Éß", max_size=12)
        | st.sampled_from(["CHECKOUT 7", "Pay 3 1"])
    )
    def test_a_search_finds_the_rows_with_all_its_words(self, facts, search):
        everything = rows(facts, DEPLOYMENTS, EVERYTHING, "newest", MOST)
        words = [word.lower() for word in search.split()[: listing.MOST_WORDS]]

        def is_found(row: dict) -> bool:
            texts = [str(row[column] or "").lower() for column in DEPLOYMENTS.searched]
            shas = [str(row[column] or "") for column in DEPLOYMENTS.shas]
            return all(
                any(word in text for text in texts)
                or (len(word) >= 4 and any(sha.startswith(word) for sha in shas))
                for word in words
            )

        found = rows(facts, DEPLOYMENTS, asked(search=search), "newest", MOST)
        assert [key(DEPLOYMENTS, row) for row in found] == [
            key(DEPLOYMENTS, row) for row in everything if is_found(row)
        ]

    def test_the_order_is_the_one_asked_for(self, facts):
        at = [row["at"] or row["started_at"] for row in rows(facts, DEPLOYMENTS, EVERYTHING, "newest", MOST)]
        assert at == sorted(at, reverse=True)
        oldest = [row["opened_at"] for row in rows(facts, INCIDENTS, EVERYTHING, "oldest", MOST)]
        assert oldest == sorted(oldest)
        assert ids(rows(facts, INCIDENTS, EVERYTHING, "open", MOST))[0] == "still"
        assert ids(rows(facts, INCIDENTS, EVERYTHING, "longest", MOST))[0] == "still"
        brought = [row["changes"] for row in rows(facts, DEPLOYMENTS, EVERYTHING, "most", MOST)]
        assert brought == sorted(brought, reverse=True)


class TestSearch:
    def test_a_revision_is_found_by_its_beginning_in_any_case(self, facts):
        sha = rows(facts, DEPLOYMENTS, EVERYTHING, "newest", 40)[-1]["sha"]
        assert [row["sha"] for row in rows(facts, DEPLOYMENTS, asked(search=sha.upper()), "newest", 9)] == [
            sha
        ]

    def test_titles_are_searched_as_text(self, facts):
        assert ids(rows(facts, INCIDENTS, asked(search="[ALL] users_ 100 %"), "newest", 9)) == ["still"]
        assert rows(facts, INCIDENTS, asked(search="us%rs"), "newest", 9) == []

    def test_an_environment_narrows_deployments_and_is_listed(self, facts):
        assert listing.environments(facts, {}) == ["prod-eu", "production"]
        assert listing.environments(facts, {"service": "billing"}) == ["production"]
        assert ids(rows(facts, DEPLOYMENTS, asked(environment="prod-eu"), "newest", 9)) == ["Hot/1"]


class TestStates:
    def test_counts_are_of_what_matches_whatever_the_state(self, facts):
        of_all = counts(facts, DEPLOYMENTS, EVERYTHING)
        of_failed = counts(facts, DEPLOYMENTS, asked(state="failed"))
        assert (of_failed.states, of_failed.reasons) == (of_all.states, of_all.reasons)
        assert of_failed.total == of_all.states["failed"] < of_all.total
        assert of_all.states["counted"] + of_all.states["left out"] == of_all.total
        assert sum(of_all.reasons.values()) == of_all.states["left out"]

    def test_a_reason_leads_to_its_rows(self, facts):
        assert ids(
            rows(facts, DEPLOYMENTS, asked(state=LEFT_OUT + "unsuccessful: failure"), "newest", 9)
        ) == ["Hot/1"]
        assert counts(facts, INCIDENTS, EVERYTHING).reasons == {"merged into another": 1, "not resolved": 1}
        assert ids(rows(facts, INCIDENTS, asked(state=LEFT_OUT + "merged into another"), "newest", 9)) == [
            "gone"
        ]

    def test_every_state_and_reason_counts_the_rows_that_it_lists(self, sample_facts):
        for about in (DEPLOYMENTS, INCIDENTS):
            found = counts(sample_facts, about, EVERYTHING)
            reasons = {LEFT_OUT + reason: count for reason, count in found.reasons.items()}
            for state, count in {**found.states, **reasons}.items():
                listed_rows = rows(sample_facts, about, asked(state=state), "newest", MOST)
                assert (state, len(listed_rows)) == (state, count)

    def test_a_deployment_of_several_services_is_counted_once_as_its_metrics_do(
        self, sample: Sample, sample_facts
    ):
        start, end = date(2026, 1, 1), date(2026, 11, 17)
        for where in ({}, {"team": "fulfilment"}, {"service": "inventory"}):
            found = counts(sample_facts, DEPLOYMENTS, ListQuery(start, end, where))
            by = next(iter(where), "organisation")
            metrics = ["deployment_frequency", "change_failure_rate"]
            every = compute(sample_facts, sample.settings, by, None, start, end, where, metrics)
            n = {value.metric: value for value in every}
            counted, failed = found.entities_in["counted"], found.entities_in["failed"]
            assert counted == n["deployment_frequency"].n
            assert failed == round(n["change_failure_rate"].value * n["change_failure_rate"].n)
            assert (counted < found.states["counted"]) == ("service" not in where)
            of_failed = counts(sample_facts, DEPLOYMENTS, ListQuery(start, end, where, state="failed"))
            assert of_failed.entities == failed


class TestPeriod:
    def test_a_deployment_without_a_finish_is_listed_by_its_start(self, facts):
        day = (NOW - timedelta(days=2)).date()
        assert "Hot/1" in ids(
            rows(facts, DEPLOYMENTS, ListQuery(day, day + timedelta(days=1)), "newest", MOST)
        )
        assert "Hot/1" not in ids(rows(facts, DEPLOYMENTS, ListQuery(end=day), "newest", MOST))

    def test_an_incident_belongs_to_its_resolution_and_while_it_is_open_to_every_period(self, facts):
        last_week = ListQuery(start=date(2026, 11, 9), end=date(2026, 11, 16))
        assert "still" in ids(rows(facts, INCIDENTS, last_week, "newest", MOST))
        assert "still" not in ids(rows(facts, INCIDENTS, ListQuery(end=date(2026, 9, 1)), "newest", MOST))
        resolved = [row["day"] for row in rows(facts, INCIDENTS, last_week, "newest", MOST) if row["day"]]
        assert resolved
        assert all(date(2026, 11, 9) <= day < date(2026, 11, 16) for day in resolved)

    def test_a_row_stands_alone_whatever_else_is_asked_but_the_narrowing(self, facts):
        alone = asked(row=("import", "still"), state="counted", search="nothing", end=date(2026, 2, 1))
        assert ids(rows(facts, INCIDENTS, alone, "newest", MOST)) == ["still"]
        assert counts(facts, INCIDENTS, alone).total == 1
        elsewhere = ListQuery(row=("import", "still"), where={"team": "platform"})
        assert rows(facts, INCIDENTS, elsewhere, "newest", MOST) == []


class TestDetails:
    def test_a_failed_deployment_has_its_changes_evidence_and_incidents(self, facts):
        failed = rows(facts, DEPLOYMENTS, asked(state="failed", where={"service": "billing"}), "newest", 5)
        found = listed_details.of_deployments(facts, failed, {})
        for row in failed:
            (change,) = found.changes[row["source"], row["id"], "billing"]
            assert change["deployment_id"] == row["id"]
            assert row["changes"] == 1
            (evidence,) = found.evidence[row["source"], row["id"], "billing"]
            (incident,) = found.incidents[row["source"], row["id"]]
            assert (evidence["method"], evidence["by_id"]) == ("window", incident["id"])

    def test_the_slowest_changes_come_first_and_no_more_than_a_person_reads(self, sample_facts):
        most = rows(sample_facts, DEPLOYMENTS, EVERYTHING, "most", 3)
        found = listed_details.of_deployments(sample_facts, most, {})
        for row in most:
            changes = found.changes[row["source"], row["id"], row["service"]]
            assert len(changes) == min(row["changes"], listed_details.MOST_CHANGES)
            leads = [change["lead_time_seconds"] for change in changes]
            slowest = sample_facts.connection.execute(
                "select max(lead_time_seconds) from changes where excluded_because is null"
                " and deployment_id = ? and service = ?", [row["id"], row["service"]],
            ).fetchone()  # fmt: skip
            assert leads == sorted(leads, reverse=True)
            assert leads[0] == slowest[0]

    def test_an_incident_has_the_deployment_that_it_blames_and_what_is_related(self, facts, sample: Sample):
        blaming = rows(facts, INCIDENTS, asked(state="blames"), "newest", 5)
        found = listed_details.of_incidents(facts, blaming, {})
        for row in blaming:
            (deployment,) = found.deployments[row["blames_source"], row["blames_id"]]
            assert deployment["service"] == row["service"]
        (still,) = rows(facts, INCIDENTS, asked(row=("import", "still")), "newest", 9)
        assert [event["reason"] for event in still["change_events"]] == ["most_recent"]
        assert still["seconds_since_opened"] == timedelta(weeks=9).total_seconds()

    def test_nothing_of_another_scope_is_shown(self, facts):
        failed = rows(facts, DEPLOYMENTS, asked(state="failed"), "newest", 50)
        assert listed_details.of_deployments(facts, failed, {"team": "nobody"}).incidents == {}
        blaming = rows(facts, INCIDENTS, asked(state="blames"), "newest", 50)
        assert listed_details.of_incidents(facts, blaming, {"team": "nobody"}).deployments == {}

    def test_a_page_without_rows_has_none(self, facts):
        assert (
            listed_details.of_deployments(facts, [], {})
            == listed_details.of_incidents(facts, [], {})
            == listed_details.Details()
        )


def test_instants_are_naive_utc_as_in_the_facts(facts):
    (row,) = rows(facts, DEPLOYMENTS, asked(row=("import", "checkout-1")), "newest", 9)
    assert row["at"].tzinfo is None
    assert datetime(2026, 8, 10, tzinfo=UTC) < row["at"].replace(tzinfo=UTC) < NOW
