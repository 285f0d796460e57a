"""Developer satisfaction by survey round: which means may be shown without telling what a person answered.

A round exists for the organisation and for one partition, its teams. A team under five respondents is withheld; if the
withheld together are under five, their mean would follow from the organisation's, so the smallest published team is
withheld too, until they are not. Which those are is decided once for a round, in `closing.py`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from warehouse.loading.survey_batches import FLOOR
from warehouse.metrics.facts import Facts


@dataclass(frozen=True)
class Group:
    """The organisation (`team` None) or a team in one round; `score` is None where it is withheld."""

    round: str
    closed_on: date
    team: str | None
    score: float | None
    n: int

    @property
    def is_withheld(self) -> bool:
        """Whether people answered and the mean is not shown."""
        return self.n > 0 and self.score is None


def rounds(facts: Facts) -> list[tuple[date, Group, dict[str, Group]]]:
    """Each closed round in order of closing: the day, the organisation, and its teams by name."""
    rows = facts.connection.execute(
        "select r.round, max(r.day), r.team, avg(r.score), count(*), bool_or(r.is_pooled) from responses as r"
        " where r.excluded_because is null group by r.round, r.team order by max(r.at), r.round, r.team nulls last"
    ).fetchall()
    found = []
    for name in dict.fromkeys(row[0] for row in rows):
        of_round = [row for row in rows if row[0] == name]
        closed_on = max(row[1] for row in of_round)
        total = sum(row[4] for row in of_round)
        mean = sum(row[3] * row[4] for row in of_round) / total
        everyone = Group(name, closed_on, None, mean if total >= FLOOR else None, total)
        teams = {
            team: Group(name, closed_on, team, None if is_pooled or n < FLOOR else score, n)
            for _, _, team, score, n, is_pooled in of_round
            if team is not None
        }
        found.append((closed_on, everyone, teams))
    return sorted(found, key=lambda one: (one[0], one[1].round))


def still_open(facts: Facts) -> list[tuple[str, datetime]]:
    """(round, its close in UTC) of each round that has answers and has not closed; nothing else is told of it."""
    rows = facts.connection.execute(
        "select r.round, max(r.at) from responses as r where r.excluded_because = 'its round has not closed'"
        " group by r.round order by max(r.at), r.round"
    ).fetchall()
    return [(name, closes_at.replace(tzinfo=UTC)) for name, closes_at in rows]


def shown_group(
    facts_rounds: list[tuple[date, Group, dict[str, Group]]], end: date, team: str | None
) -> Group | None:
    """The last round that had closed before the day `end`, for the organisation or a team; None where there is none."""
    closed = [(everyone, teams) for day, everyone, teams in facts_rounds if day < end]
    if not closed:
        return None
    everyone, teams = closed[-1]
    return everyone if team is None else teams.get(team)


def histogram(facts: Facts, group: Group) -> dict[float, int]:
    """How many respondents of a published group gave which score; empty where the group is withheld."""
    if group.score is None:
        return {}
    rows = facts.connection.execute(
        "select r.score, count(*) from responses as r where r.excluded_because is null and r.round = $round"
        " and ($team is null or r.team = $team) group by r.score order by r.score",
        {"round": group.round, "team": group.team},
    ).fetchall()
    return dict(rows)
