"""What the settings say of survey answers, as tables that the models join."""

from collections.abc import Callable

import duckdb
import pyarrow as pa

from config.names import find_name
from config.survey import SurveyMeaning

# of a round that was closed when all questions counted as one
UNDIVIDED = ""
_CATALOGUE = (
    "select o.team from source.owners as o union select c.owner from source.components as c"
    " union select c.name from source.components as c where c.kind = 'Group'"
)
_ANSWERED = "select r.team from source.responses as r union select t.team from source.round_answers as t"
_ASKED = "select r.question from source.responses as r union select t.question from source.round_answers as t"


def create_survey_inputs(
    connection: duckdb.DuckDBPyConnection,
    table: Callable[[str, dict[str, pa.DataType], list[tuple[object, ...]]], None],
    meaning: SurveyMeaning,
) -> None:
    """`satisfaction_questions`, `survey_teams` (the team of each text that means another) and `known_teams`."""

    def texts(sql: str) -> list[str]:
        return sorted(text for (text,) in connection.execute(sql).fetchall() if text is not None)

    asked = [question for question in texts(_ASKED) if meaning.is_satisfaction(question)]
    table("satisfaction_questions", {"question": pa.string()}, [(one,) for one in {UNDIVIDED, *asked}])
    catalogue, answered = texts(_CATALOGUE), texts(_ANSWERED)
    known = [*answered, *catalogue]  # of two ways to write a name the catalogue's stands
    meant = {told: meaning.team(told) for told in answered}
    table(
        "survey_teams",
        {"told": pa.string(), "team": pa.string()},
        [(told, find_name(team, known) or team) for told, team in meant.items() if team != told],
    )
    own = {find_name(team, known) or team for team in meaning.own_teams} - set(catalogue)
    table(
        "known_teams",
        {"team": pa.string(), "is_of_catalogue": pa.bool_()},
        [*((team, True) for team in catalogue), *((team, False) for team in sorted(own))],
    )
