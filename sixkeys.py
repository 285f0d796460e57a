"""The command line: wires the packages together. Data goes to stdout, messages and progress to stderr.

Exit status: 0 good, 1 something failed (also when only one source of many did), 2 wrong usage or configuration.
Packages are imported inside the commands, so that `--help` answers at once.
"""

import gc
import json
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from importlib import metadata, resources
from pathlib import Path
from typing import Annotated

import typer

from config.errors import ConfigurationError, DamagedError
from config.text.legible import log_legibly
from dashboards.commands.build_command import build_command
from dashboards.commands.check_command import check_command
from dashboards.commands.deliver_command import deliver_command
from dashboards.commands.explain_command import explain_command
from dashboards.commands.options import (
    DEFAULT_CONFIG,
    After,
    Commands,
    ConfigOption,
    FileFormat,
    First,
    PeriodOption,
    ScopeOption,
    TableFormat,
    WarehouseOption,
    Where,
    day_option,
    pairs,
    require_few_periods,
    require_order,
    require_text,
    say,
    usage_error,
)
from dashboards.commands.records_command import back_up_warehouse, forget_records, import_records
from dashboards.commands.scorecard_command import scorecard_command
from dashboards.commands.signals_command import signals_command
from dashboards.commands.steps import (
    build_for_this_version,
    collect_all,
    make_scorecards,
    opened_facts,
    read_settings,
    run_dashboard,
    say_first_delivery,
)
from dashboards.commands.survey_command import survey

app = typer.Typer(
    cls=Commands,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"sixkeys {metadata.version('sixkeys')}")
        raise typer.Exit


@app.callback()
def sixkeys(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="The version, and nothing else."),
    ] = False,
) -> None:
    """Six numbers on how your organisation delivers software, and the rows behind each of them.

    Try it on a sample organisation with: sixkeys demo

    Begin on your own with: sixkeys init, then sixkeys check, then sixkeys collect, then sixkeys dashboard
    """


@app.command()
def demo(
    dashboard: Annotated[
        bool, typer.Option("--dashboard/--no-dashboard", help="Open the dashboard at the end.")
    ] = True,
    today: Annotated[
        date | None,
        typer.Option(parser=day_option, metavar="DAY", help="The day that the sample ends before."),
    ] = None,
    folder: Annotated[Path, typer.Option(metavar="DIR", help="Where the demo is put.")] = Path("demo"),
) -> None:
    """Shows the whole service on a sample organisation: collects, builds, publishes a scorecard, opens the dashboard.

    Needs no account and no network: the sample comes from a server inside this command. While it runs, every other
    command works on it from a second terminal.

    Example: sixkeys metrics --by team --config demo/sixkeys.yaml
    """
    from config.settings import load_settings
    from dashboards.commands import terminal
    from dashboards.server import process
    from sample_data.folder import demo_folder
    from sample_data.organisation.build import build_organisation
    from sample_data.servers.server import SampleServer
    from sample_data.settings import demo_settings
    from warehouse.building.build import build
    from warehouse.metrics.values import compute

    with process.stopped_by_signals(), demo_folder(folder):
        say(f"Building the sample organisation in {folder}")
        organisation = build_organisation(today or date.today(), folder / "repositories")
        with SampleServer(organisation) as server:
            demo_settings(organisation, server.url, folder, server.token)
            path = folder / "sixkeys.yaml"
            settings = load_settings(path)
            failed = collect_all(settings, now=organisation.now)
            make_scorecards(settings)
            build(settings, organisation.now)  # so that the dashboard has the scorecard
            with opened_facts(settings) as facts:
                terminal.console(sys.stdout).print(terminal.values_table(compute(facts, settings)))
            say(f"The scorecards are in {folder / 'scorecards'}. Every command works with --config {path}")
            if dashboard:
                port = process.free_port(settings.dashboard.host, settings.dashboard.port)
                run_dashboard(path, None, settings.dashboard.host, port)
    raise typer.Exit(1 if failed else 0)


@app.command()
def init(config: ConfigOption = DEFAULT_CONFIG, warehouse: WarehouseOption = None) -> None:
    """Writes a configuration with a comment on every part, to be filled in.

    Example: sixkeys init
    """
    text = resources.files("config").joinpath("example.yaml").read_text(encoding="utf-8")
    if warehouse:
        text = text.replace("warehouse: warehouse/sixkeys.duckdb", f"warehouse: {json.dumps(str(warehouse))}")
    try:
        with config.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigurationError(f"{config}: is there already; name another with --config") from None
    except OSError as error:
        raise ConfigurationError(f"{config}: cannot be written: {error.strerror}") from None
    say(f'{config} is written: fill in your organization and its sources, then run "sixkeys check"')


app.command("check")(check_command)


@app.command()
def collect(
    source: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="Only this source, such as github.")
    ] = None,
    since: Annotated[
        date | None, typer.Option(parser=day_option, metavar="DAY", help="Read again from this day on.")
    ] = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Read again what was set aside in the quarantine.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    warehouse: WarehouseOption = None,
) -> None:
    """Pulls what is new from every source and computes the numbers anew.

    The first time takes longest. If one source fails, the others' data is kept and the exit status is 1.

    Example: sixkeys collect --source github

    Example: sixkeys collect --replay
    """
    if replay and since:
        raise typer.BadParameter(
            "--since reads everything again, what was set aside too", param_hint="--replay"
        )
    settings = read_settings(config, warehouse)
    failed = collect_all(settings, source, since, replay=replay)
    with opened_facts(settings) as facts:
        say_first_delivery(facts, settings)
    raise typer.Exit(1 if failed else 0)


