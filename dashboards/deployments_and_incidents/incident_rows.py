"""Incidents as a list: since when and for how long, which deployment each blames and by what evidence."""

from collections.abc import Iterable, Mapping
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
from dashboards.deployments_and_incidents.deployment_rows import METHODS
from dashboards.figures.fact_cells import (
    Cell,
    Heading,
    elided,
    followable,
    host_of,
    joined,
    moment_cell,
    revision,
    source_cell,
)
from dashboards.figures.formats import MISSING, figure, local_times, plural
from dashboards.frame.view import LISTED, link
from warehouse.rows.listed_details import of_incidents
from warehouse.rows.listing import INCIDENTS, Counts
from warehouse.rows.reasons import FactRow, causes_in_words

_SOURCES: Mapping[str, str] = {"pagerduty": "PagerDuty", "github_issues": "GitHub issue", "import": "import"}
_NONE = {
    "link: blames none": "no deployment, by hand",
    "link: to no known production deployment": "linked to no known deployment",
    "link: to a deployment that does not count": "linked to one that does not count",
}
_HEADINGS = (
    Heading("Opened"),
    Heading("Incident", wide=True),
    Heading("Service"),
    Heading("Resolved"),
    Heading("Open for", number=True),
    Heading("Blames", wide=True),
    Heading("In MTTR", wide=True),
    Heading("Source"),
)


def incident_line(row: FactRow, around: Around) -> ListLine:
    """An incident."""
    resolved = row["resolved_at"]
    cells = (
        moment_cell(row["opened_at"], around.timezone),
        Cell(
            row["title"] or row["id"],
            joined(row["urgency"] and f"{row['urgency']} urgency", row["priority"]),
            row["id"],
        ),
        _owner(row),
        moment_cell(resolved, around.timezone) if resolved else Cell("still open", tone="missed"),
        duration_cell(row["open_seconds"]) if resolved else _open_for(row["seconds_since_opened"]),
        _blames(row, around),
        Cell("left out", row["excluded_because"], tone="quiet")
        if row["excluded_because"]
        else Cell("✓ counted", tone="met"),
        _source(row),
    )
    return ListLine(cells, tuple(_parts(row, around)))


def _owner(row: FactRow) -> Cell:
    """The service, or the smallest scope that holds all services that the incident concerns."""
    if row["service"]:
        return Cell(row["service"], row["team"] or "")
    if row["team"] or row["system"]:
        return Cell("several services", joined(row["team"] and f"of team {row['team']}", row["system"]))
    return Cell("no service", tone="quiet")


def _open_for(seconds: float) -> Cell:
    return Cell(figure(seconds, "seconds"), "so far", title="until these numbers were made")


def _blames(row: FactRow, around: Around) -> Cell:
    """The deployment it blames and the method, or that it blames none."""
    if row["possible_causes"]:
        return Cell(
            "none alone", causes_in_words(row), "several that share its source were deployed by themselves"
        )
    if row["blames_id"] is None:
        return Cell("none", _NONE.get(row["blamed_by"], "no evidence names one"))
    method = METHODS.get(row["blamed_by"], row["blamed_by"] or "")
    address = link("deployments", alone(around.view, row["blames_source"], row["blames_id"]))
    blamed = around.details.deployments.get((row["blames_source"], row["blames_id"]), ())
    named = f"{blamed[0]['service']} {revision(blamed[0]).text}" if blamed else elided(row["blames_id"])
    return Cell(named, f"by {method}", row["blames_id"], address)


def _source(row: FactRow) -> Cell:
    shown = source_cell("incidents", row)
    name = _SOURCES.get(row["source"], row["source"])
    return Cell(shown.text if shown.address else name, title=f"{name}: {row['id']}", address=shown.address)


def _parts(row: FactRow, around: Around) -> Iterable[LinePart]:
    key = (row["source"], row["id"])
    yield _about(row, around)
    if evidence := around.details.evidence.get(key, ()):
        yield LinePart(
            "Evidence against deployments",
            headings=(
                Heading("Method"),
                Heading("Evidence", wide=True),
                Heading("Service"),
                Heading("Deployment"),
            ),
            rows=tuple(
                (
                    Cell(METHODS.get(one["method"], one["method"])),
                    Cell(local_times(one["detail"] or MISSING, around.timezone)),
                    Cell(one["service"]),
                    Cell(
                        elided(one["id"]),
                        title=one["id"],
                        address=link("deployments", alone(around.view, one["source"], one["id"])),
                    ),
                )
                for one in evidence
            ),
        )
    if row["change_events"]:
        yield _events(row["change_events"])


def _about(row: FactRow, around: Around) -> LinePart:
    zone = around.timezone
    return LinePart(
        "The incident",
        known_pairs(
            ("Id", Cell(row["id"])),
            ("Told by", Cell(_SOURCES.get(row["source"], row["source"]))),
            ("Status", Cell(row["status"])),
            ("Urgency", Cell(row["urgency"] or "")),
            ("Priority", Cell(row["priority"] or "")),
            ("Opened", instant_cell(row["opened_at"], zone)),
            ("Acknowledged", instant_cell(row["acknowledged_at"], zone)),
            ("Acknowledged after", between_cell(row["opened_at"], row["acknowledged_at"])),
            ("Resolved", instant_cell(row["resolved_at"], zone)),
            ("Service at its source", Cell(row["source_service"] or "")),
            ("System", Cell(row["system"] or "")),
            ("Left out because", Cell(row["excluded_because"] or "")),
            ("Cause", Cell(causes_in_words(row))),
            ("Linked by hand", Cell(row["link_reason"] or "")),
        ),
    )


def _events(events: Iterable[Mapping[str, Any]]) -> LinePart:
    """The change events that PagerDuty relates to it; its guess at the most recent one is no evidence."""
    return LinePart(
        "Related change events",
        headings=(
            Heading("Event"),
            Heading("Related because"),
            Heading("Details", wide=True),
            Heading("Link"),
        ),
        rows=tuple(_event(event) for event in events),
        note='What PagerDuty relates because it was the most recent change ("most recent") is never taken as evidence.',
    )


def _event(event: Mapping[str, Any]) -> tuple[Cell, ...]:
    addresses = [address for address in map(followable, event["links"] or ()) if address]
    reason = (event["reason"] or MISSING).replace("_", " ")
    led = (
        Cell(host_of(addresses[0]), title=addresses[0], address=addresses[0]) if addresses else Cell(MISSING)
    )
    return Cell(event["id"]), Cell(reason), Cell(event["details"] or MISSING), led


def _summary(counts: Counts) -> str:
    still_open = counts.states["open"]
    return (
        f"{plural(counts.total, 'incident')}, {still_open:,} still open"
        if still_open
        else plural(counts.total, "incident")
    )


INCIDENT_LIST = ListKind(
    listing=INCIDENTS,
    page="incidents",
    noun="incident",
    states={
        "open": "Still open",
        "counted": "In MTTR",
        "blames": "Blame a deployment",
        "blames none": "Blame none",
        "left out": "Left out of MTTR",
    },
    orders={key: LISTED[key] for key in ("newest", "oldest", "longest", "open")},
    searched="Title, service, team, urgency or id",
    headings=_HEADINGS,
    details=of_incidents,
    line=incident_line,
    summary=_summary,
    hint="Incidents resolved in the period, and those still open. Open one to see the evidence and related changes.",
)
