"""A copy of what cannot be had again: the warehouse, the key of its people, and the answers of the survey page."""

import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb

from collectors.survey.inbox import inbox
from config.errors import ConfigurationError
from config.settings import Settings
from warehouse.loading.people_key import key_file
from warehouse.storage.migration import WarehouseError
from warehouse.storage.on_disk import quoted_path, sync
from warehouse.storage.store import WAIT_SECONDS, attach, require_database, told_if_damaged


def back_up(
    settings: Settings, folder: Path, waiting: Callable[[str], None], wait_seconds: float = WAIT_SECONDS
) -> list[Path]:
    """Copies the warehouse as it is, with all that belongs to it, into a new `folder`; what is there then.

    The folder is there as a whole or not at all, and every part of the warehouse was read for it. Waits up to
    `wait_seconds` while another process writes. Raises WarehouseError and ConfigurationError.
    """
    warehouse = settings.warehouse
    if not warehouse.exists():
        raise WarehouseError(f"{warehouse}: is not there, so there is nothing to back up")
    if folder.exists():
        raise ConfigurationError(f"{folder}: is there already; name a folder that is not")
    require_database(warehouse)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.tmp")
    part.mkdir(mode=0o700)
    try:
        with told_if_damaged(warehouse):
            _copy(warehouse, part / warehouse.name, waiting, wait_seconds)
        key = key_file(warehouse)
        if key.exists():
            shutil.copy2(key, part / key.name)
        # after the warehouse, so that no answer in it is missing here
        if inbox(warehouse).is_dir():
            shutil.copytree(inbox(warehouse), part / "inbox", ignore=shutil.ignore_patterns("*.tmp"))
        for path in [*part.rglob("*"), part]:
            sync(path)
        part.rename(folder)
        sync(folder.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return sorted(folder.iterdir())


def _copy(warehouse: Path, copy: Path, waiting: Callable[[str], None], wait_seconds: float) -> None:
    copied = quoted_path(copy)
    with duckdb.connect() as connection:
        attach(connection, warehouse, waiting, wait_seconds)
        connection.execute(f"attach '{copied}' as copied (storage_version 'v1.4.0')")
        connection.execute("copy from database stored to copied")
        connection.execute("checkpoint copied")
        connection.execute("detach copied")
