"""The weekly scorecard: one document for a scope, its name and an ISO week, as JSON values."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from config.errors import ConfigurationError
from config.metrics import metrics as declared
from config.settings import Settings
from warehouse.facts import Facts
from warehouse.frozen import frozen
from warehouse.periods import iso_week, parse_week, today
from warehouse.reading import services
from warehouse.satisfaction import rounds
from warehouse.sentences import caveats, sentences
from warehouse.values import Scope, Value, compute

HISTORY_WEEKS = 12

Scorecard = dict[str, Any]


def scopes(facts: Facts) -> list[tuple[Scope, str]]:
    """Those who get a scorecard: the organisation, the systems, the teams that own a service or were just surveyed."""
    owned = services(facts)
    surveyed = {team for _, _, teams in rounds(facts)[-1:] for team in teams}
    return [
        ("organisation", facts.organization),
        *(("system", name) for name in sorted({one.system for one in owned if one.system})),
        *(("team", name) for name in sorted({one.team for one in owned if one.team} | surveyed)),
    ]


def scorecard(
    facts: Facts,
    settings: Settings,
    week: str | None = None,
    scope: Scope = "organisation",
    name: str | None = None,
) -> Scorecard:
    """The scorecard of a scope and an ISO week (`2026-W46`; by default the last complete one).

    One that was published is given as it was then. Each metric has its value, the week before's, and the last 12
    weeks, oldest first. Raises ConfigurationError.
    """
    return _scorecards(facts, settings, week, [(scope, name or facts.organization)])[0]


def scorecards(facts: Facts, settings: Settings, week: str | None = None) -> list[Scorecard]:
    """The scorecards of all `scopes` for a week."""
    return _scorecards(facts, settings, week, scopes(facts))


def _scorecards(
    facts: Facts, settings: Settings, week: str | None, wanted: list[tuple[Scope, str]]
) -> list[Scorecard]:
    monday = parse_week(week) if week else _last_complete(facts)
    found = frozen(settings.warehouse, iso_week(monday))
    missing = [one for one in wanted if one not in found]
    computed = _compute(facts, settings, monday, missing) if missing else {}
    return [found[one] if one in found else computed[one] for one in wanted]


def _last_complete(facts: Facts) -> date:
    now = today(facts)
    return now - timedelta(days=now.weekday() + 7)


def _compute(
    facts: Facts, settings: Settings, monday: date, wanted: list[tuple[Scope, str]]
) -> dict[tuple[Scope, str], Scorecard]:
    values = _values(facts, settings, monday, wanted)
    return {
        (scope, name): _content(facts, settings, monday, scope, name, values[scope, name], values)
        for scope, name in wanted
    }


Values = dict[tuple[Scope, str], dict[str, list[Value]]]


def _values(facts: Facts, settings: Settings, monday: date, wanted: Iterable[tuple[Scope, str]]) -> Values:
    """By scope and name the weeks of each metric, oldest first, for those wanted and what the organisation sums up."""
    after = monday + timedelta(days=7)
    first = after - timedelta(weeks=HISTORY_WEEKS)
    kinds = {scope for scope, _ in wanted}
    found: Values = {}
    for scope in _SCOPES if "organisation" in kinds else [one for one in _SCOPES if one in kinds]:
        for value in compute(facts, settings, scope, "week", first, after):
            found.setdefault((scope, value.name), {}).setdefault(value.metric, []).append(value)
    for scope, name in wanted:
        if (scope, name) not in found:
            known = ", ".join(sorted(other for kind, other in found if kind == scope)[:12]) or "none"
            raise ConfigurationError(f'there is no {scope} "{name}"; known: {known}')
    return found


_SCOPES: tuple[Scope, ...] = ("organisation", "system", "team")


def _content(
    facts: Facts,
    settings: Settings,
    monday: date,
    scope: Scope,
    name: str,
    weeks: dict[str, list[Value]],
    everything: Values,
) -> Scorecard:
    metrics = [_metric(of_metric) for metric, of_metric in weeks.items() if _is_shown(scope, metric)]
    where: dict[str, str] = {} if scope == "organisation" else {scope: name}
    below = [
        _summary(kind, other, everything[kind, other])
        for kind, other in scopes(facts)
        if scope == "organisation" and kind != "organisation"
    ]
    return {
        "organization": settings.organization,
        "scope": scope,
        "name": name,
        "week": iso_week(monday),
        "week_start": monday.isoformat(),
        "week_end": (monday + timedelta(days=7)).isoformat(),
        "timezone": settings.timezone,
        "as_of": facts.as_of.isoformat(),
        "metrics": metrics,
        "attainment": _attained(metrics),
        "sentences": [{"text": text} for text in sentences(facts, where, monday)],
        "caveats": caveats(facts, where, metrics, monday),
        "restatements": [],
        "below": below,
    }


def _is_shown(scope: Scope, metric: str) -> bool:
    """Systems are not asked for their satisfaction; teams are."""
    return scope != "system" or declared()[metric].fact != "responses"


def _summary(scope: Scope, name: str, weeks: dict[str, list[Value]]) -> dict[str, Any]:
    metrics = [
        {
            "metric": metric,
            "name": declared()[metric].name,
            "value": of_metric[-1].value,
            "unit": of_metric[-1].unit,
            "n": of_metric[-1].n,
            "target": of_metric[-1].target,
            "status": of_metric[-1].status,
        }
        for metric, of_metric in weeks.items()
        if _is_shown(scope, metric)
    ]
    return {"scope": scope, "name": name, "metrics": metrics, "attainment": _attained(metrics)}


def _attained(metrics: Iterable[dict[str, Any]]) -> dict[str, int]:
    """How many of the targets that could be judged this week are met."""
    judged = [metric["status"] for metric in metrics if metric["status"] in ("met", "missed")]
    return {"met": judged.count("met"), "judged": len(judged)}


def _metric(weeks: list[Value]) -> dict[str, Any]:
    current, before = weeks[-1], weeks[-2]
    metric = declared()[current.metric]
    return {
        "metric": metric.id,
        "name": metric.name,
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
