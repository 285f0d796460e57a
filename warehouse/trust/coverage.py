"""What the numbers rest on: how much is traced, linked and read, for each service and pooled."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from config.settings import DEPLOYMENT_SOURCES, Settings
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import full_range
from warehouse.metrics.pooled import scoped
from warehouse.metrics.values import Scope, Status, compute, narrowing

UNTRACED = "commit unknown"
# what an import leaves out, since it may: it is not for want of reading that it is unknown
UNTOLD = "imported without a commit"


@dataclass(frozen=True)
class Gap:
    """A stretch (UTC) between two readings of a source in which rows may be missing.

    `fact` is what would be missing: `deployments`, `incidents`, `changes` and so on; `lost_entries` how many entries
    are known to be lost, None where the source does not tell.
    """

    fact: str
    source: str
    subject: str
    from_at: datetime
    until_at: datetime
    lost_entries: int | None


@dataclass(frozen=True)
class Freshness:
    """From when until when (UTC) a source was read about the scope, gaps aside; for an import, what it covers."""

    source: str
    read_until: datetime
    read_since: datetime


@dataclass(frozen=True)
class Unmapped:
    """A name that no component of the catalogue claims, with how many rows speak of it."""

    kind: str
    name: str
    rows: int


@dataclass(frozen=True)
class ServiceCoverage:
    """What is known of a scope in a range; each deployment or incident that services share is counted once.

    `deployments` are the counted ones, `traced` those whose commit is in the history that was read, `traced_by` how
    the commits were found (the rest as `commit unknown`). `untold` of them were imported without a commit, and so are
    not there to be traced. `incidents` are all that could be evidence, `linked_by` by what a deployment is blamed (or
    said to be innocent), `unlinked` the rest but for those that were imported without a service, by which they could
    be linked; `are_nameless` where that holds for all that were imported. `statuses` are each metric's over the range:
    `insufficient` where there are fewer rows than its floor. `gaps`, `freshness`, `unmapped` and `quarantined`
    are of all time.
    """

    scope: Scope
    name: str
    services: int
    is_mapped: bool
    deployments: int = 0
    traced: int = 0
    untold: int = 0
    traced_by: Mapping[str, int] = field(default_factory=dict)
    changes: int = 0
    changes_with_pull_request: int = 0
    incidents: int = 0
    linked_by: Mapping[str, int] = field(default_factory=dict)
    unlinked: int = 0
    are_nameless: bool = False
    gaps: tuple[Gap, ...] = ()
    freshness: tuple[Freshness, ...] = ()
    unmapped: tuple[Unmapped, ...] = ()
    quarantined: int = 0
    statuses: Mapping[str, Status] = field(default_factory=dict)

    @property
    def traceable(self) -> int:
        """The deployments that could be traced to a commit."""
        return self.deployments - self.untold

    @property
    def linkable(self) -> int:
        """The incidents that could be linked to a deployment."""
        return sum(self.linked_by.values()) + self.unlinked

    @property
    def traced_share(self) -> float | None:
        """The share of traceable deployments that are traced to a commit, 0 to 1; None without any."""
        return self.traced / self.traceable if self.traceable else None

    @property
    def pull_request_share(self) -> float | None:
        """The share of changes that came by a pull request, 0 to 1; None without changes."""
        return self.changes_with_pull_request / self.changes if self.changes else None

    @property
    def linked_share(self) -> float | None:
        """The share of linkable incidents of which a deployment is known to be the cause, or none; None without any."""
        return 1 - self.unlinked / self.linkable if self.linkable else None

    @property
    def lost_entries(self) -> int:
        """How many entries of a source are known to be lost in all gaps."""
        return sum(gap.lost_entries or 0 for gap in self.gaps)


def coverage(
    facts: Facts,
    settings: Settings,
    by: Scope = "service",
    start: date | None = None,
    end: date | None = None,
    where: Mapping[str, str] | None = None,
) -> list[ServiceCoverage]:
    """One for each service, team or system in order of name, or one for the organisation; days as `compute` takes them.

    `where` narrows as for `compute`. What belongs to no service (an unmapped application, an item of the quarantine) is
    in the organisation's only.
    """
    first, after = full_range(facts, start, end)
    asked = _Asked(facts, by, {"start": first, "end": after}, where or {})
    statuses: dict[str, dict[str, Status]] = {}
    for value in compute(facts, settings, by, None, first, after, where):
        statuses.setdefault(value.name, {})[value.metric] = value.status
    services = {name: (n, mapped) for name, n, mapped in asked.rows(_SERVICES, ranged=False)}
    methods = asked.counts(_METHODS)
    changes = {name: found for name, *found in asked.rows(_CHANGES)}
    linked = asked.counts(_LINKED)
    are_nameless = imports_name_no_service(facts, first, after)
    gaps, fresh, unmapped = asked.gaps(), asked.freshness(), asked.unmapped()
    quarantined = dict(asked.rows(_QUARANTINED, ranged=False))
    if by == "organisation":
        quarantined = dict(asked.rows("select '', count(*) from quarantine as f", ranged=False))
    return [
        ServiceCoverage(
            scope=by,
            name=name or facts.organization,
            services=n,
            is_mapped=mapped,
            deployments=sum(methods.get(name, {}).values()),
            traced=sum(
                count for method, count in methods.get(name, {}).items() if method not in (UNTRACED, UNTOLD)
            ),
            untold=methods.get(name, {}).get(UNTOLD, 0),
            traced_by=methods.get(name, {}),
            changes=changes.get(name, (0, 0))[0],
            changes_with_pull_request=changes.get(name, (0, 0))[1],
            incidents=sum(linked.get(name, {}).values()),
            linked_by={
                method: count
                for method, count in linked.get(name, {}).items()
                if method not in ("", _NAMELESS)
            },
            unlinked=linked.get(name, {}).get("", 0),
            are_nameless=are_nameless,
            gaps=tuple(gaps.get(name, ())),
            freshness=tuple(fresh.get(name, ())),
            unmapped=tuple(unmapped.get(name, ())),
            quarantined=quarantined.get(name, 0),
            statuses=statuses.get(name or facts.organization, {}),
        )
        for name, (n, mapped) in sorted(services.items())
    ]


# the local day on which an incident was opened, and whether it lies within the range; a zone is never a day from UTC,
# so most of the others are left unread
OPENED = "cast(timezone($zone, timezone('UTC', f.opened_at)) as date)"
OPENED_WITHIN = (
    "f.opened_at >= cast($start as timestamp) - interval 1 day"
    " and f.opened_at < cast($end as timestamp) + interval 1 day"
    f" and {OPENED} >= $start and {OPENED} < $end"
)
_RANGE = "f.day >= $start and f.day < $end"
_SERVICES = (
    "select {scope} as name, count(*), bool_and(f.mapped) from services as f where {named} group by name"
)
# an import need not say how it knows the commit, and not the commit either
_METHOD = "case when f.new_commits is not null then coalesce(f.sha_method, 'import') end"
IS_UNTOLD = f"(f.sha is null and f.source not in {tuple(DEPLOYMENT_SOURCES)})"
# only the few rows that services share are brought together: that costs much more than counting
_METHODS = (
    "with entities as ("
    f" select {{scope}} as name, coalesce({_METHOD}, if({IS_UNTOLD}, '{UNTOLD}', '{UNTRACED}'))"
    f" as method from deployments as f"
    f" where f.excluded_because is null and {_RANGE} and {{named}} and not f.is_shared"
    " union all"
    f" select {{scope}}, coalesce(min({_METHOD}), if(bool_and({IS_UNTOLD}), '{UNTOLD}', '{UNTRACED}'))"
    f" from deployments as f where f.excluded_because is null and {_RANGE} and {{named}} and f.is_shared"
    " group by {scope}, f.source, f.id)"
    " select e.name, e.method, count(*) from entities as e group by all order by 1, 3 desc, 2"
)
_CHANGES = (
    "select {scope} as name, count(*), count(f.pull_request) from changes as f"
    f" where f.excluded_because is null and {_RANGE} and {{named}} group by name"
)
# an import need not say of which service an incident is; another source does, or no catalogue claims what it says
_INCIDENT_SOURCES = ("pagerduty", "github_issues")
IS_UNNAMED = (
    "(f.service is null and f.source_service is null and f.blamed_by is null"
    f" and f.source not in {_INCIDENT_SOURCES})"
)
_NAMELESS = "imported without a service"
IS_EVIDENCE = (
    "(f.excluded_because is null or f.excluded_because in"
    " ('not resolved', 'resolved, but it is not known when', 'resolved before it was opened'))"
)
# an incident that is left out for its urgency, its priority or a merge is no evidence, so it cannot be linked
_LINKED = (
    f"select {{scope}} as name, coalesce(f.blamed_by, if({IS_UNNAMED}, '{_NAMELESS}', '')), count(*)"
    f" from incidents as f where {IS_EVIDENCE} and {OPENED_WITHIN} and {{named}}"
    " group by all order by 1, 3 desc, 2"
)
_GAPS = (
    "select {scope} as name, f.fact, f.source, f.subject, f.from_at, f.until_at, max(f.lost_entries)"
    " from gaps as f where {named} group by all order by f.from_at, f.source, f.subject, f.fact"
)
_FRESHNESS = (
    "select {scope} as name, f.source, max(f.until_at), min(f.from_at) from service_coverage as f"
    " where not f.is_superseded and {named} group by all order by f.source"
)
_UNMAPPED = "select f.kind, f.name, f.entries from unmapped as f order by f.entries desc, f.kind, f.name"
_QUARANTINED = (
    "with subjects as ("
    " select {scope} as name, f.repo as subject from services as f where f.repo is not null and {named}"
    " union select {scope}, split_part(a.value, '/', -1) from services as f"
    " inner join claims as a on a.kind = 'application' and a.service = f.service where {named})"
    " select s.name, count(distinct q.rowid) from subjects as s inner join quarantine as q"
    " on q.subject = s.subject or starts_with(q.subject, s.subject || '#')"
    " or starts_with(q.subject, s.subject || ':') group by s.name"
)


def imports_name_no_service(facts: Facts, start: date, end: date) -> bool:
    """Whether incidents were imported that were opened in these days, and none of them says of which service."""
    sql = (
        f"select count(*) filter ({IS_UNNAMED}) > 0 and count(*) filter (not {IS_UNNAMED}) = 0 from incidents as f"
        f" where f.source not in {_INCIDENT_SOURCES} and {IS_EVIDENCE} and {OPENED_WITHIN}"
    )
    bound = {"start": start, "end": end, "zone": facts.timezone}
    return bool(facts.connection.execute(sql, bound).fetchall()[0][0])


@dataclass(frozen=True)
class _Asked:
    """The queries of one scope."""

    facts: Facts
    by: Scope
    bound: Mapping[str, Any]
    where: Mapping[str, str]

    def rows(self, sql: str, ranged: bool = True) -> list[tuple[Any, ...]]:
        scope = "''" if self.by == "organisation" else f"f.{self.by}"
        named = f"{scope} is not null{narrowing(self.where)}"
        bound = (dict(self.bound) if ranged else {}) | (dict(self.where) if "{named}" in sql else {})
        if "$zone" in sql:
            bound["zone"] = self.facts.timezone
        text = sql.replace("{scope}", scope).replace("{named}", named)
        if self.by == "group" and "{scope}" in sql:
            text = re.sub(
                r"\bfrom (\w+) as f\b", lambda found: f"from {scoped(found[1], 'group', self.where)}", text
            )
        return self.facts.connection.execute(text, bound).fetchall()

    def counts(self, sql: str) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for name, key, count in self.rows(sql):
            found.setdefault(name, {})[key] = count
        return found

    def gaps(self) -> dict[str, list[Gap]]:
        found: dict[str, list[Gap]] = {}
        for name, fact, source, subject, from_at, until_at, lost in self.rows(_GAPS, ranged=False):
            gap = Gap(fact, source, subject, from_at.replace(tzinfo=UTC), until_at.replace(tzinfo=UTC), lost)
            found.setdefault(name, []).append(gap)
        return found

    def freshness(self) -> dict[str, list[Freshness]]:
        found: dict[str, list[Freshness]] = {}
        for name, source, until_at, from_at in self.rows(_FRESHNESS, ranged=False):
            fresh = Freshness(source, until_at.replace(tzinfo=UTC), from_at.replace(tzinfo=UTC))
            found.setdefault(name, []).append(fresh)
        return found

    def unmapped(self) -> dict[str, list[Unmapped]]:
        """Everything for the organisation, itself for an unmapped service, nothing for a team or a system."""
        found: dict[str, list[Unmapped]] = {}
        for unmapped in self._unmapped():
            if self.by == "organisation":
                found.setdefault("", []).append(unmapped)
            elif self.by == "service" and unmapped.kind in ("repository", "service of an import"):
                found.setdefault(unmapped.name, []).append(unmapped)
        return found

    def _unmapped(self) -> Iterator[Unmapped]:
        for kind, name, rows in self.rows(_UNMAPPED, ranged=False):
            yield Unmapped(kind, name, rows)
