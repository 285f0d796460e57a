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
    if wrong := wrong_key(settings):
        raise ConfigurationError("; ".join(wrong))
    path = key_file(settings.warehouse)
    key = _told(settings) or _made(path)
    with open_warehouse(settings.warehouse) as warehouse:
        told = _fingerprint(key)
        warehouse.connection.execute(
            "update about set people_key = ? where people_key is distinct from ?", [told, told]
        )
    return People(key, settings.bots, settings.privacy.logins, settings.agents)


def wrong_key(settings: Settings) -> tuple[str, str] | None:
    """(what, what to do) where the people of the warehouse are kept under another key than the one that is there."""
    with open_warehouse(settings.warehouse) as warehouse:
        ((begun_with,),) = warehouse.connection.execute("select people_key from about").fetchall()
    key = _told(settings)
    if begun_with is None or (key and begun_with in (SOME_KEY, _fingerprint(key))):
        return None
    place = "privacy.key" if settings.privacy.key else key_file(settings.warehouse).name
    return (
        f"{settings.warehouse}: the people in it are kept under another key than {place}",
        "bring that one back from a backup, or name another warehouse and collect anew",
    )


def _told(settings: Settings) -> bytes | None:
    if settings.privacy.key:
        return settings.privacy.key.get_secret_value().encode()
    return _kept(key_file(settings.warehouse))


def key_file(warehouse: Path) -> Path:
    """Where the key of a warehouse is kept unless the configuration has it."""
    return warehouse.with_name(f"{warehouse.stem}.people-key")


def _kept(path: Path) -> bytes | None:
    key = path.read_bytes() if path.exists() else b""
    # zeros are what a crash of the machine leaves of a file that it had not written yet
    return key if len(key) >= _LENGTH and b"\0" not in key else None


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
