"""What a person would say of a week, made from the facts by rules: three to five sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any

from config.metrics import metrics
from config.settings import Settings
from warehouse.metrics.attainment import standing
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import local
from warehouse.metrics.units import duration, listed, plural
from warehouse.metrics.values import SCOPES, Scope, Value, compute, narrowing
from warehouse.signals.verdicts import Verdict, judged_numbers, largest_first, verdict
from warehouse.signals.wording import compared_numbers, extent

FEWEST, MOST = 3, 5
_MOST_NAMED = 3
_MOST_LETTERS = 80
_WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class SentencePart:
    """A piece of a sentence, and what it leads to: an address, or the metric of a scope, its rows in an order."""

    text: str
    url: str | None = None
    metric: str | None = None
    scope: Scope | None = None
    name: str | None = None
    order: str | None = None


@dataclass(frozen=True)
class Sentence:
    """A sentence in parts."""

    parts: tuple[SentencePart, ...]

    @property
    def text(self) -> str:
        """The whole sentence."""
        return "".join(part.text for part in self.parts)


def sentences(
    facts: Facts, settings: Settings, where: Mapping[str, str], monday: date, highest_chance: float
) -> list[Sentence]:
    """The sentences of the week from `monday` for the organisation or what `where` narrows it to.

    A number of that week whose chance is at most `highest_chance` is a signal.
    """
    scope: Scope = next((one for one in reversed(SCOPES) if one in where), "organisation")
    after = monday + _WEEK
    week = compute(facts, settings, scope, "week", monday, after, where)
    judged = judged_numbers(facts, scope, monday, after, where).values()
    return told(facts, where, monday, week, [verdict(one, highest_chance, settings) for one in judged])


def told(
    facts: Facts,
    where: Mapping[str, str],
    monday: date,
    own: Sequence[Value],
    verdicts: Sequence[Verdict],
    below: Sequence[Verdict] = (),
) -> list[Sentence]:
    """`sentences` from the week's values of the scope's `own` metrics and the `verdicts` on them.

    In the order of a reader's interest: what got worse, what got better, failures, open incidents, the slowest change.
    Of the signals `below` it the largest are told where its own are calm, and how many there are.
    """
    current = {week.metric: week for week in own if week.period_start == monday}
    if all(week.status == "no data" for week in current.values()):
        return [_plain("No source was read for this week, so nothing can be said of it.")]
    happened = [
        *_movements(verdicts, below, current),
        *_failures(facts, where, monday),
        *_open_incidents(facts, where, monday),
        *_slowest_change(facts, where, monday),
    ]
    return (happened + _standing(current)[: max(0, FEWEST - len(happened))])[:MOST]


def _movements(
    own: Sequence[Verdict], below: Sequence[Verdict], current: Mapping[str, Value]
) -> list[Sentence]:
    """The largest signal for the worse and for the better, or that there is none; and where all are."""
    by_itself = largest_first(one for one in own if one.kind == "signal")
    found = by_itself or below
    said = []
    for is_better in (False, True):
        of_kind = [one for one in found if one.is_better is is_better]
        if of_kind and by_itself:
            said.append(Sentence(_movement(of_kind[0], others=of_kind[1:])))
        elif of_kind:
            as_a_whole = () if said else (SentencePart("Nothing moved as a whole, but "),)
            said.append(Sentence((*as_a_whole, *movement(of_kind[0]).parts)))
    said = said or [_calm(own, current)]
    untold = len(below) - (0 if by_itself else min(len(below), len(said)))
    return [*said[:-1], _and_more(said[-1], untold, by_itself != ())] if untold else said


def _and_more(last: Sentence, untold: int, is_of_own: bool) -> Sentence:
    more = "" if is_of_own else " more"
    return Sentence(
        (
            *last.parts,
            SentencePart(
                f" The week has {plural(untold, f'{more} signal'.strip())} below it: all are on the overview, and in"
                ' "sixkeys signals".'
            ),
        )
    )


def movement(one: Verdict) -> Sentence:
    """What moved of which team, system or service, from what to what and how much that is."""
    return Sentence(_movement(one, f" of {one.judged.scope} {one.judged.name}"))


def _movement(one: Verdict, of: str = "", others: Sequence[Verdict] = ()) -> tuple[SentencePart, ...]:
    """What moved, `of` whom where that is not the scope itself, and the others that moved alike."""
    judged = one.judged
    change = "got better" if one.is_better else "got worse"
    too = f"; so did {listed([metrics()[other.judged.metric].name for other in others])}" if others else ""
    return (
        SentencePart(f"{metrics()[judged.metric].name}{of}", None, judged.metric, judged.scope, judged.name),
        SentencePart(f" {change}: {compared_numbers(judged)}, {extent(judged)}{too}."),
    )


def _calm(own: Sequence[Verdict], current: Mapping[str, Value]) -> Sentence:
    """That nothing is a signal, and of which metrics that cannot be told."""
    kinds = {one.judged.metric: one.kind for one in own}
    normal: list[str] = []
    unknown: list[str] = []
    for metric, week in current.items():
        if week.value is not None:
            (normal if kinds.get(metric) == "normal" else unknown).append(metrics()[metric].name)
    if not normal:
        return _plain("There is too little to tell whether anything changed.")
    if unknown:
        return _plain(
            f"{listed(normal)} {'is' if len(normal) == 1 else 'are'} within normal variation; of the other metrics"
            " there is too little to tell."
        )
    return _plain("All metrics are within normal variation.")


def _failures(facts: Facts, where: Mapping[str, str], monday: date) -> list[Sentence]:
    """The failed deployments, those that have not recovered first."""
    (n,) = _one(facts, _COUNTED, where, monday)
    rows = _all(facts, _FAILED, where, monday)
    if not rows:
        return [_plain(f"None of the {plural(n, 'deployment')} is known to have failed.")] if n > 1 else []
    parts = [SentencePart(f"{len(rows)} of {plural(n, 'deployment')} failed: ")]
    for number, (service, at, method, url, seconds, title, incident_url) in enumerate(rows[:_MOST_NAMED]):
        parts += [SentencePart("; ")] if number else []
        parts += [
            SentencePart(f"{service} on {local(facts, at):%A}", url),
            SentencePart(" ("),
            _evidence(method, title, incident_url),
            SentencePart(
                ", not recovered yet)" if seconds is None else f", recovered after {duration(seconds)})"
            ),
        ]
    more = len(rows) - _MOST_NAMED
    return [Sentence((*parts, SentencePart(f"; and {more} more." if more > 0 else ".")))]


def _evidence(method: str, title: str | None, url: str | None) -> SentencePart:
    incident = f"incident {_quoted(title)}" if title else "an incident"
    match method:
        case "rollback":
            return SentencePart("rolled back")
        case "revert":
            return SentencePart("a change of it was reverted")
        case "link":
            return SentencePart(f"{incident}, linked by a person", url)
    return SentencePart(f"{incident}", url)


def _open_incidents(facts: Facts, where: Mapping[str, str], monday: date) -> list[Sentence]:
    """The incidents opened by the week's end that are not resolved, the oldest first."""
    rows = _all(facts, _OPEN, where, monday)
    if not rows:
        return []
    now = facts.as_of.astimezone(UTC).replace(tzinfo=None)
    parts = [
        SentencePart(f"{plural(len(rows), 'incident')} {'is' if len(rows) == 1 else 'are'} still open: ")
    ]
    for number, (title, service, opened_at, url) in enumerate(rows[:_MOST_NAMED]):
        age = duration((now - opened_at).total_seconds())
        of = f" of {service}" if service else ""
        parts += [SentencePart("; ")] if number else []
        parts += [
            SentencePart(_quoted(title) if title else "one without a title", url),
            SentencePart(f"{of} for {age}"),
        ]
    more = len(rows) - _MOST_NAMED
    return [Sentence((*parts, SentencePart(f"; and {more} more." if more > 0 else ".")))]


