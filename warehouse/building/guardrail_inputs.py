"""What the guardrails say of each object that was read, as tables that the models join."""

from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pyarrow as pa

from config.platform_team.golden_paths import path_key
from config.platform_team.guardrails import Guardrails
from warehouse.building.guardrail_rules import judged

_KEY = ("source", "application", "kind", "namespace", "name", "from_at")
_STATES = "select m.* from source.managed_objects as m where not m.is_gone order by all"
_CALLED = "select distinct c.golden_path from source.components as c where c.golden_path is not null"
_BATCH = 10_000


def create_guardrail_inputs(
    connection: duckdb.DuckDBPyConnection,
    table: Callable[[str, dict[str, pa.DataType], list[tuple[Any, ...]]], None],
    guardrails: Guardrails,
) -> None:
    """`guardrail_rules` (a rule and the path whose it is, none: all services'), `guardrail_paths` (what services call
    those paths), `denied_traffic` and `judged_objects`."""
    text, is_bounded = pa.string(), guardrails.options.scope == "golden paths"
    rules: list[tuple[str, str | None, bool]] = [(rule, None, is_bounded) for rule in guardrails.for_all]
    rules += [(rule, path, True) for path, named in guardrails.by_path.items() for rule in named]
    table("guardrail_rules", {"rule": text, "path": text, "on_path_only": pa.bool_()}, rules)
    called = connection.execute(_CALLED).fetchall()
    keys = {path_key(path): path for path in guardrails.by_path}
    names = {*(told for (told,) in called), *guardrails.by_path}
    paths = [(told, keys[path_key(told)]) for told in sorted(names) if path_key(told) in keys]
    table("guardrail_paths", {"told": text, "path": text}, paths)
    table("denied_traffic", {"traffic": text}, [(traffic,) for traffic in guardrails.options.deny])
    columns = {**dict.fromkeys(_KEY[:-1], text), "from_at": pa.timestamp("us")}
    said = {"rule": text, "holds": pa.bool_(), "reason": text}
    table("judged_objects", columns | said, [*_judged(connection, guardrails)] if rules else [])


def _judged(connection: duckdb.DuckDBPyConnection, guardrails: Guardrails) -> Iterator[tuple[Any, ...]]:
    result = connection.execute(_STATES)
    names = [column[0] for column in result.description or ()]
    while rows := result.fetchmany(_BATCH):
        for row in rows:
            one = dict(zip(names, row, strict=True))
            yield from ((*(one[name] for name in _KEY), *judgement) for judgement in judged(guardrails, one))
