"""`sixkeys build`: on this machine, or on a cluster."""

from pathlib import Path
from typing import Annotated

import typer

from dashboards.commands.options import DEFAULT_CONFIG, ConfigOption, WarehouseOption
from dashboards.commands.steps import build_facts, read_settings


def build_command(
    config: ConfigOption = DEFAULT_CONFIG,
    warehouse: WarehouseOption = None,
    full: Annotated[
        bool, typer.Option("--full", help="Derive everything anew, and not only what has changed.")
    ] = False,
    engine: Annotated[
        str | None,
        typer.Option(
            "--engine",
            metavar="ADDRESS",
            help="An Apache Spark cluster, spark://host:port or sc://host:port; else this machine.",
        ),
    ] = None,
    shared_folder: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="What the whole cluster sees under one name; else the warehouse's folder."
        ),
    ] = None,
) -> None:
    """Computes the facts from what was collected, for instance after the configuration changed.

    Example: sixkeys build
    """
    settings = read_settings(config, warehouse)
    if engine is None:
        if shared_folder:
            raise typer.BadParameter("--shared-folder is for a build on a cluster; name that with --engine")
        build_facts(settings, says_what_moved=True, is_full=full)
        return
    from warehouse.building.spark.cluster import on_spark

    cluster = on_spark(engine, shared_folder or settings.warehouse.parent, settings)
    build_facts(settings, says_what_moved=True, engine=cluster)
