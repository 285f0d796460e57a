"""Published scorecards: kept as they were, whatever is collected later."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from config.errors import ConfigurationError
from config.settings import Settings
from warehouse.facts import Facts
from warehouse.periods import midnight
from warehouse.store import naive, open_warehouse


def frozen(warehouse: Path, week: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The scorecards that were published for an ISO week, by scope and name."""
    sql = "select scope, name, content from scorecards where week = ?"
    with open_warehouse(warehouse) as opened:
        rows = opened.connection.execute(sql, [week]).fetchall()
    return {(scope, name): json.loads(content) for scope, name, content in rows}


def publish(facts: Facts, settings: Settings, content: dict[str, Any]) -> dict[str, Any]:
    """Freezes a scorecard that was made of `facts` and returns it; one that was published before stands instead.

    Raises ConfigurationError where the week had not ended when the facts were built.
    """
    if facts.as_of < midnight(facts, date.fromisoformat(content["week_end"])):
        raise ConfigurationError(
            f"{content['week']} had not ended when the facts were built; it can be published from"
            f' {content["week_end"]} on, after a "sixkeys collect"'
        )
    key = [content["scope"], content["name"], content["week"]]
    with open_warehouse(settings.warehouse) as opened, opened.transaction():
        sql = "select content from scorecards where scope = ? and name = ? and week = ?"
        if earlier := opened.connection.execute(sql, key).fetchall():
            return json.loads(earlier[0][0])
        row = [*key, naive(datetime.now(UTC)), json.dumps(content)]
        opened.connection.execute("insert into scorecards values (?, ?, ?, ?, ?)", row)
    return content
