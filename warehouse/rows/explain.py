"""The rows behind a number, and those left out with the reason: the number can be worked out again from them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from config.errors import ConfigurationError
from config.metrics import Metric
from config.metrics import metrics as declared
from config.settings import Settings
from warehouse.metrics.facts import Facts
from warehouse.metrics.pooled import names_only, narrowing
from warehouse.metrics.satisfaction import histogram, respondents_of, rounds, shown_group
from warehouse.metrics.values import Scope, Value, compute, narrowed, narrowest
from warehouse.rows.reasons import IN_COMMON_SQL, rule

# where a row without an instant that decides its period is listed: by its start
_STARTS = {
    "deployments": "f.started_at",
    "incidents": "f.opened_at",
    "recoveries": "f.finished_at",
    "changes": "f.authored_at",
    "repositories": "f.created_at",
    "path_services": "f.at",
    "requests": "f.opened_at",
    "paved_services": "f.at",
    "path_deployments": "f.at",
    "first_deployments": "f.created_at",
    "guarded_services": "f.at",
}
_ON_LAST_READING_DAY = (
    "f.day = (select max(r.day) from reading_days as r where r.day >= $start and r.day < $end)"
)
Order = Literal["oldest", "newest", "highest", "lowest"]
# of equal values the newest first; rows that are left out have no value
_ORDERS: dict[Order, str] = {
    "oldest": "r.listed_at, r.row",
    "newest": "r.listed_at desc, r.row desc",
    "highest": "r.value desc nulls last, r.listed_at desc, r.row desc",
    "lowest": "r.value nulls last, r.listed_at desc, r.row desc",
}
_STATISTICS = {
    "median": "median of value",
    "mean": "mean of value",
    "share": "mean of value (0 or 1)",
    "state": "mean of value (0 or 1) on the last reading day",
}


@dataclass(frozen=True)
class Explanation:
    """A number with its rows.

    Each row has its fact's columns, `value` (what entered the statistic, None where the row is left out), `rule` (the
    rule that made it count), `excluded_because` (None where it counts) and `url`. Satisfaction has a histogram instead:
    a row a score, `n` respondents. `covered_days` divides a rate and is None for the others; `left_out` counts the
    rows that do not count by reason, the most frequent first. `rows` can be the first of them only.
    """

    metric: str
    scope: Scope
    name: str
    period_start: date
    period_end: date
    value: float | None
    unit: str
    n: int
    status: str
    statistic: str
    rule: str
    covered_days: int | None
    left_out: dict[str, int]
    rows: list[dict[str, Any]]


def explain(
    facts: Facts,
    settings: Settings,
    metric: str,
    where: Mapping[str, str] | None = None,
    start: date | None = None,
    end: date | None = None,
    order: Order = "oldest",
    most: int | None = None,
    most_of_a_reason: int | None = None,
) -> Explanation:
    """What `metric` (an id) is made of in a range, for the organisation or what `where` narrows it to.

    The rows that count come first, in the order asked for: all, or `most` of them; then those left out, all or
    `most_of_a_reason` for each reason. Raises ConfigurationError as `compute` does.
    """
    where = narrowed(facts, where or {})
    value = _number(facts, settings, metric, where, start, end)
    about = declared()[value.metric]
    if about.fact == "responses":
        return explain_alone(facts, value, where)
    asked = _Asked(facts, about, where, value.period_start, value.period_end)
    rows = [*asked.counted(order, most)]
    left_out, others = asked.left_out("oldest" if order == "oldest" else "newest", most_of_a_reason)
    rows += others
    rows = [row | {"rule": rule(value.metric, row)} for row in rows]
    return replace(explain_alone(facts, value, where), left_out=left_out, rows=rows)


def explain_alone(facts: Facts, value: Value, where: Mapping[str, str]) -> Explanation:
    """A value that was computed for `where` and what it was divided by; no rows but those of a histogram."""
    about, first, after = declared()[value.metric], value.period_start, value.period_end
    rows = _scores(facts, where, value.scope, after) if about.fact == "responses" else []
    covered = _covered_days(facts, about, where, first, after) if about.statistic == "rate" else None
    statistic = f"count / {covered} covered days" if covered is not None else _STATISTICS[about.statistic]
    return Explanation(
        metric=value.metric,
        scope=value.scope,
        name=value.name,
        period_start=first,
        period_end=after,
        value=value.value,
        unit=about.unit,
        n=value.n,
        status=value.status,
        statistic=statistic,
        rule=about.rule,
        covered_days=covered,
        left_out={},
        rows=[row | {"rule": rule(value.metric, row)} for row in rows],
    )


@dataclass(frozen=True)
class ReadRows:
    """Rows that are read as they are asked for, once: `n` of them, and of the fact's `columns` those that any has."""

    n: int
    columns: Sequence[str]
    rows: Iterable[dict[str, Any]]


