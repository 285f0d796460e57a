"""Deployments and incidents as lists: searched, filtered, ordered and cut into pages by the database."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import full_range, today, week_of
from warehouse.metrics.values import narrowing

# a search for more words than this is no search that a person typed
MOST_WORDS = 8
# before a reason where one is asked for as a state
LEFT_OUT = "left out: "
# the beginning of a commit's SHA, as long as people write it
_SHA = re.compile("[0-9a-fA-F]{4,64}")


@dataclass(frozen=True)
class Listing:
    """How a fact table is listed; all but the names of columns is SQL on the fact `f`.

    A word is looked for anywhere in the columns `searched`, and as the beginning of those of `shas`. `moment`
    orders the rows, `days` says which of them a range holds, and `reason` is why one does not count, without what is
    particular to the row. `extra` are columns from the `joined` tables, which have one row for each fact.
    """

    fact: str
    key: tuple[str, ...]
    moment: str
    days: str
    searched: tuple[str, ...]
    shas: tuple[str, ...]
    states: Mapping[str, str]
    reason: str
    orders: Mapping[str, str]
    extra: str
    joined: str


DEPLOYMENTS = Listing(
    fact="deployments",
    key=("source", "id", "service"),
    moment="coalesce(f.at, f.started_at)",
    days="f.listed_day >= $start and f.listed_day < $end",
    searched=("service", "team", "id", "ref"),
    shas=("sha", "config_sha"),
    states={
        "counted": "f.excluded_because is null",
        "failed": "f.failed = 1",
        "rollback": "f.kind = 'rollback'",
        "rework": "f.rework = 1",
        "left out": "f.excluded_because is not null",
    },
    reason="f.excluded_because",
    orders={
        "newest": "{moment} desc nulls last",
        "oldest": "{moment} nulls last",
        "most": "f.changes desc, {moment} desc nulls last",
    },
    extra="r.recovery_seconds, r.recovered_by, r.at as recovered_at, r.excluded_because as not_recovered_because",
    joined="left join recoveries as r on r.source = f.source and r.id = f.id and r.service = f.service",
)
INCIDENTS = Listing(
    fact="incidents",
    key=("source", "id"),
    moment="f.opened_at",
    # one that is still open belongs to every period since it was opened, and to those that reach to the running week
    days=(
        "(f.day >= $start and f.day < $end or f.day is null"
        " and ($end >= $monday or cast(timezone($zone, timezone('UTC', f.opened_at)) as date) < $end))"
    ),
    searched=("service", "team", "id", "title", "urgency", "priority", "source_service", "blames_id"),
    shas=(),
    states={
        "open": "f.resolved_at is null",
        "counted": "f.excluded_because is null",
        "blames": "f.blames_id is not null",
        "blames none": "f.blames_id is null",
        "left out": "f.excluded_because is not null",
    },
    reason="case when f.excluded_because like 'merged into %' then 'merged into another' else f.excluded_because end",
    orders={
        "newest": "f.opened_at desc",
        "oldest": "f.opened_at",
        "longest": "coalesce(f.open_seconds, epoch_us($as_of) / 1e6 - epoch_us(f.opened_at) / 1e6) desc",
        "open": "f.resolved_at is not null, f.opened_at desc",
    },
    extra="epoch_us($as_of) / 1e6 - epoch_us(f.opened_at) / 1e6 as seconds_since_opened",
    joined="",
)


@dataclass(frozen=True)
class ListQuery:
    """Which rows: of a range of days and a narrowing as `compute` takes them, with all words of `search` in them.

    `state` is a key of the listing's states, or a reason after `LEFT_OUT`. A `row` (source, id) stands alone, whatever
    else is asked but the narrowing.
    """

    start: date | None = None
    end: date | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    search: str = ""
    environment: str | None = None
    state: str | None = None
    row: tuple[str, str] | None = None


@dataclass(frozen=True)
class Counts:
    """How many rows match, and of what matches but for the state, how many are in which state or out for a reason.

    A deployment of several services has a row for each; it is one of the `entities` that match, or are in a state.
    """

    total: int
    states: Mapping[str, int]
    reasons: Mapping[str, int]
    entities: int
    entities_in: Mapping[str, int]


def counts(facts: Facts, listing: Listing, asked: ListQuery) -> Counts:
    """The counts of what is asked for; the reasons are the most frequent first."""
    condition, bound = _condition(facts, listing, asked, with_state=False)
    chosen, of_state = _state(listing, asked)
    conditions = (chosen, *listing.states.values())
    filters = ", ".join(f"count(*) filter (where {sql})" for sql in conditions)
    sql = (
        f"select f.is_shared, {listing.reason} as reason, count(*), {filters} from {listing.fact} as f"
        f" where {condition} group by f.is_shared, reason"
    )
    found = facts.connection.execute(sql, bound | of_state).fetchall()
    reasons = Counter[str]()
    for _, reason, rows, *_ in found:
        if reason is not None:
            reasons[reason] += rows
    # only the few rows that services share are brought together: that costs much more than counting
    is_in = ", ".join(f"bool_or({sql}) as is_in{n}" for n, sql in enumerate(conditions))
    once = ", ".join(f"count(*) filter (where e.is_in{n})" for n in range(len(conditions)))
    sql = (
        f"select {once} from (select {is_in} from {listing.fact} as f where {condition} and f.is_shared"
        " group by f.source, f.id) as e"
    )
    (shared,) = facts.connection.execute(sql, bound | of_state).fetchall()
    sums = [sum(row[3 + n] for row in found) for n in range(len(conditions))]
    entities = [sum(row[3 + n] for row in found if not row[0]) + shared[n] for n in range(len(conditions))]
    return Counts(
        total=sums[0],
        states=dict(zip(listing.states, sums[1:], strict=True)),
        reasons=dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        entities=entities[0],
        entities_in=dict(zip(listing.states, entities[1:], strict=True)),
    )


def rows(
    facts: Facts, listing: Listing, asked: ListQuery, order: str, limit: int, offset: int = 0
) -> list[dict[str, Any]]:
    """At most `limit` of the rows asked for from `offset` on, with all columns of the fact and the extra ones.

    The order ends in the row's key, so that pages neither repeat nor miss a row; an unknown one is the newest first.
    """
    condition, bound = _condition(facts, listing, asked)
    by = listing.orders.get(order, listing.orders["newest"]).format(moment=listing.moment)
    by += "".join(f", f.{column}" for column in listing.key)
    instant = {"as_of": facts.as_of.replace(tzinfo=None)}
    named = {name: value for name, value in instant.items() if f"${name}" in by + listing.extra}
    sql = (
        f"with chosen as (select f.rowid as row from {listing.fact} as f where {condition}"
        f" order by {by} limit $limit offset $offset)"
        f" select f.*, {listing.extra} from chosen as c inner join {listing.fact} as f on f.rowid = c.row"
        f" {listing.joined} order by {by}"
    )
    result = facts.connection.execute(sql, bound | named | {"limit": limit, "offset": offset})
    columns = [column[0] for column in result.description or ()]
    return [dict(zip(columns, found, strict=True)) for found in result.fetchall()]


def environments(facts: Facts, where: Mapping[str, str]) -> list[str]:
    """The production environments of what `where` narrows to, in order of name."""
    sql = (
        "select distinct f.environment from deployments as f where f.environment is not null"
        f"{narrowing(where)} order by f.environment"
    )
    return [name for (name,) in facts.connection.execute(sql, dict(where)).fetchall()]


def _condition(
    facts: Facts, listing: Listing, asked: ListQuery, with_state: bool = True
) -> tuple[str, dict[str, Any]]:
    """(SQL on the fact `f`, what is bound in it)."""
    if asked.row is not None:
        bound: dict[str, Any] = {"row_source": asked.row[0], "row_id": asked.row[1], **asked.where}
        return f"f.source = $row_source and f.id = $row_id{narrowing(asked.where)}", bound
    start, end = full_range(facts, asked.start, asked.end)
    bound = {"start": start, "end": end, **asked.where}
    if "$monday" in listing.days:
        bound |= {"zone": facts.timezone, "monday": week_of(today(facts))}
    condition = listing.days + narrowing(asked.where)
    if asked.environment is not None and listing.fact == "deployments":
        condition += " and f.environment = $environment"
        bound["environment"] = asked.environment
    for number, word in enumerate(asked.search.split()[:MOST_WORDS]):
        found = [f"contains(lower(f.{column}), lower($word{number}))" for column in listing.searched]
        if _SHA.fullmatch(word):
            found += [f"starts_with(f.{column}, lower($word{number}))" for column in listing.shas]
        condition += f" and ({' or '.join(found)})"
        bound[f"word{number}"] = word
    if with_state:
        sql, of_state = _state(listing, asked)
        return f"{condition} and {sql}", bound | of_state
    return condition, bound


def _state(listing: Listing, asked: ListQuery) -> tuple[str, dict[str, Any]]:
    if asked.state is None or asked.row is not None:
        return "true", {}
    if asked.state in listing.states:
        return f"({listing.states[asked.state]})", {}
    return f"{listing.reason} = $reason", {"reason": asked.state.removeprefix(LEFT_OUT)}
