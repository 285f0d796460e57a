"""Numbers that were published and come out otherwise now: old, new, and which rows came or went."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from config.metrics import metrics
from warehouse.metrics.definitions import definitions
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import iso_week
from warehouse.metrics.values import Value
from warehouse.scorecards.kept_rows import covered_days, reasons, rows_of_week
from warehouse.scorecards.published import Told, kept_rows


def restatements(
    facts: Facts,
    warehouse: Path,
    of: tuple[str, str],
    weeks: Mapping[str, Sequence[Value]],
    told: Mapping[tuple[str, str], Told],
) -> list[dict[str, Any]]:
    """One for each week and metric whose value or n is not what was `told` last, the oldest week first.

    `weeks` are the values of scope and name `of` by metric and week, as they come out now.
    """
    now = {
        (iso_week(one.period_start), metric): one for metric, of_metric in weeks.items() for one in of_metric
    }
    return [
        _restatement(facts, warehouse, of, now[key], key[0], was)
        for key, was in told.items()
        if key in now and not _same(was, now[key])
    ]


def _same(was: Told, now: Value) -> bool:
    if was.n != now.n or was.value is None or now.value is None:
        return was.n == now.n and was.value is now.value
    return math.isclose(was.value, now.value, rel_tol=1e-9)


def _restatement(
    facts: Facts, warehouse: Path, of: tuple[str, str], now: Value, week: str, was: Told
) -> dict[str, Any]:
    return {
        "metric": now.metric,
        "name": metrics()[now.metric].name,
        "unit": now.unit,
        "week": week,
        "old": {"value": was.value, "n": was.n},
        "new": {"value": now.value, "n": now.n},
        "why": _why(facts, warehouse, of, now, week, was),
    }


def _why(
    facts: Facts, warehouse: Path, of: tuple[str, str], now: Value, week: str, was: Told
) -> list[dict[str, str]]:
    metric = metrics()[now.metric]
    if metric.fact == "responses":
        return [{"text": "answers of the survey came later; which ones is not told"}]
    scope, name = of
    where = {} if scope == "organisation" else {scope: name}
    rows = kept_rows(warehouse, of, week, now.metric, was)
    if rows is None:
        return [{"text": "an older version kept no rows of it that can be compared"}]
    told = reasons(facts, metric, rows, rows_of_week(facts, metric, where, now.period_start))
    if metric.statistic == "rate":
        before, after = covered_days(was.value, was.n), covered_days(now.value, now.n)
        if before and after and before != after:
            told.append({"text": f"{before} of the week had been read, {after} are by now"})
    if was.definitions != definitions():
        told.append({"text": f"the definitions changed from {was.definitions} to {definitions()}"})
    return told or [{"text": "what of the week was read changed"}]
