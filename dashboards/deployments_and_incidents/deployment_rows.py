"""Deployments as a list: what each brought, whether it failed and by what evidence, how it was recovered."""

from collections.abc import Mapping
from typing import Any

from dashboards.deployments_and_incidents.content import (
    Around,
    LinePart,
    ListKind,
    ListLine,
    alone,
    between_cell,
    duration_cell,
    instant_cell,
    known_pairs,
)
from dashboards.figures.fact_cells import Cell, Heading, joined, moment_cell, revision, short, source_cell
from dashboards.figures.formats import MISSING, figure, local_times, plural
from dashboards.frame.view import LISTED, link
from warehouse.rows.listed_details import MOST_CHANGES, of_deployments
from warehouse.rows.listing import DEPLOYMENTS, Counts
from warehouse.rows.reasons import FactRow, same_in_words

SOURCES: Mapping[str, str] = {
    "argocd": "Argo CD",
    "deployments": "GitHub deployment",
    "workflow_runs": "GitHub workflow run",
    "releases": "GitHub release",
    "tags": "Git tag",
    "import": "import",
}
METHODS: Mapping[str, str] = {
    "link": "a person's link",
    "rollback": "a rollback",
    "revert": "a revert",
    "change event": "a change event",
    "window": "the time window",
}
_KINDS = {
    "deployment": "First arrival of this revision in production",
    "configuration change": "A new configuration of the same revision",
    "roll-forward": "Return to a later revision",
    "rollback": "Rollback to an earlier revision",
    "repeat": "A revision that was running already",
    "further environment": "A further environment",
    "duplicate": "Told by another source",
    "unsuccessful": "Never reached production",
}
_HEADINGS = (
    Heading("Finished"),
    Heading("Service"),
    Heading("Environment"),
    Heading("Revision"),
    Heading("Brought", number=True),
    Heading("State", wide=True),
    Heading("Recovered in", number=True),
    Heading("Source"),
)


def deployment_line(row: FactRow, around: Around) -> ListLine:
    """A deployment of one service."""
    key = (row["source"], row["id"], row["service"])
    changes = around.details.changes.get(key, ())
    slowest = changes[0]["lead_time_seconds"] if changes else None
    cells = (
        moment_cell(row["at"] or row["started_at"], around.timezone, "" if row["at"] else "started"),
        Cell(row["service"], row["team"] or ""),
        Cell(row["environment"] or MISSING),
        revision(row),
        _brought(row, slowest),
        _state(row),
        _recovered(row),
        _source(row),
    )
    return ListLine(cells, tuple(_parts(row, around)))


def _brought(row: FactRow, slowest: float | None) -> Cell:
    if row["excluded_because"] is not None and not row["changes"]:
        return Cell(MISSING)
    if not row["changes"]:
        unknown = row["sha"] is None
        return Cell(
            "unknown" if unknown else "no changes", "its first: history" if row["is_baseline"] else ""
        )
    exact = f"slowest {slowest:,.9g} seconds" if slowest is not None else ""
    note = f"slowest {figure(slowest, 'seconds')}" if slowest is not None else ""
    return Cell(plural(row["changes"], "change"), note, exact)


def _state(row: FactRow) -> Cell:
    if row["failed"]:
        return Cell(
            "✗ failed",
            f"by {METHODS.get(row['failed_by'], row['failed_by'])}",
            row["failed_evidence"] or "",
            tone="missed",
        )
    if row["kind"] == "rollback":
        return Cell("↩ rollback", _besides(row, "rollback"), tone="quiet")
    if row["excluded_because"] is not None:
        return Cell("left out", row["excluded_because"], tone="quiet")
    return Cell("✓ counted", f"rework: {row['rework_because']}" if row["rework"] else "", tone="met")


def _besides(row: FactRow, known: str) -> str:
    return row["excluded_because"] if row["excluded_because"] not in (None, known) else ""


def _recovered(row: FactRow) -> Cell:
    if not row["failed"]:
        return Cell("")
    if row["recovery_seconds"] is None or row["not_recovered_because"] is not None:
        return Cell(row["not_recovered_because"] or MISSING)
    return duration_cell(row["recovery_seconds"])


def _source(row: FactRow) -> Cell:
    shown = source_cell("deployments", row)
    name = SOURCES.get(row["source"], row["source"])
    return Cell(shown.text if shown.address else name, title=f"{name}: {row['id']}", address=shown.address)


def _parts(row: FactRow, around: Around) -> list[LinePart]:
    key = (row["source"], row["id"], row["service"])
    found = [_about(row, around)]
    if changes := around.details.changes.get(key, ()):
        found.append(_changes(row, changes, around))
    if evidence := around.details.evidence.get(key, ()):
        found.append(
            LinePart(
                "Evidence that it failed, strongest first",
                headings=(Heading("Method"), Heading("Evidence", wide=True)),
                rows=tuple(
                    (Cell(METHODS.get(one["method"], one["method"])), _evidence(one, around))
                    for one in evidence
                ),
            )
        )
    if incidents := around.details.incidents.get(key[:2], ()):
        found.append(_incidents(incidents, around))
    return found


