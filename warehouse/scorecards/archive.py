"""The published scorecards as the facts have them: a copy of the warehouse's at the time of the build."""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from warehouse.metrics.facts import Facts
from warehouse.metrics.values import Scope, kept_name


@dataclass(frozen=True)
class ArchivedScorecard:
    """A published scorecard in the archive: `met` of the `judged` targets, and how many numbers it restates."""

    scope: Scope
    name: str
    week: str
    published_at: datetime
    met: int
    judged: int
    restated: int


@dataclass(frozen=True)
class Restated:
    """What a later scorecard, that of `told_in`, says of a number in an earlier one."""

    told_in: str
    content: dict[str, Any]


def archived_scorecards(facts: Facts) -> tuple[ArchivedScorecard, ...]:
    """All published scorecards: the organisation's, then the systems' and the teams' by name, the newest week first."""
    sql = (
        "select s.scope, if(s.scope = 'organisation', $organization, s.name), s.week,"
        " s.published_at, cast(s.content -> '$.attainment.met' as int),"
        " cast(s.content -> '$.attainment.judged' as int), json_array_length(s.content, '$.restatements')"
        " from scorecards as s order by s.scope, s.name, s.week desc"
    )
    rows = facts.connection.execute(sql, {"organization": facts.organization}).fetchall()
    return tuple(
        ArchivedScorecard(scope, name, week, published_at.replace(tzinfo=UTC), *counts)
        for scope, name, week, published_at, *counts in rows
    )


def archived_forms(facts: Facts, scope: Scope, name: str, week: str) -> dict[str, str]:
    """What was rendered of it when it was published, by form."""
    sql = "select form, text from scorecard_forms where scope = ? and name = ? and week = ?"
    return unpacked_forms(facts.connection.execute(sql, [scope, kept_name(scope, name), week]).fetchall())


def archived_content(facts: Facts, scope: Scope, name: str, week: str) -> dict[str, Any]:
    """The scorecard itself, as this version has it."""
    sql = "select content from scorecards where scope = ? and name = ? and week = ?"
    ((content,),) = facts.connection.execute(sql, [scope, kept_name(scope, name), week]).fetchall()
    return dict(json.loads(content))


def restated_since(facts: Facts, scope: Scope, name: str, week: str) -> tuple[Restated, ...]:
    """What later scorecards say of the numbers of one, the earliest first."""
    sql = (
        "select s.week, s.content -> '$.restatements' from scorecards as s"
        " where s.scope = ? and s.name = ? and s.published_at > ("
        " select max(p.published_at) from scorecards as p where p.scope = ? and p.name = ? and p.week = ?)"
        " order by s.published_at"
    )
    of = [scope, kept_name(scope, name)]
    rows = facts.connection.execute(sql, [*of, *of, week]).fetchall()
    return tuple(
        Restated(told_in, one)
        for told_in, restatements in rows
        for one in json.loads(restatements)
        if one["week"] == week
    )


def unpacked_forms(rows: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """The texts by form, of rows as they are kept."""
    return {form: zlib.decompress(text).decode() for form, text in rows}
