"""Incidents as a list: since when and for how long, which deployment each blames and by what evidence."""

from collections.abc import Iterable, Mapping
from typing import Any

from dashboards.deployments_and_incidents.content import (
    Around,
    Kind,
    Line,
    Part,
    alone,
    instant,
    lasted,
    said,
    took,
)
from dashboards.deployments_and_incidents.deployment_rows import METHODS
from dashboards.figures.fact_cells import Cell, Heading, elided, joined, moment, revision, source, web_address
from dashboards.figures.formats import MISSING, figure, plural
from dashboards.frame.view import LISTED, link
from warehouse.rows.listed_details import of_incidents
from warehouse.rows.listing import INCIDENTS, Counts

Row = Mapping[str, Any]

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


def line(row: Row, around: Around) -> Line:
    """An incident."""
    resolved = row["resolved_at"]
    cells = (
        moment(row["opened_at"], around.timezone),
        Cell(
            row["title"] or row["id"],
            joined(row["urgency"] and f"{row['urgency']} urgency", row["priority"]),
            row["id"],
        ),
        _owner(row),
        moment(resolved, around.timezone) if resolved else Cell("still open", tone="missed"),
        lasted(row["open_seconds"]) if resolved else _open_for(row["seconds_since_opened"]),
        _blames(row, around),
        Cell("left out", row["excluded_because"], tone="quiet")
        if row["excluded_because"]
        else Cell("✓ counted", tone="met"),
        _source(row),
    )
    return Line(cells, tuple(_parts(row, around)))


def _owner(row: Row) -> Cell:
    """The service, or the smallest scope that holds all services that the incident concerns."""
    if row["service"]:
        return Cell(row["service"], row["team"] or "")
    if row["team"] or row["system"]:
        return Cell("several services", joined(row["team"] and f"of team {row['team']}", row["system"]))
    return Cell("no service", tone="quiet")


def _open_for(seconds: float) -> Cell:
    return Cell(figure(seconds, "seconds"), "so far", title="until these numbers were made")


def _blames(row: Row, around: Around) -> Cell:
    """The deployment it blames and the method, or that it blames none."""
    if row["blames_id"] is None:
        return Cell("none", _NONE.get(row["blamed_by"], "no evidence names one"))
    method = METHODS.get(row["blamed_by"], row["blamed_by"] or "")
    address = link("deployments", alone(around.view, row["blames_source"], row["blames_id"]))
    blamed = around.details.deployments.get((row["blames_source"], row["blames_id"]), ())
    named = f"{blamed[0]['service']} {revision(blamed[0]).text}" if blamed else elided(row["blames_id"])
    return Cell(named, f"by {method}", row["blames_id"], address)


def _source(row: Row) -> Cell:
    shown = source("incidents", row)
    name = _SOURCES.get(row["source"], row["source"])
    return Cell(shown.text if shown.address else name, title=f"{name}: {row['id']}", address=shown.address)


def _parts(row: Row, around: Around) -> Iterable[Part]:
    key = (row["source"], row["id"])
    yield _about(row, around)
    if evidence := around.details.evidence.get(key, ()):
        yield Part(
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
                    Cell(one["detail"] or MISSING),
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


def _about(row: Row, around: Around) -> Part:
    zone = around.timezone
    return Part(
        "The incident",
        said(
            ("Id", Cell(row["id"])),
            ("Told by", Cell(_SOURCES.get(row["source"], row["source"]))),
            ("Status", Cell(row["status"])),
            ("Urgency", Cell(row["urgency"] or "")),
            ("Priority", Cell(row["priority"] or "")),
            ("Opened", instant(row["opened_at"], zone)),
            ("Acknowledged", instant(row["acknowledged_at"], zone)),
            ("Acknowledged after", took(row["opened_at"], row["acknowledged_at"])),
            ("Resolved", instant(row["resolved_at"], zone)),
            ("Service at its source", Cell(row["source_service"] or "")),
            ("System", Cell(row["system"] or "")),
            ("Left out because", Cell(row["excluded_because"] or "")),
            ("Linked by hand", Cell(row["link_reason"] or "")),
        ),
    )


def _events(events: Iterable[Mapping[str, Any]]) -> Part:
    """The change events that PagerDuty relates to it; its guess at the most recent one is no evidence."""
    return Part(
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
    addresses = [address for address in map(web_address, event["links"] or ()) if address]
    reason = (event["reason"] or MISSING).replace("_", " ")
    led = Cell("Open", title=addresses[0], address=addresses[0]) if addresses else Cell(MISSING)
    return Cell(event["id"]), Cell(reason), Cell(event["details"] or MISSING), led


def _summary(counts: Counts) -> str:
    still_open = counts.states["open"]
    return (
        f"{plural(counts.total, 'incident')}, {still_open:,} still open"
        if still_open
        else plural(counts.total, "incident")
    )


KIND = Kind(
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
    line=line,
    summary=_summary,
    hint="Incidents resolved in the period, and those still open. Open one to see the evidence and related changes.",
)
