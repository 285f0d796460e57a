"""Events: told, collected, forgotten, seen with whom they touched, and what was before and after them."""

import math
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from collectors.contract.items import Resume
from collectors.contract.records import Component, Event, Owner, Record
from collectors.files.events import collect as read_events
from collectors.files.events import event_inbox, event_of, kept_events, put_event, take_back
from config.errors import ConfigurationError, DataError
from config.settings import Settings, load_settings
from config.sources import EventEntry
from dashboards.frame.view import Filters, compared
from tests.conftest import Small
from tests.support.small_organisation import HOSTILE, NOW
from warehouse.building.build import build
from warehouse.loading.forgetting import forget
from warehouse.loading.imports import import_file
from warehouse.metrics.events import KnownEvent, anew_since, event_book, in_days
from warehouse.metrics.periods import baseline
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.values import compute
from warehouse.pipeline import collect
from warehouse.rows.assistance import AssistanceSide
from warehouse.rows.before_and_after import _change, before_and_after
from warehouse.rows.export import export
from warehouse.scorecards.content import scorecard
from warehouse.signals.limits import limits_before
from warehouse.signals.verdicts import judged_numbers
from warehouse.storage.store import open_warehouse

HEADING = "id,at,until,title,kind,scope,resets,url\n"
FREEZE = "f1,2030-12-20T00:00:00Z,2031-01-04T00:00:00Z,A freeze to come,freeze,,,\n"


def configured(folder: Path, events: str) -> Settings:
    (folder / "sixkeys.yaml").write_text(f"organization: acme\ntimezone: Europe/Berlin\n{events}\n")
    return load_settings(folder / "sixkeys.yaml")


def told(settings: Settings) -> list[str]:
    """The titles in the warehouse after a collection."""
    assert [run.error for run in collect(settings, only="events")] == [None]
    with open_warehouse(settings.warehouse) as warehouse:
        rows = warehouse.connection.execute("select title from events order by title").fetchall()
    return [title for (title,) in rows]


def test_what_the_configuration_its_files_and_the_form_no_longer_tell_is_gone(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text(f"{HEADING}1,2026-10-05T09:00:00Z,,b,roll-out,team Web,true,\n")
    (tmp_path / "i.csv").write_text(f"{HEADING}2,2026-10-05T09:00:00Z,,imported,,,,\n")
    settings = configured(tmp_path, "events: [{at: 2026-12-20, title: a}, {files: 'b*.csv'}]")
    import_file(settings, "events", tmp_path / "i.csv")
    folder = event_inbox(settings.warehouse)
    form = event_of(EventEntry(at=date(2026, 11, 2), title=HOSTILE, scope="team web"), "Europe/Berlin")
    put_event(folder, form)
    (folder / "broken.json").write_text("{")
    assert told(settings) == [HOSTILE, "a", "b", "imported"]
    assert kept_events(folder) == [form]
    take_back(folder, form.id)
    take_back(folder, "form-../../b")
    assert told(settings) == ["a", "b", "imported"]
    (tmp_path / "b.csv").write_text(HEADING)
    assert told(configured(tmp_path, "events: [{at: 2026-12-21, title: c}, {files: '*.csv'}]")) == [
        "c",
        "imported",
    ]
    (tmp_path / "i.csv").unlink()
    assert told(configured(tmp_path, "events:")) == []
    with open_warehouse(settings.warehouse) as warehouse:
        rows = warehouse.connection.execute("select kind, reason from quarantine").fetchall()
    assert rows == [("events", "is not JSON")]


def test_a_day_is_told_by_its_beginning_and_its_end_where_days_are_counted(tmp_path: Path) -> None:
    settings = configured(
        tmp_path,
        "events:\n"
        "  - {at: 2026-12-20, until: 2027-01-03, title: days, scope: 'team  a b '}\n"
        "  - {at: '2026-12-20T18:00+02:00', title: instant, resets: true}\n",
    )
    resume = Resume(NOW, NOW)
    found = list(read_events(settings.events or [], tmp_path, "Europe/Berlin", resume))
    assert [(one.at, one.until, one.scope, one.resets) for one in found if isinstance(one, Event)] == [
        (datetime(2026, 12, 19, 23, tzinfo=UTC), datetime(2027, 1, 3, 23, tzinfo=UTC), "team a b", False),
        (datetime(2026, 12, 20, 16, tzinfo=UTC), None, "organisation", True),
    ]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{title: x}", "events.0: needs at and title, or files"),
        ("{at: 2026-12-20, title: ' '}", "events.0: needs at and title, or files"),
        ("{files: a.csv, title: x}", "events.0: names files, and so has no other key"),
        ("{at: 2026-12-20T10:00, title: x}", "events.0.at: .* no day and no instant"),
        ("{at: 2026-12-20, until: 2026-12-19, title: x}", "events.0: ends before it begins"),
        ("{at: 2026-12-20, title: x, scope: web}", 'events.0.scope: "web" is no scope; write "organisation"'),
        ("{at: 2026-12-20, title: x, kind: party}", "events.0.kind: "),
        ("{at: 2026-12-20, titel: x}", 'unknown key "events.0.titel"; did you mean "title"'),
    ],
)
def test_an_entry_that_tells_nothing_is_refused(tmp_path: Path, entry: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        configured(tmp_path, f"events: [{entry}]")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "1,2026-01-02T00:00:00Z,2026-01-02T00:00:00Z,x,,,,",
            "until: 2026-01-02T00:00Z is not after 2026-01-02T00:00Z",
        ),
        ("1,2026-01-02T00:00:00Z,,x,,payments,,", 'scope: "payments" is no scope; write "organisation"'),
        ("1,2026-01-02T00:00:00Z,,x,party,,,", 'kind: "party" is not one of freeze, '),
        ("1,2026-01-02T00:00:00Z,,,,,,", "title: is missing"),
    ],
)
def test_a_row_that_cannot_be_is_refused_with_what_works(tmp_path: Path, row: str, said: str) -> None:
    (tmp_path / "e.csv").write_text(f"{HEADING}{row}\n")
    with pytest.raises(DataError, match=f"e.csv:2: {said}"):
        import_file(configured(tmp_path, ""), "events", tmp_path / "e.csv")


