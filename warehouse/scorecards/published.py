"""Published scorecards: kept as they were and looked, whatever is collected later, with the rows of their numbers."""

import json
import zlib
from collections.abc import Callable, Container, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from config.errors import ConfigurationError
from config.metrics import metrics
from config.settings import Settings
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import iso_week, midnight, parse_week
from warehouse.metrics.values import Scope, kept_name
from warehouse.scorecards.archive import unpacked_forms
from warehouse.scorecards.kept_rows import RowsByKey, packed, rows_of_week, unpacked
from warehouse.storage.instants import naive
from warehouse.storage.older_scorecards import UnreadableScorecard, scorecards_in
from warehouse.storage.store import open_warehouse

# so many weeks before a scorecard's own are worked out again for it
LOOKED_BACK = 12
# then only the content is left of a scorecard, and it is shown as today's templates have it
KEPT_FORMS = timedelta(weeks=53)


class Told(NamedTuple):
    """What was said last of a week's metric: when it was published, or when it was restated."""

    value: float | None
    n: int
    definitions: str
    published_at: datetime


def frozen(
    warehouse: Path, week: str, asked: Container[tuple[Scope, str]] = ()
) -> dict[tuple[Scope, str], dict[str, Any]]:
    """The scorecards that were published for an ISO week and can be read, each by what it is `kept_as`.

    Raises UnreadableScorecard for one of those `asked` for.
    """
    sql = "select scope, name, content from scorecards where week = ?"
    with open_warehouse(warehouse) as opened:
        rows = opened.connection.execute(sql, [week]).fetchall()
    found: dict[tuple[Scope, str], dict[str, Any]] = {}
    for scope, name, content in rows:
        try:
            readable = scorecards_in(scope, name, week, content)
        except UnreadableScorecard:
            if (scope, name) in asked:
                raise
            continue
        for one in readable:
            # what has a document of its own is told by that, not by one that held all scopes
            if kept_as(one) == (scope, name) or kept_as(one) not in found:
                found[kept_as(one)] = one
    return found


def kept_as(content: Mapping[str, Any]) -> tuple[Scope, str]:
    """The scope and the name that a scorecard is kept under."""
    return content["scope"], kept_name(content["scope"], content["name"])


def told_before(warehouse: Path, monday: date) -> dict[tuple[str, str], dict[tuple[str, str], Told]]:
    """By scope and name, then by week and metric, what was said last of the twelve weeks before `monday`."""
    sql = (
        "select scope, name, week, metric, value, n, definitions, published_at from scorecard_rows"
        " where week >= ? and week < ? qualify row_number() over ("
        " partition by scope, name, week, metric order by published_at desc) = 1 order by week"
    )
    weeks = [iso_week(monday - timedelta(weeks=LOOKED_BACK)), iso_week(monday)]
    found: dict[tuple[str, str], dict[tuple[str, str], Told]] = {}
    with open_warehouse(warehouse) as opened:
        for scope, name, week, metric, *told in opened.connection.execute(sql, weeks).fetchall():
            found.setdefault((scope, name), {})[week, metric] = Told(*told)
    return found


def kept_rows(warehouse: Path, of: tuple[str, str], week: str, metric: str, told: Told) -> RowsByKey | None:
    """The rows that made what was `told` of a week's metric; None where an older version kept them in another form."""
    sql = (
        "select rows from scorecard_rows"
        " where scope = ? and name = ? and week = ? and metric = ? and published_at = ?"
    )
    with open_warehouse(warehouse) as opened:
        found = opened.connection.execute(sql, [*of, week, metric, told.published_at]).fetchall()
    return unpacked(found[0][0])


def kept_forms(warehouse: Path, content: Mapping[str, Any]) -> dict[str, str]:
    """What was rendered of a scorecard when it was published, by form; nothing of one that was not."""
    sql = "select form, text from scorecard_forms where scope = ? and name = ? and week = ?"
    with open_warehouse(warehouse) as opened:
        rows = opened.connection.execute(sql, [*kept_as(content), content["week"]]).fetchall()
    return unpacked_forms(rows)


def publish(
    facts: Facts,
    settings: Settings,
    content: dict[str, Any],
    made: Callable[[dict[str, Any]], Mapping[str, str]],
) -> dict[str, Any]:
    """Freezes a scorecard that was made of `facts`, and what is `made` of it, its texts by form; returns it.

    One that was published before stands instead.
    Raises ConfigurationError where the week had not ended when the facts were built, and UnreadableScorecard.
    """
    if facts.as_of < midnight(facts, date.fromisoformat(content["week_end"])):
        raise ConfigurationError(
            f"{content['week']} had not ended when the facts were built; it can be published from"
            f' {content["week_end"]} on, after a "sixkeys collect"'
        )
    key = [*kept_as(content), content["week"]]
    rows, forms = _rows(facts, content), made(content)
    with open_warehouse(settings.warehouse) as opened, opened.transaction():
        sql = "select content from scorecards where scope = ? and name = ? and week = ?"
        if earlier := opened.connection.execute(sql, key).fetchall():
            readable = scorecards_in(key[0], key[1], key[2], earlier[0][0])
            return next(one for one in readable if kept_as(one) == kept_as(content))
        now = naive(datetime.now(UTC))
        opened.connection.execute(
            "insert into scorecards values (?, ?, ?, ?, ?)", [*key, now, json.dumps(content)]
        )
        for form, text in forms.items():
            opened.connection.execute(
                "insert into scorecard_forms values (?, ?, ?, ?, ?)",
                [*key, form, zlib.compress(text.encode(), 9)],
            )
        long_ago = date.fromisoformat(content["week_start"]) - KEPT_FORMS
        opened.connection.execute("delete from scorecard_forms where week < ?", [iso_week(long_ago)])
        for week, metric, value, n, kept in rows:
            opened.connection.execute(
                "insert into scorecard_rows values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [*key[:2], week, metric, now, value, n, content["definitions"], kept],
            )
        oldest = iso_week(date.fromisoformat(content["week_start"]) - timedelta(weeks=LOOKED_BACK))
        opened.connection.execute("delete from scorecard_rows where week < ?", [oldest])
    return content


def _rows(facts: Facts, content: Mapping[str, Any]) -> list[tuple[str, str, float | None, int, bytes]]:
    """(week, metric, value, n, rows) of the scorecard's own numbers and of those that it restates."""
    where = {} if content["scope"] == "organisation" else {content["scope"]: content["name"]}
    said = [(content["week"], one["metric"], one["value"], one["n"]) for one in content["metrics"]]
    said += [
        (one["week"], one["metric"], one["new"]["value"], one["new"]["n"]) for one in content["restatements"]
    ]
    return [
        (week, metric, value, n, packed(rows_of_week(facts, metrics()[metric], where, parse_week(week))))
        for week, metric, value, n in said
    ]
