"""Which answers a question of a closed survey round is made of: taken once, for ever, and five or more at a time.

Whoever compares two states of a round, or the organisation with its teams, sees sums over whole batches only. So each
batch holds at least five people, a person is in one batch of a question, and a published team is made of batches of
its own. What is withheld shares batches (`is_pooled`), and a team that shared one stays withheld in that question.
Questions are taken each by itself, whichever are satisfaction: so that may be said anew of rounds that have closed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from config.names import same_key
from warehouse.storage.instants import naive

if TYPE_CHECKING:
    from warehouse.storage.store import Warehouse

FLOOR = 5

_WAITING = (
    "select a.round, a.question, a.respondent, a.team, a.is_late from (answers) as a anti join round_answers as t"
    " on t.round = a.round and t.question = a.question and t.respondent = a.respondent"
    " where a.score is not null and a.closes_at <= ? order by a.round, a.question, a.respondent"
)


@dataclass(frozen=True)
class WaitingAnswer:
    """A respondent who waits to be taken into a question; `team` as `same_key` has it, None where there is none."""

    respondent: str
    team: str | None
    is_late: bool


@dataclass(frozen=True)
class Batch:
    """Answers that enter together; of one team alone unless `is_pooled`."""

    answers: tuple[WaitingAnswer, ...]
    is_pooled: bool


def close_rounds(
    warehouse: "Warehouse", answers: str, as_of: datetime, team_of: Callable[[str], str] = str
) -> None:
    """Takes into each round that closed by `as_of` what may enter it; `answers` is that model's text.

    `team_of` gives the team that an answer's text means. What was taken stands, whatever happens to the answers.
    """
    connection = warehouse.connection
    with warehouse.transaction():
        current = answers.replace("source.", "")
        waiting: dict[tuple[str, str], list[WaitingAnswer]] = defaultdict(list)
        for round_, question, respondent, team, is_late in connection.execute(
            _WAITING.replace("(answers)", f"({current})"), [naive(as_of)]
        ).fetchall():
            key = team and same_key(team_of(team))
            waiting[round_, question].append(WaitingAnswer(respondent, key, is_late))
        for (round_, question), came in waiting.items():
            taken: dict[str | None, bool] = {}
            for team, is_pooled in connection.execute(
                "select team, bool_or(is_pooled) from round_answers where round = ? and question = ? group by team",
                [round_, question],
            ).fetchall():
                key = team and same_key(team_of(team))
                taken[key] = taken.get(key, False) or is_pooled
            (number,) = connection.execute(
                "select coalesce(max(batch), 0) from round_answers where round = ? and question = ?",
                [round_, question],
            ).fetchall()[0]
            for batch in next_batches(taken, came):
                number += 1
                connection.execute(
                    "insert into round_answers by name select a.round, a.question, a.respondent, a.team,"
                    " a.submitted_at,"
                    " coalesce((select min(t.closes_at) from round_answers as t where t.round = a.round), a.closes_at)"
                    f" as closes_at, a.score, ? as batch, ? as is_pooled from ({current}) as a"
                    " where a.round = ? and a.question = ? and list_contains(?, a.respondent)",
                    [number, batch.is_pooled, round_, question, [one.respondent for one in batch.answers]],
                )


def next_batches(taken: Mapping[str | None, bool], waiting: Sequence[WaitingAnswer]) -> list[Batch]:
    """The batches that a round takes now; `taken` says of each team in it already whether it is pooled.

    A round of fewer than five people takes nothing: it is not shown, so nothing is fixed either.
    """
    if taken:
        return _late(taken, waiting)
    in_time = [answer for answer in waiting if not answer.is_late]
    if len(in_time) < FLOOR:
        return _first(waiting)
    first = _first(in_time)
    pooled = {answer.team: batch.is_pooled for batch in first for answer in batch.answers}
    return first + _late(pooled, [answer for answer in waiting if answer.is_late])


def _first(answers: Iterable[WaitingAnswer]) -> list[Batch]:
    """Each team of five or more by itself, but the smallest with those withheld until they are five together."""
    own, pool = _by_team(answers, {})
    while own and 0 < len(pool) < FLOOR:
        pool += own.pop(min(own, key=lambda team: (len(own[team]), team)))
    return _batches(own, pool)


def _late(taken: Mapping[str | None, bool], waiting: Iterable[WaitingAnswer]) -> list[Batch]:
    """Five or more of a published or a new team, and five or more of those who are withheld; the others wait."""
    published = {team for team, is_pooled in taken.items() if not is_pooled}
    own, pool = _by_team(waiting, taken)
    return _batches(own, [answer for answer in pool if answer.team not in published])


def _by_team(
    answers: Iterable[WaitingAnswer], taken: Mapping[str | None, bool]
) -> tuple[dict[str, list[WaitingAnswer]], list[WaitingAnswer]]:
    """Those who make a batch of their own team, and the rest."""
    teams: dict[str | None, list[WaitingAnswer]] = defaultdict(list)
    for answer in answers:
        teams[answer.team].append(answer)
    own: dict[str, list[WaitingAnswer]] = {}
    pool: list[WaitingAnswer] = []
    for team, of_team in teams.items():
        if team is None or taken.get(team, False) or len(of_team) < FLOOR:
            pool += of_team
        else:
            own[team] = of_team
    return own, pool


def _batches(own: Mapping[str, Sequence[WaitingAnswer]], pool: Sequence[WaitingAnswer]) -> list[Batch]:
    batches = [Batch(tuple(own[team]), False) for team in sorted(own)]
    return batches + ([Batch(tuple(pool), True)] if len(pool) >= FLOOR else [])
