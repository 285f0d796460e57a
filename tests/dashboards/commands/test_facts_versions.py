"""Facts of another version: commands say to build them anew, and the service does."""

import re
from pathlib import Path

import duckdb
import pytest

from config.settings import load_settings
from dashboards.commands.steps import build_for_this_version
from tests.conftest import Small
from tests.support.command_line import run
from warehouse.metrics.published_facts import current_facts, open_facts

OTHER = 'sixkeys: {}: was built by another version of Sixkeys; run "sixkeys build"\n'


@pytest.fixture
def folder(small: Small, tmp_path: Path) -> Path:
    return small.copied(tmp_path / "acme").folder


def test_facts_of_another_version_are_not_read_but_built_anew(folder: Path) -> None:
    path = current_facts(folder / "warehouse.duckdb")
    with duckdb.connect(str(path)) as facts:
        facts.execute("update about set definitions = '0.0.1 (before)'")
        facts.execute("alter table deployments drop column rate_excluded_because")
    for command in (["metrics"], ["explain", "DF"], ["export", "report"], ["scorecard"], ["deliver"]):
        done = run(folder, *command)
        assert (done.returncode, done.stderr) == (1, OTHER.format(folder / "warehouse.duckdb"))
    checked = " ".join(run(folder, "check").stdout.split())
    assert re.search("the facts were built by another version of Sixkeys +run .sixkeys build", checked)
    assert run(folder, "build").returncode == 0
    assert run(folder, "metrics").returncode == 0


@pytest.mark.parametrize("told", ["definitions = '0.0.1 (before)'", None])
def test_facts_of_another_version_are_built_anew_as_of_when_they_were(
    folder: Path, capsys: pytest.CaptureFixture[str], told: str | None
) -> None:
    settings = load_settings(folder / "sixkeys.yaml")
    before = current_facts(settings.warehouse)
    build_for_this_version(settings)
    assert (current_facts(settings.warehouse), capsys.readouterr().err) == (before, "")
    with duckdb.connect(str(before)) as facts:
        facts.execute(f"update about set {told}" if told else "alter table about drop column facts_version")
        facts.execute("update about set as_of = timestamp '2026-11-15'")
    build_for_this_version(settings)
    assert "another version of Sixkeys; building them anew\nbuilt " in capsys.readouterr().err
    with open_facts(settings.warehouse) as facts:
        assert f"{facts.as_of:%Y-%m-%d}" == "2026-11-15"


def test_facts_that_cannot_be_built_anew_are_told_in_a_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load_settings(folder / "sixkeys.yaml")
    with duckdb.connect(str(current_facts(settings.warehouse))) as facts:
        facts.execute("update about set definitions = '0.0.1 (before)'")
    settings.warehouse.write_bytes(b"")
    build_for_this_version(settings)
    assert f"sixkeys: {settings.warehouse}: is empty; bring a backup back" in capsys.readouterr().err
