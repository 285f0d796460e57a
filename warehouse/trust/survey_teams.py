"""Which teams survey answers name that no catalogue knows, and which of the known ones may be meant."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from config.names import bare, find_name, same_key
from config.survey import SurveyMeaning
from warehouse.metrics.facts import Facts
from warehouse.storage.store import open_warehouse

CATALOGUE_TEAMS = (
    "select o.team from owners as o where o.team is not null union select c.owner from components as c"
    " where c.owner is not null union select c.name from components as c where c.kind = 'Group'"
)
_MOST_NEAR = 3


@dataclass(frozen=True)
class UnknownTeam:
    """A team that answers name: in how many answers and rounds, and the known names that come near."""

    name: str
    answers: int
    rounds: int
    near: tuple[str, ...]


def unknown_teams(facts: Facts) -> tuple[UnknownTeam, ...]:
    """Those that no catalogue knows, the most named first; none where there is no catalogue."""
    rows = facts.connection.execute(
        "select u.team, u.answers, u.rounds from unknown_teams as u order by u.answers desc, u.team"
    ).fetchall()
    known = (
        {
            team
            for (team,) in facts.connection.execute(
                "select o.team from owners as o where o.team is not null"
                " union select c.name from components as c where c.kind = 'Group'"
            ).fetchall()
        }
        if rows
        else set()
    )
    return tuple(UnknownTeam(team, answers, n, near_names(team, known)) for team, answers, n in rows)


def near_names(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """The known names that are written most like `name`, the nearest first."""
    by_key = {same_key(one): bare(one) for one in known}
    near = difflib.get_close_matches(same_key(name), by_key, n=_MOST_NEAR, cutoff=0.5)
    return tuple(by_key[key] for key in near)


def catalogue_teams(warehouse: Path) -> list[str]:
    """The teams that the catalogue of a warehouse knows or knew; none where nothing was collected."""
    if not warehouse.exists():
        return []
    with open_warehouse(warehouse) as opened:
        found = opened.connection.execute(CATALOGUE_TEAMS).fetchall()
    return sorted({bare(team) for (team,) in found})


def known_team(name: str, catalogue: Iterable[str], meaning: SurveyMeaning) -> str | None:
    """The team that `name` means, as the catalogue or `survey.teams` writes it; None where neither knows it."""
    return find_name(meaning.team(name), [*meaning.own_teams, *catalogue])
