"""What a scorecard says of the platform: its metrics, what was missed most, what broke, which requests wait."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

from config.metrics import metrics, platform_metrics
from config.settings import Settings
from warehouse.metrics.facts import Facts
from warehouse.metrics.units import figure as in_units
from warehouse.metrics.units import figures, listed, plural
from warehouse.metrics.values import Scope, Value, compute, narrowest
from warehouse.rows.platform_rows import PlatformRows, platform_rows
from warehouse.scorecards.sentences import Sentence, SentencePart

_MOST_NAMED = 3


def platform_sentences(
    facts: Facts, settings: Settings, where: Mapping[str, str], monday: date
) -> list[Sentence]:
    """The sentences of the week from `monday`; none where nothing is known of the platform.

    Guardrails, requests and the road are as they are when the facts were built.
    """
    scope: Scope = narrowest(where)
    after = monday + timedelta(weeks=1)
    weeks = compute(
        facts, settings, scope, "week", monday - timedelta(weeks=1), after, where, platform_metrics()
    )
    own = [value for value in weeks if scope == "organisation" or value.name == where[scope]]
    rows = platform_rows(facts, monday, after, where)
    return [*_numbers(own, monday), *_misses(rows)]


def _numbers(weeks: Sequence[Value], monday: date) -> Iterator[Sentence]:
    before = {week.metric: week for week in weeks if week.period_start != monday}
    for week in weeks:
        if week.period_start != monday or week.value is None:
            continue
        name, was = metrics()[week.metric].name, before.get(week.metric)
        told = in_units(week.value, week.unit)
        if was is not None and was.value is not None and was.value != week.value:
            of_before, told = figures(was.value, week.value, week.unit)
            told += f", {of_before} the week before"
        judged = f": the target {week.target} is {week.status}" if week.status in ("met", "missed") else ""
        yield Sentence((SentencePart(name, metric=week.metric), SentencePart(f" {told}{judged}.")))


def _misses(rows: PlatformRows) -> Iterator[Sentence]:
    if rows.missed:
        (step, n), *_ = Counter(one.step for one in rows.missed).most_common(1)
        latest = next(one for one in rows.missed if one.step == step)
        yield Sentence(
            (
                SentencePart(f"Missed most on a golden path: the step {step}, {plural(n, 'time')}; last by "),
                SentencePart(latest.service, url=latest.url),
                SentencePart(f" ({latest.reason})."),
            )
        )
    for move in rows.moves[:_MOST_NAMED]:
        to = (
            f"on to the golden path {move.to_path}"
            if move.to_path
            else f"off the golden path {move.from_path}"
        )
        yield Sentence((SentencePart(f"{move.service} moved {to}."),))
    if rows.broken:
        (rule, _), *_ = Counter(one.rule for one in rows.broken).most_common(1)
        services = list(dict.fromkeys(one.service for one in rows.broken if one.rule == rule))
        named = services[:_MOST_NAMED] + (
            [f"{len(services) - _MOST_NAMED} more"] * (len(services) > _MOST_NAMED)
        )
        yield Sentence((SentencePart(f"The guardrail broken most is {rule}, by {listed(named)}."),))
    failed = [one for one in rows.open_requests if one.status == "failed"]
    waiting = len(rows.open_requests) - len(failed)
    if failed or waiting:
        told = [plural(len(failed), "request") + " failed"] if failed else []
        told += [plural(waiting, "request") + (" waits" if waiting == 1 else " wait")] if waiting else []
        first = rows.open_requests[0]
        yield Sentence(
            (
                SentencePart(f"{listed(told)}: first "),
                SentencePart(first.name, url=first.url),
                SentencePart(f" ({first.kind}, {first.team or 'nobody’s'})."),
            )
        )