def _about(row: FactRow, around: Around) -> LinePart:
    zone = around.timezone
    counted = row["counted_as_id"]
    stands_for = link("deployments", alone(around.view, row["counted_as_source"], counted)) if counted else ""
    return LinePart(
        "The deployment",
        known_pairs(
            ("Id", Cell(row["id"])),
            ("Told by", Cell(SOURCES.get(row["source"], row["source"]))),
            ("Started", instant_cell(row["started_at"], zone)),
            ("Finished", instant_cell(row["at"], zone)),
            ("Took", between_cell(row["started_at"], row["at"])),
            ("Status", Cell(row["status"])),
            ("Repository", Cell(row["repo"] or "")),
            ("Commit", Cell(row["sha"] or "")),
            ("Commit found by", Cell(row["sha_method"] or "")),
            ("Helped by", Cell(row["assisted_by"] or "")),
            ("Branch or tag", Cell(row["ref"] or "")),
            (
                "Configuration",
                Cell(f"{row['config_repo'] or ''}@{row['config_sha']}" if row["config_sha"] else ""),
            ),
            ("What it was", Cell(_KINDS.get(row["kind"], row["kind"] or ""))),
            ("Left out because", Cell(row["excluded_because"] or "")),
            ("Stands for", Cell(counted if counted and counted != row["id"] else "", address=stands_for)),
            ("Rework because", Cell(row["rework_because"] or "")),
            ("Recovered by", Cell(row["recovered_by"] or "")),
            ("Recovered", instant_cell(row["recovered_at"], zone)),
            (
                "Commits of other parts",
                Cell(f"{row['unrelated_commits']:,}" if row["unrelated_commits"] else ""),
            ),
        ),
    )


def _changes(row: FactRow, changes: Any, around: Around) -> LinePart:
    more = row["changes"] - len(changes)
    return LinePart(
        f"{plural(row['changes'], 'change')}, slowest first",
        headings=(
            Heading("Change", wide=True),
            Heading("Authored"),
            Heading("Lead time", number=True),
            Heading("Source"),
        ),
        rows=tuple(
            (
                Cell(
                    change["subject"] or MISSING,
                    joined(f"{change['repo']}@{short(change['sha'])}", same_in_words(change)),
                    change["sha"],
                ),
                instant_cell(change["authored_at"], around.timezone),
                duration_cell(change["lead_time_seconds"]),
                source_cell("changes", change),
            )
            for change in changes
        ),
        note=f"and {more:,} more; the {MOST_CHANGES} slowest are shown" if more > 0 else "",
    )


def _evidence(one: FactRow, around: Around) -> Cell:
    """An incident's leads to the incident, a rollback's or a revert's to the deployment that undid this one."""
    page = "incidents" if one["method"] in ("link", "change event", "window") else "deployments"
    address = link(page, alone(around.view, one["by_source"], one["by_id"])) if one["by_id"] else ""
    return Cell(local_times(one["detail"] or MISSING, around.timezone), address=address)


def _incidents(incidents: Any, around: Around) -> LinePart:
    return LinePart(
        "Incidents that blame it",
        headings=(
            Heading("Incident", wide=True),
            Heading("Opened"),
            Heading("Open for", number=True),
            Heading("By"),
            Heading("Source"),
        ),
        rows=tuple(
            (
                Cell(
                    one["title"] or one["id"],
                    address=link("incidents", alone(around.view, one["source"], one["id"])),
                ),
                instant_cell(one["opened_at"], around.timezone),
                duration_cell(one["open_seconds"])
                if one["resolved_at"]
                else Cell("still open", tone="missed"),
                Cell(METHODS.get(one["blamed_by"], one["blamed_by"] or MISSING)),
                source_cell("incidents", one),
            )
            for one in incidents
        ),
    )


def _summary(counts: Counts) -> str:
    counted, failed = counts.entities_in["counted"], counts.entities_in["failed"]
    total = plural(counted, "deployment that counts", "deployments that count")
    told = f"{total}, {failed:,} of them failed"
    return told if counted == counts.states["counted"] else f"{told}; rows: one a service"


DEPLOYMENT_LIST = ListKind(
    listing=DEPLOYMENTS,
    page="deployments",
    noun="deployment",
    states={
        "counted": "Counted",
        "failed": "Failed",
        "rollback": "Rollbacks",
        "rework": "Rework",
        "left out": "Left out",
    },
    orders={key: LISTED[key] for key in ("newest", "oldest", "most")},
    searched="Service, team, revision, ref or id",
    headings=_HEADINGS,
    details=of_deployments,
    line=deployment_line,
    summary=_summary,
    hint="Production deployments as their sources tell them. Open one for what it brought and what speaks against it.",
    has_environments=True,
)
