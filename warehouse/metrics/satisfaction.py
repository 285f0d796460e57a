"""Developer satisfaction by survey round: which means may be shown without telling what a person answered.

A round exists for the organisation and for one partition, its teams. A team under five respondents is withheld; if the
withheld together are under five, their mean would follow from the organisation's, so the smallest published team is
withheld too, until they are not. Which those are is decided once for a question of a round, in `survey_batches.py`.

A group of teams has the mean of its teams' answers, and only where each team that answered is shown itself: so it tells
nothing that does not follow from what its teams tell, however the hierarchy changes from one day to the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import pairwise
from statistics import median

from warehouse.loading.survey_batches import FLOOR
from warehouse.metrics.facts import Facts
from warehouse.metrics.units import plural

# a round that closes so soon after another may be a second form of it, unless rounds follow each other as fast
_SOON_DAYS = 28


@dataclass(frozen=True)
class Group:
    """The organisation (`team` None) or a team in one round; `score` is None where it is withheld.

    `late` of the `n` answers came after the close; `first_closed_on` is the earliest close that an answer names. It is
    of several `teams` where those of a group are taken together.
    """

    round: str
    closed_on: date
    team: str | None
    score: float | None
    n: int
    late: int = 0
    first_closed_on: date | None = None
    teams: frozenset[str] | None = None

    @property
    def is_withheld(self) -> bool:
        """Whether people answered and the mean is not shown."""
        return self.n > 0 and self.score is None


@dataclass(frozen=True)
class Driver:
    """Another question of a closed round, of all who are meant (`team` None) or a team; `score` as of a `Group`."""

    round: str
    closed_on: date
    question: str
    team: str | None
    score: float | None
    n: int


@dataclass(frozen=True)
class SurveyComment:
    """What somebody wrote; `team` is None where nobody of theirs named one."""

    team: str | None
    question: str
    text: str


ClosedRound = tuple[date, Group, dict[str, Group]]
# everybody, a team by its name, or those of several teams
Respondents = str | frozenset[str] | None


def teams_below(facts: Facts) -> dict[str, frozenset[str]]:
    """The teams that each group holds, itself among them."""
    rows = facts.connection.execute("select g.name, list(g.team) from groups as g group by g.name").fetchall()
    return {name: frozenset(teams) for name, teams in rows}


def asked_people(where: Mapping[str, str], below: Mapping[str, frozenset[str]]) -> Respondents:
    """Who is meant by a narrowing to a team, a group or both; of a team outside of the group nobody."""
    team, group = where.get("team"), where.get("group")
    held = None if group is None else below.get(group, frozenset())
    return team if held is None else held if team is None else team if team in held else frozenset()


def respondents_of(facts: Facts, where: Mapping[str, str]) -> Respondents:
    """The same, as the facts have the groups."""
    return asked_people(where, teams_below(facts) if "group" in where else {})


def answers_of(people: Respondents, everyone: Group, teams: Mapping[str, Group]) -> Group | None:
    """The answers of `people` in a round; None where they gave none."""
    if not isinstance(people, frozenset):
        return everyone if people is None else teams.get(people)
    answered = [teams[team] for team in sorted(people) if team in teams]
    if not answered:
        return None
    n = sum(one.n for one in answered)
    scores = [one.score * one.n for one in answered if one.score is not None]
    return replace(
        everyone,
        score=sum(scores) / n if len(scores) == len(answered) else None,
        n=n,
        late=sum(one.late for one in answered),
        teams=people,
    )


def rounds(facts: Facts) -> list[ClosedRound]:
    """Each closed round in order of closing: the day, the organisation, and its teams by name."""
    rows = facts.connection.execute(
        "select r.round, max(r.day), r.team, avg(r.score), count(*), bool_or(r.is_pooled),"
        " count_if(r.submitted_at > r.at), min(cast(timezone($zone, timezone('UTC', r.first_closes_at)) as date))"
        " from responses as r where r.excluded_because is null"
        " group by r.round, r.team order by max(r.at), r.round, r.team nulls last",
        {"zone": facts.timezone},
    ).fetchall()
    found = []
    for name in dict.fromkeys(row[0] for row in rows):
        of_round = [row for row in rows if row[0] == name]
        closed_on = max(row[1] for row in of_round)
        total, late = (sum(row[column] for row in of_round) for column in (4, 6))
        mean = sum(row[3] * row[4] for row in of_round) / total
        first = min(row[7] for row in of_round)
        everyone = Group(name, closed_on, None, mean if total >= FLOOR else None, total, late, first)
        teams = {
            team: Group(
                name, closed_on, team, None if is_pooled or n < FLOOR else score, n, of_team_late, first
            )
            for _, _, team, score, n, is_pooled, of_team_late, _ in of_round
            if team is not None
        }
        found.append((closed_on, everyone, teams))
    return sorted(found, key=lambda one: (one[0], one[1].round))


def drivers(facts: Facts, before: date, people: Respondents = None) -> list[Driver]:
    """The other questions of the rounds that had closed before a day, by question, everybody first, rounds in order."""
    rows = facts.connection.execute(
        "select d.round, d.day, d.question, d.team, d.score, d.n from drivers as d where d.day < $before"
        " and ($teams is null or list_contains($teams, d.team))"
        " order by d.question, d.team nulls first, d.day, d.round",
        {"before": before, "teams": _teams(people)},
    ).fetchall()
    found = [Driver(*row) for row in rows]
    if not isinstance(people, frozenset):
        return found
    by_question: dict[tuple[str, str], list[Driver]] = {}
    for one in found:
        by_question.setdefault((one.question, one.round), []).append(one)
    return [*map(_together, by_question.values()), *found]


def _together(teams: Sequence[Driver]) -> Driver:
    """A question's answers of several teams as those of one: as of a group's satisfaction."""
    n = sum(one.n for one in teams)
    scores = [one.score * one.n for one in teams if one.score is not None]
    return replace(teams[0], team=None, score=sum(scores) / n if len(scores) == len(teams) else None, n=n)


def _teams(people: Respondents) -> list[str] | None:
    """The teams of `people` by name; None: all."""
    return people if people is None else [people] if isinstance(people, str) else sorted(people)


def comments(facts: Facts, round: str | None, people: Respondents = None) -> tuple[list[SurveyComment], int]:
    """(the comments of a closed round that may be shown, how many more there are of those withheld)."""
    rows = facts.connection.execute(
        "select c.team, c.question, c.text from comments as c where c.round = $round"
        " and ($teams is null or list_contains($teams, c.team)) order by c.team nulls last, c.question, c.text",
        {"round": round, "teams": _teams(people)},
    ).fetchall()
    shown = [SurveyComment(*row) for row in rows if row[2] is not None]
    return shown, len(rows) - len(shown)


def without_satisfaction(facts: Facts) -> list[tuple[str, date, list[str]]]:
    """(name, day of the close, questions) of each closed round that asked nothing which counts as satisfaction."""
    rows = facts.connection.execute(
        "select d.round, max(d.day), list(distinct d.question order by d.question) from drivers as d"
        " where d.round not in (select r.round from responses as r) group by d.round order by 2, 1"
    ).fetchall()
    return [(name, day, questions) for name, day, questions in rows]


def round_doubts(of_facts: list[ClosedRound], end: date, people: Respondents = None) -> list[str]:
    """What to know of the number that `shown_group` gives, in sentences: who answered, and what it stands in for."""
    closed = [one for one in of_facts if one[0] < end]
    if not closed:
        return []
    closed_on, everyone, _ = closed[-1]
    (*before, group) = [answers_of(people, everyone, teams) for _, everyone, teams in closed]
    name, n = everyone.round, group.n if group else 0
    usual = median(found) if (found := [one.n for one in before if one]) else 0
    said = []
    if n < usual / 2:
        who = f"Only {n:,}" if n else f"Nobody of {people}" if isinstance(people, str) else "Nobody"
        said.append(f"{who} answered round {name}, where {usual:,.3g} usually do")
    if group and group.late:
        said.append(f"{group.late:,} of the {plural(n, 'answer')} to round {name} came after it had closed")
    if everyone.first_closed_on and everyone.first_closed_on < closed_on:
        said.append(
            f"Answers to round {name} name two closes, {everyone.first_closed_on} and {closed_on}; the later one holds"
        )
    return said + _in_place_of(closed)


def _in_place_of(closed: list[ClosedRound]) -> list[str]:
    """That the last round closed sooner after the one before than rounds do: it may be another form of the same."""
    if len(closed) < 2:
        return []
    (*_, (_, before, _), (_, last, _)) = closed
    on = [one[0] for one in closed]
    gaps = [(later - earlier).days for earlier, later in pairwise(on)]
    if gaps[-1] >= _SOON_DAYS or (gaps[:-1] and gaps[-1] >= median(gaps[:-1]) / 2):
        return []
    return [
        f"Round {last.round} ({plural(last.n, 'answer')}) closed {plural(gaps[-1], 'day')} after round"
        f" {before.round} ({plural(before.n, 'answer')}) and stands in its place"
    ]


def still_open(facts: Facts) -> list[tuple[str, datetime]]:
    """(round, its close in UTC) of each round that has answers and has not closed; nothing else is told of it."""
    rows = facts.connection.execute(
        "select r.round, max(r.at) from responses as r where r.excluded_because = 'its round has not closed'"
        " group by r.round order by max(r.at), r.round"
    ).fetchall()
    return [(name, closes_at.replace(tzinfo=UTC)) for name, closes_at in rows]


def shown_group(facts_rounds: list[ClosedRound], end: date, people: Respondents) -> Group | None:
    """What `people` answered in the last round that had closed before the day `end`; None where that is nothing."""
    closed = [(everyone, teams) for day, everyone, teams in facts_rounds if day < end]
    if not closed:
        return None
    everyone, teams = closed[-1]
    return answers_of(people, everyone, teams)


def histogram(facts: Facts, group: Group) -> dict[float, int]:
    """How many respondents of a published group gave which score; empty where the group is withheld."""
    if group.score is None:
        return {}
    rows = facts.connection.execute(
        "select r.score, count(*) from responses as r where r.excluded_because is null and r.round = $round"
        " and ($team is null or r.team = $team) and ($teams is null or list_contains($teams, r.team))"
        " group by r.score order by r.score",
        {"round": group.round, "team": group.team, "teams": group.teams and sorted(group.teams)},
    ).fetchall()
    return dict(rows)
