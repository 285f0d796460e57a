"""Files to import: every kind of record survives each format, and a mistake is told with where it is."""

import csv
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel

from collectors.contract.records import RECORDS, Commit, Deployment, Record
from collectors.files.record_files import read_records
from config.errors import DataError

COMMIT = {
    "repo": "acme/shop",
    "sha": "abc1234",
    "authored_at": "2026-11-16T09:30:00+01:00",
    "committed_at": "2026-11-16T09:31:00Z",
}
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=20)
INSTANTS = st.datetimes(datetime(1970, 1, 2), datetime(2100, 12, 30), timezones=st.just(UTC))
ANY_OF = {
    str: TEXTS,
    int: st.integers(0, 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    AwareDatetime: INSTANTS,
}


# what not every text or instant is
NARROWER = {
    "scope": st.sampled_from(["organisation", "team a  b", "service x"]),
    "until": st.one_of(st.none(), st.just(datetime(2100, 12, 31, tzinfo=UTC))),
}


def values_of(annotation: Any) -> st.SearchStrategy[Any]:
    """Any value that a field of type `annotation` can have, except the empty text, which a CSV cell cannot tell."""
    if annotation in ANY_OF:
        return ANY_OF[annotation]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return records_of(annotation)
    origin, arguments = getattr(annotation, "__origin__", None), get_args(annotation)
    if origin is tuple:
        return st.lists(values_of(arguments[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(TEXTS, TEXTS, max_size=3)
    if hasattr(annotation, "__metadata__"):
        return values_of(arguments[0])
    if all(isinstance(argument, str) for argument in arguments):
        return st.sampled_from(arguments)
    return st.one_of(st.none() if a is type(None) else values_of(a) for a in arguments)


def records_of(record: type[BaseModel]) -> st.SearchStrategy[Any]:
    return st.builds(
        record,
        **{
            name: NARROWER[name] if name in NARROWER else values_of(field.annotation)
            for name, field in record.model_fields.items()
        },
    )


def write_csv(path: Path, records: list[Record]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        rows = [record.model_dump(mode="json") for record in records]
        writer.writerow(rows[0])
        for row in rows:
            writer.writerow(json.dumps(v) if isinstance(v, list | dict | bool) else v for v in row.values())


def write_jsonl(path: Path, records: list[Record]) -> None:
    path.write_text(
        "".join(f"{record.model_dump_json()}\n" for record in records), encoding="utf-8", newline=""
    )


def arrow_type(annotation: Any) -> pa.DataType:
    plain = {
        str: pa.string(),
        int: pa.int64(),
        float: pa.float64(),
        bool: pa.bool_(),
        AwareDatetime: pa.timestamp("us", "UTC"),
    }
    if annotation in plain:
        return plain[annotation]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return pa.struct(
            [(name, arrow_type(field.annotation)) for name, field in annotation.model_fields.items()]
        )
    origin, arguments = getattr(annotation, "__origin__", None), get_args(annotation)
    if origin is tuple:
        return pa.list_(arrow_type(arguments[0]))
    if origin is dict:
        return pa.map_(pa.string(), pa.string())
    if all(isinstance(argument, str) for argument in arguments):
        return pa.string()
    return arrow_type(next(a for a in arguments if a is not type(None)))


def write_parquet(path: Path, records: list[Record]) -> None:
    fields = type(records[0]).model_fields
    schema = pa.schema([(name, arrow_type(field.annotation)) for name, field in fields.items()])
    rows = [record.model_dump() for record in records]
    for row in rows:
        row.update({name: list(value.items()) for name, value in row.items() if isinstance(value, dict)})
    pq.write_table(pa.Table.from_pylist(rows, schema), path)


@pytest.mark.parametrize("kind", RECORDS)
@pytest.mark.parametrize(
    ("ending", "write"), [("csv", write_csv), ("jsonl", write_jsonl), ("parquet", write_parquet)]
)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_record_survives_every_format(
    kind: str, ending: str, write: Callable[[Path, list[Record]], None], tmp_path: Path, data: st.DataObject
) -> None:
    records = data.draw(st.lists(records_of(RECORDS[kind]), min_size=1, max_size=3))
    path = tmp_path / f"records.{ending}"
    write(path, records)
    assert list(read_records(kind, path)) == records


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def as_csv(**changed: str) -> str:
    row = COMMIT | changed
    return f"{','.join(row)}\n" + ",".join(f'"{cell}"' for cell in row.values()) + "\n"


def as_jsonl(**changed: Any) -> str:
    return json.dumps(COMMIT | changed) + "\n"


def refusal(kind: str, path: Path) -> str:
    with pytest.raises(DataError) as caught:
        list(read_records(kind, path))
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(str(path), path.name)


def test_a_commit_is_told_in_small_letters_and_a_number_is_none(tmp_path: Path) -> None:
    head = "source,id,sha,status\na,1,ABC1234,success\n"
    found = read_records("deployments", written(tmp_path, "a.csv", head + "a,2,v1.2-RC,success\n"))
    assert [d.sha for d in found if isinstance(d, Deployment)] == ["abc1234", "v1.2-RC"]
    refused = refusal("deployments", written(tmp_path, "b.csv", head + "a,2,1.23E+13,success\n"))
    assert refused.startswith("b.csv:3: sha: is a number that a spreadsheet has made of a commit")


def test_optional_columns_may_be_absent_and_empty_cells_are_missing(tmp_path: Path) -> None:
    (found,) = read_records("commits", written(tmp_path, "a.csv", "\ufeff" + as_csv(author="", parents="")))
    assert found == Commit.model_validate(COMMIT)
    assert isinstance(found, Commit)
    assert (found.author, found.parents, found.paths) == (None, (), None)
    assert found.authored_at == datetime(2026, 11, 16, 8, 30, tzinfo=UTC)


def test_null_is_missing_also_where_a_default_stands_for_it(tmp_path: Path) -> None:
    (found,) = read_records(
        "commits", written(tmp_path, "a.jsonl", "\n" + as_jsonl(parents=None, is_bot=None, author=None))
    )
    assert found == Commit.model_validate(COMMIT)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"authored_at": "yesterday"},
            'authored_at: "yesterday" is not an instant with a zone; write it like 2026-11-16T09:30:00Z',
        ),
        (
            {"authored_at": "2026-11-16T09:30:00"},
            'authored_at: "2026-11-16T09:30:00" is not an instant with a zone',
        ),
        ({"authored_at": "1790000000"}, 'authored_at: "1790000000" is not an instant'),
        *(
            ({"authored_at": told}, f'authored_at: "{told}" is not an instant of the years 1970 to 2100')
            for told in (
                *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "1900-01-01T00:00:00Z"),
                *("1969-12-30T00:30:00+01:00", "2101-01-03T00:00:00Z", "9999-12-31T23:59:59-14:00"),
            )
        ),
        ({"is_bot": "perhaps"}, 'is_bot: "perhaps" is not true or false; write it like true'),
        ({"parents": "abc"}, 'parents: "abc" is not JSON; write it like ["web"]'),
        ({"parents": "3"}, 'parents: 3 is not a list; write it like ["web"]'),
        ({"sha": ""}, "sha: is missing; write it like 3f786850e387550fdab836ed7e6dc881de23001b"),
    ],
)
def test_a_wrong_cell_is_told_with_line_column_and_an_example(
    tmp_path: Path, changed: dict[str, str], said: str
) -> None:
    path = written(tmp_path, "a.csv", as_csv(**changed))
    assert refusal("commits", path).startswith(f"a.csv:2: {said}")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"authored_at": 1790000000}, "authored_at: 1790000000 is not an instant with a zone"),
        ({"parents": ["a", 3]}, "parents.1: 3 is not string; write it like"),
        ({"parents": "a"}, 'parents: "a" is not a list'),
        ({"repo": {}}, "repo: {} is not a text; write it like acme/shop"),
        ({"sha": None}, "sha: is missing"),
        ({"autored_at": "x"}, 'unknown column "autored_at"; did you mean "authored_at"?'),
        ({"zzz": "x"}, 'unknown column "zzz"; the columns are repo, sha, parents'),
    ],
)
def test_a_wrong_value_in_jsonl_is_told_with_its_line(
    tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    path = written(tmp_path, "a.jsonl", as_jsonl() + as_jsonl(**changed))
    assert refusal("commits", path).startswith(f"a.jsonl:2: {said}")


@pytest.mark.parametrize(
    ("commits", "said"),
    [
        ([{"sha": "a"}], "a.jsonl:1: commits.0.authored_at: is missing; write it like [{"),
        (
            [{"sha": "a", "authored_at": "x"}],
            'a.jsonl:1: commits.0.authored_at: "x" is not an instant with a zone',
        ),
        (
            [{"sha": "a", "authored_at": "2026-11-16T09:30:00Z", "bot": 1}],
            'a.jsonl:1: commits: holds an unknown "bot"',
        ),
        (["a"], 'a.jsonl:1: commits.0: "a" is not a struct'),
    ],
)
def test_a_mistake_inside_a_struct_is_told_with_its_path(
    tmp_path: Path, commits: list[Any], said: str
) -> None:
    row = {"repo": "acme/shop", "number": 1, "created_at": "2026-11-16T09:30:00Z", "commits": commits}
    assert refusal("pull_requests", written(tmp_path, "a.jsonl", json.dumps(row))).startswith(said)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "a.csv",
            "repo,authored_at\n",
            'a.csv:1: the column "sha" is missing; add it beside repo',
        ),
        ("a.csv", as_csv().replace("sha", "shaa", 1), 'a.csv:1: unknown column "shaa"; did you mean "sha"?'),
        ("a.csv", "repo,repo\n", 'a.csv:1: the column "repo" comes twice'),
        ("a.csv", "", 'a.csv:1: the column "repo" is missing; add it in a first line'),
        ("a.csv", as_csv() + "acme/shop,x\n", "a.csv:3: has 2 cells where the first line names 4"),
        ("a.csv", as_csv() + '"acme"x,\n', "a.csv:3: is not CSV"),
        ("a.jsonl", as_jsonl() + "{nope\n", "a.jsonl:2: is not JSON"),
        ("a.jsonl", "[" * 100_000, "a.jsonl:1: is not JSON"),
        ("a.jsonl", "[]\n", 'a.jsonl:1: is no JSON object; write a line like {"repo": …}'),
        ("a.parquet", "repo,sha\n", "a.parquet: is not a Parquet file"),
        ("a.xlsx", "", "a.xlsx: a file to import ends in .csv, .jsonl, .ndjson, .parquet"),
    ],
)
def test_a_file_of_the_wrong_form_is_told(tmp_path: Path, name: str, text: str, said: str) -> None:
    assert refusal("commits", written(tmp_path, name, text)).startswith(said)


