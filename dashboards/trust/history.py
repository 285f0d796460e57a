"""How coverage and the sources' runs went over time, as people read it; no Streamlit, no database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from dashboards.figures import formats
from dashboards.trust import content
from dashboards.trust.content import SourceLine
from warehouse.trust.coverage_weeks import CoverageWeek
from warehouse.trust.runs_and_doubts import RecordedRun


@dataclass(frozen=True)
class Weekly:
    """A share by week: the figure, and of what it is made; empty where the week has no rows."""

    title: str
    cells: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SourceHistory:
    """A source's last runs, newest first, summed up in a line."""

    source: str
    summary: str
    has_failed: bool
    runs: tuple[SourceLine, ...]


def weekly(weeks: Sequence[CoverageWeek]) -> tuple[list[tuple[str, str]], list[Weekly]]:
    """(each week's name with its Monday, the shares); nothing where no week has any row."""
    parts = (
        ("Deployments traced", "deployment", [(week.traced, week.deployments) for week in weeks]),
        ("Changes with a pull request", "change", [(week.with_pull_request, week.changes) for week in weeks]),
        ("Incidents linked", "incident", [(week.linked, week.incidents) for week in weeks]),
    )
    if not any(whole for _, _, counts in parts for _, whole in counts):
        return [], []
    named = [(formats.week(week.monday).partition("-")[2], formats.day(week.monday)) for week in weeks]
    return named, [
        Weekly(
            title,
            tuple(
                (formats.share(part, whole), f"{part:,} of {formats.plural(whole, noun)}")
                if whole
                else ("", "")
                for part, whole in counts
            ),
        )
        for title, noun, counts in parts
    ]


def histories(runs: Iterable[RecordedRun], timezone: str) -> list[SourceHistory]:
    """The runs by source, in the order given; why one failed is told with the last run only."""
    by_source: dict[str, list[RecordedRun]] = {}
    for run in runs:
        by_source.setdefault(run.source, []).append(run)
    return [
        SourceHistory(
            source,
            _summary(of_source),
            any(run.status == "failed" for run in of_source),
            tuple(content.source_line(run, timezone) for run in of_source),
        )
        for source, of_source in by_source.items()
    ]


def _summary(runs: Sequence[RecordedRun]) -> str:
    failed = sum(run.status == "failed" for run in runs)
    took = [(run.finished_at - run.started_at).total_seconds() for run in runs if run.finished_at is not None]
    said = [formats.plural(len(runs), "run"), f"{failed:,} failed" if failed else "none failed"]
    if took:
        said.append(f"usually {content.run_duration(median(took))}")
    return " · ".join(said)
