"""The weekly scorecard: one document for a scope, its name and an ISO week, as JSON values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from config.errors import ConfigurationError
from config.metrics import metrics as declared
from config.settings import Settings
from config.targets import parse_target
from warehouse.metrics.attainment import WEEKS_BACK, against_published_targets, attainment, standing
from warehouse.metrics.definitions import definitions
from warehouse.metrics.events import KnownEvent, event_book, in_days
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import iso_week, midnight, parse_week, today
from warehouse.metrics.satisfaction import rounds, teams_below
from warehouse.metrics.values import SELDOM, Scope, Value, compute, kept_name
from warehouse.rows.stages import Stage, stages
from warehouse.scorecards.caveats import caveats
from warehouse.scorecards.held_back_sentences import holding_back, hours_sentence
from warehouse.scorecards.platform_sentences import platform_sentences
from warehouse.scorecards.published import Told, frozen, told_before
from warehouse.scorecards.restatements import restatements
from warehouse.scorecards.sentences import Sentence, told
from warehouse.signals.limits import limits_before
from warehouse.signals.verdicts import Verdict, all_judged, among, below_scope, verdict
from warehouse.signals.wording import compared_numbers, told_verdict
from warehouse.storage.older_scorecards import CONTENT_VERSION
from warehouse.trust.ownership import owners
from warehouse.trust.readings import oldest_reading

HISTORY_WEEKS = 12

Scorecard = dict[str, Any]
# a scope's values by week, oldest first, by metric; and those of scopes by kind and name
_Weeks = dict[str, list[Value]]
Values = dict[tuple[Scope, str], _Weeks]
_SCOPES: tuple[Scope, ...] = ("organisation", "system", "group", "team")


def scopes(facts: Facts, monday: date) -> list[tuple[Scope, str]]:
    """Those who get a scorecard of the week from `monday`: the organisation, without a name, and what is below it.

    Systems and teams that owned a service at some time in it; a team also gets one that answered the last survey closed
    by its end, and a group one where one of its teams does.
    """
    after = monday + timedelta(days=7)
    owned = owners(facts, midnight(facts, monday), midnight(facts, after))
    surveyed = [teams for closed_on, _, teams in rounds(facts) if closed_on < after][-1:]
    teams = {team for team, _ in owned if team}.union(*surveyed)
    return [
        ("organisation", ""),
        *(("system", name) for name in sorted({system for _, system in owned if system})),
        *(("group", name) for name, held in sorted(teams_below(facts).items()) if held & teams),
        *(("team", name) for name in sorted(teams)),
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
    weeks, oldest first. Raises ConfigurationError, and UnreadableScorecard.
    """
    wanted = [(scope, kept_name(scope, name or ""))]
    return _scorecards(facts, settings, week, wanted, asked=wanted)[0]


def scorecards(facts: Facts, settings: Settings, week: str | None = None) -> list[Scorecard]:
    """The scorecards of all `scopes` for a week, and those that were published for it of others, who are no more."""
    monday = parse_week(week) if week else _last_complete(facts)
    wanted = {*scopes(facts, monday), *frozen(settings.warehouse, iso_week(monday))}
    return _scorecards(facts, settings, week, sorted(wanted, key=lambda one: (_SCOPES.index(one[0]), one[1])))


def _scorecards(
    facts: Facts,
    settings: Settings,
    week: str | None,
    wanted: list[tuple[Scope, str]],
    asked: Sequence[tuple[Scope, str]] = (),
) -> list[Scorecard]:
    monday = parse_week(week) if week else _last_complete(facts)
    found = frozen(settings.warehouse, iso_week(monday), asked)
    missing = [one for one in wanted if one not in found]
    computed = _compute(facts, settings, monday, missing, found) if missing else {}
    return [found[one] if one in found else computed[one] for one in wanted]


def _last_complete(facts: Facts) -> date:
    now = today(facts)
    return now - timedelta(days=now.weekday() + 7)