def rows_of(found: Explanation) -> tuple[ReadRows, ReadRows]:
    """The rows of an explanation that count, and those left out."""
    parts = [
        [row for row in found.rows if (row.get("excluded_because") is None) == is_counted]
        for is_counted in (True, False)
    ]
    counted, left_out = (
        ReadRows(len(rows), [one for one in rows[0] if any(row[one] is not None for row in rows)], rows)
        if rows
        else ReadRows(0, (), ())
        for rows in parts
    )
    return counted, left_out


def explain_as_read(
    facts: Facts,
    settings: Settings,
    metric: str,
    where: Mapping[str, str] | None = None,
    start: date | None = None,
    end: date | None = None,
) -> tuple[Explanation, tuple[ReadRows, ReadRows]]:
    """As `explain`, with the rows apart from it, so that millions need no room: those that count, and those left out.

    The rows of the former are read before those of the latter, all while `facts` is open.
    """
    where = narrowed(facts, where or {})
    value = _number(facts, settings, metric, where, start, end)
    about, alone = declared()[value.metric], explain_alone(facts, value, where)
    if about.fact == "responses":
        return alone, rows_of(alone)
    asked = _Asked(facts, about, where, value.period_start, value.period_end)
    reasons, counted, left_out = asked.read_apart()
    ruled = (
        replace(part, rows=(row | {"rule": rule(value.metric, row)} for row in part.rows))
        for part in (counted, left_out)
    )
    return replace(alone, left_out=reasons), (next(ruled), next(ruled))


def all_explained_rows(
    facts: Facts,
    settings: Settings,
    metric: str,
    where: Mapping[str, str] | None = None,
    start: date | None = None,
    end: date | None = None,
) -> Iterator[dict[str, Any]]:
    """Every row of `explain`, one after the other as they are read, so that millions need no room."""
    where = narrowed(facts, where or {})
    value = _number(facts, settings, metric, where, start, end)
    about, first, after = declared()[metric], value.period_start, value.period_end
    rows = (
        iter(_scores(facts, where, value.scope, after))
        if about.fact == "responses"
        else _Asked(facts, about, where, first, after).all()
    )
    for row in rows:
        yield row | {"rule": rule(metric, row)}


def _number(
    facts: Facts,
    settings: Settings,
    metric: str,
    where: Mapping[str, str] | None,
    start: date | None,
    end: date | None,
) -> Value:
    where = where or {}
    scope = narrowest(where)
    for value in compute(facts, settings, scope, None, start, end, where, [metric]):
        if scope == "organisation" or value.name == where[scope]:
            return value
    asked = ", ".join(f"{key}={name}" for key, name in where.items())
    raise ConfigurationError(f"nothing is {asked} at once; drop one of them")


