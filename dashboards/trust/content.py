"""What the numbers rest on as people read it, made from coverage; no Streamlit, no database."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from config.metrics import metrics
from config.settings import DEPLOYMENT_SOURCES
from dashboards.figures import formats
from dashboards.figures.formats import MISSING, moment, plural, share
from dashboards.frame.trust_sentences import trust_sentences
from dashboards.frame.view import Filters, link
from warehouse.trust.coverage import UNTOLD, UNTRACED, ServiceCoverage, Unmapped
from warehouse.trust.runs_and_doubts import RecordedRun, Undelivered
from warehouse.trust.silenced import SilencedSource

if TYPE_CHECKING:
    from dashboards.trust.loading import Trust

# a share that is lower, of so many rows at least, stands against the numbers: as of incidents, more than a fifth lacks
_MOST, _ENOUGH = 0.8, 5
# what a catalogue's component says to claim a name, by the kind of name
_MAPPING = {
    "repository": ("a component whose repository it is", "github.com/project-slug: {name}"),
    "Argo CD application": ("the annotation on its component", "argocd/app-name: {name}"),
    "PagerDuty service": ("the annotation on its component", "pagerduty.com/service-id: {name}"),
    "service of an import": ("a component of this name", "name: {name}"),
    "incident without a service": ("a service on the incident in PagerDuty, or in the imported file", ""),
}


@dataclass(frozen=True)
class Share:
    """A share of rows: `percent` for a bar, None where there are no rows, and of what it is made.

    `doubt` says in a sentence what so low a share does to the numbers, and is empty where it is high enough.
    """

    title: str
    tooltip: str
    figure: str
    percent: float | None
    counts: str
    of: str
    parts: tuple[str, ...]
    doubt: str = ""


@dataclass(frozen=True)
class ServiceLine:
    """A service's coverage: its shares, until when its sources were read, and what is wanting."""

    name: str
    address: str
    mapped: bool
    shares: tuple[Share, ...]
    read_until: str
    read_each: str
    wanting: tuple[str, ...]
    few: str

    @property
    def is_idle(self) -> bool:
        """Whether nothing of it is in the period."""
        return all(share.percent is None and not share.parts for share in self.shares)


@dataclass(frozen=True)
class SourceLine:
    """A source's last run in words; `tone` is `met`, `missed` or `quiet`."""

    name: str
    tone: str
    status: str
    started: str
    took: str
    items: str
    quarantined: str
    requests: str
    received: str
    waited: str
    said: str


@dataclass(frozen=True)
class Unclaimed:
    """A name in no catalogue, how many rows speak of it, and what would claim it."""

    kind: str
    name: str
    rows: int
    how: str
    annotation: str
    file: str
    descriptor: str


def to_know(found: "Trust", unread: Iterable[str]) -> list[str]:
    """All that stands against the numbers: sources that are `unread`, in sentences, gaps and names, and low shares."""
    doubts = [share.doubt for share in shares(found.whole) if share.doubt] if found.whole else []
    return [*unread, *trust_sentences(found.doubts), *doubts]


def headline(known: Sequence[str]) -> str:
    """The page's answer in one line, from all that there is `to_know`."""
    if not known:
        return "Nothing known stands against these numbers"
    return f"{plural(len(known), 'thing')} to know before you rely on these numbers"


def shares(of: ServiceCoverage) -> tuple[Share, ...]:
    """How much of a scope's deployments, changes and incidents is known to its cause.

    What an import leaves out, since it may, is told and counts as neither known nor unknown.
    """
    rest = {"unlinked": of.unlinked, "unnamed": of.incidents - of.linkable}
    return (
        _share(
            "Deployments traced to their commit",
            "Only a deployment whose commit is known in the history can deliver changes and have a lead time.",
            of.traced,
            of.traceable,
            "deployment",
            of.traced_by,
            "deployments can be traced to their commit: lead time speaks of these alone",
        ),
        _share(
            "Changes with a pull request",
            "Only these have the stages of lead time: coding, pickup, review, deploy.",
            of.changes_with_pull_request,
            of.changes,
            "change",
            {},
        ),
        _share(
            "Incidents linked to a cause",
            "Linked to the deployment that caused it, or known to be caused by none; by which evidence.",
            of.linkable - of.unlinked,
            of.linkable,
            "incident",
            {**of.linked_by, **{name: n for name, n in rest.items() if n}},
            "incidents can be linked to a cause: failure rates may be too low",
        ),
    )


