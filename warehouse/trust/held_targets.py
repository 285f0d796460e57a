"""Which target holds where, as `sixkeys check` explains it: by metric and level, for how many, and from where."""

from collections.abc import Sequence
from typing import NamedTuple

import duckdb

from config.metrics import Metric, find
from config.settings import Settings
from config.targets import HeldTarget, MetricTarget
from warehouse.metrics.target_levels import TargetLevels
from warehouse.metrics.units import listed

TARGETS = "Targets"
TARGET_COLUMNS = ("metric", "of", "target", "holds for", "from")
_LEVELS = ("system", "group", "team", "service")
# more than so many different targets of a level are told by their number, and more names are not told
_MOST_TARGETS, _MOST_NAMED = 4, 3


class _Told(NamedTuple):
    """A target of a level and for which names it holds; `origin` tells from where."""

    target: str
    holds_for: str
    origin: str


def target_rows(
    settings: Settings, connection: duckdb.DuckDBPyConnection | None = None
) -> list[tuple[str, str, str, str, str]]:
    """Below TARGET_COLUMNS what holds for the services of `connection`; without one what is stated for each level."""
    levels = TargetLevels(connection, settings)
    names = {level: _names(connection, level) for level in _LEVELS}
    found: list[tuple[str, str, str, str, str]] = []
    for entry in settings.metrics:
        metric = find(entry.name)
        if metric is None:
            continue
        held = levels.target(metric.id, "organisation", "")
        told = {
            level: _of_level(settings, levels, metric, level, names[level])
            for level in _levels(metric)
            if level != "group" or names[level] or _is_stated(entry)
        }
        same: dict[_Told, list[str]] = {}
        for level, of_level in told.items():
            if (one := _in_common(of_level)) is not None:
                same.setdefault(one, []).append(f"{level}s")
        rows = [
            ("the organisation", _Told(_text(held), "", "")),
            *((listed(of), one) for one, of in same.items()),
            *(
                (f"{level}s", one)
                for level, of_level in told.items()
                if _in_common(of_level) is None
                for one in of_level
            ),
        ]
        found += [(metric.name if at == 0 else "", of, *one) for at, (of, one) in enumerate(rows)]
    return found


def _levels(metric: Metric) -> Sequence[str]:
    return ("group", "team") if metric.fact == "responses" else _LEVELS


def _is_stated(entry: MetricTarget) -> bool:
    """Whether anything is said of groups, which most organisations do not have."""
    return entry.group_target is not None or any(one.group is not None for one in entry.overrides)


def _names(connection: duckdb.DuckDBPyConnection | None, level: str) -> list[str]:
    if connection is None:
        return []
    sql = f"select distinct {level} from services where gone_at is null and {level} is not null order by 1"
    if level == "group":
        sql = "select distinct name from groups order by 1"
    return [name for (name,) in connection.execute(sql).fetchall()]


def _in_common(told: Sequence[_Told]) -> _Told | None:
    """What all of a level have from the organisation, or that none has a target, to be told of several at once."""
    one = told[0]
    if len(told) > 1 or one.origin not in ("the organisation", _NOT_INHERITED):
        return None
    return one._replace(holds_for="all")


_NOT_INHERITED = "a frequency is not inherited"


def _of_level(
    settings: Settings, levels: TargetLevels, metric: Metric, level: str, names: Sequence[str]
) -> list[_Told]:
    by_target: dict[tuple[str, str], list[str]] = {}
    known = names or [*_with_overrides(settings, metric, level), ""]
    for name in known:
        held = levels.target(metric.id, level, name)
        by_target.setdefault((_text(held), _origin(held, level)), []).append(name)
    ordered = sorted(by_target.items(), key=lambda one: -len(one[1]))
    told = [_Told(target, _whom(of, len(names)), origin) for (target, origin), of in ordered[:_MOST_TARGETS]]
    if left := sum(len(of) for _, of in ordered[_MOST_TARGETS:]):
        told.append(
            _Told(f"{len(ordered) - _MOST_TARGETS} others", f"{left:,} of {len(known):,}", "overrides")
        )
    return told


def _with_overrides(settings: Settings, metric: Metric, level: str) -> list[str]:
    overrides = (one for entry in settings.metrics if find(entry.name) == metric for one in entry.overrides)
    return [name for scope, name in (one.scope for one in overrides) if scope == level]


def _text(held: HeldTarget | None) -> str:
    if held is None:
        return "none"
    return f"{held.text}, by {held.goal.by}" if held.goal else held.text


def _origin(held: HeldTarget | None, level: str) -> str:
    if held is None:
        return _NOT_INHERITED
    if held.scope == level:
        return f"{level}_target" if held.name is None else "overrides"
    if held.scope == "organisation":
        return "the organisation"
    return f"{held.scope}_target" if held.name is None else f"its {held.scope}, by overrides"


def _whom(names: Sequence[str], total: int) -> str:
    if not total:
        return ", ".join(name or "what has none of its own" for name in names)
    if len(names) >= total:
        return "all" if total < 2 else f"all {total:,}"
    some = f"{len(names):,} of {total:,}"
    return f"{some}: {', '.join(names)}" if len(names) <= _MOST_NAMED else some