@dataclass(frozen=True)
class _Asked:
    """The queries for the rows of one number."""

    facts: Facts
    metric: Metric
    where: Mapping[str, str]
    start: date
    end: date

    def counted(self, order: Order, most: int | None) -> Iterator[dict[str, Any]]:
        return self._rows(f"where r.reason is null order by {_ORDERS[order]}{_limit(most)}", _ORDERS[order])

    def left_out(self, order: Order, most: int | None) -> tuple[dict[str, int], Iterator[dict[str, Any]]]:
        """(how many rows were left out for which reason, the most frequent first; `most` rows of each, or all)."""
        first = "min_by" if order == "oldest" else "max_by"
        few = f"{first}(r.row, (r.listed_at, r.row), {int(most)})" if most is not None else "list(r.row)"
        sql = (
            f"{self._listed} select {IN_COMMON_SQL}, count(*), {few} from listed as r where r.reason is not null"
            " group by 1 order by 2 desc, 1"
        )
        found = self.facts.connection.execute(sql, self._bound).fetchall()
        counts = {reason: n for reason, n, _ in found}
        if not counts:
            return counts, iter(())
        shown = [row for _, _, rows in found for row in rows]
        return counts, self._rows("where r.row in (select unnest($rows))", _ORDERS[order], rows=shown)

    def read_apart(self) -> tuple[dict[str, int], ReadRows, ReadRows]:
        """(how many rows were left out for which reason, the most frequent first; those that count; the others)."""
        fact = self.metric.fact
        described = self.facts.connection.execute(f"from {fact} limit 0").description or ()
        columns = [name for name, *_ in described if name not in self._hidden]
        filled = ", ".join(f"count(f.{column}) > 0" for column in columns)
        sql = (
            f"{self._listed} select {IN_COMMON_SQL}, count(*), {filled} from listed as r"
            f" inner join {fact} as f on f.rowid = r.row group by 1 order by 2 desc, 1"
        )
        found = self.facts.connection.execute(sql, self._bound).fetchall()
        counted, left_out = (
            self._read([row[1:] for row in found if (row[0] is None) == is_counted], columns, is_counted)
            for is_counted in (True, False)
        )
        return {reason: n for reason, n, *_ in found if reason is not None}, counted, left_out

    def _read(self, found: Sequence[tuple[Any, ...]], columns: Sequence[str], is_counted: bool) -> ReadRows:
        """Of how many rows of each reason there are and which columns any of them fills, and the rows themselves."""
        filled = [column for at, column in enumerate(columns) if any(row[1 + at] for row in found)]
        rows = self._rows(
            f"where r.reason is {'' if is_counted else 'not '}null order by {_ORDERS['oldest']}",
            _ORDERS["oldest"],
        )
        return ReadRows(sum(row[0] for row in found), filled, rows)

    def all(self) -> Iterator[dict[str, Any]]:
        return self._rows("", f"r.reason is not null, {_ORDERS['oldest']}")

    def _rows(self, chosen: str, order: str, **bound: Any) -> Iterator[dict[str, Any]]:
        """Whole rows of the chosen ones: read once it is known which, since most of a wide table is not shown."""
        sql = (
            f"{self._listed}, chosen as (select r.* from listed as r {chosen})"
            f" select f.* exclude ({', '.join(self._hidden)})"
            " replace (coalesce(r.services, f.service) as service, r.reason as excluded_because), r.value"
            f" from chosen as r inner join {self.metric.fact} as f on f.rowid = r.row order by {order}"
        )
        result = self.facts.connection.execute(sql, self._bound | bound)
        columns = [column[0] for column in result.description or ()]
        while found := result.fetchmany(1000):
            for row in found:
                yield dict(zip(columns, row, strict=True))

    @property
    def _hidden(self) -> set[str]:
        return {"is_shared", self.metric.excluded} - {"excluded_because"}

    @property
    def _bound(self) -> dict[str, Any]:
        return {**self.where, "start": self.start, "end": self.end, "zone": self.facts.timezone}

    @property
    def _listed(self) -> str:
        """A row an entity: that of one service stands for itself; of several, the first that counts for all of them.

        A row without an instant that decides its period is listed by its start.
        """
        fact, excluded, begins = self.metric.fact, self.metric.excluded, _STARTS[self.metric.fact]
        local = f"cast(timezone($zone, timezone('UTC', {begins})) as date)"
        first = f"order by f.{excluded} is not null, f.listed_at, f.service"
        of_state = f" and {_ON_LAST_READING_DAY}" if self.metric.statistic == "state" else ""
        value = f"case when f.{excluded} is null then {_input(self.metric)} end"
        return f"""
            with ranged as not materialized (
                select *, rowid, f.at as listed_at from {fact} as f where f.day >= $start and f.day < $end{of_state}
                union all
                select *, rowid, {begins} from {fact} as f where f.day is null and {local} >= $start and {local} < $end
            ),
            listed as not materialized (
                select f.rowid as row, f.listed_at, f.{excluded} as reason,
                    {value} as value, cast(null as string) as services
                from ranged as f where not f.is_shared{narrowing(self.where)}
                union all
                select first(f.rowid {first}), first(f.listed_at {first}), first(f.{excluded} {first}),
                    max({value}),
                    string_agg(distinct f.service, ', ' order by f.service) filter (where f.{excluded} is null)
                from ranged as f where f.is_shared{narrowing(self.where)}
                group by {", ".join(f"f.{column}" for column in self.metric.entity)}
            )"""


def _limit(most: int | None) -> str:
    return f" limit {int(most)}" if most is not None else ""


def _input(metric: Metric) -> str:
    return metric.input if metric.input.isdigit() else f"f.{metric.input}"


def _covered_days(facts: Facts, metric: Metric, where: Mapping[str, str], start: date, end: date) -> int:
    where = names_only(where)
    sql = (
        "select count(distinct f.day) from covered_days as f"
        f" where f.fact = $fact and f.day >= $start and f.day < $end{narrowing(where)}"
    )
    bound = {**where, "fact": metric.covered_by, "start": start, "end": end}
    return int(facts.connection.execute(sql, bound).fetchall()[0][0])


def _scores(facts: Facts, where: Mapping[str, str], scope: Scope, end: date) -> list[dict[str, Any]]:
    """A row a score of the round shown; nothing where the group is withheld."""
    if scope not in ("organisation", "group", "team") or set(where) - {"group", "team"}:
        return []
    group = shown_group(rounds(facts), end, respondents_of(facts, where))
    if group is None:
        return []
    return [
        {
            "round": group.round,
            "closed_on": group.closed_on,
            "team": group.team,
            "score": score,
            "n": n,
            "value": score,
            "excluded_because": None,
            "url": None,
        }
        for score, n in histogram(facts, group).items()
    ]
