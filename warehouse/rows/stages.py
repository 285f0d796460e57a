"""Where the hours on the way to production lie: the stages of pull requests, and what came without one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any

from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import full_range
from warehouse.metrics.values import Scope, narrowed, narrowest, narrowing

# as a person calls it: (column of `changes`, from what until what)
STAGES = {
    "Coding": ("coding_seconds", "first commit until opened or ready for review"),
    "Pickup": ("pickup_seconds", "until the first review by another person"),
    "Review": ("review_seconds", "first review until merged"),
    "Unreviewed": ("unreviewed_seconds", "opened until merged, where nobody reviewed"),
    "Deploy": ("deploy_seconds", "merged until in production"),
}
DIRECT = "No pull request"
DIRECT_MEANING = "commit until in production, of what came without a pull request"
# of one stage so many services and pull requests are told, those with the most hours
MOST_HOLDERS = 20
# of a whole, the fewest that hold this much are named, and never more than so many
NAMED_SHARE, MOST_NAMED_HOLDERS = 0.5, 5


@dataclass(frozen=True)
class Holder:
    """What holds a part of a whole, such as a service or a pull request: `amount` in seconds or rows, `n` rows of it.

    `share` is of the whole. `service` is whose it is, where it is none itself.
    """

    name: str
    amount: float
    share: float
    n: int = 1
    url: str | None = None
    service: str | None = None


@dataclass(frozen=True)
class Stage:
    """A stage's `seconds` over the `n` pull requests in which it happened, or commits of DIRECT.

    `share` is of the seconds of all stages. Without rows `share`, `mean`, `median` and `p90` are None. The services
    and the pull requests are those with the most seconds, of `services_in_all`.
    """

    name: str
    meaning: str
    median: float | None
    p90: float | None
    n: int
    seconds: float = 0.0
    share: float | None = None
    mean: float | None = None
    services: tuple[Holder, ...] = field(default=())
    services_in_all: int = 0
    pull_requests: tuple[Holder, ...] = field(default=())


@dataclass(frozen=True)
class StagesExplained:
    """The stages of what `name` brought to production in a range; `seconds` are those of all of them."""

    metric: str
    scope: Scope
    name: str
    period_start: date
    period_end: date
    seconds: float
    stages: list[Stage]


def explained_stages(
    facts: Facts, where: Mapping[str, str], start: date | None = None, end: date | None = None
) -> StagesExplained:
    """The stages for the organisation or what `where` narrows it to; raises ConfigurationError as `compute` does."""
    where = narrowed(facts, where)
    first, after = full_range(facts, start, end)
    found, scope = stages(facts, where, first, after), narrowest(where)
    total = sum(one.seconds for one in found)
    return StagesExplained(
        "lead_time", scope, where.get(scope, facts.organization), first, after, total, found
    )


def stages(facts: Facts, where: Mapping[str, str], start: date, end: date) -> list[Stage]:
    """The stages in their order, DIRECT last and only where there is such; empty where there is nothing.

    Of the pull requests, and of the commits without one, whose first change that counts arrived in these days.
    """
    bound = {**where, "start": start, "end": end}
    spent = _spent(where)
    grouped = facts.connection.execute(
        "select s.stage, s.service, sum(s.seconds), count(*), avg(s.seconds),"
        f" quantile_cont(s.seconds, [0.5, 0.9]) from ({spent}) as s"
        " group by grouping sets ((s.stage), (s.stage, s.service)) order by 3 desc, s.service",
        bound,
    ).fetchall()
    of_all = {stage: rest for stage, service, *rest in grouped if service is None}
    total = sum(seconds for seconds, *_ in of_all.values())
    if not of_all:
        return []
    longest = _longest(facts, spent, bound)
    named = {**{name: meaning for name, (_, meaning) in STAGES.items()}, DIRECT: DIRECT_MEANING}
    return [
        _stage(
            name,
            meaning,
            of_all.get(name),
            total,
            [
                (service, seconds, n)
                for stage, service, seconds, n, *_ in grouped
                if stage == name and service
            ],
            longest.get(name, []),
        )
        for name, meaning in named.items()
        if name in STAGES or name in of_all
    ]


def _stage(
    name: str,
    meaning: str,
    found: Sequence[Any] | None,
    total: float,
    services: Sequence[tuple[str, float, int]],
    longest: Sequence[tuple[Any, ...]],
) -> Stage:
    if found is None:
        return Stage(name, meaning, None, None, 0)
    seconds, n, mean, (median, p90) = found
    return Stage(
        name,
        meaning,
        median,
        p90,
        n,
        seconds,
        _part(seconds, total),
        mean,
        tuple(Holder(own, held, _part(held, seconds), rows) for own, held, rows in services[:MOST_HOLDERS]),
        len(services),
        tuple(Holder(item, held, _part(held, seconds), 1, url, own) for item, own, held, url in longest),
    )


def _part(amount: float, whole: float) -> float:
    return amount / whole if whole else 0.0


def _longest(facts: Facts, spent: str, bound: Mapping[str, Any]) -> dict[str, list[tuple[Any, ...]]]:
    """By stage the pull requests, or commits, with the most seconds: (name, service, seconds, address)."""
    rows = facts.connection.execute(
        f"select s.stage, s.item, s.service, s.seconds, s.url from ({spent}) as s qualify row_number() over"
        f" (partition by s.stage order by s.seconds desc, s.item) <= {MOST_HOLDERS}"
        " order by s.stage, s.seconds desc, s.item",
        bound,
    ).fetchall()
    return {stage: [row[1:] for row in of_stage] for stage, of_stage in groupby(rows, key=lambda row: row[0])}


def fewest_that_hold(holders: Sequence[Holder], share: float = NAMED_SHARE) -> tuple[Holder, ...]:
    """The first of them, which are in order of what they hold, up to `share` of the whole or MOST_NAMED_HOLDERS."""
    held = 0.0
    for at, one in enumerate(holders[:MOST_NAMED_HOLDERS], start=1):
        held += one.share
        # what binary fractions lose is not worth another one
        if held >= share - 1e-9:
            return tuple(holders[:at])
    return tuple(holders[:MOST_NAMED_HOLDERS])


def _spent(where: Mapping[str, str]) -> str:
    """SQL for a row a stage that happened: `stage`, `service`, `item`, `url`, `seconds`; `start`, `end` are bound."""
    of_pulls = " union all ".join(
        f"select '{name}' as stage, p.service, p.repo || '#' || p.pull_request as item, p.url, p.{column} as seconds"
        f" from pulls as p where p.{column} is not null"
        for name, (column, _) in STAGES.items()
    )
    return (
        f"with pulls as ({delivered_pulls(where)}) {of_pulls} union all"
        f" select '{DIRECT}', d.service, d.repo || '@' || substr(d.sha, 1, 10), d.url, d.seconds"
        f" from ({_direct(where)}) as d"
    )


def delivered_pulls(where: Mapping[str, str]) -> str:
    """SQL for the stages of each pull request that arrived from `$start` to before `$end`, narrowed to `where`.

    One that was delivered to several services is of the first of them.
    """
    columns = [column for column, _ in STAGES.values()]
    of = f"pull_deliveries as f where f.day < $end{narrowing(where)}"
    first = "(f.at, f.service)"
    # a pull request's own stages are the same in each service; it is in production once the first one is, which is why
    # its day is sought among all of them
    return (
        f"select f.repo, f.pull_request, f.service, f.url, {', '.join(f'f.{column}' for column in columns)}"
        f" from {of} and not f.is_shared and f.day >= $start union all"
        f" select f.repo, f.pull_request, min_by(f.service, {first}), min_by(f.url, {first}),"
        f" {', '.join(f'min(f.{column}) as {column}' for column in columns)} from {of}"
        " and f.is_shared group by f.repo, f.pull_request having min(f.day) >= $start"
    )


def _direct(where: Mapping[str, str]) -> str:
    """The same of commits without a pull request: each once, from the commit until the first service had it."""
    counts = f"f.excluded_because is null and f.pull_request is null{narrowing(where)}"
    first = "(f.at, f.service)"
    return (
        f"select f.repo, f.sha, min_by(f.service, {first}) as service, min_by(f.url, {first}) as url,"
        f" min(f.lead_time_seconds) as seconds from changes as f anti join (select f.repo, f.sha from changes as f"
        f" where {counts} and f.day < $start) as e on e.repo = f.repo and e.sha = f.sha"
        f" where {counts} and f.day >= $start and f.day < $end"
        " group by f.repo, f.sha"
    )


def stage_rows(found: Sequence[Stage]) -> list[dict[str, Any]]:
    """The stages as a CSV has them, in seconds, each followed by the services and the pull requests that hold most."""
    rows: list[dict[str, Any]] = []
    for stage in found:
        known = (stage.share, 1.0 if stage.n else None, stage.seconds, stage.n, stage.mean)
        rows.append(_row(stage, "all", None, None, *known, stage.median, stage.p90))
        for kind, holders in (("service", stage.services), (item_of(stage), stage.pull_requests)):
            for one in holders:
                held = (one.share * (stage.share or 0.0), one.share, one.amount, one.n, one.amount / one.n)
                rows.append(_row(stage, kind, one.name, one.service or one.name, *held, url=one.url))
    return rows


def _row(
    stage: Stage,
    holder: str,
    name: str | None,
    service: str | None,
    share_of_all: float | None,
    share_of_stage: float | None,
    seconds: float,
    n: int,
    mean: float | None,
    median: float | None = None,
    p90: float | None = None,
    url: str | None = None,
) -> dict[str, Any]:
    return {
        "stage": stage.name.lower(),
        "holder": holder,
        "name": name,
        "service": service,
        "share_of_all": share_of_all,
        "share_of_stage": share_of_stage,
        "seconds": seconds,
        "n": n,
        "mean_seconds": mean,
        "median_seconds": median,
        "p90_seconds": p90,
        "url": url,
    }


def item_of(stage: Stage) -> str:
    """What the stage's rows are."""
    return "commit" if stage.name == DIRECT else "pull request"