def test_an_event_to_come_is_imported_exported_and_forgotten_by_its_id(tmp_path: Path) -> None:
    settings = configured(tmp_path, "")
    (tmp_path / "e.csv").write_text(HEADING + FREEZE + "=f2,2026-10-05T09:00:00Z,,=1+1,,service web,,\n")
    assert import_file(settings, "events", tmp_path / "e.csv").new == 2
    build(settings, NOW)
    with open_facts(settings.warehouse) as facts:
        export(facts, settings, tmp_path / "out")
    rows = (tmp_path / "out" / "events.csv").read_text(encoding="utf-8-sig").splitlines()
    assert rows[0] == "id,title,kind,scope,name,at,until,day,resets,url"
    assert rows[1].startswith("'=f2,'=1+1,other,service,web,2026-10-05T09:00:00Z,,2026-10-05,False")
    assert forget(settings, "events", ids=["f1"], removes=True).rows == {"events": 1}
    assert forget(settings, "events", file=tmp_path / "e.csv").total == 1


def known(**of: object) -> KnownEvent:
    given = {
        "id": "e",
        "title": "t",
        "kind": "other",
        "scope": "organisation",
        "name": "",
        "url": None,
        "resets": True,
    }
    day = date(2026, 11, 4)
    times = {"at": NOW, "until": None, "day": day, "last_day": day, "over": day + timedelta(days=1)}
    return KnownEvent(**(given | times | of))  # type: ignore[arg-type]


def test_what_is_usual_begins_anew_after_the_last_event_that_says_so() -> None:
    first, long = date(2026, 11, 9), known(until=NOW, last_day=date(2026, 11, 20), over=date(2026, 11, 21))
    assert anew_since([], first) is None
    assert anew_since([known(resets=False)], first) is None
    assert anew_since([known()], first) == date(2026, 11, 5)
    assert anew_since([known()], date(2026, 11, 4)) is None
    assert anew_since([known(), known(day=date(2026, 10, 1), over=date(2026, 10, 2))], first) == date(
        2026, 11, 5
    )
    # while it goes on, from its first day; then from its end
    assert anew_since([long], first) == date(2026, 11, 4)
    assert anew_since([long], date(2026, 11, 30)) == date(2026, 11, 21)


def test_an_event_is_seen_with_those_whom_it_touched_at_its_time(tmp_path: Path) -> None:
    settings = configured(tmp_path, "")
    at = datetime(2026, 10, 5, 9, tzinfo=UTC)
    records: list[Record] = [
        Component(name="web", owner="new", system="shop"),
        Component(name="api", owner="old", system="shop"),
        Owner(component="web", team="old", system="shop", from_at=datetime(2026, 1, 1, tzinfo=UTC)),
        Owner(component="web", team="new", system="shop", from_at=at + timedelta(days=7)),
        Owner(component="api", team="old", system="shop", from_at=datetime(2026, 1, 1, tzinfo=UTC)),
        Event(id="all", at=at, title="all"),
        Event(id="old", at=at, title="old", scope="team old"),
        Event(id="new", at=at, title="new", scope="team new"),
        Event(id="later", at=at + timedelta(days=30), title="New", scope="team new"),
        Event(id="shop", at=at, title="shop", scope="system shop"),
        Event(id="api", at=at, title="api", scope="service API"),
    ]  # fmt: skip
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert(records)
    build(settings, NOW)
    with open_facts(settings.warehouse) as facts:
        book = event_book(facts)

    def seen(**where: str) -> set[str]:
        return {event.id for event in book.seen_with(where)}

    assert seen() == {"all"}
    assert seen(team="old") == {"all", "old"}
    assert seen(system="shop", team="new") == {"all", "shop", "new", "later"}
    assert seen(service="web") == {"all", "old", "later", "shop"}
    assert seen(service="api") == {"all", "old", "shop", "api"}
    by_id = {event.id: event for event in book.events}
    assert book.services(by_id["old"]) == {"web", "api"}
    assert book.services(by_id["later"]) == {"web"}
    # another of its title is the same one elsewhere
    assert book.untouched(by_id["new"]) == {"api"}
    assert book.untouched(by_id["all"]) == set()


