"""The rows behind a week's number, small enough to be kept, and what became of them since."""

import json
import math
import zlib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from config.metrics import Metric
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import local
from warehouse.metrics.units import figure, plural
from warehouse.metrics.values import narrowing

MOST_NAMED = 3

RowKey = tuple[str, ...]


class KeptRow(NamedTuple):
    """What a row brought in, or None and the reason why it was left out."""

    input: float | None
    left_out: str | None


RowsByKey = dict[RowKey, KeptRow]


def rows_of_week(facts: Facts, metric: Metric, where: Mapping[str, str], monday: date) -> RowsByKey:
    """The rows of a week by source key, those left out too; nothing of a survey, whose rows are nobody's business."""
    if metric.fact == "responses":
        return {}
    keys = ", ".join(f"f.{column}" for column in metric.entity)
    value = metric.input if metric.input.isdigit() else f"f.{metric.input}"
    sql = (
        f"select {keys}, max({value}) filter (where f.{metric.excluded} is null), min(f.{metric.excluded})"
        f" from {metric.fact} as f where f.day >= $start and f.day < $end{narrowing(where)}"
        f" group by {keys} order by {keys}"
    )
    bound = {**where, "start": monday, "end": monday + timedelta(days=7)}
    return {
        tuple(str(part) for part in key): KeptRow(value, None if value is not None else left_out)
        for *key, value, left_out in facts.connection.execute(sql, bound).fetchall()
    }


def packed(rows: RowsByKey) -> bytes:
    """`rows` for keeping."""
    return zlib.compress(json.dumps([[*key, *row] for key, row in rows.items()]).encode(), 9)


def unpacked(kept: bytes) -> RowsByKey | None:
    """The rows that were `packed`; None where they were by another version, in another form."""
    try:
        rows = json.loads(zlib.decompress(kept))
        return {tuple(key): KeptRow(value, left_out) for *key, value, left_out in rows}
    except (zlib.error, ValueError, TypeError):
        return None


def differences(before: RowsByKey, now: RowsByKey) -> list[tuple[RowKey, KeptRow | None, KeptRow | None]]:
    """(key, the row before, the row now) where it counted at one time and did not, or otherwise, at the other."""
    return [
        (key, was, is_now)
        for key in sorted(before.keys() | now.keys())
        if not _same(was := before.get(key), is_now := now.get(key))
    ]


def _same(was: KeptRow | None, is_now: KeptRow | None) -> bool:
    old, new = (None if row is None else row.input for row in (was, is_now))
    if old is None or new is None:
        return old is new
    return math.isclose(old, new, rel_tol=1e-9)


def reasons(facts: Facts, metric: Metric, before: RowsByKey, now: RowsByKey) -> list[dict[str, str]]:
    """Which rows came, went or changed, each with its link and the reason; the first few, and how many more."""
    found = differences(before, now)
    told = [_reason(facts, metric, *one) for one in found[:MOST_NAMED]]
    more = len(found) - MOST_NAMED
    return told + ([{"text": f"and {more:,} more"}] if more > 0 else [])


def _reason(
    facts: Facts, metric: Metric, key: RowKey, was: KeptRow | None, is_now: KeptRow | None
) -> dict[str, str]:
    title, service, at, url, left_out = _known(facts, metric, key) or (
        None,
        None,
        None,
        None,
        "no longer there",
    )
    text = f"{metric.fact.removesuffix('s')} {key[-1]} ({key[0]})"
    match metric.fact:
        case "changes":
            text = f"change {key[1][:10]} of {key[2]}"
        case "repositories":
            text = f"repository {key[0]}"
        case "recoveries":
            text = f"recovery of deployment {key[1]} ({key[0]})"
    if title:
        text += f" “{' '.join(title.split())[:80]}”"
    if service and metric.fact != "changes":
        text += f" of {service}"
    if at is not None:
        text += f", {_ENDED[metric.fact]} {_moment(local(facts, at))}"
    told = {"text": f"{text}: {_became(metric, was, is_now, left_out)}"}
    return told | {"url": url} if url else told


def _moment(at: datetime) -> str:
    return f"{at:%a} {at.day} {at:%b %Y, %H:%M}"


def _became(metric: Metric, was: KeptRow | None, is_now: KeptRow | None, elsewhere: str | None) -> str:
    """What became of a row; `elsewhere` is why it is left out of any week, None where it counts in another one."""
    match was, is_now:
        case (KeptRow(input=float() | int() as old), KeptRow(input=float() | int() as new)):
            if metric.unit == "seconds":
                return f"{figure(new, 'seconds')}, was {figure(old, 'seconds')}"
            word = "rework" if metric.input == "rework" else "a failure"
            return f"known to be {word} now" if new > old else f"not known to be {word} any more"
        case (_, KeptRow(input=float() | int())):
            return f"counts now, was left out: {was.left_out}" if was else "came later"
        case (_, KeptRow(left_out=reason)):
            return f"left out now: {reason}"
    return elsewhere or "in another week, team or system now"


_ENDED = {
    "deployments": "finished",
    "changes": "in production",
    "incidents": "resolved",
    "recoveries": "recovered",
    "repositories": "created",
}
_TITLES = {"changes": "f.subject", "incidents": "f.title"}


def _known(facts: Facts, metric: Metric, key: RowKey) -> tuple[str, str, datetime, str, str] | None:
    """(title, service, instant, address, why it is left out) of a row, wherever it belongs now."""
    keyed = " and ".join(f"f.{column} = ?" for column in metric.entity)
    sql = (
        f"select {_TITLES.get(metric.fact, 'null')}, f.service, f.at, f.url, f.{metric.excluded}"
        f" from {metric.fact} as f where {keyed} order by f.at nulls last limit 1"
    )
    found: list[Any] = facts.connection.execute(sql, list(key)).fetchall()
    return found[0] if found else None


def covered_days(value: float | None, n: int) -> str:
    """The days that a count was divided by, in words; empty where it cannot be told."""
    return plural(round(n / value), "day") if value and n else ""
