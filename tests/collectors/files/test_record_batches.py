"""Many rows at a time are the same records and the same mistakes as one after the other, whatever stands in a file."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.contract.arrow_types import arrow_schema
from collectors.contract.records import RECORDS, Record
from collectors.files.plain_columns import plain_columns
from collectors.files.record_batches import PLACE, read_batches
from collectors.files.record_files import place, read_rows, record_from
from config.errors import DataError
from tests.collectors.test_import_files import records_of, write_parquet
from tests.warehouse.loading.test_hostile_values import SOUND

DAY = "2026-11-16T09:30:00"
INSTANTS = (
    *(f"{DAY}Z", f"{DAY}+01:00", f"{DAY}-00:00", f"{DAY}.5Z", f"{DAY}.123456+05:30", "2024-02-29 23:59:59Z"),
    *(
        DAY,
        f"{DAY}z",
        f"{DAY}.1234567Z",
        f"{DAY}+0100",
        f"{DAY}+01",
        f"{DAY}+24:00",
        f"{DAY}+23:60",
        f"{DAY}.Z",
    ),
    *("20261116T093000Z", "2026-11-16", "2026-11-16T24:00:00Z", "2026-02-30T00:00:00Z", "2026-11-16T09:30Z"),
    *("1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z", "2100-12-31T23:59:59Z", "2101-01-03T00:00:00Z"),
    *(
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
        "1790000000",
        f" {DAY}Z",
        f"{DAY}Z\n",
        "2026-W47-1",
    ),
)
WHOLES = (
    "0",
    "-1",
    "42",
    "9" * 18,
    "9" * 19,
    "-0",
    "007",
    "+1",
    "1_000",
    " 1",
    "1.0",
    "1.5",
    "1e3",
    str(2**63),
)
NUMBERS = ("4.5", "4,5", "-0.1", "1e5", "nan", "inf", "0x1", ".5", "5.", "1" * 17, "0.1234567890123456789")
TRUTHS = ("true", "True", "TRUE", "false", "False", "yes", "off", "t", "y", "0", "1", "2", "perhaps")
TEXTS = (
    "",
    " ",
    "a",
    "\x00",
    "ä\u2028",
    "\U0001f600",
    "\ufeff",
    "=1+1",
    "x" * 3_000,
    "1.23E+13",
    "1,2E+9",
    "ABC1234",
)
COMMITS = ("abc1234", "ABC1234", "v1.2-RC", "3f786850e387550fdab836ed7e6dc881de23001b", "A" * 64, "a" * 65)
CHOICES = ("success", "failure", "done", "Component", "ticket", "other", "organisation", "team  a", "team")
CELLS = st.sampled_from((*INSTANTS, *WHOLES, *NUMBERS, *TRUTHS, *TEXTS, *COMMITS, *CHOICES))
PARTS = ("sha", "authored_at", "is_merge", "is_bot", "subject", "id", "links", "name", "steps", "x")
PLAIN = st.one_of(
    CELLS,
    st.none(),
    st.booleans(),
    st.integers(-(2**65), 2**65),
    st.sampled_from((0, 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63))),
    st.floats(),
    st.text(max_size=3),
)
ANYTHING = st.recursive(
    PLAIN,
    lambda part: st.one_of(
        st.lists(part, max_size=3),
        st.dictionaries(
            st.sampled_from(("sha", "authored_at", "is_merge", "id", "name", "steps", "x")), part, max_size=3
        ),
    ),
    max_leaves=6,
)
INTEGERS = (pa.int8(), pa.int32(), pa.int64(), pa.uint8(), pa.uint64())
ZONES = (None, "UTC", "Europe/Berlin", "+05:30", "Nowhere/At all")
SECONDS = st.one_of(
    # within an hour that Berlin has twice, before 1970, and any
    st.integers(1_793_494_800, 1_793_502_000),
    st.integers(-100_000, 100_000),
    st.integers(4_102_000_000, 4_134_000_000),
    st.integers(-(2**63), 2**63 - 1),
)


def cells_of(cell: st.SearchStrategy[Any], *kinds: pa.DataType) -> st.SearchStrategy[pa.Array]:
    """Three cells of a column of one of `kinds`; what that has no room for is missing."""

    def column(values: list[Any], kind: pa.DataType) -> pa.Array:
        fitting = []
        for value in values:
            try:
                fitting.append(pa.scalar(value, kind).as_py() and value)
            except (pa.ArrowException, ValueError, OverflowError, TypeError):
                fitting.append(None)
        try:
            return pa.array(fitting, kind)
        except (pa.ArrowException, ValueError, OverflowError, TypeError):
            return pa.nulls(3, kind)

    return st.builds(
        column, st.lists(st.one_of(st.none(), cell), min_size=3, max_size=3), st.sampled_from(kinds)
    )


def instants_of(unit: str, zone: str | None) -> st.SearchStrategy[pa.Array]:
    scale = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    whole = st.builds(lambda second, part: second * scale + part, SECONDS, st.integers(0, scale - 1))
    any_of = st.one_of(st.none(), whole.filter(lambda at: -(2**63) <= at < 2**63))
    return st.lists(any_of, min_size=3, max_size=3).map(
        lambda told: pa.array(told, pa.int64()).view(pa.timestamp(unit, zone))
    )


TEXT_CELLS = cells_of(
    CELLS, pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int8(), pa.string())
)
SINGLE = st.one_of(
    TEXT_CELLS,
    cells_of(st.one_of(st.integers(-5, 5), st.integers(-(2**63), 2**64 - 1)), *INTEGERS),
    cells_of(
        st.one_of(st.floats(), st.sampled_from((1.0, -0.0, 2.0**53, 2.0**53 + 2))), pa.float32(), pa.float64()
    ),
    cells_of(st.booleans(), pa.bool_()),
    cells_of(st.dates(), pa.date32(), pa.date64()),
    st.tuples(st.sampled_from(("s", "ms", "us", "ns")), st.sampled_from(ZONES)).flatmap(
        lambda of: instants_of(*of)
    ),
    st.just(pa.nulls(3)),
)


def lists_of(items: pa.Array, lengths: tuple[int | None, int | None], is_large: bool) -> pa.Array:
    """Three lists that have the three `items` among them; a missing one may have items as well."""
    first, second = lengths
    one, two = first or 0, second or 0
    offsets = [0, min(one, 3), min(one + two, 3), 3]
    lost = pa.array([first is None, second is None, False])
    of = pa.LargeListArray if is_large else pa.ListArray
    kind = pa.int64() if is_large else pa.int32()
    return of.from_arrays(pa.array(offsets, kind), items, mask=lost)


def structs_of(parts: dict[str, pa.Array]) -> pa.Array:
    return pa.StructArray.from_arrays(list(parts.values()), list(parts), mask=pa.array([False, False, True]))


STRUCTS = st.dictionaries(
    st.sampled_from(
        ("sha", "authored_at", "is_merge", "is_bot", "subject", "id", "links", "name", "steps", "x")
    ),
    SINGLE,
    min_size=1,
    max_size=4,
).map(structs_of)
LENGTHS = st.tuples(*[st.sampled_from((None, 0, 1, 2))] * 2)
LISTS = st.builds(lists_of, st.one_of(SINGLE, STRUCTS), LENGTHS, st.booleans())
PAIRS = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(("x", None))), max_size=2)
MAPS = st.lists(st.one_of(st.none(), PAIRS), min_size=3, max_size=3).map(
    lambda pairs: pa.array(pairs, pa.map_(pa.string(), pa.string()))
)
ODD_COLUMNS = st.one_of(SINGLE, LISTS, STRUCTS, MAPS)


def rows_of(kind: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Sound records as JSON has them, of which a cell or two is something else."""
    record = RECORDS[kind]
    changes = st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(sorted(record.model_fields)), ANYTHING), max_size=2
    )

    def changed(found: list[Record], odd: list[tuple[int, str, Any]]) -> list[dict[str, Any]]:
        rows = [one.model_dump(mode="json") for one in found]
        for row, name, value in odd:
            rows[row % len(rows)][name] = value
        return rows

    return st.builds(changed, st.lists(records_of(record), min_size=1, max_size=3), changes)