def _slowest_change(facts: Facts, where: Mapping[str, str], monday: date) -> list[Sentence]:
    rows = _all(facts, _SLOWEST, where, monday)
    if not rows:
        return []
    service, subject, url, seconds, *stages = rows[0]
    spent = (
        "writing it",
        "waiting for a review",
        "review",
        "open without a review",
        "waiting for its deployment",
    )
    named = zip(spent, stages, strict=True)
    known = [(spent, stage) for stage, spent in named if spent is not None]
    longest = f", of which {duration(max(known)[0])} {max(known)[1]}" if known else ""
    return [
        Sentence(
            (
                SentencePart("The slowest change, "),
                SentencePart(_quoted(subject) if subject else "one without a title", url),
                SentencePart(f" of {service}, took {duration(seconds)} to production{longest}."),
            )
        )
    ]


def _standing(current: Mapping[str, Value]) -> list[Sentence]:
    """How the week stands otherwise, where little else is to be told."""
    deployments, changes = current["deployment_frequency"], current["lead_time"].n
    judged = [week for week in current.values() if week.status in ("met", "missed")]
    missed = [metrics()[week.metric].name for week in judged if week.status == "missed"]
    volume = f"{plural(deployments.n, 'deployment')} brought {plural(changes, 'change')} to production."
    if deployments.status == "no data":
        volume = "Deployments were not read in this week."
    elif not deployments.n:
        volume = "Nothing was deployed to production."
    verb = "is" if len(judged) == 1 else "are"
    counted = f"{len(judged) - len(missed)} of {plural(len(judged), 'target')} {verb} met"
    return [
        _plain(volume),
        _plain(f"{counted}; missed: {listed(missed)}." if missed else f"{counted}.")
        if judged
        else _plain(f"{standing(map(vars, current.values())).text}."),
    ]


