"""The command that prints links to the survey page.

Packages are imported inside, so that `sixkeys --help` answers at once.
"""

from datetime import UTC, date, datetime
from typing import Annotated

import typer

from dashboards.commands.options import DEFAULT_CONFIG, ConfigOption, WarehouseOption, day_option, say
from dashboards.commands.steps import read_settings


def survey(
    round: Annotated[str, typer.Option(metavar="ROUND", help="The round, such as 2026-Q4.")],
    team: Annotated[str, typer.Option(metavar="TEAM", help="The team, by its name in the catalogue.")],
    closes: Annotated[
        date, typer.Option(parser=day_option, metavar="DAY", help="The last day on which answers are taken.")
    ],
    links: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="How many: one a person.")] = 1,
    config: ConfigOption = DEFAULT_CONFIG,
    warehouse: WarehouseOption = None,
) -> None:
    """Prints links to the survey page, one for each person of a team that the catalogue knows.

    A link holds nothing about who opens it: do not note who gets which. It works until its round closes; answering
    again replaces the earlier answer. All links of a round should close on the same day.

    Example: sixkeys survey --round 2026-Q4 --team payments --closes 2026-11-20 --links 8
    """
    from dashboards.satisfaction.survey_links import survey_links as made
    from warehouse.trust.survey_teams import catalogue_teams

    settings = read_settings(config, warehouse)
    catalogue = catalogue_teams(settings.warehouse)
    if not catalogue:
        say("no catalogue was read yet, so nobody knows whether there is such a team")
    for link in made(settings, round, team, closes, links, datetime.now(UTC), catalogue):
        print(link)
