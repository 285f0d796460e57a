"""Verdicts on survey rounds: one that closed in some days against the last one before them."""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from warehouse.metrics.events import EventBook, anew_since
from warehouse.metrics.facts import Facts
from warehouse.metrics.satisfaction import Group, histogram, rounds, shown_group
from warehouse.metrics.values import SATISFACTION, Scope
from warehouse.signals.chances import t_chance
from warehouse.signals.judging import Judged

# from the worst score to the best
_SCALE = 4.0


def judged_rounds(
    facts: Facts, book: EventBook, by: Scope, where: Mapping[str, str], first: date, end: date
) -> list[Judged]:
    """The satisfaction of the organisation or each team whose round closed in the days; others have none.

    A round before an event that makes satisfaction anew is none to compare with.
    """
    if by not in ("organisation", "team") or set(where) - {"team"}:
        return []
    of_facts = rounds(facts)
    known = dict.fromkeys(team for _, _, teams in of_facts for team in teams)
    teams = [where["team"]] if "team" in where else [None] if by == "organisation" else sorted(known)
    found = []
    for team in teams:
        now, before = (shown_group(of_facts, day, team) for day in (end, first))
        anew = anew_since(book.seen_with({"team": team} if team else {}), first)
        is_of_another_time = before is not None and anew is not None and before.closed_on < anew
        found.append(_judged(facts, by, now, None if is_of_another_time else before, first, end))
    return found


def _judged(
    facts: Facts, by: Scope, now: Group | None, before: Group | None, first: date, end: date
) -> Judged:
    group = now or before
    name = (group.team if group else None) or facts.organization
    score, usual = (of.score if of else None for of in (now, before))
    one = Judged(SATISFACTION, by, name, first, end, score, usual, now.n if now else 0)
    if now is None or before is None or score is None or usual is None:
        return replace(one, unjudged="history")
    if now.closed_on < first:
        return replace(one, usual=None, unjudged="round")
    chance = _welch(histogram(facts, now), histogram(facts, before))
    return replace(one, chance=chance, affected=now.n * abs(score - usual) / _SCALE)


def _welch(now: Mapping[float, int], before: Mapping[float, int]) -> float:
    """The chance of a difference of two means, by Welch's t; who all agree are taken to spread by a point."""
    means, errors, degrees = [], [], []
    for scores in (now, before):
        n = sum(scores.values())
        mean = math.fsum(score * count for score, count in scores.items()) / n
        variance = math.fsum(count * (score - mean) ** 2 for score, count in scores.items()) / (n - 1)
        means.append(mean)
        errors.append((variance or 1.0) / n)
        degrees.append(n - 1)
    error = math.fsum(errors)
    freedom = error**2 / math.fsum(one**2 / of for one, of in zip(errors, degrees, strict=True))
    return t_chance((means[0] - means[1]) / math.sqrt(error), freedom)
