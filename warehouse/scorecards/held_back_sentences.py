"""What holds the missed targets back, and where the hours lie, as a person would say it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from config.metrics import metrics
from config.targets import parse_target
from warehouse.metrics.facts import Facts
from warehouse.metrics.units import duration, figure
from warehouse.metrics.values import Value
from warehouse.rows.holding_back import FEWEST_ROWS, HeldBack, held_back
from warehouse.rows.stages import DIRECT, NAMED_SHARE, Holder, Stage
from warehouse.scorecards.sentences import Sentence, SentencePart

_MOST_LETTERS = 60
# of incidents, pull requests and what is deployed less often so many are named; of services and teams all
_MOST_NAMED = 3
# (the stage's time in a sentence, what would have to be done within a time)
_STAGE_WORDS = {
    "Coding": ("the writing", "Opened within {} of the first commit"),
    "Pickup": ("the wait for a review", "First reviewed within {} of being opened"),
    "Review": ("the review", "Merged within {} of the first review"),
    "Unreviewed": ("being open without a review", "Merged within {} of being opened"),
    "Deploy": ("the wait for deployment", "Deployed within {} of the merge"),
    DIRECT: ("what came without a pull request", "In production within {} of the commit"),
}
_EVIDENCE = {
    "rollback": "rollbacks",
    "revert": "reverts",
    "window": "incidents within the window",
    "link": "incidents that a person linked",
    "change event": "change events of incidents",
    "hotfix": "hotfixes",
    "resolved incident": "deployments that resolved an incident",
}
_MANY = {"repository": "repositories", "recovery": "recoveries"}


def holding_back(
    facts: Facts, values: Iterable[Value], where: Mapping[str, str]
) -> list[tuple[Value, Sentence | None]]:
    """Each missed value of what `where` narrows to, with its sentence; None where there are too few rows for one."""
    found = [(value, held_back(facts, value, where)) for value in values if value.status == "missed"]
    return [(value, held_back_sentence(one) if one else None) for value, one in found]


def held_back_sentence(found: HeldBack) -> Sentence:
    """The sentence of one missed number: who holds it, which leads to the rows, and what it would be otherwise."""
    value = found.value
    metric = metrics()[value.metric]
    target = parse_target(value.target or "", metric)
    shown = figure(value.value, value.unit, target.limit)
    head = (
        SentencePart(metric.name, None, value.metric, value.scope, value.name, "highest"),
        SentencePart(f" ({shown}, target {value.target}): "),
    )
    return Sentence((*head, *_told(found), SentencePart(_otherwise(found))))


def hours_sentence(found: Sequence[Stage]) -> Sentence | None:
    """Where the hours lie, the stage with most of them first: their share, mean and median; None of too few rows."""
    known = sorted((one for one in found if one.n), key=lambda one: -one.seconds)
    if not known or known[0].n < FEWEST_ROWS or not known[0].seconds:
        return None
    most, *others = known
    said = f"{_percent(most.share)} of all {hours(sum(one.seconds for one in known))} to production"
    mean = f" (mean {figure(most.mean, 'seconds')}, median {figure(most.median, 'seconds')})"
    rest = ", ".join(f"{_percent(one.share)} {_STAGE_WORDS[one.name][0]}" for one in others)
    return Sentence(
        (
            SentencePart(said, None, "lead_time", order="highest"),
            SentencePart(f" are {_STAGE_WORDS[most.name][0]}{mean}{f'; {rest}' if rest else ''}."),
        )
    )


def hours(seconds: float) -> str:
    """A sum of durations: "2,340 hours", "0.5 hours"."""
    count = seconds / 3600
    return f"{count:,.0f} hours" if count >= 9.5 else f"{count:.1f} hours".replace(".0 ", " ")


def _told(found: HeldBack) -> tuple[SentencePart, ...]:
    """Who holds it, and how much."""
    part, named = _percent(found.share or 0), _named(found)
    many = len(found.holders) != 1
    hold = "hold" if many else "holds"
    who = f"{len(found.holders)} of {found.of:,} {_plural_of(found.kind, found.of)}"
    most = who
    if (found.share or 0) < NAMED_SHARE - 1e-9:  # no few hold half of it
        most = f"the {len(found.holders)} with most, of {found.of:,} {_plural_of(found.kind, found.of)},"
    if found.stage:
        total = f"{_percent(found.stage.share)} of all {hours(found.total)}"
        spent = f"{total} are {_STAGE_WORDS[found.stage.name][0]}"
        return (SentencePart(f"{spent}, and {most} {hold} {part} of that: "), *named, SentencePart(". "))
    if found.otherwise == "as often":
        return (SentencePart(f"{who} {_rarely(found)}: "), *named, SentencePart(". "))
    if found.kind == "service":
        n = sum(one.n for one in found.holders)
        held = sum(one.amount for one in found.holders)
        told = f"{who} {hold} {held:,.0f} of the {found.total:,.0f} {_cases(found)}"
        of = f" in {n:,} of {found.value.n:,} deployments: "
        return (SentencePart(told + of), *named, SentencePart(". "))
    if found.kind == "evidence":
        (one,) = found.holders
        kind = _EVIDENCE.get(one.name, one.name)
        return (SentencePart(f"{one.n:,} of the {found.total:,.0f} {_cases(found)} are {kind}. "),)
    if found.kind == "team":
        people = f"{sum(one.n for one in found.holders):,} of {found.value.n:,} people"
        below = f"{found.total:,.0f} of {found.of:,} {_plural_of('team', found.of)}"
        told = f"{below} {'answers' if found.total == 1 else 'answer'} below the mean, "
        told += (
            f"{people}: "
            if len(found.holders) == found.total
            else f"among them {len(found.holders)} with {people}: "
        )
        return (SentencePart(told), *named, SentencePart(". "))
    if found.kind == "respondent":
        (one,) = found.holders
        return (SentencePart(f"{one.n:,} of {found.of:,} people gave less than {found.level:.0f}. "),)
    return (SentencePart(f"{most} {hold} {part} of the {hours(found.total)}: "), *named, SentencePart(". "))


def _otherwise(found: HeldBack) -> str:
    """What the number would be, and whether that meets the target; empty where there is no such number."""
    value, metric = found.value, metrics()[found.value.metric]
    if found.would_be is None or value.value is None:
        return ""
    target = parse_target(value.target or "", metric)
    what = {"median": "the median", "mean": "the mean", "share": "the rate", "rate": "it"}[metric.statistic]
    shown = figure(found.would_be, value.unit, target.limit)
    still = "still " if shown == figure(value.value, value.unit, target.limit) else ""
    met = ", which meets the target" if target.met_by(found.would_be) else ""
    return f"{_supposed(found)}, {what} would {still}be {shown}{met}."


def _rarely(found: HeldBack) -> str:
    """How seldom: "were deployed less often than the median of those that were (1.1 a week), 2 of them not once"."""
    many = len(found.holders) != 1
    never = sum(not one.amount for one in found.holders)
    if found.kind == "week":
        usual = f"the median week ({7 * (found.level or 0):g})"
        if never == len(found.holders):
            return f"had no deployment, unlike {usual}"
        return f"had fewer deployments than {usual}{f', {never} of them none' if never else ''}"
    was = "were" if many else "was"
    usual = f"the median of those that were ({figure(found.level, 'per day')})"
    if never == len(found.holders):
        return f"{was} not deployed, unlike {usual}"
    return f"{was} deployed less often than {usual}{f', {never} of them not once' if never else ''}"


def _supposed(found: HeldBack) -> str:
    many = len(found.holders) != 1
    if found.stage:
        told = _STAGE_WORDS[found.stage.name][1].format(duration(found.level or 0))
        return f"{told}, as {_percent(found.kept)} already are"
    if found.otherwise == "as often":
        if found.kind == "week":
            return f"With as many in {'each' if many else 'it'}"
        return f"{'Were they' if many else 'Were it'} deployed as often"
    if found.otherwise == "raised":
        return f"Had each of them given {found.level:.0f}"
    if found.kind == "team":
        return "Without their answers"
    return "Without these" if found.kind == "evidence" else f"Without {'them' if many else 'it'}"


def _named(found: HeldBack) -> list[SentencePart]:
    """The holders by name, each of which leads to its rows."""
    is_all = found.kind in ("service", "team") and found.otherwise != "as often"
    most = len(found.holders) if is_all else _MOST_NAMED
    named = [_name(found, one) for one in found.holders[:most]]
    more = len(found.holders) - most
    named += [(SentencePart(f"{more:,} more"),)] if more > 0 else []
    parts: list[SentencePart] = []
    for at, one in enumerate(named):
        parts += [SentencePart(" and " if at == len(named) - 1 else ", ")] if at else []
        parts += one
    return parts


def _name(found: HeldBack, one: Holder) -> tuple[SentencePart, ...]:
    metric, unit = found.value.metric, found.value.unit
    if found.kind in ("service", "team"):
        scope = "service" if found.kind == "service" else "team"
        led = SentencePart(_short(one.name), None, metric, scope, one.name, "highest")  # type: ignore[arg-type]
        return (led, SentencePart(f" ({figure(one.amount, unit)})")) if scope == "team" else (led,)
    if found.kind == "week":
        monday = date.fromisoformat(one.name)
        return (SentencePart(f"{monday.day} {monday:%b}"),)
    of = f" of {_short(one.service)}" if one.service and found.kind == "incident" else ""
    name = f"“{_short(one.name)}”" if found.kind == "incident" else _short(one.name)
    return (SentencePart(name, one.url), SentencePart(f"{of} ({figure(one.amount, 'seconds')})"))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MOST_LETTERS else text[: _MOST_LETTERS - 1] + "…"


def _cases(found: HeldBack) -> str:
    return "failures" if found.value.metric == "change_failure_rate" else "cases of rework"


def _plural_of(kind: str, n: int) -> str:
    return kind if n == 1 else _MANY.get(kind, f"{kind}s")


def _percent(share: float | None) -> str:
    """A share in whole percent, never rounded up to all nor down to none."""
    percent = 100 * (share or 0.0)
    shown = round(percent) if percent in (0.0, 100.0) else min(99, max(1, round(percent)))
    return f"{shown} %" if percent < 100 - 1e-9 else "all"
