"""The rows of a fact table as cells that people read: what identifies each, what it brought in, where it came from."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from config.metrics import Metric
from dashboards.figures import formats
from dashboards.figures.formats import MISSING
from warehouse.rows.reasons import FactRow

SHA_LENGTH = 7
LONGEST_NAME = 16
_LONGEST_HOST = 28


@dataclass(frozen=True)
class Heading:
    """A column's title; `wide` ones hold sentences, `number` ones are aligned to the right."""

    title: str
    wide: bool = False
    number: bool = False

    @property
    def kind(self) -> str:
        """What its cells are, as a class of the style sheet; empty where there is nothing special to them."""
        return "wide" if self.wide else "number" if self.number else ""


@dataclass(frozen=True)
class Cell:
    """A cell's text, a smaller line below it, what a tooltip says exactly, where it leads, and its colour."""

    text: str
    note: str = ""
    title: str = ""
    address: str = ""
    tone: str = ""


@dataclass(frozen=True)
class FactColumn:
    """A heading and how a row (and the time zone) fills it."""

    heading: Heading
    fill: Callable[[FactRow, str], Cell]


def _time(title: str, column: str) -> FactColumn:
    def fill(row: FactRow, timezone: str) -> Cell:
        return moment_cell(row[column], timezone)

    return FactColumn(Heading(title), fill)


def moment_cell(at: datetime | None, timezone: str, note: str = "") -> Cell:
    """An instant (naive: UTC): the local day, the hour and a note below it, the exact instant in UTC as the tooltip."""
    day, _, hour = formats.moment(at, timezone).partition(", ")
    return Cell(day, joined(hour, note), f"{at.isoformat()}Z" if at else "")


def _text(
    title: str, column: str, note: Callable[[FactRow], str] = lambda row: "", wide: bool = False
) -> FactColumn:
    return FactColumn(Heading(title, wide=wide), lambda row, _: Cell(str(row[column] or MISSING), note(row)))


def short(sha: str | None) -> str:
    """As much of a commit's SHA as people read; empty for None."""
    return sha[:SHA_LENGTH] if sha else ""


def joined(*parts: str | None) -> str:
    """The parts that there are, with a dot between them."""
    return " · ".join(part for part in parts if part)


def revision(row: FactRow, _: str = "") -> Cell:
    """What a deployment brought: the commit with its branch or tag, or the configuration where only that is known."""
    if row["sha"]:
        return Cell(short(row["sha"]), row["ref"] or "", row["sha"])
    config = f"{row['config_repo']}@{short(row['config_sha'])}" if row["config_sha"] else ""
    return Cell("commit unknown", config, row["config_sha"] or "")


def _blamed(row: FactRow, _: str) -> Cell:
    named = str(row["blames_id"] or MISSING)
    return Cell(elided(named), row["blamed_by"] or "", named if row["blames_id"] else "")


def _which_change(row: FactRow) -> str:
    return joined(f"{row['repo']}@{short(row['sha'])}", row["assisted_by"] and f"with {row['assisted_by']}")


def elided(name: str) -> str:
    """An identifier with its end, which tells it from others, and as much of its beginning as there is room for."""
    return name if len(name) <= LONGEST_NAME else f"{name[:5]}…{name[5 - LONGEST_NAME :]}"


_SERVICE = _text("Service", "service", lambda row: row["team"] or "")
# what identifies a row of each fact table, and what is good to know of it
_COLUMNS = {
    "repositories": (
        _text("Repository", "repo"),
        _SERVICE,
        _time("Created", "created_at"),
        FactColumn(
            Heading("First commit"),
            lambda row, zone: moment_cell(row["first_commit_at"], zone, short(row["first_commit_sha"])),
        ),
    ),
    "deployments": (
        _time("Finished", "at"),
        _SERVICE,
        _text("Environment", "environment"),
        FactColumn(Heading("Commit"), revision),
    ),
    "changes": (
        _time("Deployed", "at"),
        _SERVICE,
        _text("Change", "subject", _which_change, wide=True),
        _time("Authored", "authored_at"),
    ),
    "incidents": (
        _time("Resolved", "resolved_at"),
        _SERVICE,
        _text("Incident", "title", lambda row: joined(row["urgency"], row["priority"]), wide=True),
        _time("Opened", "opened_at"),
        FactColumn(Heading("Blames"), _blamed),
    ),
    "recoveries": (
        _time("Recovered", "at"),
        _SERVICE,
        FactColumn(Heading("Deployment"), lambda row, _: Cell(elided(row["id"]), row["source"], row["id"])),
        _time("Finished", "finished_at"),
    ),
}
_INPUTS = {
    "deployment_frequency": "Counts",
    "change_failure_rate": "Failed",
    "deployment_rework_rate": "Rework",
    "lead_time": "Lead time",
    "mttr": "Open for",
    "failed_deployment_recovery_time": "Recovered in",
    "time_to_first_commit": "Took",
}


def headings(metric: Metric, counts: bool) -> tuple[Heading, ...]:
    """The columns of the rows that count, or of those left out."""
    last = (
        (Heading(_INPUTS[metric.id], number=True), Heading("Rule", wide=True))
        if counts
        else (Heading("Left out because", wide=True),)
    )
    return (*(column.heading for column in _COLUMNS[metric.fact]), *last, Heading("Source"))


def cells(metric: Metric, row: FactRow, timezone: str) -> tuple[Cell, ...]:
    """The row's cells below `headings`."""
    if row["excluded_because"] is None:
        last: tuple[Cell, ...] = (
            _input(metric, row["value"]),
            Cell(formats.local_times(row["rule"], timezone)),
        )
    else:
        last = (Cell(formats.local_times(row["excluded_because"], timezone)),)
    return (
        *(column.fill(row, timezone) for column in _COLUMNS[metric.fact]),
        *last,
        source_cell(metric.fact, row),
    )


def _input(metric: Metric, value: float) -> Cell:
    if metric.statistic == "share":
        return Cell("yes", tone="missed") if value else Cell("no")
    if metric.statistic == "rate":
        return Cell("once")
    return Cell(formats.figure(value, metric.unit), title=formats.exact(value, metric.unit))


def source_cell(fact: str, row: FactRow) -> Cell:
    """The link to where the row came from, in the words of that place; no link where no address is known."""
    address = followable(row["url"])
    return Cell(_place(fact, row) if address else MISSING, address=address)


def followable(url: str | None) -> str:
    """`url` where a browser may be led there, else nothing: what a source sends is not trusted."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return ""
    return str(url) if parts.scheme in ("http", "https") and parts.netloc else ""


def _place(fact: str, row: FactRow) -> str:
    if fact == "changes":
        number = row["pull_request"]
        return f"Pull request #{number}" if number is not None else "Commit"
    if fact == "repositories":
        return "GitHub"
    if row["source"] == "import":
        return host_of(row["url"])
    return {"argocd": "Argo CD", "pagerduty": "PagerDuty"}.get(row["source"], "GitHub")


def host_of(url: str) -> str:
    """Where an address leads, as much of it as there is room for: "jenkins.acme.example"."""
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    return host if len(host) <= _LONGEST_HOST else f"{host[: _LONGEST_HOST - 1]}…"
