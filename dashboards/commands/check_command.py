"""`sixkeys check`: what is wrong, before anything is collected and after.

Packages are imported inside, so that `sixkeys --help` answers at once.
"""

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from dashboards.commands.options import DEFAULT_CONFIG, ConfigOption, WarehouseOption
from dashboards.commands.steps import read_settings

if TYPE_CHECKING:
    from config.settings import Settings
    from warehouse.scorecards.due_weeks import FirstDelivery


def check_command(
    everything: Annotated[
        bool, typer.Option("--all", help="Each setting, and what matches what, where nothing is wrong too.")
    ] = False,
    send_trial: Annotated[
        bool,
        typer.Option("--send-trial", help="Also send a message of one line to each channel and webhook."),
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    warehouse: WarehouseOption = None,
) -> None:
    """Tells what is wrong: connections and permissions that fail, patterns that match nothing, and what to write;
    and which target holds where.

    With --all it also shows each setting and where it comes from, and which environments, applications, workflow files
    and services match what.

    Example: sixkeys check

    Example: sixkeys check --all

    Example: sixkeys check --send-trial
    """
    from collectors.connections import Connection, try_connections
    from collectors.transport.cost import Meter, metered
    from config.summary import settings_summary
    from config.text.references import unresolved_references
    from dashboards.commands import terminal
    from dashboards.delivery.mail import try_connection as try_mail
    from dashboards.delivery.trial import send_trial_messages
    from dashboards.scorecards.content import announcement
    from dashboards.server.identity_provider import try_provider
    from warehouse.loading.redaction import redact
    from warehouse.trust.held_targets import TARGETS
    from warehouse.trust.matching import PROBLEMS, report, stated_targets
    from warehouse.trust.platform_report import platform_report

    settings = read_settings(config, warehouse)
    out = terminal.console(sys.stdout)
    tried: list[Connection] = []

    def tell(connection: Connection) -> None:
        # an answer that is told may hold what was sent
        found = replace(connection, detail=redact(settings, connection.detail))
        if found.detail not in {one.detail for one in tried}:
            out.print(terminal.connection_line(found))
        tried.append(found)

    for missing in unresolved_references(settings):
        tell(Connection("configuration", False, str(missing)))
    told_before = len(tried)
    with metered(Meter(longest_wait_seconds=0)):  # who asks to wait is told of, not waited for
        for connection in try_connections(settings):
            tell(connection)
        if len(tried) == told_before:
            out.print(
                'No source is configured: name one below "sources", or bring data with "sixkeys import".'
            )
        if settings.dashboard.auth:
            tell(try_provider(settings.dashboard.auth))
    if settings.reports.email and not any(unresolved_references(settings.reports.email)):
        tell(try_mail(settings.reports.email))
    for connection in send_trial_messages(settings) if send_trial else ():
        tell(connection)
    parts = report(settings)
    if not parts:
        out.print(
            'Nothing was collected yet: after "sixkeys collect" this shows what matches what.'
            " The first scorecard that leaves by itself is that of the week of the first collection."
        )
    wrong = [part for part in parts if part.title == PROBLEMS]
    if parts and not wrong:
        out.print("Nothing is wrong between what was collected, the configuration and the catalogue.")
    for part in parts if everything else [*wrong, *(part for part in parts if part.title == TARGETS)]:
        out.print(terminal.match_table(part))
    if not parts:
        out.print(terminal.match_table(stated_targets(settings)))
    if documents := platform_report(settings):
        out.print(terminal.match_table(documents))
    if first := _first_delivery(settings):
        out.print(f"{announcement(first)}.", markup=False, highlight=False)
    if everything:
        out.print(terminal.settings_table(settings_summary(config, settings)))
    else:
        out.print("sixkeys check --all shows each setting, and what matches what.")
    raise typer.Exit(0 if all(connection.works for connection in tried) else 1)


def _first_delivery(settings: "Settings") -> "FirstDelivery | None":
    from warehouse.metrics.published_facts import NoFacts, open_facts
    from warehouse.scorecards.due_weeks import first_delivery

    try:
        with open_facts(settings.warehouse) as facts:
            return first_delivery(facts, settings.schedule.scorecard)
    except NoFacts:
        return None