def write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="", errors="replace") as file:
        writer = csv.writer(file)
        writer.writerow(rows[0])
        for row in rows:
            writer.writerow(json.dumps(v) if isinstance(v, list | dict | bool) else v for v in row.values())


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8", newline="")


def one_by_one(kind: str, path: Path) -> tuple[list[dict[str, Any]], str]:
    """The records of a file as Arrow has them, each with its place, and the mistake that ends the reading."""
    schema = pa.schema([(PLACE, pa.int64()), *arrow_schema(RECORDS[kind])])
    found: list[dict[str, Any]] = []
    mistake = ""
    try:
        for number, row in read_rows(RECORDS[kind], path):
            found.append({PLACE: number, **record_from(RECORDS[kind], row, place(path, number)).model_dump()})
    except DataError as error:
        mistake = str(error)
    return pa.RecordBatch.from_pylist(found, schema).to_pylist(), mistake


def at_a_time(kind: str, path: Path) -> tuple[list[dict[str, Any]], str]:
    found: list[dict[str, Any]] = []
    mistake = ""
    try:
        for batch in read_batches(kind, path):
            batch.validate(full=True)
            found += batch.to_pylist()
    except DataError as error:
        mistake = str(error)
    return found, mistake


@pytest.mark.parametrize(("ending", "write"), [("csv", write_csv), ("jsonl", write_jsonl)])
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_text_file_is_the_same_many_rows_at_a_time(
    ending: str, write: Callable[[Path, list[dict[str, Any]]], None], tmp_path: Path, data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(sorted(RECORDS)))
    path = tmp_path / f"a.{ending}"
    write(path, data.draw(rows_of(kind)))
    assert at_a_time(kind, path) == one_by_one(kind, path)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_parquet_file_is_the_same_many_rows_at_a_time(tmp_path: Path, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(RECORDS)))
    path = tmp_path / "a.parquet"
    write_parquet(path, data.draw(st.lists(records_of(RECORDS[kind]), min_size=3, max_size=3)))
    table = pq.read_table(path)
    names = st.sampled_from(table.schema.names)
    for name, column in data.draw(st.dictionaries(names, ODD_COLUMNS, max_size=2)).items():
        table = table.set_column(table.schema.get_field_index(name), name, column)
    try:
        pq.write_table(table, path)
    except (pa.ArrowException, NotImplementedError):
        return  # no such file can be
    assert at_a_time(kind, path) == one_by_one(kind, path)


