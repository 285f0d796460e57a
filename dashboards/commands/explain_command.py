"""`sixkeys explain`: the rows behind a number.

Packages are imported inside, so that `sixkeys --help` answers at once.
"""

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from dashboards.commands.options import (
    DEFAULT_CONFIG,
    After,
    ConfigOption,
    First,
    TableFormat,
    WarehouseOption,
    Where,
    pairs,
    require_order,
)
from dashboards.commands.steps import opened_facts, read_settings

# what the database has for it: the rows of a year of an organisation have no room in it, and need none
_MOST_MEMORY = "512MB"


def explain_command(
    metric: Annotated[str, typer.Argument(metavar="METRIC", help="Its name, such as lead_time or MTTR.")],
    stages: Annotated[
        bool, typer.Option("--stages", help="Where the hours of lead_time lie, stage by stage.")
    ] = False,
    where: Where = None,
    first: First = None,
    after: After = None,
    format: TableFormat = "table",
    config: ConfigOption = DEFAULT_CONFIG,
    warehouse: WarehouseOption = None,
) -> None:
    """Shows the rows behind a number, and those left out, each with the reason.

    Example: sixkeys explain change_failure_rate --where team=payments --from 2026-11-01

    Example: sixkeys explain lead_time --stages --where team=payments
    """
    from config.metrics import find
    from config.metrics import metrics as declared

    require_order(first, after)
    narrowed = pairs(where)
    found = find(metric)
    if found is None:
        raise typer.BadParameter(f'"{metric}" is none of {", ".join(declared())}', param_hint="METRIC")
    if stages and found.fact != "changes":
        raise typer.BadParameter(f"{found.id} has no stages; lead_time has", param_hint="--stages")
    from dashboards.commands import terminal
    from dashboards.figures import tables
    from warehouse.metrics.published_facts import limit_memory
    from warehouse.rows import explain as behind
    from warehouse.rows.stages import explained_stages, stage_rows

    settings = read_settings(config, warehouse)
    with opened_facts(settings, narrowed) as facts:
        if stages:
            told = explained_stages(facts, narrowed, first, after)
            content = stage_rows(told.stages) if format == "csv" else asdict(told)
            terminal.write(sys.stdout, format, content, terminal.stages_table(told))
            return
        limit_memory(facts, _MOST_MEMORY)
        if format == "csv":
            every = behind.all_explained_rows(facts, settings, found.id, narrowed, first, after)
            tables.write_data(sys.stdout, format, every)
            return
        if format == "json":
            whole = behind.explain(facts, settings, found.id, narrowed, first, after)
            tables.write_data(sys.stdout, format, asdict(whole))
            return
        alone, rows = behind.explain_as_read(facts, settings, found.id, narrowed, first, after)
        terminal.show(sys.stdout, terminal.explanation(alone, settings.timezone, rows))
