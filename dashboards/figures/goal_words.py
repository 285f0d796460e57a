"""How far a target's goal is on its way, in words."""

from dataclasses import dataclass

from config.metrics import metrics
from dashboards.figures import formats
from warehouse.signals.goals import GoalProgress


@dataclass(frozen=True)
class GoalWords:
    """`told` in a few words, such as "42 % of the way", and the sentences that belong to it."""

    told: str
    details: tuple[str, ...]


def goal_words(of: GoalProgress, metric: str) -> GoalWords:
    """The progress of a goal of `metric`: from where, by when, and a forecast only where there is a signal."""
    since, by = formats.day(of.since), formats.day(of.by)
    until = f"by {by}"
    if of.state == "not begun":
        return GoalWords("not begun", (until, f"measured from {since} on"))
    if of.state == "no start":
        return GoalWords("not known", (until, f"no value to judge in the four weeks before {since}"))
    if of.state == "no value":
        is_survey = metrics()[metric].fact == "responses"
        lacking = f"no survey round of enough people closed since {since}"
        return GoalWords(
            "not known", (until, lacking if is_survey else "no value to judge in the last four weeks")
        )
    if of.state == "met before":
        return GoalWords("was met before", (until, f"already met before {since}: there was no way to go"))
    then, now = (formats.figure(value, metrics()[metric].unit) for value in (of.start, of.now))
    start = f"{then} before {since}, {now} in the last four weeks"
    if of.state == "reached":
        return GoalWords("reached", (until, start))
    closed = of.closed or 0.0
    told = f"{min(99, round(100 * closed))} % of the way" if closed >= 0 else "farther away"
    return GoalWords(
        told, (start, f"{round(100 * of.passed)} % of the time until {by} is over", _forecast(of))
    )


def _forecast(of: GoalProgress) -> str:
    if of.passed >= 1:
        return "its day has passed"
    if of.moved is None:
        return "no forecast: there is no signal that it changed"
    if of.moved == "worse" or (of.closed or 0.0) <= 0:
        return "no forecast: it does not come nearer"
    return (
        f"at this pace on {formats.day(of.forecast)}" if of.forecast else "at this pace not within ten years"
    )
