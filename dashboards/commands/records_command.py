"""The commands that bring records into the warehouse by hand, take them out again, and copy it.

Packages are imported inside, so that `sixkeys --help` answers at once.
"""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.text.quoting import quoted
from dashboards.commands.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    WarehouseOption,
    day_option,
    require_order,
    say,
)
from dashboards.commands.steps import build_facts, read_settings, say_what_moved

if TYPE_CHECKING:
    from config.settings import Settings


def import_records(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="The kind of records, such as deployments.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .csv, .jsonl or .parquet file.")],
    more: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KIND FILE]...", help="Other kinds, each with its file.", show_default=False),
    ] = None,
    covers: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="FROM TO", help="The days that the file is complete for; else its first to its last."
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="A known key may come with another service or repository.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    warehouse: WarehouseOption = None,
) -> None:
    """Takes records from a file, for whatever has no collector, or from several files one after the other.

    docs/records.md lists the kinds and their columns. A row with a known key replaces the earlier one. Of each file
    all rows are taken, or none; those before one that cannot be taken stay.

    Example: sixkeys import deployments deployments.csv --covers 2026-01-01 2026-07-01

    Example: sixkeys import components components.csv deployments deployments.csv
    """
    others = more or []
    if len(others) % 2:
        raise typer.BadParameter(
            f"{quoted(others[-1])} has no file; write each kind with its file", param_hint="KIND FILE"
        )
    days = (day_option(covers[0]), day_option(covers[1])) if covers else None
    require_order(*(days or (None, None)))
    settings = read_settings(config, warehouse)
    _take(settings, kind, file, days, replace)
    for other, path in zip(others[::2], others[1::2], strict=True):
        _take(settings, other, Path(path), days, replace)


def _take(
    settings: "Settings", kind: str, file: Path, covers: tuple[date, date] | None, replace: bool
) -> None:
    from warehouse.loading.imports import import_file

    taken = import_file(settings, kind, file, covers, replace)
    told = f"{taken.new:,} new, {taken.replaced:,} replaced, {taken.unchanged:,} unchanged"
    if taken.repeated:
        rows = "row repeats" if taken.repeated == 1 else "rows repeat"
        told += f"; {taken.repeated:,} {rows} another one, the first: {taken.repeat}"
    if taken.covered_to:
        told += f"; days from {taken.covered_to} on have not begun and are not covered"
    say(
        f"{taken.total:,} {kind.replace('_', ' ')} taken from {file} ({told});"
        ' they count after the next "sixkeys build"'
    )


def forget_records(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="The kind of records, such as deployments.")],
    source: Annotated[
        str | None, typer.Option("--source", metavar="WORD", help="Those that this source told.")
    ] = None,
    ids: Annotated[
        list[str] | None, typer.Option("--id", metavar="ID", help="The one of this id; can be repeated.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="Those of a file that was imported.")
    ] = None,
    round: Annotated[
        str | None, typer.Option("--round", metavar="ROUND", help="Those of this survey round.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Take them out; without it they are only shown.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    warehouse: WarehouseOption = None,
) -> None:
    """Takes records out again, with what they said of coverage, and says which numbers move.

    Importing the file again brings back what was imported.

    Example: sixkeys forget deployments --source jenkins

    Example: sixkeys forget deployments --file deployments.csv --yes

    Example: sixkeys forget comments --round 2026-Q4 --yes
    """
    from dashboards.figures.formats import plural
    from warehouse.loading.forgetting import forget as forget_rows
    from warehouse.metrics.moved_numbers import published_numbers

    settings = read_settings(config, warehouse)
    before = published_numbers(settings) if yes else None
    found = forget_rows(settings, kind, source, ids or (), file, yes, round)
    of = ", ".join(f"{n:,} of {name}" for name, n in found.rows.items()) or "none"
    stretches = (
        f" and {plural(found.stretches, 'stretch', 'stretches')} of coverage" if found.stretches else ""
    )
    told = f"{found.total:,} {kind.replace('_', ' ')} ({of}){stretches}"
    if not yes:
        again = "; add --yes to take them out" if found.total else ""
        say(f"{told} would be forgotten{again}")
        return
    say(f"{told} forgotten")
    build_facts(settings)
    if before:
        say_what_moved(settings, before)


def back_up_warehouse(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, where the copy is put.")],
    config: ConfigOption = DEFAULT_CONFIG,
    warehouse: WarehouseOption = None,
) -> None:
    """Copies what cannot be collected again: the warehouse, the key of the people in it, and the survey page's answers.

    Others may work on it meanwhile. docs/commands.md says how the copy is brought back.

    Example: sixkeys backup backups/2026-11-16
    """
    from dashboards.figures.formats import plural
    from warehouse.loading.backup import back_up
    from warehouse.loading.people_key import key_file

    settings = read_settings(config, warehouse)
    copied = {path.name: path for path in back_up(settings, folder, say)}
    told = [f"{settings.warehouse.name} ({copied[settings.warehouse.name].stat().st_size / 1e6:,.1f} MB)"]
    if key_file(settings.warehouse).name in copied:
        told.append("the key of its people")
    if "inbox" in copied:
        told.append(plural(len(list(copied["inbox"].iterdir())), "answer"))
    say(f"{folder} has {', '.join(told)}; keep it as safe as the warehouse itself")