def test_a_line_number_counts_the_lines_of_cells_before_it(tmp_path: Path) -> None:
    header = "source,id,status,environment,started_at\n"
    text = header + 'x,1,success,"two\nlines",\n' + "x,2,done,prod,\n"
    assert refusal("deployments", written(tmp_path, "a.csv", text)).startswith(
        'a.csv:4: status: "done" is not one of success, failure, cancelled, running'
    )


def test_a_parquet_row_is_told_by_its_number(tmp_path: Path) -> None:
    naive = datetime(2026, 11, 16, 9, 30)
    rows = [{"source": "x", "id": "1", "status": "success", "started_at": naive}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    assert refusal("deployments", tmp_path / "a.parquet").startswith(
        'a.parquet: row 1: started_at: "2026-11-16 09:30:00" is not an instant with a zone'
    )


@pytest.mark.parametrize(
    "cell",
    [
        pa.array([None, number], kind)
        for number in (2**62, -(2**62))
        for kind in (
            pa.timestamp("us", "UTC"),
            pa.timestamp("ms", "UTC"),
            pa.timestamp("us"),
            pa.timestamp("ms"),
        )
    ]
    + [pa.array([None, 2**31 - 1], pa.date32()), pa.array([None, 2**62], pa.date64())],
    ids=lambda cell: f"{cell.type} {cell[1].value}",
)
def test_an_instant_beyond_the_calendar_is_told_by_row_and_column(tmp_path: Path, cell: pa.Array) -> None:
    others = {name: ["x", "y"] for name in ("source", "id", "service")} | {"status": ["success"] * 2}
    pq.write_table(pa.table({**others, "finished_at": cell}), tmp_path / "a.parquet")
    said = refusal("deployments", tmp_path / "a.parquet")
    assert said.startswith("a.parquet: row 2: finished_at: ")
    assert said.endswith("write it like 2026-11-16T09:30:00Z")


def test_numbers_that_pandas_could_not_keep_whole_are_read_from_parquet(tmp_path: Path) -> None:
    table = pa.table(
        {
            "repo": ["acme/shop"] * 2,
            "number": [1, 2],
            "reverts": [float("nan"), 1.0],
            "created_at": pa.array([1_790_000_000_000_000_123] * 2, pa.timestamp("ns", "Europe/Berlin")),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    first, second = read_records("pull_requests", tmp_path / "a.parquet")
    assert (first.model_dump()["reverts"], second.model_dump()["reverts"]) == (None, 1)
    assert type(first.model_dump()["created_at"]) is datetime


def test_numbers_stand_for_ids_in_jsonl(tmp_path: Path) -> None:
    (found,) = read_records(
        "deployments", written(tmp_path, "a.jsonl", '{"source": "x", "id": 7, "status": "success"}')
    )
    assert isinstance(found, Deployment)
    assert found.id == "7"


@pytest.mark.parametrize("score", ["NaN", "Infinity", "1e999", '"many"'])
def test_a_score_is_a_finite_number(tmp_path: Path, score: str) -> None:
    row = '{"round": 1, "respondent": "a", "question": "q", "submitted_at": "2026-11-16T09:30:00Z", '
    text = row + f'"closes_at": "2026-11-16T09:30:00Z", "score": {score}}}'
    assert "score: " in refusal("responses", written(tmp_path, "a.jsonl", text))


def test_an_unknown_kind_names_the_nearest_and_a_missing_file_its_path(tmp_path: Path) -> None:
    assert (
        refusal("deployment", tmp_path / "a.csv")
        == '"deployment" is not a kind of record; did you mean "deployments"?'
    )
    assert refusal("commits", tmp_path / "a.csv").startswith(
        "a.csv: cannot be read: No such file or directory"
    )
    (tmp_path / "c.csv").write_bytes(b"repo\xff\n")
    assert refusal("commits", tmp_path / "c.csv").startswith("c.csv: is not UTF-8 text")


def test_a_hundred_thousand_commits_are_read_in_seconds(tmp_path: Path) -> None:
    lines = "".join(
        f'acme/shop,{n:040x},2026-11-16T09:30:00Z,2026-11-16T09:31:00Z,"[""{n - 1:040x}""]"\n'
        for n in range(1, 100_001)
    )
    path = written(tmp_path, "a.csv", "repo,sha,authored_at,committed_at,parents\n" + lines)
    begun = time.process_time()
    assert sum(1 for _ in read_records("commits", path)) == 100_000
    assert time.process_time() - begun < 10
