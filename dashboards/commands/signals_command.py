"""`sixkeys signals`: every change of a week that is more than chance, as a list."""

import sys
from datetime import timedelta
from typing import Annotated

import typer

from dashboards.commands.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    TableFormat,
    WarehouseOption,
    WithBelow,
    one_name,
)
from dashboards.commands.steps import opened_facts, read_settings


def signals_command(
    week: Annotated[
        str | None, typer.Option(metavar="WEEK", help="As 2026-W46; else the last complete one.")
    ] = None,
    where: WithBelow = None,
    format: TableFormat = "table",
    config: ConfigOption = DEFAULT_CONFIG,
    warehouse: WarehouseOption = None,
) -> None:
    """Lists what changed in a week by more than chance: of every team, system and service, the largest first.

    Example: sixkeys signals --week 2026-W46 --format csv

    Example: sixkeys signals --where team=payments
    """
    of = one_name(where)
    from dashboards.commands import terminal
    from warehouse.metrics.periods import parse_week, today, week_of
    from warehouse.metrics.values import narrowed, narrowest
    from warehouse.signals.verdicts import below_scope, signals
    from warehouse.signals.wording import signal_rows

    settings = read_settings(config, warehouse)
    with opened_facts(settings) as facts:
        monday = parse_week(week) if week else week_of(today(facts)) - timedelta(weeks=1)
        every = signals(facts, settings, monday, monday + timedelta(weeks=1))
        found = list(every.found)
        if of:
            (scope, name) = narrowest(of), next(iter(narrowed(facts, of).values()))
            below = below_scope(facts, every, scope, name)
            found = [
                one for one in found if (one.judged.scope, one.judged.name) == (scope, name) or one in below
            ]
    terminal.write(
        sys.stdout, format, signal_rows(found), terminal.signals_table(found, monday, every.judged)
    )
