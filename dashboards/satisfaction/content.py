"""Satisfaction by survey round as people read it; no Streamlit, no database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from config.text.quoting import one_short_line
from dashboards.figures import formats
from dashboards.frame.notices import Notice
from dashboards.frame.value_cells import ValueCell, value_cell
from dashboards.frame.view import Filters, scope_name
from dashboards.metric.content import Score
from warehouse.loading.survey_batches import FLOOR
from warehouse.metrics.units import listed, plural
from warehouse.metrics.values import Value

if TYPE_CHECKING:
    from dashboards.satisfaction.loading import Round, Surveyed

# a table of more rounds does not fit on a page; the chart and the CSV have all
MOST_ROUNDS = 6
MOST_COMMENTS = 20


@dataclass(frozen=True)
class GroupRow:
    """A group's cells by round, the newest first; None where it did not answer."""

    name: str
    is_everyone: bool
    cells: tuple[ValueCell | None, ...]


@dataclass(frozen=True)
class RoundsTable:
    """The last rounds, newest first, as (name, day of the close), and a row for each group."""

    rounds: tuple[tuple[str, str], ...]
    rows: tuple[GroupRow, ...]


@dataclass(frozen=True)
class DriverCell:
    """A question's score in a round, None where it is withheld, and how many answered."""

    figure: str | None
    n: int


@dataclass(frozen=True)
class DriverRow:
    """A question's or a team's cells by round, the newest first; None where nobody answered."""

    name: str
    cells: tuple[DriverCell | None, ...]


@dataclass(frozen=True)
class DriversTable:
    """The last rounds that asked more than satisfaction, newest first; a row a question, and its teams."""

    rounds: tuple[tuple[str, str], ...]
    rows: tuple[DriverRow, ...]
    by_team: tuple[tuple[str, tuple[DriverRow, ...]], ...]


def headline(found: "Surveyed") -> str:
    """The score of the last round that has answers, against its target, in one line."""
    values, names = trend(found)
    if not values:
        return "Nobody answered a round that has closed" if found.rounds else "No survey round has closed yet"
    last, name = values[-1], names[-1]
    if last.value is None:
        return f"The score of round {name} is withheld"
    shown = formats.figure_against(last.metric, last.value, last.unit, last.target)
    if last.target is None:
        return f"Satisfaction is {shown} in round {name}"
    return f"Satisfaction is {shown} in round {name}, the target {last.target} is {last.status}"


def rounds_table(found: "Surveyed") -> RoundsTable:
    """The organisation or the group first, then its teams by name."""
    last = found.rounds[: -MOST_ROUNDS - 1 : -1]
    names = {(value.scope, value.name) for one in last for value in one.values}
    by_round = [{(value.scope, value.name): value for value in one.values} for one in last]
    rows = [
        GroupRow(
            name,
            scope != "team",
            tuple(
                value_cell(values[scope, name]) if (scope, name) in values else None for values in by_round
            ),
        )
        for scope, name in sorted(names, key=lambda one: (one[0] == "team", one[1].casefold()))
    ]
    return RoundsTable(tuple((one.name, formats.day(one.closed_on)) for one in last), tuple(rows))


def trend(found: "Surveyed") -> tuple[list[Value], list[str]]:
    """(the view's own value of each round that it answered, oldest first, those rounds' names)."""
    known = [(value, one.name) for one in found.rounds if (value := _own(one)) is not None]
    return [value for value, _ in known], [name for _, name in known]


def _own(one: "Round") -> Value | None:
    return one.values[0] if one.values else None


def score_bars(scores: dict[float, int]) -> list[Score]:
    """A bar for each score that somebody gave, the lowest first."""
    longest = max(scores.values(), default=1)
    return [Score(f"{score:.3g}", n, 100 * n / longest) for score, n in scores.items()]


def without_scores(found: "Surveyed", view: Filters) -> Notice:
    """Why nothing is shown of how the chosen round's scores spread: nobody answered it, or they are withheld."""
    if found.chosen not in trend(found)[1]:
        return Notice(f"Nobody of this {view.scope} answered this round")
    return Notice("Withheld", (formats.STATUSES["withheld"].meaning,))


def running_rounds(found: "Surveyed", timezone: str) -> list[Notice]:
    """What is told of the rounds that are still open: until when, and nothing of the answers."""
    return [
        Notice(
            f"Round {name} is open until {formats.instant(closes_at, timezone)}",
            ("Nothing of its answers is shown before it closes, nor how many there are.",),
        )
        for name, closes_at in found.still_open
    ]


def round_notices(found: "Surveyed", asked: str | None = None) -> list[Notice]:
    """What to know of the last round's score, and which rounds have none since they asked something else.

    Where the round that an address `asked` for is not the one whose answers are counted, that is told first.
    """
    told = (
        [Notice(f"Not found, so not applied: round {one_short_line(asked)}")]
        if asked and asked != found.chosen
        else []
    )
    told += (
        [Notice("Before you rely on this score", tuple(f"{one}." for one in found.doubts))]
        if found.doubts
        else []
    )
    return told + ([not_asked(found)] if found.not_asked and found.rounds else [])


