"""What a terminal, a file and a program get to see."""

import io
import json
from datetime import UTC, date, datetime

from rich.console import Console

from dashboards.commands import terminal
from dashboards.commands.progress_display import shown_on
from dashboards.figures.tables import as_csv, as_json
from warehouse.metrics.values import Value


def shown(renderable: object, width: int = 200) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(renderable)
    return out.getvalue()


def value(metric: str, status: str, number: float | None, name: str = "acme", **more: object) -> Value:
    fields = {
        "scope": "organisation",
        "period_start": date(2026, 11, 9),
        "period_end": date(2026, 11, 16),
        "unit": "seconds",
        "n": 12,
        "target": "< 1 hour",
        "partial": False,
    }
    return Value(metric=metric, status=status, value=number, name=name, **{**fields, **more})  # type: ignore[arg-type]


def test_one_scope_and_period_are_a_row_a_metric() -> None:
    table = shown(
        terminal.values_table(
            [value("lead_time", "missed", 3780, p75=7200), value("mttr", "none", None, n=0)]
        )
    )
    lead_time, mttr = (line for line in table.splitlines() if "< 1 hour" in line)
    assert " ".join(lead_time.split()) == "Lead Time for Changes 63 min 2 h < 1 hour ✗ missed 12 changes"
    assert " ".join(mttr.split()) == "Mean Time to Recovery – < 1 hour ○ none 0 incidents"
    assert "acme, 9 – 15 Nov 2026" in table


def test_several_are_a_row_each_with_what_is_missing_in_words() -> None:
    week = {"period_start": date(2026, 11, 16), "period_end": date(2026, 11, 23), "partial": True}
    values = [
        value("lead_time", "met", 600, "payments", scope="team"),
        value("lead_time", "insufficient", 7200, "payments", scope="team", **week),
        value("mttr", "no data", None, "payments", scope="team"),
        value("mttr", "withheld", None, "payments", scope="team", **week),
    ]
    lines = shown(terminal.values_table(values)).splitlines()
    assert next(line for line in lines if "9 – 15" in line).split()[-4:] == ["min", "✓", "no", "data"]
    assert next(line for line in lines if "16 – 22" in line).split()[-5:] == [
        "(running)",
        "2",
        "h",
        "…",
        "withheld",
    ]


def test_no_values_say_how_to_find_names() -> None:
    assert "sixkeys metrics --by service" in shown(terminal.values_table([]))


def test_text_from_data_is_never_markup() -> None:
    table = shown(terminal.values_table([value("mttr", "met", 60, "[red]payments[/red]")]))
    assert "[red]payments[/red]" in table


def test_csv_has_no_cell_that_a_spreadsheet_would_execute() -> None:
    rows = [
        {
            "subject": "=HYPERLINK(1)",
            "n": -3,
            "at": datetime(2026, 11, 9, 8),
            "paths": ["a", "b"],
            "none": None,
        }
    ]
    assert as_csv(rows) == (
        '\ufeffsubject,n,at,paths,none\n\'=HYPERLINK(1),-3,2026-11-09T08:00:00Z,"[""a"", ""b""]",\n'
    )
    assert as_csv([]) == ""


def test_json_has_instants_in_iso_8601() -> None:
    content = {
        "at": datetime(2026, 11, 9, 8),
        "aware": datetime(2026, 11, 9, 8, tzinfo=UTC),
        "on": date(2026, 11, 9),
    }
    assert json.loads(as_json(content)) == {
        "at": "2026-11-09T08:00:00Z",
        "aware": "2026-11-09T08:00:00+00:00",
        "on": "2026-11-09",
    }


def test_progress_away_from_a_terminal_is_a_line_at_the_start_and_the_end() -> None:
    out = io.StringIO()
    with shown_on(Console(file=out)) as progress:
        progress.start("github")
        for _ in range(1000):
            progress.advance("github", "pull_requests", 3)
        progress.finish("github", "3,000 pull requests [done]", failed=False)
        progress.start("argocd:main")
        progress.finish("argocd:main", "argocd main: answered 401", failed=True)
    lines = out.getvalue().splitlines()
    assert lines[0] == "github: reading"
    assert lines[1].startswith("github: 3,000 pull requests [done] (")
    assert lines[3].startswith("argocd:main: failed: argocd main: answered 401 (")
    assert len(lines) == 4


def test_progress_on_a_terminal_shows_what_how_many_and_the_end() -> None:
    out = io.StringIO()
    with shown_on(Console(file=out, force_terminal=True, width=120)) as progress:
        progress.start("github")
        progress.advance("github", "pull_requests", 1200)
        progress.advance("github", "deployments", 5)
        progress.finish("github", "1,205 records", failed=False)
    assert "github" in out.getvalue()
    assert "1,205 records" in out.getvalue()
