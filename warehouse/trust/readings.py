"""Until when each source was last read well, of what, and what may be missing where it was not."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import NamedTuple

from config.settings import Settings, source_names
from warehouse.metrics.facts import Facts
from warehouse.metrics.units import listed
from warehouse.metrics.values import narrowing
from warehouse.trust.runs_and_doubts import last_runs


class _Told(NamedTuple):
    """A source as people call it, what it tells of, and where that is no kind, what may be wrong without it."""

    name: str
    kinds: tuple[str, ...] = ()
    wanting: str = "something may be missing"


# by the name of its runs, without that of an instance; what tells of no kind concerns them all
_SOURCES = {
    "argocd": _Told("Argo CD", ("deployments",)),
    "catalog": _Told("The service catalogue", wanting="services may stand under a former owner"),
    "events": _Told("The list of events", wanting="charts may lack what happened"),
    "git": _Told("Git", ("changes",)),
    "github": _Told("GitHub", ("deployments", "changes", "repositories")),
    "github_issues": _Told("GitHub's issues", ("incidents",)),
    "github_jobs": _Told("GitHub's jobs", wanting="steps of golden paths may be unknown"),
    "links": _Told("The list of causes", wanting="failures may lack the deployment that caused them"),
    "pagerduty": _Told("PagerDuty", ("incidents",)),
    "requests": _Told("Requests to the platform", ("requests",)),
    "survey": _Told("The survey", ("responses",)),
    "tickets": _Told("The list of tickets", ("requests",)),
}
# by kind the number that it is the input of, and what that lacks
_WANTING = {
    "deployments": ("deployments", "deployments may be missing"),
    "changes": ("lead times", "lead times may be missing changes"),
    "incidents": ("recovery times", "recovery times may be missing incidents"),
    "responses": ("satisfaction", "satisfaction may be missing answers"),
    "repositories": ("times to first commit", "times to first commit may be missing repositories"),
    "requests": ("times of self-service", "times of self-service may be missing requests"),
}
# whose runs cover what coverage names otherwise
_READ_BY_GITHUB = ("deployments", "releases", "tags", "workflow_runs", "pull_requests", "repositories")


@dataclass(frozen=True)
class Reading:
    """A source by its name for people: `read_at` (UTC) begins its last good reading, None where there was none yet.

    `kinds` is what it tells of, `wanting` what may be wrong since it `is_failing`.
    """

    name: str
    kinds: tuple[str, ...]
    wanting: str
    read_at: datetime | None
    is_failing: bool

    def concerns(self, kinds: Iterable[str]) -> bool:
        """Whether what is shown of these kinds is of it."""
        return not self.kinds or not set(self.kinds).isdisjoint(kinds)

    def sentence(self, since: str) -> str:
        """That it was not read `since` (of `read_at`, in words), and what that means."""
        told = f"has not been read since {since}" if self.read_at else "has not been read yet"
        return f"{self.name} {told}: {self.wanting}"


@dataclass(frozen=True)
class Readings:
    """The sources of a scope, until when imports tell of each kind (UTC), and the first day that is covered of it."""

    sources: tuple[Reading, ...] = ()
    imported: Mapping[str, datetime] = field(default_factory=dict)
    begins: Mapping[str, date] = field(default_factory=dict)


def readings(facts: Facts, settings: Settings, where: Mapping[str, str]) -> Readings:
    """What the facts rest on within `where`, from the sources that are configured."""
    return Readings(
        tuple(_sources(facts, settings, where)),
        _imported(facts, where),
        _begins(facts, where),
    )


def source_name(run: str) -> str:
    """A source as people call it, by the name of its runs."""
    head, _, instance = run.partition(":")
    name = _SOURCES.get(head, _Told(run)).name
    return f"{name} ({instance})" if instance else name


def covering_name(source: str) -> str:
    """What covers days as people call it, by its name in coverage: "GitHub pull requests"."""
    if source in _READ_BY_GITHUB:
        return f"GitHub {source.replace('_', ' ')}"
    return source_name(source)


def failing(facts: Facts, settings: Settings, where: Mapping[str, str]) -> list[Reading]:
    """The sources whose last reading failed, of those that tell of what `where` narrows to."""
    return [one for one in _sources(facts, settings, where) if one.is_failing]


def oldest_reading(facts: Facts, settings: Settings, where: Mapping[str, str]) -> datetime:
    """The oldest last good reading of what tells of `where` (UTC); where there was none, when the facts were built."""
    read = [one.read_at for one in _sources(facts, settings, where) if one.kinds and one.read_at]
    return min(read, default=facts.as_of)


def _sources(facts: Facts, settings: Settings, where: Mapping[str, str]) -> Iterator[Reading]:
    known, runs = source_names(settings), last_runs(facts)
    everywhere = _kinds(facts, {}) if runs else {}
    within = _kinds(facts, where) if runs and where else everywhere
    for run in runs:
        if known and run.source not in known:  # what it once failed at is no news
            continue
        told = _SOURCES.get(run.source.partition(":")[0], _Told(run.source))
        kinds = within.get(run.source, () if run.source in everywhere else told.kinds)
        if kinds or not told.kinds:
            read_at = min(run.succeeded_at, facts.as_of) if run.succeeded_at else None
            wanting = _wanting(kinds) if kinds else told.wanting
            yield Reading(
                source_name(run.source), kinds, wanting, read_at, run.status == "failed" or read_at is None
            )


def _wanting(kinds: Sequence[str]) -> str:
    """What may be wrong where these kinds were not read."""
    if len(kinds) == 1:
        return _WANTING[kinds[0]][1]
    numbers = [number for kind, (number, _) in _WANTING.items() if kind in kinds and kind != "repositories"]
    return f"{listed(numbers)} may be incomplete"


def _kinds(facts: Facts, where: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """By the name of its runs the kinds of fact that each source tells of within `where`."""
    sql = (
        "select distinct"
        f" case when f.source in {_READ_BY_GITHUB} then 'github'"
        " when f.source = 'argocd' then 'argocd:' || split_part(f.subject, '/', 1) else f.source end as source, f.fact"
        f" from service_coverage as f where not f.is_superseded and f.fact in {tuple(_WANTING)}"
        # answers are of no service, so that they are everybody's
        f" and (f.fact = 'responses' or (true{narrowing(where)})) order by all"
    )
    found: dict[str, tuple[str, ...]] = {}
    for source, kind in facts.connection.execute(sql, dict(where)).fetchall():
        found[source] = (*found.get(source, ()), kind)
    return found


def _imported(facts: Facts, where: Mapping[str, str]) -> dict[str, datetime]:
    sql = (
        "select f.fact, max(f.until_at) from service_coverage as f where f.source like 'import %'"
        f" and not f.is_superseded and (f.fact = 'responses' or (true{narrowing(where)})) group by f.fact"
    )
    rows = facts.connection.execute(sql, dict(where)).fetchall()
    return {kind: min(until.replace(tzinfo=UTC), facts.as_of) for kind, until in rows}


def _begins(facts: Facts, where: Mapping[str, str]) -> dict[str, date]:
    # rounds and repositories are events of their own: no day of them is missing
    sql = (
        "select f.fact, min(f.day) from covered_days as f where f.fact in ('deployments', 'incidents')"
        f"{narrowing(where)} group by f.fact"
    )
    return dict(facts.connection.execute(sql, dict(where)).fetchall())