def _plain(text: str) -> Sentence:
    return Sentence((SentencePart(text),))


def _quoted(text: str) -> str:
    text = " ".join(text.split())
    return f"“{text if len(text) <= _MOST_LETTERS else text[: _MOST_LETTERS - 1] + '…'}”"


_IN_WEEK = "f.excluded_because is null and f.day >= $start and f.day < $end{where}"
_COUNTED = f"select count(distinct (f.source, f.id)) from deployments as f where {_IN_WEEK}"
_FAILED = f"""
select
    string_agg(distinct f.service, ', ' order by f.service), min(f.at), min(f.failed_by), min(f.url),
    min(r.recovery_seconds) as recovered, min_by(i.title, i.opened_at), min_by(i.url, i.opened_at)
from deployments as f
left join recoveries as r on r.source = f.source and r.id = f.id and r.service = f.service
-- a deployment of several services may be blamed by an incident of one that is not of what is told
left join (select f.* from incidents as f where f.blames_id is not null{{where}}) as i
    on i.blames_source = f.source and i.blames_id = f.id
where f.failed = 1 and {_IN_WEEK}
group by f.source, f.id
order by recovered is not null, min(f.at), f.source, f.id
"""
_OPEN = """
select f.title, f.service, f.opened_at, f.url
from incidents as f
where f.excluded_because = 'not resolved' and cast(timezone($zone, timezone('UTC', f.opened_at)) as date) < $end{where}
order by f.opened_at, f.source, f.id
"""
_SLOWEST = f"""
select
    f.service, f.subject, f.url, f.lead_time_seconds,
    f.coding_seconds, f.pickup_seconds, f.review_seconds, f.unreviewed_seconds, f.deploy_seconds
from changes as f
where {_IN_WEEK}
order by f.lead_time_seconds desc, f.repo, f.sha, f.service
limit 1
"""


def _all(facts: Facts, sql: str, where: Mapping[str, str], monday: date) -> list[tuple[Any, ...]]:
    bound = {"start": monday, "end": monday + _WEEK, "zone": facts.timezone}
    used = {key: value for key, value in bound.items() if f"${key}" in sql}
    return facts.connection.execute(sql.replace("{where}", narrowing(where)), {**used, **where}).fetchall()


def _one(facts: Facts, sql: str, where: Mapping[str, str], monday: date) -> tuple[Any, ...]:
    return _all(facts, sql, where, monday)[0]