def test_days_are_touched_from_the_first_to_the_last() -> None:
    monday = date(2026, 11, 2)
    long = known(id="long", until=NOW, last_day=date(2026, 11, 8), over=date(2026, 11, 9))
    assert in_days([long], monday, monday + timedelta(days=7)) == [long]
    assert in_days([long], date(2026, 11, 8), date(2026, 11, 15)) == [long]
    assert in_days([long], date(2026, 11, 9), date(2026, 11, 15)) == []
    assert in_days([long], date(2026, 10, 1), date(2026, 11, 4)) == []


def test_the_scorecard_of_a_week_tells_what_touched_it(small: Small) -> None:
    with open_facts(small.settings.warehouse) as facts:
        of_week = scorecard(facts, small.settings)["events"]
        of_team = [
            [one["title"] for one in scorecard(facts, small.settings, week, "team", "payments")["events"]]
            for week in ("2026-W40", "2026-W45")
        ]
    assert [(one["title"], one["first_day"], one["last_day"]) for one in of_week] == [
        (HOSTILE, "2026-11-10", "2026-11-12")
    ]
    assert of_team == [["The golden path"], []]


MONDAY = date(2026, 11, 9)
WEEK = timedelta(weeks=1)


@pytest.fixture(scope="module")
def begun_anew(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Small:
    """Limits began anew for payments 8 weeks before MONDAY and for discovery 2 before it."""
    midnight = datetime(2026, 9, 13, 22, tzinfo=UTC)  # the Monday 8 weeks before begins, in Berlin
    return small.copied(
        tmp_path_factory.mktemp("anew"),
        Event(id="a", at=midnight, title="a", scope="team payments", resets=True),
        Event(id="b", at=midnight + 6 * WEEK, title="b", scope="team discovery", resets=True),
        Event(id="c", at=midnight + 6 * WEEK, title="c", scope="team platform"),
        Event(id="soon", at=NOW + timedelta(days=3), title="soon", scope="service checkout"),
    )


class TestBeforeAndAfter:
    def test_each_number_is_that_of_the_metric_in_the_window(self, small: Small) -> None:
        with open_facts(small.settings.warehouse) as facts:
            found = before_and_after(facts, "path")
            assert found is not None
            assert (found.before, found.after) == (
                (date(2026, 8, 10), date(2026, 9, 30)), (date(2026, 10, 1), date(2026, 11, 16)),
            )  # fmt: skip
            assert (found.services, found.others) == (3, 3)
            for metric in found.metrics:
                for side, days in (
                    (metric.touched.before, found.before),
                    (metric.touched.after, found.after),
                ):
                    if metric.metric == "developer_satisfaction":
                        continue
                    (own,) = compute(
                        facts, small.settings, "team", None, *days, {"team": "payments"}, [metric.metric]
                    )
                    assert side.n == own.n
                    assert side.middle == pytest.approx(own.value)
                    if side.n >= 5:
                        assert (side.low or 0) <= (side.middle or 0) <= (side.high or 0)

    def test_what_lies_beside_it_is_what_it_did_not_touch(self, small: Small) -> None:
        with open_facts(small.settings.warehouse) as facts:
            found = before_and_after(facts, "path")
            assert found is not None
            (lead_time,) = [one for one in found.metrics if one.metric == "lead_time"]
            rows = facts.connection.execute(
                "select count(*), median(c.lead_time_seconds) from changes as c where c.excluded_because is null"
                " and c.service in ('search', 'ingest', 'legacy-reports') and c.day >= ? and c.day < ?",
                [*(found.after or ())],
            ).fetchall()
        assert lead_time.others is not None
        assert (lead_time.others.after.n, lead_time.others.after.middle) == rows[0]

    def test_the_organisation_has_nothing_beside_it_and_an_unknown_event_is_none(self, small: Small) -> None:
        with open_facts(small.settings.warehouse) as facts:
            found = before_and_after(facts, "freeze")
            assert before_and_after(facts, "gone") is None
        assert found is not None
        assert [one.others for one in found.metrics] == [None] * 8
        assert found.after == (date(2026, 11, 13), date(2026, 11, 16))

    def test_what_is_to_come_has_no_days_after_it(self, begun_anew: Small) -> None:
        with open_facts(begun_anew.settings.warehouse) as facts:
            found = before_and_after(facts, "soon")
        assert found is not None
        assert found.after is None
        assert {one.touched.change for one in found.metrics} == {None}

    def test_the_interval_of_a_difference_is_that_of_the_literature(self) -> None:
        """Newcombe (1998), Interval estimation for the difference between independent proportions, example (a)."""
        was, became = AssistanceSide(80, 0.6, 0.4904, 0.7004), AssistanceSide(70, 0.8, 0.6918, 0.8769)
        change = _change(was, became, is_ratio=False)
        assert change is not None
        assert (change.by, change.low, change.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=2e-4)
        ratio = _change(AssistanceSide(9, 100, 50, 200), AssistanceSide(9, 200, 100, 400), is_ratio=True)
        assert ratio is not None
        reach = math.exp(math.hypot(math.log(2), math.log(2)))
        assert (ratio.by, ratio.low, ratio.high) == pytest.approx((2, 2 / reach, 2 * reach))

    def test_of_too_few_rows_no_change_is_told(self) -> None:
        few, many = AssistanceSide(4, 0.5, 0.1, 0.9), AssistanceSide(40, 0.5, 0.4, 0.6)
        assert _change(few, many, is_ratio=False) is None
        assert _change(many, few, is_ratio=True) is None
        assert _change(many, AssistanceSide(40, 0.5), is_ratio=False) is None


class TestAnew:
    def test_what_is_usual_is_the_number_since_then_of_those_alone_whom_it_touched(
        self, begun_anew: Small
    ) -> None:
        settings, days = begun_anew.settings, (MONDAY, MONDAY + WEEK)
        with open_facts(settings.warehouse) as facts:
            by_team = judged_numbers(facts, "team", *days)
            by_service = judged_numbers(facts, "service", *days, {"team": "payments"})
            for metric in ("lead_time", "deployment_frequency", "change_failure_rate", "mttr"):
                for team, weeks in (("payments", 8), ("platform", 12)):
                    one = by_team[metric, team]
                    alone = one.week or one
                    (usual,) = compute(
                        facts, settings, "team", None, MONDAY - weeks * WEEK, MONDAY, {"team": team}, [metric]
                    )
                    assert (alone.weeks_before, alone.usual) == (weeks, pytest.approx(usual.value)), (
                        metric,
                        team,
                    )
        new = by_team["deployment_frequency", "discovery"]
        # what it was with the three weeks before would compare two times with each other
        assert (new.weeks_before, new.unjudged, new.week) == (2, "history", None)
        alone = by_service["lead_time", "checkout"].week or by_service["lead_time", "checkout"]
        assert alone.weeks_before == 8

    def test_the_band_and_the_heading_begin_there_too(self, begun_anew: Small) -> None:
        with open_facts(begun_anew.settings.warehouse) as facts:
            where = {"team": "payments"}
            weeks = compute(
                facts,
                begun_anew.settings,
                "team",
                "week",
                MONDAY - 12 * WEEK,
                MONDAY,
                where,
                ["deployment_frequency"],
            )
            events = event_book(facts).seen_with(where)
        anew = anew_since(events, MONDAY)
        assert anew == MONDAY - 8 * WEEK
        whole, since = limits_before(weeks, MONDAY), limits_before(weeks, MONDAY, anew)
        assert whole is not None
        assert since is not None
        assert (whole.n, since.n) == (12, 8)
        asked = Filters(period="week", team="payments")
        assert compared(asked, date(2026, 11, 16), events) == "compared with 14 Sep – 8 Nov 2026"
        assert compared(asked, date(2026, 11, 16)) == "compared with 17 Aug – 8 Nov 2026"


@pytest.mark.parametrize(
    ("anew", "start"),
    [
        (None, MONDAY - 12 * WEEK),
        (MONDAY - 30 * WEEK, MONDAY - 12 * WEEK),
        (MONDAY - 3 * WEEK, MONDAY - 3 * WEEK),
        # a week that the event cut in two is neither
        (MONDAY - 3 * WEEK + timedelta(days=1), MONDAY - 2 * WEEK),
        (MONDAY - timedelta(days=1), MONDAY),
        (MONDAY + WEEK, MONDAY),
    ],
)
def test_a_baseline_begins_with_a_whole_week(anew: date | None, start: date) -> None:
    assert baseline(MONDAY, anew) == (start, MONDAY)
