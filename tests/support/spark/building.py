"""Builds on a cluster, one warehouse after another, and tells each step before it is run.

What has made the last one keeps its session until stdin ends.

python -m tests.support.spark.building ADDRESS SHARED (CONFIG WAREHOUSE INSTANT)...
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb

from config.settings import Settings, load_settings
from warehouse.building.build import build
from warehouse.building.spark.cluster import on_spark
from warehouse.building.steps import Engine, OpenEngine, Step

MADE = "made"


def telling(settings: Settings, address: str, shared: Path, is_last: bool) -> OpenEngine:
    """The engine at `address` that says what it is about to do, and when it has made what `is_last`."""
    engine = on_spark(address, shared, settings)

    @contextmanager
    def told(connection: duckdb.DuckDBPyConnection, facts: str) -> Iterator[Engine]:
        with engine(connection, facts) as run:

            def one(step: Step) -> None:
                print(step if isinstance(step, str) else step.__name__, flush=True)
                run(step)

            yield one
            if is_last:
                print(MADE, flush=True)
                sys.stdin.read()

    return told


if __name__ == "__main__":
    address, shared, *asked = sys.argv[1:]
    for config, warehouse, at in zip(asked[::3], asked[1::3], asked[2::3], strict=True):
        settings = load_settings(Path(config)).model_copy(update={"warehouse": Path(warehouse)})
        engine = telling(settings, address, Path(shared), is_last=warehouse == asked[-2])
        build(settings, datetime.fromisoformat(at), engine)