def _compute(
    facts: Facts,
    settings: Settings,
    monday: date,
    wanted: list[tuple[Scope, str]],
    published: Mapping[tuple[Scope, str], Scorecard],
) -> dict[tuple[Scope, str], Scorecard]:
    of_week = scopes(facts, monday)
    for scope, name in wanted:
        if (scope, name) not in of_week:
            known = ", ".join([other for kind, other in of_week if kind == scope][:12]) or "none"
            raise ConfigurationError(f'there is no {scope} "{name}" in {iso_week(monday)}; known: {known}')
    values = _values(facts, settings, monday, {scope for scope, _ in wanted})
    judged = all_judged(facts, monday, monday + timedelta(days=7))
    signals = among(judged, settings)
    verdicts: dict[tuple[Scope, str], list[Verdict]] = {}
    for number in judged:
        found = verdict(number, signals.highest_chance, settings)
        verdicts.setdefault((number.scope, kept_name(number.scope, number.name)), []).append(found)
    told_of = told_before(settings.warehouse, monday)
    summed = [one for one in of_week if one[0] != "organisation"]
    return {
        (scope, name): _content(
            facts,
            settings,
            monday,
            (scope, name),
            values[scope, name],
            verdicts.get((scope, name), []),
            below_scope(facts, signals, scope, name),
            {one: values[one] for one in summed} if scope == "organisation" else {},
            told_of.get((scope, name), {}),
            published,
        )
        for scope, name in wanted
    }


def _values(facts: Facts, settings: Settings, monday: date, of: set[Scope]) -> Values:
    """By scope and name the year's weeks of each metric, oldest first; the organisation needs those below it too."""
    after = monday + timedelta(days=7)
    first = after - timedelta(weeks=WEEKS_BACK)
    found: Values = {}
    for scope in _SCOPES if "organisation" in of else [one for one in _SCOPES if one in of]:
        weeks = compute(facts, settings, scope, "week", first, after)
        for value in against_published_targets(facts, weeks):
            # systems are not asked for their satisfaction; teams are
            if scope != "system" or declared()[value.metric].fact != "responses":
                found.setdefault((scope, kept_name(scope, value.name)), {}).setdefault(
                    value.metric, []
                ).append(value)
    return found


def _content(
    facts: Facts,
    settings: Settings,
    monday: date,
    of: tuple[Scope, str],
    weeks: _Weeks,
    verdicts: list[Verdict],
    signals_below: list[Verdict],
    below: Values,
    told_of: Mapping[tuple[str, str], Told],
    published: Mapping[tuple[Scope, str], Scorecard],
) -> Scorecard:
    scope, name = of
    where: dict[str, str] = {} if scope == "organisation" else {scope: name}
    after = monday + timedelta(days=7)
    by_metric = {one.judged.metric: one for one in verdicts}
    metrics = [_metric(of_metric, monday, by_metric.get(metric)) for metric, of_metric in weeks.items()]
    own = [of_metric[-1] for of_metric in weeks.values()]
    said = told(facts, where, monday, own, verdicts, signals_below)
    held = holding_back(facts, [of_metric[-1] for of_metric in weeks.values()], where)
    found = stages(facts, where, monday, monday + timedelta(days=7))
    return {
        "version": CONTENT_VERSION,
        "organization": settings.organization,
        "scope": scope,
        "name": name or facts.organization,
        "week": iso_week(monday),
        "week_start": monday.isoformat(),
        "week_end": after.isoformat(),
        "timezone": settings.timezone,
        "as_of": oldest_reading(facts, settings, where).isoformat(),
        "definitions": definitions(),
        "dashboard": settings.dashboard.url and settings.dashboard.url.rstrip("/"),
        "metrics": metrics,
        "attainment": _attained(metrics),
        "holding_back": [{"metric": value.metric, **_said(one)} for value, one in held if one],
        "hours": _hours(found),
        "sentences": [_said(one) for one in said],
        "platform": [_said(one) for one in platform_sentences(facts, settings, where, monday)],
        "events": [_event(one) for one in in_days(event_book(facts).seen_with(where), monday, after)],
        "caveats": caveats(facts, settings, where, metrics, monday),
        "restatements": restatements(facts, settings.warehouse, of, weeks, told_of),
        "below": [
            _summary(*one, [_figures(of_metric[-1]) for of_metric in of_one.values()])
            if one not in published
            else _summary(*one, [_figures_of(metric) for metric in published[one]["metrics"]])
            for one, of_one in below.items()
        ],
    }


def _said(sentence: Sentence) -> dict[str, Any]:
    return {"text": sentence.text, "parts": [_without_nothing(asdict(part)) for part in sentence.parts]}