@pytest.mark.parametrize(
    ("kind", "column", "is_ever_sure"),
    [
        *(("commits", name, True) for name in ("repo", "sha", "authored_at", "parents", "author")),
        *(("deployments", name, True) for name in ("id", "status", "finished_at")),
        *(("pull_requests", "number", True), ("responses", "score", True), ("repositories", "is_fork", True)),
        # what the record judges by code of its own
        *(("events", "until", False), ("events", "scope", False), ("events", "kind", True)),
    ],
)
def test_of_every_text_that_is_sure_the_record_makes_the_same(
    kind: str, column: str, is_ever_sure: bool
) -> None:
    record, sound = RECORDS[kind], SOUND[kind]
    # a day that there is not puts its whole column in doubt
    instants = [text for text in INSTANTS if not text.startswith("2026-02-30")]
    texts = [*instants, *WHOLES, *NUMBERS, *TRUTHS, *TEXTS, *COMMITS, *CHOICES]
    cells: list[Any] = [[text] for text in texts] if column == "parents" else texts
    told = {name: pa.array([value] * len(cells)) for name, value in sound.items()} | {column: pa.array(cells)}
    columns, sure = plain_columns(record, told, len(cells))
    schema = arrow_schema(record)
    rows = pa.RecordBatch.from_arrays(list(columns.values()), schema=schema).to_pylist()
    plain = [(cell, row) for cell, row, is_sure in zip(cells, rows, sure.to_pylist(), strict=True) if is_sure]
    for cell, row in plain:
        whole = record_from(record, sound | {column: cell}, repr(cell)).model_dump()
        assert pa.RecordBatch.from_pylist([whole], schema).to_pylist() == [row]
    assert bool(plain) == is_ever_sure
