"""What a service or a team still misses on the platform, and what to do about each."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from config.settings import Settings
from dashboards.figures import formats
from dashboards.frame import view as periods
from dashboards.frame.view import Filters
from dashboards.platform_use.content import ListedCell, MissList, leads_out, service_cell
from warehouse.metrics.periods import full_range, today
from warehouse.metrics.published_facts import open_facts
from warehouse.rows.catalogue_entries import CatalogueEntry
from warehouse.rows.platform_rows import PlatformRows, platform_rows

_HEADINGS = ("Of", "What is missing", "Why", "What to do")
# what to do about a step, by what became of it
_STEPS = {
    "missing": "Add the job to the workflow; one of another name is found by match in the path’s description.",
    "failed": "Let it pass before the deployment; the run says why it failed.",
    "skipped": "Let it run for what is deployed, too.",
    "too long": "Make it shorter, or agree on a longer timeout with the platform team.",
    "late": "Let the deployment wait for it.",
    "out of order": "Let it wait for the step that it follows.",
    "approved by hand": "Let the path deploy by itself: remove the approval from the environment.",
}
_SCAN = "Let the scan run and pass before each deployment; the next one is looked at."
_PATH = "Follow a path, and name it in the annotation sixkeys.dev/golden-path of the catalogue entry."


def rows_of_view(warehouse: Path, settings: Settings, view: Filters) -> PlatformRows:
    """What is known of the platform for the service or team of `view`, in its period."""
    with open_facts(warehouse) as facts:
        days = full_range(facts, *periods.view_days(view, today(facts)))
        return platform_rows(facts, *days, view.where)


def what_is_missing(rows: PlatformRows, entries: Sequence[CatalogueEntry], view: Filters) -> MissList:
    """A row for each step, guardrail, choice and request; that a service is on no path where others are."""
    found = [*_without_path(rows, entries, view), *_steps(rows, view), *_guardrails(rows, view)]
    found += [*_off_road(rows, view), *_requests(rows)]
    return MissList(_HEADINGS, tuple(found), len(found))


def _without_path(
    rows: PlatformRows, entries: Sequence[CatalogueEntry], view: Filters
) -> Iterator[tuple[ListedCell, ...]]:
    for entry in entries:
        if entry.mapped and not entry.golden_path and rows.has_paths:
            yield (
                service_cell(entry.name, view),
                ListedCell("Golden path"),
                ListedCell("It follows none."),
                ListedCell(_PATH),
            )


def _steps(rows: PlatformRows, view: Filters) -> Iterator[tuple[ListedCell, ...]]:
    times = Counter((one.service, one.step, one.outcome) for one in rows.missed)
    told = set()
    for one in rows.missed:  # the newest first
        key = (one.service, one.step, one.outcome)
        if key not in told:
            told.add(key)
            often = f" ({formats.plural(times[key], 'deployment')})"
            yield (
                service_cell(one.service, view),
                ListedCell(f"Step {one.step}{often}"),
                leads_out(one.reason, one.url),
                ListedCell(_STEPS.get(one.outcome, "")),
            )


def _guardrails(rows: PlatformRows, view: Filters) -> Iterator[tuple[ListedCell, ...]]:
    for one in rows.broken:
        is_scan = one.rule == "Security scanning"
        yield (
            service_cell(one.service, view),
            ListedCell(f"Guardrail {one.rule}"),
            leads_out(f"{'' if is_scan else f'{one.object}: '}{one.reason}", one.url),
            ListedCell(_SCAN if is_scan else "Change the manifest; Argo CD is read again within a day."),
        )


def _off_road(rows: PlatformRows, view: Filters) -> Iterator[tuple[ListedCell, ...]]:
    for one in rows.off_road:
        yield (
            service_cell(one.service, view),
            ListedCell(f"Paved road: {one.aspect}"),
            ListedCell(f"It takes {one.found}."),
            ListedCell(f"Move to {one.allowed}."),
        )


def _requests(rows: PlatformRows) -> Iterator[tuple[ListedCell, ...]]:
    for one in rows.open_requests:
        to_do = "Mend the request; see what its run or sync says." if one.status == "failed" else ""
        yield (
            ListedCell(one.team or "nobody’s"),
            ListedCell(f"Request {one.name} ({one.kind})"),
            leads_out("It failed." if one.status == "failed" else "It waits.", one.url),
            ListedCell(to_do or "Wait, or ask the platform team."),
        )
