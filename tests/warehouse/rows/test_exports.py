"""Exports: what their columns mean, and files that are written anew after each build, whole or not at all."""

import csv
import logging
import resource
from datetime import datetime, time
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from config.errors import DataError
from config.settings import load_settings
from tests.conftest import Sample, Small
from tests.support import small_organisation
from tests.support.places import ROOT
from warehouse.metrics.published_facts import open_facts
from warehouse.pipeline import build_and_export
from warehouse.rows.columns import TABLES, described_columns, exports_page
from warehouse.rows.export import export, export_as_configured
from warehouse.rows.spreadsheets import defused


@pytest.fixture(scope="module")
def exported(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the small organisation's export; to be read only."""
    folder = tmp_path_factory.mktemp("exported")
    with open_facts(small.settings.warehouse) as facts:
        export(facts, small.settings, folder)
    return folder


def heading(path: Path) -> list[str]:
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file))


def test_every_column_of_every_file_is_described_beside_it_and_in_the_documentation(exported: Path) -> None:
    files = {path.stem: heading(path) for path in exported.iterdir() if path.stem != "columns"}
    described: dict[str, list[str]] = {}
    for one in described_columns():
        described.setdefault(one.file, []).append(one.column)
    assert described == files
    with (exported / "columns.csv").open(encoding="utf-8-sig", newline="") as file:
        beside = [tuple(row.values()) for row in csv.DictReader(file)]
    assert beside == list(described_columns())
    written = (ROOT / "docs" / "exports.md").read_text(encoding="utf-8")
    assert written == exports_page(), "run: python -m warehouse.rows.columns > docs/exports.md"


@pytest.mark.parametrize(("form", "enough"), [("csv", "services.csv"), ("parquet", "metrics.parquet")])
def test_an_export_that_cannot_be_written_in_full_leaves_the_one_before(
    small: Small, tmp_path: Path, form: Literal["csv", "parquet"], enough: str
) -> None:
    with open_facts(small.settings.warehouse) as facts:
        paths = export(facts, small.settings, tmp_path, form)
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        # as on a full disk: small files fit, the largest does not
        fits = (tmp_path / enough).stat().st_size
        assert fits < max(path.stat().st_size for path in paths)
        for path in paths:
            path.write_text("of before")
        resource.setrlimit(resource.RLIMIT_FSIZE, (fits, most))
        try:
            with pytest.raises(DataError, match="cannot be written: File too large"):
                export(facts, small.settings, tmp_path, form)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert {path.read_text() for path in tmp_path.iterdir()} == {"of before"}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_fact_table_is_exported_whole_with_its_columns_and_in_the_order_of_their_values(
    sample: Sample, tmp_path: Path, form: Literal["csv", "parquet"]
) -> None:
    with open_facts(sample.settings.warehouse) as facts:
        export(facts, sample.settings, tmp_path, form)
        for table in TABLES:
            told = facts.connection.execute(f"describe {table}").fetchall()
            whole = facts.connection.execute(f"from {table} order by all").fetchall()
            if form == "csv":
                with (tmp_path / f"{table}.csv").open(encoding="utf-8-sig", newline="") as file:
                    head, *rows = csv.reader(file)
                assert head == [name for name, *_ in told]
                assert len(rows) == len(whole)
                texts = [at for at, (_, type, *_) in enumerate(told) if type == "VARCHAR"]
                assert [[row[at] for at in texts] for row in rows] == [
                    ["" if row[at] is None else defused(row[at]) for at in texts] for row in whole
                ]
                continue
            read = pq.read_table(tmp_path / f"{table}.parquet")
            assert read.column_names == [name for name, *_ in told]
            # the same types whatever the values are, days as instants
            of_database = facts.connection.sql(f"from {table}").to_arrow_table().schema
            for field, other in zip(read.schema, of_database, strict=True):
                assert field.type == (pa.timestamp("us") if pa.types.is_date(other.type) else other.type)
            days = [at for at, (_, type, *_) in enumerate(told) if type == "DATE"]
            assert [tuple(row.values()) for row in read.to_pylist()] == [
                tuple(
                    datetime.combine(value, time()) if at in days and value else value
                    for at, value in enumerate(row)
                )
                for row in whole
            ]


def test_an_export_gives_the_database_little_memory_and_disk_beyond_it(
    sample: Sample, tmp_path: Path
) -> None:
    with open_facts(sample.settings.warehouse) as facts:
        export(facts, sample.settings, tmp_path)
        limit = facts.connection.execute("select current_setting('memory_limit')").fetchall()
    assert limit == [("488.2 MiB",)]


def test_each_build_writes_the_exports_anew_and_stands_where_that_fails(
    small: Small, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    acme = small.copied(tmp_path)
    to = "{directory: out, format: parquet, after: build}"
    acme.config.write_text(
        f"{acme.config.read_text()}warehouse: {acme.settings.warehouse.name}\nreports: {{export: {to}}}\n"
    )
    settings = load_settings(acme.config)
    (tmp_path / "out").write_text("a file")
    with caplog.at_level(logging.ERROR):
        built = build_and_export(settings, small_organisation.NOW)
    assert caplog.messages == [f"reports.export: {tmp_path / 'out'}: cannot be written: File exists"]
    with open_facts(settings.warehouse) as facts:
        assert facts.path == built
    (tmp_path / "out").unlink()
    assert export_as_configured(settings) is None
    found = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert found == sorted({f"{one.file}.parquet" for one in described_columns()} | {"columns.csv"})
