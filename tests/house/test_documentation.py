"""The documentation names what there is: every command, option, key, record and metric, and nothing else."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel

import sixkeys
from collectors.contract.records import RECORDS
from config.metrics import metrics
from config.settings import Settings
from tests.support.places import ROOT
from tests.support.written_paths import paths, there

DOCS = ROOT / "docs"
PAGES = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *DOCS.glob("*.md"),
    *(ROOT / folder / "README.md" for folder in ("tests", "sample_data")),
)
COMMANDS = typer.main.get_command(sixkeys.app).commands  # type: ignore[attr-defined]


def sections(name: str, heading: str) -> dict[str, str]:
    """The parts of a page below headings of one kind (`## `), by the heading's text."""
    text = (DOCS / name).read_text(encoding="utf-8")
    parts = re.split(rf"(?m)^{heading} (.+)$", text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every key of the configuration, those of a list's entries below the list's own."""
    for own, field in model.model_fields.items():
        name = field.alias or own
        inner = list(models(field.annotation))
        if inner:
            yield from keys(inner[0], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from models(part)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    assert re.search(rf"Example: sixkeys ({name}|metrics)\b", command.help), f"{name} shows no example"
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{name} {parameter.name} has no help"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented_with_all_its_options(name: str) -> None:
    documented = sections("commands.md", "##")[f"`sixkeys {name}`"]
    options = {o for p in COMMANDS[name].params for o in (*p.opts, *p.secondary_opts) if o.startswith("--")}
    common = {"--config", "--warehouse", "--help"}
    assert set(re.findall(r"(?<![\w-])--[a-z-]+", documented)) | common >= options
    assert set(re.findall(r"^\| `(--[a-z-]+)", documented, re.MULTILINE)) <= options | common


def test_no_documented_command_is_missing() -> None:
    assert {f"`sixkeys {name}`" for name in COMMANDS} == {
        heading for heading in sections("commands.md", "##") if heading.startswith("`sixkeys ")
    }


def test_every_key_of_the_configuration_is_documented_and_no_other() -> None:
    pages = (DOCS / name for name in ("configuration.md", "sources.md"))
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    assert sorted(re.findall(r"(?m)^\| `([a-z_.]+)` \|", text)) == sorted(keys(Settings))


@pytest.mark.parametrize("kind", RECORDS)
def test_every_record_is_documented_with_its_columns(kind: str) -> None:
    documented = sections("records.md", "###")[f"`{kind}`"]
    found = re.findall(r"(?m)^\| `([a-z_]+)`(\*?) \|", documented)
    assert [column for column, _ in found] == list(RECORDS[kind].model_fields)
    assert [column for column, key in found if key] == list(RECORDS[kind].KEY)


def test_every_metric_is_documented_with_its_names_and_unit() -> None:
    text = (DOCS / "metrics.md").read_text(encoding="utf-8")
    for metric in metrics().values():
        row = next(line for line in text.splitlines() if line.startswith("|") and f"`{metric.id}`" in line)
        assert metric.name in row
        assert f"`{metric.fact}`" in row
        assert metric.statistic in row or metric.statistic in ("rate", "share")


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_on_a_page_is_there(page: Path) -> None:
    assert [path for path, _ in paths(page.read_text(encoding="utf-8")) if not there(path)] == []