def _share(
    title: str, tooltip: str, part: int, whole: int, noun: str, parts: Mapping[str, int], doubt: str = ""
) -> Share:
    is_low = bool(doubt) and whole >= _ENOUGH and part < _MOST * whole
    known = [f"{count:,} {_WORDS.get(name, f'by {name}')}" for name, count in parts.items()]
    return Share(
        title,
        tooltip,
        share(part, whole),
        100 * part / whole if whole else None,
        f"{part:,} of {whole:,}",
        f"{part:,} of {plural(whole, noun)}",
        tuple(known),
        f"Only {share(part, whole)} of {doubt}" if is_low else "",
    )


_WORDS = {
    UNTRACED: "with unknown commit",
    UNTOLD: UNTOLD,
    "import": "as imported",
    "deployment": "by GitHub deployment",
    "trailer": "by commit trailer",
    "image sha": "by image SHA",
    "image tag": "by image tag",
    "config image sha": "by image SHA in the config repository",
    "config image tag": "by image tag in the config repository",
    "window": "by time window",
    "unlinked": "unlinked",
    "unnamed": "imported without a service",
    "link": "by hand",
    "link: blames none": "caused by none, by hand",
}


def service_lines(found: "Trust", view: Filters, timezone: str) -> list[ServiceLine]:
    """A line for each service: those that want something first, those without any row last, else by name."""
    made = [_line(service, view, timezone) for service in found.services]
    return sorted(made, key=lambda line: (not line.wanting, line.is_idle, line.name.casefold()))


def service_rows(services: Iterable[ServiceCoverage]) -> list[dict[str, Any]]:
    """The services as a CSV has them: counts of rows of the period, and until when each was read."""
    return [
        {
            "name": of.name,
            "in_catalogue": of.is_mapped,
            "deployments": of.deployments,
            "traced": of.traced,
            "changes": of.changes,
            "changes_with_pull_request": of.changes_with_pull_request,
            "incidents": of.incidents,
            "linked": of.linkable - of.unlinked,
            "read_until": min((fresh.read_until for fresh in of.freshness), default=None),
            "gaps": len(stretches([of])),
            "set_aside": of.quarantined,
        }
        for of in services
    ]


def _line(of: ServiceCoverage, view: Filters, timezone: str) -> ServiceLine:
    each = [f"{fresh.source}: {moment(fresh.read_until, timezone)}" for fresh in of.freshness]
    oldest = min((fresh.read_until for fresh in of.freshness), default=None)
    narrowed = Filters(period=view.period, start=view.start, end=view.end, service=of.name)
    return ServiceLine(
        of.name,
        link(".", narrowed),
        of.is_mapped,
        shares(of),
        moment(oldest, timezone),
        "\n".join(each),
        tuple(_wanting(of)),
        ", ".join(
            metrics()[metric].short for metric, status in of.statuses.items() if status == "insufficient"
        ),
    )


def _wanting(of: ServiceCoverage) -> Iterable[str]:
    if not of.is_mapped and (of.deployments or of.changes or of.incidents):
        yield "owned by nobody"
    if of.traceable > of.traced:
        yield plural(of.traceable - of.traced, "untraced deployment")
    if of.unlinked:
        yield plural(of.unlinked, "unlinked incident")
    if of.statuses.get("change_failure_rate") == "unwatched":
        yield "no imported incident names it" if of.are_nameless else "incidents are not read"
    if of.gaps:
        yield plural(len(stretches([of])), "gap")
    if of.quarantined:
        yield f"{plural(of.quarantined, 'item')} set aside"


def stretches(of: Iterable[ServiceCoverage]) -> list[tuple[str, str, datetime, datetime, int | None]]:
    """(source, subject, from, until, lost entries) of each stretch in which a source was not read, the newest first."""
    found = {
        (gap.source, gap.subject, gap.from_at, gap.until_at, gap.lost_entries)
        for one in of
        for gap in one.gaps
    }
    return sorted(found, key=lambda gap: (gap[2], gap[0], gap[1]), reverse=True)


def gaps(of: Iterable[ServiceCoverage], timezone: str) -> list[tuple[str, ...]]:
    """The cells of each of the `stretches`."""
    return [
        (source, subject, moment(start, timezone), moment(end, timezone), f"{lost:,}" if lost else MISSING)
        for source, subject, start, end, lost in stretches(of)
    ]


