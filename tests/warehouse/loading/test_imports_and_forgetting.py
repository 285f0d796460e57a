"""What an import takes and refuses, and what is taken out again; each comes back by importing it again."""

import json
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from collectors.contract.records import RECORDS
from config.errors import ConfigurationError, DataError
from config.settings import Settings
from warehouse.building.build import build
from warehouse.loading.forgetting import forget
from warehouse.loading.imports import Imported, import_file
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.values import compute
from warehouse.storage.store import open_warehouse

HEADER = "source,id,service,environment,sha,status,finished_at\n"
TWENTY = "".join(
    f"jenkins,{n},app,production,{n:07x},success,2024-11-{2 + n // 2:02}T1{n % 2}:00:00Z\n" for n in range(20)
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(organization="acme", warehouse=tmp_path / "w.duckdb")


def written(folder: Path, rows: str, name: str = "d.csv") -> Path:
    (folder / name).write_text(HEADER + rows)
    return folder / name


def frequency(settings: Settings) -> tuple[float | None, int]:
    build(settings, datetime(2024, 11, 20, tzinfo=UTC))
    with open_facts(settings.warehouse) as facts:
        (value,) = compute(facts, settings, metrics=["deployment_frequency"])
    return value.value, value.n


def test_an_import_says_what_is_new_replaced_and_unchanged(settings: Settings, tmp_path: Path) -> None:
    assert import_file(settings, "deployments", written(tmp_path, TWENTY)) == Imported(20, 0, 0)
    changed = TWENTY.replace(
        "jenkins,0,app,production,0000000,success", "jenkins,0,app,production,0000000,failure"
    )
    more = "jenkins,20,app,production,abcdef0,success,2024-11-12T10:00:00Z\n"
    assert import_file(settings, "deployments", written(tmp_path, changed + more)) == Imported(1, 1, 19)


def test_two_rows_of_one_key_are_refused_with_both_lines_and_the_same_row_twice_is_one(
    settings: Settings, tmp_path: Path
) -> None:
    row = "jenkins,1,app,production,aaa,success,2024-11-02T10:00:00Z\n"
    file = written(tmp_path, TWENTY.replace("jenkins,1,", "jenkins,21,") + row * 3)
    taken = import_file(settings, "deployments", file)
    assert taken == Imported(21, 0, 0, repeated=2, repeat=f"{file}:23 is 22")
    assert taken.total == 21
    with open_warehouse(settings.warehouse) as warehouse:
        assert warehouse.connection.execute("select count(*) from deployments").fetchall() == [(21,)]
    with pytest.raises(DataError, match=r"d\.csv:2 and 3 have the same key \(source jenkins, id 1\)"):
        import_file(settings, "deployments", written(tmp_path, row + row.replace("app", "web")))


def test_the_first_mistake_of_a_file_is_told_whichever_it_is(settings: Settings, tmp_path: Path) -> None:
    row = {"repo": "acme/app", "authored_at": datetime(2024, 11, 2, tzinfo=UTC), "subject": "one"}
    rows = [row | {"sha": f"{n:07x}"} for n in range(30_000)]
    path = tmp_path / "c.parquet"
    wrong = {
        25_000: (
            rows[7] | {"subject": "other"},
            r"row 8 and row 25001 have the same key \(repo acme/app, sha 0000007\)",
        ),
        20_500: (rows[20_500] | {"sha": None}, r"row 20501: sha: is missing"),
        20_400: (
            rows[20_400] | {"authored_at": datetime(1970, 1, 1, tzinfo=UTC)},
            "row 20401: authored_at: 1970",
        ),
        20_300: (rows[8] | {"subject": "other"}, "row 9 and row 20301 have the same key"),
        300: (rows[300] | {"sha": "1.23E+13"}, "row 301: sha: is a number that a spreadsheet has made"),
    }
    for number, (odd, said) in wrong.items():
        rows[number] = odd
        pq.write_table(pa.Table.from_pylist(rows), path)
        with pytest.raises(DataError, match=rf"c\.parquet: {said}"):
            import_file(settings, "commits", path)
    with open_warehouse(settings.warehouse) as warehouse:
        assert warehouse.connection.execute("select count(*) from commits").fetchall() == [(0,)]


def test_a_file_that_tells_of_a_repository_by_two_names_speaks_of_one(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "r.jsonl"
    for name in ("acme/before", "acme/now"):
        file.write_text(json.dumps({"repo": name, "external_id": 7, "created_at": "2024-11-02T10:00:00Z"}))
        import_file(settings, "repositories", file)
    commits = tmp_path / "c.csv"
    commits.write_text("repo,sha,subject\nacme/before,a,first\nacme/now,a,last\nacme/before,b,other\n")
    import_file(settings, "commits", commits)
    stored = "select repo, sha, subject from commits order by all"
    with open_warehouse(settings.warehouse) as warehouse:
        found = warehouse.connection.execute(stored).fetchall()
    assert found == [("acme/now", "a", "last"), ("acme/now", "b", "other")]
    assert import_file(settings, "commits", commits).unchanged == 2
    assert forget(settings, "commits", file=commits).total == 2


def test_a_known_key_changes_its_service_only_where_that_is_said(settings: Settings, tmp_path: Path) -> None:
    row = "jenkins,1,app,production,aaa,success,2024-11-02T10:00:00Z\n"
    import_file(settings, "deployments", written(tmp_path, row))
    other = written(tmp_path, row.replace("app", "web"))
    with pytest.raises(DataError, match=r"d\.csv:2: .*would change its service app into web; .*--replace"):
        import_file(settings, "deployments", other)
    assert import_file(settings, "deployments", other, replace=True) == Imported(0, 1, 0)
    # letter case is no change
    assert import_file(settings, "deployments", written(tmp_path, row.replace("app", "WEB"))).replaced == 1


@pytest.mark.parametrize(
    ("at", "wrong"), [("1970-01-01T00:00:00Z", "before 2000"), ("2099-01-01T00:00:00Z", "in the future")]
)
def test_an_instant_of_no_time_is_refused_unless_its_days_are_named(
    settings: Settings, tmp_path: Path, at: str, wrong: str
) -> None:
    file = written(tmp_path, f"jenkins,1,app,production,aaa,success,{at}\n")
    with pytest.raises(DataError, match=rf"d\.csv:2: finished_at: {at} is {wrong}"):
        import_file(settings, "deployments", file)
    day = date.fromisoformat(at[:10])
    assert import_file(settings, "deployments", file, (day, day.replace(day=2))).new == 1


INSTANTS = [
    (kind, name) for kind, record in RECORDS.items() for name in record.model_fields if name.endswith("_at")
]
INSTANTS += [("pull_requests", "commits.authored_at")]


def test_no_instant_of_any_kind_may_be_of_no_time(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    for (kind, column), at in zip(
        INSTANTS, cycle(("1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z")), strict=False
    ):
        needed = [name for name, field in RECORDS[kind].model_fields.items() if field.is_required()]
        row: dict[str, Any] = {
            name: "2024-11-02T10:00:00Z" if name.endswith("_at") else "1" for name in needed
        }
        row |= {"status": "success"} if "status" in row else {}
        name, _, inner = column.partition(".")
        row[name] = [{"sha": "a" * 40, inner: at}] if inner else at
        file.write_text(json.dumps(row))
        with pytest.raises(DataError, match=rf"a\.jsonl:1: {column}: {at} is (before 2000|in the future)"):
            import_file(settings, kind, file)


def test_a_round_may_close_in_time_to_come_and_a_commit_be_older_than_2000(
    settings: Settings, tmp_path: Path
) -> None:
    ahead = datetime.now(UTC) + timedelta(days=30)
    answer = {"round": "r", "respondent": "x", "score": 4, "submitted_at": "2024-11-02T10:00:00Z"}
    (tmp_path / "r.jsonl").write_text(json.dumps({**answer, "closes_at": ahead.isoformat()}))
    assert import_file(settings, "responses", tmp_path / "r.jsonl").new == 1
    commit = {"repo": "a/b", "sha": "a" * 40, "authored_at": "1996-01-01T00:00:00Z"}
    (tmp_path / "c.jsonl").write_text(json.dumps(commit))
    assert (
        import_file(settings, "commits", tmp_path / "c.jsonl", (date(1990, 1, 1), date(2000, 1, 1))).new == 1
    )


def test_imports_of_one_service_are_one_stretch_and_a_file_that_covers_speaks_of_every_service(
    settings: Settings, tmp_path: Path
) -> None:
    for day in ("02", "09"):
        row = f"jenkins,{day},app,production,a{day},success,2024-11-{day}T10:00:00Z\n"
        import_file(settings, "deployments", written(tmp_path, row))
    value, n = frequency(settings)
    assert (value, n) == (pytest.approx(2 / 8), 2)
    import_file(settings, "deployments", written(tmp_path, ""), (date(2024, 11, 10), date(2024, 11, 12)))
    assert frequency(settings) == (pytest.approx(2 / 10), 2)


def test_imports_of_one_service_are_one_stretch_however_its_name_is_written(
    settings: Settings, tmp_path: Path
) -> None:
    for name, day in (("App", "02"), ("component:app", "09")):
        row = f"jenkins,{name},{name},production,a{day},success,2024-11-{day}T10:00:00Z\n"
        import_file(settings, "deployments", written(tmp_path, row))
    assert frequency(settings) == (pytest.approx(2 / 8), 2)
    forget(settings, "deployments", ids=["component:app"], removes=True)
    assert frequency(settings) == (pytest.approx(1), 1)


def test_what_a_forgotten_file_was_said_to_be_complete_for_goes_with_it(
    settings: Settings, tmp_path: Path
) -> None:
    import_file(settings, "deployments", written(tmp_path, TWENTY))
    right = frequency(settings)
    row = "gitlab,1,web,production,fff0000,success,2024-10-09T10:00:00Z\n"
    wrong = written(tmp_path, row, "wrong.csv")
    import_file(settings, "deployments", wrong, (date(2024, 10, 1), date(2024, 10, 15)))
    assert frequency(settings) != right
    assert forget(settings, "deployments", file=wrong).stretches == 2
    forget(settings, "deployments", file=wrong, removes=True)
    assert frequency(settings) == right


def test_a_score_outside_of_its_scale_is_refused(settings: Settings, tmp_path: Path) -> None:
    header = "round,respondent,question,submitted_at,closes_at,score,scale_min,scale_max\n"
    row = "2024-Q4,1,satisfaction,2024-11-03T10:00:00Z,2024-11-04T10:00:00Z,"
    file = tmp_path / "r.csv"
    file.write_text(f"{header}{row}9,,\n")
    with pytest.raises(
        DataError, match=r"r.csv:2: score: 9 is not between 1 and 5; .* scale_min and scale_max"
    ):
        import_file(settings, "responses", file)
    file.write_text(f"{header}{row}6,6,1\n")
    assert import_file(settings, "responses", file).new == 1, "in school marks 1 is the best"
    found = forget(settings, "responses", file=file, removes=True)
    assert (found.total, found.stretches) == (1, 1), "though the respondent is kept as a hash"
    assert forget(settings, "deployments", file=written(tmp_path, "")).total == 0


def test_what_is_forgotten_is_gone_with_its_coverage_and_comes_back(
    settings: Settings, tmp_path: Path
) -> None:
    first = written(tmp_path, TWENTY)
    wrong = written(tmp_path, "gitlab,1,app,production,fff0000,success,2024-10-01T10:00:00Z\n", "wrong.csv")
    import_file(settings, "deployments", first)
    right = frequency(settings)
    import_file(settings, "deployments", wrong)
    assert frequency(settings) != right
    shown = forget(settings, "deployments", source="gitlab")
    assert (dict(shown.rows), frequency(settings) != right) == ({"gitlab": 1}, True), "only shown"
    forget(settings, "deployments", file=wrong, removes=True)
    assert frequency(settings) == right
    assert forget(settings, "deployments", ids=["1", "2"]).total == 2
    gone = forget(settings, "deployments", file=first, removes=True)
    assert (gone.total, gone.stretches) == (20, 1)
    import_file(settings, "deployments", first)
    assert frequency(settings) == right


def test_what_others_said_of_coverage_stays(settings: Settings, tmp_path: Path) -> None:
    berlin = settings.model_copy(update={"timezone": "Europe/Berlin"})
    other = "jenkins,w,web,production,abc0000,success,2024-11-05T10:00:00Z\n"
    import_file(berlin, "deployments", written(tmp_path, other), (date(2024, 11, 1), date(2024, 11, 9)))
    import_file(berlin, "deployments", written(tmp_path, TWENTY))
    covered = "select subject, from_at, until_at from coverage order by all"
    with open_warehouse(berlin.warehouse) as warehouse:
        before = warehouse.connection.execute(covered).fetchall()
    forget(berlin, "deployments", ids=["4", "5"], removes=True)
    with open_warehouse(berlin.warehouse) as warehouse:
        assert warehouse.connection.execute(covered).fetchall() == before, "rows of its ends are left"


def test_what_is_to_be_forgotten_has_to_be_said(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="--source, --id, --round, or --file"):
        forget(settings, "deployments")
    with pytest.raises(ConfigurationError, match="commits have no source"):
        forget(settings, "commits", source="x")


def test_a_round_s_comments_are_forgotten_by_its_name(settings: Settings, tmp_path: Path) -> None:
    file = written(tmp_path, "", "comments.csv")
    file.write_text("round,respondent,text\nQ3,a,old\nQ4,a,new\nQ4,b,newer\n")
    import_file(settings, "comments", file)
    assert dict(forget(settings, "comments", round="Q4", removes=True).rows) == {"comments": 2}
    with open_warehouse(settings.warehouse) as warehouse:
        assert warehouse.connection.execute("select text from comments").fetchall() == [("old",)]
    with pytest.raises(ConfigurationError, match="incidents have no round"):
        forget(settings, "incidents", round="Q4")


def test_owners_come_from_a_file_as_well(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text("component,team,system,from_at\napp,web,shop,2026-01-01T00:00:00Z\n")
    assert import_file(settings, "owners", tmp_path / "o.csv").new == 1
    with open_warehouse(settings.warehouse) as warehouse:
        rows = warehouse.connection.execute("select component, team, is_seen from owners").fetchall()
    assert rows == [("app", "web", False)]


def test_what_was_imported_of_an_application_alone_is_forgotten_with_its_coverage(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "applications.csv"
    file.write_text(
        "source,id,application,unit,environment,status,finished_at\n"
        "ours,1,shop,eu,production,success,2024-11-03T09:00:00Z\n"
    )
    import_file(settings, "deployments", file)
    found = forget(settings, "deployments", file=file, removes=True)
    assert (found.total, found.stretches) == (1, 1)
