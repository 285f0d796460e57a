"""What a missed number comes from: who holds its rows, and what it would be otherwise, both from the same rows.

No cause is claimed: the other number is arithmetic, of the rows as they are but for what is said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import fmean, median
from typing import Any, Literal, NamedTuple

from config.metrics import Metric
from config.metrics import metrics as declared
from config.targets import Target, parse_target
from warehouse.loading.survey_batches import FLOOR
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import buckets
from warehouse.metrics.satisfaction import Respondents, histogram, respondents_of, rounds, shown_group
from warehouse.metrics.values import Value, narrowing
from warehouse.rows.stages import (
    DIRECT,
    MOST_NAMED_HOLDERS,
    STAGES,
    Holder,
    Stage,
    fewest_that_hold,
    stages,
)

# fewer rows, failures, incidents or people than this say nothing of where they lie
FEWEST_ROWS = 5
# services of which a median is one, and weeks
FEWEST_SERVICES, FEWEST_WEEKS = 3, 4
# so long may a stage take in a counterfactual: what people agree on, in seconds
CAPS = tuple(hours * 3600.0 for hours in (0.25, 0.5, 1, 2, 4, 8, 24, 48, 72, 168, 336, 720, 2160))
# as many as keep a cap that is told: it is no wish
KEPT_BY = 0.25
# what those are raised to who gave less, and how far below the mean a team is told to be, of 5
GOOD_SCORE, LEAST_DISTANCE = 4.0, 0.1

Kind = Literal[
    "service", "pull request", "commit", "repository", "incident", "recovery", "team", "evidence", "week",
    "respondent",
]  # fmt: skip
# what the counterfactual is: no more than `level` seconds of the stage in any change; the rows without the holders';
# each holder as often as `level` times a day; each score of less than `level` raised to it
Otherwise = Literal["capped", "without", "as often", "raised"]


@dataclass(frozen=True)
class HeldBack:
    """Of a missed `value`: its `holders`, of a `kind`, among `of`, have the part `share`; otherwise it `would_be`.

    The share is of a stage's seconds, of all seconds, of the failures, or of the people who answered; None for what is
    done too rarely. `total` is what all of them hold: seconds (those of all stages, of a lead time), or failures; of
    teams it is how many are below the mean.
    `level` is in seconds, a day, or of 5, as `otherwise` says; `kept` is the share of the changes that keep to it now.
    `would_be` is in the metric's unit, None where there is no such number.
    """

    value: Value
    kind: Kind
    holders: tuple[Holder, ...]
    of: int
    share: float | None
    otherwise: Otherwise
    would_be: float | None
    level: float | None = None
    kept: float | None = None
    stage: Stage | None = None
    total: float = 0.0


def held_back(facts: Facts, value: Value, where: Mapping[str, str]) -> HeldBack | None:
    """What holds `value` back, which `where` narrows to; None where it is not missed or there are too few rows."""
    if value.status != "missed" or value.target is None or value.value is None:
        return None
    metric = declared()[value.metric]
    asked = _Asked(facts, metric, parse_target(value.target, metric), value, where)
    if metric.fact == "changes":
        return _stage_held(asked)
    if metric.statistic == "rate":
        return _rarely(asked)
    if metric.statistic == "share":
        return _failing(asked)
    return _low_scores(asked) if metric.fact == "responses" else _longest_held(asked)


class _Asked(NamedTuple):
    facts: Facts
    metric: Metric
    target: Target
    value: Value
    where: Mapping[str, str]

    @property
    def days(self) -> tuple[date, date]:
        return self.value.period_start, self.value.period_end

    def rows(self, sql: str, **bound: Any) -> list[tuple[Any, ...]]:
        start, end = self.days
        return self.facts.connection.execute(
            sql, {**self.where, "start": start, "end": end, **bound}
        ).fetchall()

    @property
    def counted(self) -> str:
        """SQL for the rows of the fact that count."""
        return (
            f"{self.metric.fact} as f where f.{self.metric.excluded} is null"
            f" and f.day >= $start and f.day < $end{narrowing(self.where)}"
        )


def _stage_held(asked: _Asked) -> HeldBack | None:
    """The stage with most of the hours, and the median were it no longer than a round time that many keep."""
    found = stages(asked.facts, asked.where, *asked.days)
    stage = max(found, key=lambda one: one.seconds, default=None)
    if stage is None or stage.n < FEWEST_ROWS:
        return None
    holders = fewest_that_hold(stage.services)
    by_service = len(holders) < stage.services_in_all
    if not by_service:
        holders = fewest_that_hold(stage.pull_requests)
    kind: Kind = "service" if by_service else "commit" if stage.name == DIRECT else "pull request"
    cap, kept, would_be = _capped(asked, stage.name)
    return HeldBack(
        value=asked.value,
        kind=kind,
        holders=holders,
        of=stage.services_in_all if by_service else stage.n,
        share=sum(one.share for one in holders),
        otherwise="capped",
        would_be=would_be,
        level=cap,
        kept=kept,
        stage=stage,
        total=sum(one.seconds for one in found),
    )


def _capped(asked: _Asked, stage: str) -> tuple[float | None, float | None, float | None]:
    """The longest of CAPS with which the target is met, else the shortest; never one that less than KEPT_BY keep.

    (it, the share of the changes that keep it, the median with it); Nones where no cap is kept by as many.
    """
    spent = f"select f.lead_time_seconds as lead, {_within(stage)} as spent from {asked.counted}"
    ((least,),) = asked.rows(f"select quantile_disc(s.spent, {KEPT_BY}) from ({spent}) as s")
    found: tuple[float | None, float | None, float | None] = (None, None, None)
    for cap in [cap for cap in CAPS if least is not None and cap >= least]:
        ((kept, would_be),) = asked.rows(
            "select avg(cast(s.spent <= $cap as int)),"
            " quantile_cont(s.lead - greatest(0, coalesce(s.spent, 0) - $cap), 0.5)"
            f" from ({spent}) as s",
            cap=cap,
        )
        if found[0] is None or asked.target.met_by(would_be):
            found = (cap, kept, would_be)
        if not asked.target.met_by(would_be):
            break
    return found


def _within(stage: str) -> str:
    """SQL for the stage's seconds on a change's own way: a commit may be younger than its pull request.

    None where the stage did not happen, or where the way out of it is not known.
    """
    if stage == DIRECT:
        return "case when f.pull_request is null then f.lead_time_seconds end"
    names = list(STAGES)
    later = [f"coalesce(f.{STAGES[name][0]}, 0)" for name in names[names.index(stage) + 1 :]]
    left = " - ".join(["f.lead_time_seconds", *later])
    return (
        f"case when f.deploy_seconds is not null and f.{STAGES[stage][0]} is not null"
        f" then greatest(0, least(f.{STAGES[stage][0]}, {left})) end"
    )


# by fact table: what its rows are, and the name of one
_NAMED: dict[str, tuple[Kind, str]] = {
    "repositories": ("repository", "min(f.repo)"),
    "incidents": ("incident", "min(coalesce(f.title, f.id))"),
    "recoveries": ("recovery", "min(f.service)"),
}


# by share: the column with the kind of evidence
_BECAUSE = {"change_failure_rate": "failed_by", "deployment_rework_rate": "rework_because"}


def _longest_held(asked: _Asked) -> HeldBack | None:
    """The rows that hold most of the hours, and the number without them."""
    if asked.metric.fact not in _NAMED:
        return None
    kind, name = _NAMED[asked.metric.fact]
    entity = ", ".join(f"f.{column}" for column in asked.metric.entity)
    rows = asked.rows(
        f"select {name}, min(f.service), min(f.url), max(f.{asked.metric.input}) as seconds from {asked.counted}"
        f" group by {entity} order by seconds desc, {entity}"
    )
    total = sum(seconds for *_, seconds in rows)
    if len(rows) < FEWEST_ROWS or not total:
        return None
    all_of_them = [Holder(name, held, held / total, 1, url, service) for name, service, url, held in rows]
    holders = fewest_that_hold(all_of_them)[: len(rows) // 2]
    rest = [one.amount for one in all_of_them[len(holders) :]]
    return HeldBack(
        value=asked.value,
        kind=kind,
        holders=holders,
        of=len(rows),
        share=sum(one.share for one in holders),
        otherwise="without",
        would_be=median(rest) if asked.metric.statistic == "median" else fmean(rest),
        total=total,
    )


def _failing(asked: _Asked) -> HeldBack | None:
    """The services that fail more often than all do, and the rate without them; else the commonest kind of evidence."""
    because = _BECAUSE.get(asked.metric.id)
    if because is None:
        return None
    each = (
        f"select coalesce(min(f.service) filter (f.{asked.metric.input} = 1), min(f.service)) as service,"
        f" max(f.{asked.metric.input}) as failed,"
        f" regexp_replace(min(f.{because}), '^(resolved incident) .*', '\\1') as because"
        f" from {asked.counted} group by f.source, f.id"
    )
    by_service = asked.rows(
        f"select e.service, count(*), sum(e.failed) from ({each}) as e group by 1 order by 1"
    )
    failed = sum(held for *_, held in by_service)
    if failed < FEWEST_ROWS:
        return None
    n = sum(rows for _, rows, _ in by_service)
    holders = failing_services(by_service, asked.target, asked.metric.floor)
    if holders:
        kept = n - sum(one.n for one in holders)
        held = sum(one.amount for one in holders)
        return HeldBack(
            asked.value, "service", holders, len(by_service), held / failed, "without",
            (failed - held) / kept, total=failed,
        )  # fmt: skip
    kinds = asked.rows(
        f"select e.because, count(*) from ({each}) as e where e.failed = 1 group by 1 order by 2 desc, 1"
    )
    because, held = kinds[0]
    if held == failed:
        return None
    holder = Holder(because, held, held / failed, held)
    return HeldBack(
        asked.value, "evidence", (holder,), len(kinds), holder.share, "without", (failed - held) / n,
        total=failed,
    )  # fmt: skip


def failing_services(
    found: Sequence[tuple[str, int, float]], target: Target, fewest: int
) -> tuple[Holder, ...]:
    """Of (service, deployments, failures) the fewest without which the rate meets `target`, or MOST_NAMED_HOLDERS.

    Those with most failures beyond the rate of all come first; `fewest` deployments remain. Empty where all are alike.
    """
    failed, n = sum(one[2] for one in found), sum(one[1] for one in found)
    rate = failed / n
    above = sorted((one for one in found if one[2] > rate * one[1]), key=lambda one: rate * one[1] - one[2])
    chosen: list[Holder] = []
    left_failed, left = failed, n
    for name, rows, held in above:
        if left - rows < fewest or len(chosen) == MOST_NAMED_HOLDERS:
            continue
        chosen.append(Holder(name, held, held / failed, rows))
        left_failed, left = left_failed - held, left - rows
        if target.met_by(left_failed / left):
            break
    return tuple(chosen)


def _rarely(asked: _Asked) -> HeldBack | None:
    """Who deploys less often than the median service of those that do; of few services, the weeks with less."""
    if asked.value.n < FEWEST_ROWS:
        return None
    counted = dict(asked.rows(f"select f.service, count(*) from {asked.counted} group by 1"))
    covered = (
        f"covered_days as f where f.fact = $fact and f.day >= $start and f.day < $end{narrowing(asked.where)}"
    )
    fact = asked.metric.covered_by
    ((days,),) = asked.rows(f"select count(distinct f.day) from {covered}", fact=fact)
    by_service = asked.rows(
        f"select f.service, count(distinct f.day) from {covered} and f.service is not null"
        " and f.service not in (select w.service from without_deployments as w) group by 1 order by 1",
        fact=fact,
    )
    # what was there for a short time only has no rate
    rates = {name: (counted.get(name, 0), own_days) for name, own_days in by_service if 2 * own_days >= days}
    if len(rates) >= FEWEST_SERVICES:
        return _as_often(asked, "service", rates, days)
    by_week = dict(
        asked.rows(
            "select cast(date_trunc('week', e.day) as date), count(*) from (select min(f.day) as day from"
            f" {asked.counted} group by f.source, f.id) as e group by 1"
        )
    )
    read = dict(
        asked.rows(
            f"select cast(date_trunc('week', f.day) as date), count(distinct f.day) from {covered} group by 1",
            fact=fact,
        )
    )
    weeks = {
        one.start.isoformat(): (by_week.get(one.start, 0), 7)
        for one in buckets("week", *asked.days)
        if read.get(one.start) == 7
    }
    return _as_often(asked, "week", weeks, days) if len(weeks) >= FEWEST_WEEKS else None


def _as_often(asked: _Asked, kind: Kind, rates: Mapping[str, tuple[int, int]], days: int) -> HeldBack | None:
    """The number if those below the median rate, of all that have any, had it in their days."""
    known = [n / own_days for n, own_days in rates.values() if n]
    if not known or asked.value.value is None:
        return None
    usual = median(known)
    lacking = sorted(
        ((usual * own_days - n, name, n) for name, (n, own_days) in rates.items() if n < usual * own_days),
        key=lambda one: (-one[0], one[1]),
    )
    if not lacking:
        return None
    more = sum(lack for lack, *_ in lacking)
    return HeldBack(
        value=asked.value,
        kind=kind,
        holders=tuple(Holder(name, n, lack / more, n) for lack, name, n in lacking),
        of=len(rates),
        share=None,
        otherwise="as often",
        would_be=asked.value.value + more / days,
        level=usual,
    )


def _low_scores(asked: _Asked) -> HeldBack | None:
    """The published teams below the mean, and the mean without them; of one team, the people who gave less than 4."""
    people = respondents_of(asked.facts, asked.where)
    everyone = shown_group(rounds(asked.facts), asked.value.period_end, people)
    if everyone is None or everyone.score is None:
        return None
    teams = {} if "team" in asked.where else _published_teams(asked, people)
    low = low_teams(teams, everyone.score, everyone.n, asked.target)
    if low:
        left = everyone.n - sum(one.n for one in low)
        rest = everyone.score * everyone.n - sum(one.amount * one.n for one in low)
        part = sum(one.share for one in low)
        below = sum(score < everyone.score for score, _ in teams.values())
        return HeldBack(asked.value, "team", low, len(teams), part, "without", rest / left, total=below)
    scores = histogram(asked.facts, everyone)
    under = sum(n for score, n in scores.items() if score < GOOD_SCORE)
    if not under:
        return None
    raised = sum(max(score, GOOD_SCORE) * n for score, n in scores.items()) / everyone.n
    holder = Holder("", GOOD_SCORE, under / everyone.n, under)
    return HeldBack(
        asked.value, "respondent", (holder,), everyone.n, holder.share, "raised", raised, level=GOOD_SCORE
    )


def _published_teams(asked: _Asked, people: Respondents) -> dict[str, tuple[float, int]]:
    closed = [teams for day, _, teams in rounds(asked.facts) if day < asked.value.period_end]
    of = closed[-1] if people is None else {name: closed[-1][name] for name in closed[-1].keys() & people}
    return {name: (one.score, one.n) for name, one in sorted(of.items()) if one.score is not None}


def low_teams(
    teams: Mapping[str, tuple[float, int]], mean: float, n: int, target: Target
) -> tuple[Holder, ...]:
    """Of published teams' (score, people) the fewest below `mean` without which it meets `target`, else all.

    Those that draw it down most come first. The `n` people who answered are never fewer than five without them.
    """
    below = sorted(
        (size * (score - mean), name)
        for name, (score, size) in teams.items()
        if score <= mean - LEAST_DISTANCE
    )
    chosen: list[Holder] = []
    left, rest = n, mean * n
    for _, name in below:
        score, size = teams[name]
        if left - size < FLOOR or len(chosen) == MOST_NAMED_HOLDERS:
            continue
        chosen.append(Holder(name, score, size / n, size))
        left, rest = left - size, rest - score * size
        if target.met_by(rest / left):
            break
    return tuple(chosen)
