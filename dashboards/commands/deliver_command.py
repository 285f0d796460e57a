"""`sixkeys deliver`: what is due, to those who are to get it."""

from datetime import UTC, datetime

import typer

from dashboards.commands.options import DEFAULT_CONFIG, ConfigOption, WarehouseOption
from dashboards.commands.steps import deliver_due, read_settings


def deliver_command(config: ConfigOption = DEFAULT_CONFIG, warehouse: WarehouseOption = None) -> None:
    """Sends what is due and not delivered yet, as "sixkeys serve" does after each collection.

    That is the last complete week's scorecards once their time in schedule.scorecard has passed, and alerts. What
    failed is tried again; nothing goes out twice, however often or from how many processes this is run.

    Example: sixkeys deliver
    """
    raise typer.Exit(1 if deliver_due(read_settings(config, warehouse), datetime.now(UTC)) else 0)
