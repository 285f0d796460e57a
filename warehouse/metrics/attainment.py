"""How targets stand: how many are met, in how many of the last twelve completed weeks, and since when one is missed."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from config.metrics import metrics as declared
from config.settings import Settings
from config.targets import parse_target
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import iso_week, parse_week, today
from warehouse.metrics.units import listed, plural
from warehouse.metrics.values import Scope, Value, compute, kept_name

WEEKS = 12
# as far back as the beginning of a run of missed weeks is looked for
WEEKS_BACK = 52
# why a target is not judged, where a status says it too shortly
_WHY = {"insufficient": "too few rows", "none": "nothing happened"}


@dataclass(frozen=True)
class Standing:
    """How a scope stands against its targets: `met` of the `judged` ones, and by reason those that were not judged."""

    met: int
    judged: int
    unjudged: Mapping[str, Sequence[str]]

    @property
    def short(self) -> str:
        """In a line, without what was not judged: "3 of 5 targets met"."""
        return f"{self.met} of {plural(self.judged, 'target')} met" if self.judged else "no target judged"

    @property
    def text(self) -> str:
        """In a sentence: "3 of 5 targets met; 1 not judged: Mean Time to Recovery (no data)"."""
        left = sum(map(len, self.unjudged.values()))
        why = ", ".join(f"{listed(list(names))} ({reason})" for reason, names in self.unjudged.items())
        if not self.judged:
            return f"None of {plural(left, 'target')} can be judged: {why}" if left else "No target is set"
        return f"{self.short}; {left} not judged: {why}" if left else self.short


def standing(numbers: Iterable[Mapping[str, Any]]) -> Standing:
    """How the `numbers` of one scope and period stand, values or what a scorecard has of them; those with a target."""
    aimed = [(declared()[one["metric"]].name, one["status"]) for one in numbers if one["target"]]
    judged = [status for _, status in aimed if status in ("met", "missed")]
    unjudged: dict[str, list[str]] = {}
    for name, status in aimed:
        if status not in ("met", "missed"):
            unjudged.setdefault(_WHY.get(status, status), []).append(name)
    return Standing(judged.count("met"), len(judged), unjudged)


@dataclass(frozen=True)
class Attainment:
    """How one metric of one scope did by week: `met` of the `judged` ones among `weeks`, the last 12, oldest first.

    `missed_since` and `met_since` are the Monday of the first week of the current run, or None: at most one is there.
    Weeks that cannot be judged do not end a run, but where all twelve are such there is none. `or_before`: the run
    began with the first week that was given.
    """

    weeks: tuple[Value, ...] = ()
    met: int = 0
    judged: int = 0
    missed_since: date | None = None
    met_since: date | None = None
    or_before: bool = False

    @property
    def missed(self) -> int:
        """How many of the judged weeks missed the target."""
        return self.judged - self.met


def met_or_missed(week: Value) -> bool | None:
    """Whether the target was met in a completed week; None where the week cannot be judged, or not yet.

    A provisional rate can only rise: what misses its target already is missed, what meets it may still miss it.
    """
    if week.status not in ("met", "missed"):
        return None
    if week.provisional and week.status == "met":
        return None
    return week.status == "met"


def attainment(weeks: Sequence[Value]) -> Attainment:
    """The attainment over `weeks`, values of one metric and scope by week in any order; incomplete weeks are ignored.

    A run is followed as far back as `weeks` go, beyond the twelve that are counted.
    """
    completed = sorted((week for week in weeks if _is_complete(week)), key=lambda week: week.period_start)
    last = completed[-WEEKS:]
    verdicts = [found for week in last if (found := met_or_missed(week)) is not None]
    run = list(_run(completed)) if verdicts else []
    since = run[-1].period_start if run else None
    is_met = bool(run) and met_or_missed(run[0]) is True
    return Attainment(
        weeks=tuple(last),
        met=sum(verdicts),
        judged=len(verdicts),
        missed_since=None if is_met else since,
        met_since=since if is_met else None,
        or_before=bool(run) and run[-1] is completed[0],
    )


def attainments(
    facts: Facts,
    settings: Settings,
    by: Scope = "organisation",
    where: Mapping[str, str] | None = None,
    metrics: Collection[str] | None = None,
) -> dict[tuple[str, str], Attainment]:
    """(metric, name) -> attainment up to the last completed week, each week held against its own target."""
    end = today(facts) - timedelta(days=today(facts).weekday())
    weeks = compute(facts, settings, by, "week", end - timedelta(weeks=WEEKS_BACK), end, where, metrics)
    grouped: dict[tuple[str, str], list[Value]] = {}
    for week in against_published_targets(facts, weeks):
        grouped.setdefault((week.metric, week.name), []).append(week)
    return {key: attainment(found) for key, found in grouped.items()}


def against_published_targets(facts: Facts, weeks: Sequence[Value]) -> list[Value]:
    """`weeks`, each held against the target in the scorecard that was published for it, else against its own.

    What no target holds for now is held against none.
    """
    if not weeks:
        return []
    published = _published_targets(facts, min(week.period_start for week in weeks))
    return [
        _held_against(week, published[key])
        if (key := (week.scope, kept_name(week.scope, week.name), week.metric, week.period_start))
        in published
        and week.target is not None
        else week
        for week in weeks
    ]


def _is_complete(week: Value) -> bool:
    return not week.partial and week.period_end - week.period_start == timedelta(days=7)


def _run(completed: Sequence[Value]) -> Iterator[Value]:
    """The judged weeks with the same outcome as the last one, without a different one between, the newest first."""
    outcome = None
    for week in reversed(completed):
        found = met_or_missed(week)
        if found is None:
            continue
        if outcome is not None and found != outcome:
            return
        outcome = found
        yield week


def _held_against(week: Value, text: str | None) -> Value:
    if week.value is None or week.status not in ("met", "missed", "value"):
        return replace(week, target=text)
    if text is None:
        return replace(week, target=None, status="value")
    is_met = parse_target(text, declared()[week.metric]).met_by(week.value)
    return replace(week, target=text, status="met" if is_met else "missed")


_PUBLISHED = """
select s.scope, s.name, s.week, m.metric, m.target
from scorecards as s
cross join lateral unnest(from_json(s.content -> 'metrics', '[{"metric": "VARCHAR", "target": "VARCHAR"}]')) as u(m)
where s.week >= $first
"""


def _published_targets(facts: Facts, first: date) -> dict[tuple[str, str, str, date], str | None]:
    """(scope, kept name, metric, Monday) -> the target that was published, None where there was none."""
    rows = facts.connection.execute(_PUBLISHED, {"first": iso_week(first)}).fetchall()
    # the organisation's frequency, which earlier versions held everybody against, was never anybody else's
    rates = {id for id, metric in declared().items() if metric.dimension == "rate"}
    of_all = {(metric, target) for scope, _, _, metric, target in rows if scope == "organisation"}
    return {
        (scope, name, metric, parse_week(week)): target
        for scope, name, week, metric, target in rows
        if scope == "organisation" or metric not in rates or (metric, target) not in of_all
    }
