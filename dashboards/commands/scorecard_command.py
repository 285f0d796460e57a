"""`sixkeys scorecard`: one on stdout, and their publishing and sending."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dashboards.commands.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    PageFormat,
    WarehouseOption,
    Whose,
    one_scope,
    say,
)
from dashboards.commands.steps import make_scorecards, read_settings

if TYPE_CHECKING:
    from config.settings import Settings
    from warehouse.metrics.values import Scope


def scorecard_command(
    week: Annotated[
        str | None, typer.Option(metavar="WEEK", help="As 2026-W46; else the last complete one.")
    ] = None,
    where: Whose = None,
    format: PageFormat = None,
    publish: Annotated[
        bool,
        typer.Option("--publish", help="Freeze it, or all of the week: later data changes them no more."),
    ] = False,
    send: Annotated[
        bool, typer.Option("--send", help="Publish, and deliver as configured what was not delivered yet.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what --send would send; with --format json, its content.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Send what was delivered before once more.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    warehouse: WarehouseOption = None,
) -> None:
    """Writes the weekly scorecard (HTML by default): each number against its target, and what moved.

    It is the organisation's unless --where names a team or a system. Without --where, --publish and --send are for
    those of all teams and systems as well. --send says in a line for each recipient what became of it, and shows the
    scorecard only with --format.

    Example: sixkeys scorecard --week 2026-W46 --format md --where team=payments

    Example: sixkeys scorecard --send --dry-run
    """
    of: tuple[Scope, str] | None = one_scope(where)
    if (dry_run or again) and not send:
        raise typer.BadParameter(f'{"--dry-run" if dry_run else "--again"} says how to send; add "--send"')
    if dry_run and format not in (None, "json"):
        raise typer.BadParameter('--dry-run gives a table, or the messages with "--format json"')
    settings = read_settings(config, warehouse)
    publish = (publish or send) and not dry_run
    if of is None and not send and not publish:
        of = ("organisation", "")
    found, failed = make_scorecards(
        settings, week, of, publish, send and not dry_run, again, print if send and format is None else say
    )
    if not found:  # what was asked for failed, which is told by now
        raise typer.Exit(1)
    if dry_run:
        _show_plan(settings, found, again, as_json=format == "json")
    elif format or not send:
        from dashboards.scorecards.published_forms import published_forms

        print(published_forms(settings.warehouse, found[0])[format or "html"], end="")
    raise typer.Exit(1 if failed else 0)


def _show_plan(settings: "Settings", found: list[dict[str, Any]], again: bool, as_json: bool) -> None:
    from dashboards.commands import terminal
    from dashboards.delivery.dry_run import planned
    from dashboards.delivery.scorecard_parcels import scorecard_parcels

    messages = planned(settings, scorecard_parcels(found, settings), again)
    terminal.write(sys.stdout, "json" if as_json else "table", messages, terminal.planned_table(messages))
