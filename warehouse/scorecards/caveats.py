"""What limits the trust in a week's numbers, in sentences."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from config.settings import Settings
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import local
from warehouse.metrics.satisfaction import respondents_of, round_doubts, rounds, without_satisfaction
from warehouse.metrics.units import listed, plural
from warehouse.metrics.values import narrowing
from warehouse.trust.coverage import imports_name_no_service
from warehouse.trust.readings import failing
from warehouse.trust.runs_and_doubts import doubts
from warehouse.trust.unwatched import unwatched_services

_MOST_NAMED = 3
_DAYS = 7
_LATELY = timedelta(weeks=4)
# what is missing where a kind of fact was not read
_READ = {"deployments": "Deployments", "incidents": "Incidents"}


def caveats(
    facts: Facts,
    settings: Settings,
    where: Mapping[str, str],
    shown: Sequence[Mapping[str, Any]],
    monday: date,
) -> list[str]:
    """One for each thing to know before relying on the numbers `shown` of the week from `monday`."""
    by_status: dict[str, list[str]] = {}
    for metric in shown:
        by_status.setdefault(metric["status"], []).append(metric["name"])
    told = [*unread(facts, settings, where), *_uncovered(facts, where, monday), *_gaps(facts, where, monday)]
    told += _unwatched(facts, where, monday)
    told += _of_surveys(facts, where, monday + timedelta(days=_DAYS))
    if any(metric["provisional"] for metric in shown):
        told.append(
            "The failure rates may still rise: an incident can be blamed on a deployment of this week yet."
        )
    if names := by_status.get("no data"):
        told.append(f"No source was read for {listed(names)}.")
    if names := by_status.get("insufficient"):
        told.append(f"Too few rows to hold against a target: {listed(names)}.")
    if names := by_status.get("unwatched"):
        told.append(f"Neither met nor missed, since too few incidents are read: {listed(names)}.")
    if names := by_status.get("not applicable"):
        told.append(f"Nothing here is deployed, so there is no target to meet: {listed(names)}.")
    if names := by_status.get("withheld"):
        told.append(f"Withheld, because a person's answer could be worked out: {listed(names)}.")
    if not where and (n := doubts(facts, monday, monday + timedelta(days=_DAYS)).of_nobody):
        belong, count = ("belongs", "counts") if n == 1 else ("belong", "count")
        told.append(
            f"{plural(n, 'resolved incident')} {belong} to no single service, team or system"
            f" and {count} for the organisation only."
        )
    return told


def unread(facts: Facts, settings: Settings, where: Mapping[str, str]) -> list[str]:
    """The sources that could not be read, with the instant of their last good reading: what is kept knows no today."""
    told = []
    for one in failing(facts, settings, where):
        at = local(facts, one.read_at) if one.read_at else None
        told.append(f"{one.sentence(f'{at:%A}, {at.day} {at:%B %Y}, {at:%H:%M}' if at else '')}.")
    return told


def _uncovered(facts: Facts, where: Mapping[str, str], monday: date) -> list[str]:
    """The services that were read in the four weeks before, and not on each day of the week."""
    sql = (
        "with days as ("
        " select distinct f.service, f.day from covered_days as f"
        f" where f.fact = $fact and f.day >= $start and f.day < $end{narrowing(where)})"
        " select f.service, count(distinct d.day) as days from covered_days as f"
        " left join days as d on d.service = f.service"
        f" where f.fact = $fact and f.day >= $before and f.day < $start and f.service is not null{narrowing(where)}"
        " group by f.service having days < $whole order by days, f.service"
    )
    told = []
    for fact, word in _READ.items():
        rows = facts.connection.execute(
            sql,
            {**where, **_bound(monday), "before": monday - _LATELY, "fact": fact, "whole": _DAYS},
        ).fetchall()
        if rows:
            named = [f"{service} on {days} of {_DAYS} days" for service, days in rows[:_MOST_NAMED]]
            told.append(f"{word} were read only in part: {_and_more(named, len(rows), 'service')}.")
    return told


def _gaps(facts: Facts, where: Mapping[str, str], monday: date) -> list[str]:
    found = doubts(facts, monday, monday + timedelta(days=_DAYS), where)
    if not found.gaps:
        return []
    lost = (
        f", with {plural(found.lost_entries, 'entry', 'entries')} known to be lost"
        if found.lost_entries
        else ""
    )
    return [f"{plural(found.gaps, 'stretch', 'stretches')} of the week went by without a reading{lost}."]


def _unwatched(facts: Facts, where: Mapping[str, str], monday: date) -> list[str]:
    """The services that were deployed and whose incidents nobody tells."""
    names = unwatched_services(facts, **_bound(monday), where=where)
    if not names:
        return []
    told = (
        "No imported incident names"
        if imports_name_no_service(facts, **_bound(monday))
        else "No incidents are read for"
    )
    return [
        f"{told} {_and_more(names[:_MOST_NAMED], len(names), 'service')}:"
        " a failure there shows only as a rollback or a revert."
    ]


def _of_surveys(facts: Facts, where: Mapping[str, str], after: date) -> list[str]:
    """What to know of the satisfaction: of the organisation, groups and teams alone: people are asked by team."""
    if set(where) - {"group", "team"}:
        return []
    people = respondents_of(facts, where)
    told = [f"{one}." for one in round_doubts(rounds(facts), after, people)]
    closed = [one for one in without_satisfaction(facts) if one[1] < after]
    if closed:
        name, _, questions = closed[-1]
        told.append(
            f"Round {name} asked nothing that counts as satisfaction: {listed(questions[:_MOST_NAMED])}."
        )
    return told


def _and_more(named: list[str], n: int, thing: str) -> str:
    more = n - len(named)
    return f"{', '.join(named)} and {plural(more, f'more {thing}')}" if more > 0 else listed(named)


def _bound(monday: date) -> dict[str, Any]:
    return {"start": monday, "end": monday + timedelta(days=_DAYS)}
