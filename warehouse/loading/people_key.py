"""The key of the hashes that stand for people, and that a warehouse goes on with the one it began with."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from collectors.contract.people import People
from config.errors import ConfigurationError
from config.settings import Settings
from warehouse.storage.migration import SOME_KEY
from warehouse.storage.store import open_warehouse

# hexadecimal digits; fewer were cut off while they were written
_LENGTH = 64


def people_of(settings: Settings) -> People:
    """What may be kept of persons; without a configured key, a random one is kept beside the warehouse.

    Raises ConfigurationError where the warehouse was begun with another key, or with one that nobody knows any more:
    everybody in it would be somebody else.
    """
    path = key_file(settings.warehouse)
    told = settings.privacy.key.get_secret_value().encode() if settings.privacy.key else _kept(path)
    with open_warehouse(settings.warehouse) as warehouse:
        ((begun_with,),) = warehouse.connection.execute("select people_key from about").fetchall()
        key = told or (_made(path) if begun_with is None else b"")
        if begun_with is None or (told and begun_with == SOME_KEY):
            warehouse.connection.execute("update about set people_key = ?", [_fingerprint(key)])
        elif not key or begun_with != _fingerprint(key):
            raise ConfigurationError(
                f"{settings.warehouse}: the people in it are kept under another key than"
                f" {'privacy.key' if settings.privacy.key else path.name}; bring that one back from a backup,"
                " or name another warehouse and collect anew"
            )
    return People(key, settings.bots, settings.privacy.logins, settings.agents)


def key_file(warehouse: Path) -> Path:
    """Where the key of a warehouse is kept unless the configuration has it."""
    return warehouse.with_name(f"{warehouse.stem}.people-key")


def _kept(path: Path) -> bytes | None:
    key = path.read_bytes() if path.exists() else b""
    return key if len(key) >= _LENGTH else None


def _made(path: Path) -> bytes:
    """A new key, which is there as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    key = secrets.token_hex(_LENGTH // 2).encode()
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    return key


def _fingerprint(key: bytes) -> str:
    """What tells one key from another without telling either."""
    return hmac.new(key, b"sixkeys people", hashlib.sha256).hexdigest()[:16]