def not_asked(found: "Surveyed") -> Notice:
    """That rounds asked no question which counts as satisfaction, what they asked, and what to write."""
    names = [name for name, _ in found.not_asked]
    questions = sorted({question for _, asked in found.not_asked for question in asked})
    which = f"Round {names[0]}" if len(names) == 1 else f"Rounds {listed(names)}"
    return Notice(
        f"{which} asked no question that counts as satisfaction",
        (
            f"Asked: {listed(questions)}. survey.satisfaction in the configuration names those that count; the next"
            " build applies it to closed rounds too.",
        ),
    )


def drivers_table(found: "Surveyed", team: str | None) -> DriversTable | None:
    """The other questions of the last rounds by name; None where nothing else was asked."""
    on = {one.round: one.closed_on for one in found.drivers}
    last = sorted(on, key=lambda name: (on[name], name), reverse=True)[:MOST_ROUNDS]
    cells: dict[tuple[str, str | None], dict[str, DriverCell]] = {}
    for one in found.drivers:
        shown = None if one.score is None else formats.figure(one.score, "points")
        cells.setdefault((one.question, one.team), {})[one.round] = DriverCell(shown, one.n)
    rows = {
        of: DriverRow(of[0] if of[1] == team else of[1] or "", tuple(by_round.get(name) for name in last))
        for of, by_round in sorted(
            cells.items(), key=lambda item: (item[0][0], (item[0][1] or "").casefold())
        )
        if any(name in by_round for name in last)
    }
    if not rows:
        return None
    questions = dict.fromkeys(question for question, _ in rows)
    by_team = [
        (question, tuple(row for of, row in rows.items() if of[0] == question and of[1] is not None))
        for question in questions
        if team is None
    ]
    return DriversTable(
        tuple((name, formats.day(on[name])) for name in last),
        tuple(row for of, row in rows.items() if of[1] == team),
        tuple((question, of_teams) for question, of_teams in by_team if of_teams),
    )


def driver_rows(found: "Surveyed", view: Filters, organization: str) -> list[dict[str, Any]]:
    """A row for each question, round and group, of all rounds."""
    return [
        {
            "round": one.round,
            "closed_on": one.closed_on,
            "question": one.question,
            "scope": view.scope if one.team is None else "team",
            "name": one.team or view.where.get(view.scope, organization),
            "score": one.score,
            "respondents": one.n,
            "status": "withheld" if one.score is None else "value",
        }
        for one in found.drivers
    ]


def withheld_comments(found: "Surveyed") -> str:
    """How many comments nobody is shown, and why; empty where there are none."""
    n = found.withheld_comments
    return (
        f"{plural(n, 'more comment')} of teams that are withheld {'is' if n == 1 else 'are'} not shown."
        if n
        else ""
    )


def nothing(view: Filters, found: "Surveyed") -> Notice:
    """Why there is no score at all."""
    if set(view.where) - {"group", "team"}:
        return Notice(
            "There are no rounds of a service or a system here",
            ("People are asked by team. Choose all systems and services to see the teams' scores.",),
        )
    if found.not_asked:
        return not_asked(found)
    if view.where:
        return Notice(f"Nobody of {scope_name(view, '')} answered a round that has closed")
    return Notice(
        "No survey round has closed yet",
        (
            "Scores come from survey files or from the survey page; the documentation on configuration tells how.",
        ),
    )


def why_withheld() -> tuple[str, ...]:
    """The rule by which scores are withheld, in sentences."""
    return (
        f"A score is shown for {FLOOR} respondents or more. A team with fewer is withheld.",
        f"Where those withheld are fewer than {FLOOR} together, their score would follow from the organisation's, so"
        " the smallest other team is withheld too, until they are not.",
        "A group of teams is shown where each of its teams that answered is.",
        f"What a closed round shows is fixed. Answers that come late enter it {FLOOR} or more at a time.",
        "A comment is shown where its team's score is, and nothing of who wrote it; no export or scorecard has one.",
    )


def csv_rows(found: "Surveyed") -> list[dict[str, Any]]:
    """A row for each round and group, as the table shows them, of all rounds."""
    return [
        {
            "round": one.name,
            "closed_on": one.closed_on,
            "scope": value.scope,
            "name": value.name,
            "score": value.value,
            "respondents": value.n,
            "target": value.target,
            "status": value.status,
        }
        for one in found.rounds
        for value in one.values
    ]


def csv_name(organization: str, view: Filters, rounds: Sequence["Round"]) -> str:
    """A file name that says what is inside: `acme-satisfaction-2026-07-10-2026-10-09.csv`."""
    first, last = rounds[0].closed_on, rounds[-1].closed_on
    after = last + timedelta(days=1)
    return formats.file_name([organization, "satisfaction", *view.where.values()], first, after, "csv")
