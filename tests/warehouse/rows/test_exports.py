"""Exports: what their columns mean, and files that are written anew after each build, whole or not at all."""

import csv
import logging
import resource
from pathlib import Path

import pytest

from config.errors import DataError
from config.settings import load_settings
from tests.conftest import Small
from tests.support import small_organisation
from tests.support.places import ROOT
from warehouse.metrics.published_facts import open_facts
from warehouse.pipeline import build_and_export
from warehouse.rows.columns import described_columns, exports_page
from warehouse.rows.export import export, export_as_configured


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


def test_an_export_that_cannot_be_written_in_full_leaves_the_one_before(
    exported: Path, small: Small, tmp_path: Path
) -> None:
    with open_facts(small.settings.warehouse) as facts:
        for path in export(facts, small.settings, tmp_path):
            path.write_text("of before")
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        # as on a full disk: small files fit, the largest does not
        enough = (exported / "services.csv").stat().st_size
        assert enough < max(path.stat().st_size for path in exported.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (enough, most))
        try:
            with pytest.raises(DataError, match="cannot be written: File too large"):
                export(facts, small.settings, tmp_path)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in exported.iterdir()}
    assert {path.read_text() for path in tmp_path.iterdir()} == {"of before"}


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