app.command("import")(import_records)
app.command("forget")(forget_records)
app.command("backup")(back_up_warehouse)
app.command("build")(build_command)


@app.command()
def metrics(
    by: ScopeOption = None,
    period: PeriodOption = None,
    first: First = None,
    after: After = None,
    where: Where = None,
    format: TableFormat = "table",
    config: ConfigOption = DEFAULT_CONFIG,
    warehouse: WarehouseOption = None,
) -> None:
    """Shows the numbers against their targets.

    Example: sixkeys metrics --by team --period week --from 2026-10-01

    Example: sixkeys metrics --where service=checkout --format json
    """
    require_order(first, after)
    require_few_periods(period, first, after)
    narrowed = pairs(where)
    from warehouse.metrics.values import as_rows, compute, measured, narrowest

    settings = read_settings(config, warehouse)
    with opened_facts(settings, narrowed) as facts:
        scope = by or narrowest(narrowed)
        values = compute(facts, settings, scope, period, first, after, narrowed, measured(facts, settings))
        if format == "table":
            from dashboards.commands import terminal

            terminal.show(sys.stdout, terminal.values_table(values))
            return
        from dashboards.figures import tables
        from warehouse.signals.goals import goal_progress, with_goals

        rows = with_goals(as_rows(values), goal_progress(facts, settings, scope, narrowed))
    tables.write_data(sys.stdout, format, rows)


app.command("explain")(explain_command)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files are put.")],
    format: FileFormat = "csv",
    config: ConfigOption = DEFAULT_CONFIG,
    warehouse: WarehouseOption = None,
) -> None:
    """Writes every metric and every fact table as a file, for a spreadsheet or another program.

    Example: sixkeys export report --format parquet
    """
    from warehouse.rows.export import export as export_tables

    settings = read_settings(config, warehouse)
    with opened_facts(settings) as facts:
        for path in export_tables(facts, settings, folder, format):
            print(path)


app.command("signals")(signals_command)
app.command("scorecard")(scorecard_command)
app.command("deliver")(deliver_command)
app.command()(survey)


@app.command()
def dashboard(config: ConfigOption = DEFAULT_CONFIG, warehouse: WarehouseOption = None) -> None:
    """Runs the dashboard alone, until Ctrl-C.

    Example: sixkeys dashboard
    """
    from config.text.references import require_resolved
    from dashboards.server import process

    settings = read_settings(config, warehouse)
    require_resolved(settings.dashboard.auth)
    with process.stopped_by_signals():
        run_dashboard(config, warehouse, settings.dashboard.host, settings.dashboard.port)


@app.command()
def serve(config: ConfigOption = DEFAULT_CONFIG, warehouse: WarehouseOption = None) -> None:
    """Runs everything: collects now and on schedule, delivers scorecards and alerts, shows the dashboard.

    After an update it first builds the facts anew.
    Ends cleanly on Ctrl-C or SIGTERM. If the dashboard ends by itself, so does this, with status 1.

    Example: sixkeys serve
    """
    from config.summary import settings_summary
    from config.text.references import require_resolved
    from dashboards.commands.schedule import ScheduledCommand, scheduled
    from dashboards.server import process

    settings = read_settings(config, warehouse)
    require_resolved(settings.dashboard.auth)
    for entry in settings_summary(config, settings):
        say(f"{entry.key}: {entry.value} ({entry.origin})")
    options = ["--config", str(config), *(["--warehouse", str(warehouse)] if warehouse else [])]
    this = [sys.executable, str(Path(__file__).resolve())]
    commands = {name: [*this, name, *options] for name in ("collect", "deliver")}
    build_for_this_version(settings)
    jobs = [
        ScheduledCommand(settings.schedule.collect, commands, at_start=True),
        ScheduledCommand(settings.schedule.scorecard, {"deliver": commands["deliver"]}),
    ]
    # asked to stop at any time, it did what it was asked
    with suppress(KeyboardInterrupt), process.stopped_by_signals(), scheduled(jobs, settings.timezone):
        run_dashboard(config, warehouse, settings.dashboard.host, settings.dashboard.port)


def run(arguments: Sequence[str]) -> int:
    """The exit status of the command line with these arguments; a reader that went away ends it without a word."""
    try:
        require_text(arguments)
        return _once_more_without_what_is_damaged([*arguments] or ["--help"])
    except typer.TyperException as error:
        say(f"sixkeys: {usage_error(error)}")
        return 2
    finally:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _once_more_without_what_is_damaged(arguments: list[str]) -> int:
    while True:
        try:
            return app(arguments, standalone_mode=False) or 0
        except DamagedError as error:
            say(f"sixkeys: {error}")


def main() -> None:
    """Runs the command line of this process."""
    log_legibly()
    # what a command reads stays until it ends: looking for what nobody needs any more takes a fifth of its time
    gc.set_threshold(50_000)
    status = run(sys.argv[1:])
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    # who still waits for a source that failed is not waited for, nor ended in the middle of a library's work
    if others and all(thread.daemon for thread in others):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    main()
