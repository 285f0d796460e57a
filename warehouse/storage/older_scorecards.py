"""Published scorecards as this version reads them, whichever version published them; what is kept stays as it is.

UnreadableScorecard(SixkeysError)   what was published is in no form that this version knows
"""

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from config.errors import SixkeysError
from config.metrics import metrics
from config.targets import parse_target

# raised with each change of what a scorecard's content holds; _NEXT says what becomes of the content of before
CONTENT_VERSION = 5

_SHOWN_BELOW = ("metric", "name", "short", "value", "unit", "n", "counts", "target", "status")
_OF_METRIC = {
    *(*_SHOWN_BELOW, "limit", "floor", "rule", "partial", "provisional", "p75", "p90", "previous"),
    *("previous_n", "usual", "change", "attainment", "history", "last_known"),
}
_OF_SCORECARD = {
    *("version", "organization", "scope", "name", "week", "week_start", "week_end", "timezone", "as_of"),
    *("definitions", "dashboard", "metrics", "attainment", "holding_back", "hours", "sentences", "events"),
    "platform",
    *("caveats", "restatements", "below"),
}


class UnreadableScorecard(SixkeysError):
    """What was published cannot be read: whose, which week, and why."""


def scorecards_in(scope: str, name: str, week: str, content: str) -> list[dict[str, Any]]:
    """The scorecards in what was published for a scope and week, as this version has them: one, or those of all scopes.

    Raises UnreadableScorecard.
    """
    try:
        document = json.loads(content)
        version = document.get("version", 1 if "scopes" in document else 2)
        if version > CONTENT_VERSION:
            raise ValueError("a newer Sixkeys has published it")
        found = [document]
        for before in range(version, CONTENT_VERSION):
            found = [after for one in found for after in _NEXT[before](one)]
        of_now = {"version": CONTENT_VERSION}
        found = [of_now | one | of_now for one in found]
        lacking = {key for one in found for key in _lacking(one)}
        if lacking or not found:
            raise ValueError(f"it lacks {', '.join(sorted(lacking)) or 'everything'}")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        why = f"{type(error).__name__}: {error}" if isinstance(error, LookupError) else str(error)
        raise UnreadableScorecard(
            f"{f'{scope} {name}'.strip()}, {week}: what was published cannot be read ({why[:200]});"
            " it stands as it is, and needs the Sixkeys that published it"
        ) from None
    return found


def convert_scorecards(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Puts what older versions published into the form of this one; takes what cannot be read out of `table`."""
    needed = ", ".join(f"'{key}'" for key in sorted(_OF_SCORECARD - {"version"}))
    ours = (
        f"json_type(content) = 'OBJECT' and list_has_all(json_keys(content), [{needed}])"
        f" and coalesce(content ->> '$.version', '2') = '{CONTENT_VERSION}'"
    )
    older = connection.execute(
        f"delete from {table} where not coalesce(case when json_valid(content) then {ours} end, false)"
        " returning scope, name, week, published_at, content"
    ).fetchall()
    for scope, name, week, published_at, content in older:
        try:
            found = scorecards_in(scope, name, week, content)
        except UnreadableScorecard:
            continue
        for one in found:
            key = [one["scope"], "" if one["scope"] == "organisation" else one["name"], week]
            # what has a document of its own is told by that
            connection.execute(
                f"insert into {table} select $1, $2, $3, $4, $5 where not exists"
                f" (select 1 from {table} as own where own.scope = $1 and own.name = $2 and own.week = $3)",
                [*key, published_at, json.dumps(one)],
            )


def _lacking(one: dict[str, Any]) -> set[str]:
    of_metrics = (_OF_METRIC - metric.keys() for metric in one.get("metrics", ()))
    return (_OF_SCORECARD - one.keys()).union(*of_metrics)


def _apart(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A document for each scope of one that held them all; what it did not tell is told to be unknown."""
    scopes = document.pop("scopes")
    told = [[_metric(metric) for metric in one["metrics"]] for one in scopes]
    for one, of_scope in zip(scopes, told, strict=True):
        yield {
            **document,
            "scope": one["scope"],
            "name": one["name"],
            "definitions": "not put down",
            "dashboard": None,
            "metrics": of_scope,
            "attainment": _attained(of_scope),
            "sentences": [{"text": text, "parts": [{"text": text}]} for text in one["sentences"]],
            "caveats": one["caveats"],
            "restatements": [],
            "below": [
                {
                    "scope": other["scope"],
                    "name": other["name"],
                    "metrics": [{key: metric[key] for key in _SHOWN_BELOW} for metric in of_other],
                    "attainment": _attained(of_other),
                }
                for other, of_other in zip(scopes, told, strict=True)
                if one["scope"] == "organisation" != other["scope"]
            ],
        }


def _without_hours_and_events(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What holds the targets back, where the hours lie, and what happened, was not told."""
    yield {**document, "holding_back": [], "hours": None, "events": []}


def _without_platform(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Of the platform nothing was told."""
    yield {**document, "platform": []}


def _without_last_known(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Of a week without a number none of an earlier one was told."""
    yield {**document, "metrics": [{**metric, "last_known": None} for metric in document["metrics"]]}


def _metric(told: dict[str, Any]) -> dict[str, Any]:
    declared = metrics()[told["metric"]]
    return told | {
        "short": declared.short,
        "counts": declared.fact,
        "limit": parse_target(told["target"], declared).limit if told["target"] else None,
        "floor": declared.floor,
        "rule": declared.rule,
        "provisional": False,
        "usual": None,
        "change": {"kind": "not told", "direction": None, "is_better": None, "reason": ""},
        "attainment": {"met": 0, "judged": 0, "missed_since": None, "or_before": False},
    }


def _attained(of_scope: list[dict[str, Any]]) -> dict[str, int]:
    judged = [metric["status"] for metric in of_scope if metric["status"] in ("met", "missed")]
    return {"met": judged.count("met"), "judged": len(judged)}


# what a document of a version becomes in the next
_NEXT = {1: _apart, 2: _without_hours_and_events, 3: _without_platform, 4: _without_last_known}
