"""The weekly scorecard: its content as plain values, and its freezing once it is published."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from config.metrics import metrics as declared
from config.settings import Settings
from warehouse.facts import Facts
from warehouse.periods import iso_week, parse_week, today
from warehouse.sentences import caveats, sentences
from warehouse.store import naive, open_warehouse
from warehouse.values import Scope, Value, compute

HISTORY_WEEKS = 12
_SCOPES: tuple[Scope, ...] = ("organisation", "system", "team")

Scorecard = dict[str, Any]


def scorecard(facts: Facts, settings: Settings, week: str | None = None) -> Scorecard:
    """The scorecard of an ISO week (`2026-W46`; by default the last complete one) as JSON values.

    `scopes` holds the organisation, then systems, then teams; each metric has its value, the week before's, and the
    last 12 weeks, oldest first. A week that was published is given as it was then. Raises ConfigurationError.
    """
    monday = parse_week(week) if week else _last_complete(facts)
    published = _published(settings.warehouse, iso_week(monday))
    return published or _compute(facts, settings, monday)


def publish(warehouse: Path, content: Scorecard) -> Scorecard:
    """Freezes a scorecard and returns it; one that was published before for the same week stands instead."""
    earlier = _published(warehouse, content["week"])
    if earlier:
        return earlier
    row = [
        "organisation",
        content["organization"],
        content["week"],
        naive(datetime.now(UTC)),
        json.dumps(content),
    ]
    with open_warehouse(warehouse) as opened, opened.transaction():
        opened.connection.execute("insert into scorecards values (?, ?, ?, ?, ?)", row)
    return content


def _published(warehouse: Path, week: str) -> Scorecard | None:
    with open_warehouse(warehouse) as opened:
        rows = opened.connection.execute("select content from scorecards where week = ?", [week]).fetchall()
    return json.loads(rows[0][0]) if rows else None


def _last_complete(facts: Facts) -> date:
    now = today(facts)
    return now - timedelta(days=now.weekday() + 7)


def _compute(facts: Facts, settings: Settings, monday: date) -> Scorecard:
    after = monday + timedelta(days=7)
    first = after - timedelta(weeks=HISTORY_WEEKS)
    return {
        "organization": settings.organization,
        "week": iso_week(monday),
        "week_start": monday.isoformat(),
        "week_end": after.isoformat(),
        "timezone": settings.timezone,
        "as_of": facts.as_of.isoformat(),
        "scopes": [
            about
            for scope in _SCOPES
            for about in _scopes(facts, scope, compute(facts, settings, scope, "week", first, after), monday)
        ],
    }


def _scopes(facts: Facts, scope: Scope, values: list[Value], monday: date) -> Iterator[dict[str, Any]]:
    by_name: dict[str, dict[str, list[Value]]] = {}
    for value in values:
        by_name.setdefault(value.name, {}).setdefault(value.metric, []).append(value)
    for name, of_name in by_name.items():
        shown = [
            _metric(metric, weeks)
            for metric, weeks in of_name.items()
            if scope != "system" or declared()[metric].fact != "responses"  # asked of teams, not of systems
        ]
        where: dict[str, str] = {} if scope == "organisation" else {scope: name}
        yield {
            "scope": scope,
            "name": name,
            "metrics": shown,
            "sentences": sentences(facts, where, monday),
            "caveats": caveats(facts, where, shown, monday),
        }


def _metric(metric: str, weeks: list[Value]) -> Mapping[str, Any]:
    current, before = weeks[-1], weeks[-2]
    return {
        "metric": metric,
        "name": declared()[metric].name,
        "value": current.value,
        "unit": current.unit,
        "target": current.target,
        "status": current.status,
        "n": current.n,
        "partial": current.partial,
        "p75": current.p75,
        "p90": current.p90,
        "previous": before.value,
        "previous_n": before.n,
        "history": [
            {"week": iso_week(one.period_start), "value": one.value, "n": one.n, "status": one.status}
            for one in weeks
        ],
    }