def _hours(found: Sequence[Stage]) -> dict[str, Any] | None:
    """Where the hours lie, in a sentence and stage by stage; None where there are too few."""
    sentence = hours_sentence(found)
    if sentence is None:
        return None
    kept = ("name", "seconds", "share", "n", "mean", "median", "p90")
    return {**_said(sentence), "stages": [{key: getattr(one, key) for key in kept} for one in found]}


def _event(one: KnownEvent) -> dict[str, Any]:
    """An event with the local days that it touched, the first and the last."""
    days = {"first_day": one.day.isoformat(), "last_day": one.last_day.isoformat()}
    return {
        key: getattr(one, key) for key in ("id", "title", "kind", "scope", "name", "resets", "url")
    } | days


def _without_nothing(of: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in of.items() if value is not None}


def _summary(scope: Scope, name: str, metrics: list[dict[str, Any]]) -> dict[str, Any]:
    return {"scope": scope, "name": name, "metrics": metrics, "attainment": _attained(metrics)}


def _attained(metrics: Iterable[dict[str, Any]]) -> dict[str, int]:
    """How many of the targets that could be judged this week are met."""
    found = standing(metrics)
    return {"met": found.met, "judged": found.judged}


def _figures(value: Value) -> dict[str, Any]:
    return {
        "metric": value.metric,
        "name": declared()[value.metric].name,
        "short": declared()[value.metric].short,
        "value": value.value,
        "unit": value.unit,
        "n": value.n,
        "counts": declared()[value.metric].fact,
        "target": value.target,
        "status": value.status,
    }


def _figures_of(published: Mapping[str, Any]) -> dict[str, Any]:
    """What `_figures` has of a metric, as it was published."""
    shown = ("metric", "name", "short", "value", "unit", "n", "counts", "target", "status")
    return {key: published[key] for key in shown}


def _metric(weeks: list[Value], monday: date, found: Verdict | None) -> dict[str, Any]:
    current, before = weeks[-1], weeks[-2]
    metric = declared()[current.metric]
    kind = found.kind if found else "unknown"
    attained = attainment(weeks)
    since = attained.missed_since
    return {
        **_figures(current),
        "limit": parse_target(current.target, metric).limit if current.target else None,
        "floor": metric.floor,
        "rule": metric.rule,
        "partial": current.partial,
        "provisional": current.provisional,
        "p75": current.p75,
        "p90": current.p90,
        "last_known": _last_known(weeks),
        "previous": before.value,
        "previous_n": before.n,
        "usual": _usual(weeks, monday, found),
        "change": {
            "kind": kind,
            "direction": found.direction if found else None,
            "is_better": found.is_better if found else None,
            "reason": _reason(found) if found else "",
        },
        "attainment": {
            "met": attained.met,
            "judged": attained.judged,
            "missed_since": since.isoformat() if since else None,
            "or_before": attained.or_before,
        },
        "history": [
            {"week": iso_week(one.period_start), "value": one.value, "n": one.n, "status": one.status}
            for one in weeks[-HISTORY_WEEKS:]
        ],
    }


def _last_known(weeks: Sequence[Value]) -> dict[str, Any] | None:
    """The last week that has a number, of a metric that is asked for seldom and has none in this one."""
    if weeks[-1].metric != SELDOM or weeks[-1].status != "none":
        return None
    known = [week for week in weeks if week.value is not None]
    return {"week": iso_week(known[-1].period_start), "value": known[-1].value} if known else None


def _reason(found: Verdict) -> str:
    """Both numbers of a signal, or why nothing can be told."""
    if found.kind == "signal":
        return compared_numbers(found.judged)
    return told_verdict(found) if found.kind == "unknown" else ""


def _usual(weeks: list[Value], monday: date, found: Verdict | None) -> dict[str, Any] | None:
    """What the week was compared with, and between which limits single weeks stay; None where it was not by itself."""
    if found is None or found.judged.usual is None or found.judged.week:
        return None
    limits = limits_before(weeks, monday, monday - timedelta(weeks=found.judged.weeks_before))
    return {
        "centre": found.judged.usual,
        "lower": limits.lower if limits else None,
        "upper": limits.upper if limits else None,
        "n": limits.n if limits else 0,
    }