def source_lines(runs: Iterable[RecordedRun], timezone: str) -> list[SourceLine]:
    """The last run of each source, failed ones first."""
    made = sorted(runs, key=lambda run: (run.status != "failed", run.source))
    return [source_line(run, timezone) for run in made]


def source_line(run: RecordedRun, timezone: str) -> SourceLine:
    """A run in words."""
    tone, status = {
        "ok": ("met", "✓ read"),
        "failed": ("missed", "✗ failed"),
    }.get(run.status, ("quiet", "… not ended"))
    said = run.error or ""
    if run.status != "ok":
        good = f"last read {moment(run.succeeded_at, timezone)}" if run.succeeded_at else "never read yet"
        said = f"{said or 'no reason was recorded'} ({good})"
    return SourceLine(
        run.source,
        tone,
        status,
        moment(run.started_at, timezone),
        _took(run),
        f"{run.items:,}",
        f"{run.quarantined:,}",
        f"{run.requests:,}" + (f" ({run.failed_requests:,} failed)" if run.failed_requests else ""),
        f"{run.bytes / 1_000_000:,.2f} MB" if run.bytes else "",
        f"{run.waited_seconds:,.0f} s" if run.waited_seconds >= 1 else "",
        said,
    )


def _took(run: RecordedRun) -> str:
    if run.finished_at is None:
        return MISSING
    return run_duration((run.finished_at - run.started_at).total_seconds())


def run_duration(seconds: float) -> str:
    """How long a run took; to a tenth of a second where it was short."""
    return f"{seconds:.1f} s" if seconds < 10 else formats.figure(seconds, "seconds")


def silenced_cells(found: Iterable[SilencedSource]) -> list[tuple[str, ...]]:
    """(service, who speaks for it, who is left out, rows, days) of each source that is not heard."""
    return [
        (
            one.service,
            *(DEPLOYMENT_SOURCES.get(name, name) for name in (one.told_by, one.source)),
            f"{one.rows:,}",
            formats.days(one.first_day, one.last_day + timedelta(days=1)),
        )
        for one in found
    ]


def undelivered_cells(found: Iterable[Undelivered], timezone: str) -> list[tuple[str, ...]]:
    """(what, of whom, how, when, what became of it) of each scorecard and alert that did not arrive."""
    return [
        (
            f"{one.kind.partition(' ')[0].capitalize()} {one.week}",
            f"{one.name} ({one.scope})",
            f"{one.channel} ({one.targets:,})" if one.targets > 1 else one.channel,
            moment(one.tried_at, timezone),
            one.error,
        )
        for one in found
    ]


def unmapped(names: Iterable[Unmapped], from_github: bool = False) -> list[Unclaimed]:
    """The names in no catalogue, those that most rows speak of first, each with what would claim it and where.

    `from_github`: whether descriptors are read from the repositories too.
    """
    ordered = sorted(names, key=lambda one: (-one.rows, one.kind, one.name))
    return [
        Unclaimed(
            one.kind,
            one.name,
            one.rows,
            how,
            annotation.format(name=_yaml(one.name)),
            _file(one, from_github) if annotation else "",
            _descriptor(one.name, annotation.format(name=_yaml(one.name))) if annotation else "",
        )
        for one in ordered
        for how, annotation in [_MAPPING.get(one.kind, ("a component of this name", "name: {name}"))]
    ]


def _file(one: Unmapped, from_github: bool) -> str:
    """Where what claims the name is written."""
    if one.kind == "repository" and from_github:
        return f"catalog-info.yaml of {one.name}, or a file of sources.catalog.files"
    return "the component's catalog-info.yaml" if from_github else "a file of sources.catalog.files"


def _descriptor(name: str, line: str) -> str:
    """A whole component with the line that claims the name, to be copied and completed."""
    called = _yaml(re.sub(r"[^A-Za-z0-9_.-]+", "-", name.rpartition("/")[2]).strip("-") or "my-service")
    named = line if line.startswith("name: ") else f"name: {called}\n  annotations:\n    {line}"
    return (
        f"apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  {named}\n"
        "spec:\n  type: service\n  lifecycle: production\n  owner: my-team\n"
    )


def _yaml(text: str) -> str:
    """A text as YAML takes it: as it is where that is safe, else quoted as JSON is."""
    return text if re.fullmatch(r"[A-Za-z][A-Za-z0-9_./-]*", text) else json.dumps(text, ensure_ascii=False)
