"""What an application of Argo CD must look like to be read, and what is wrong with one that does not."""

import re
from collections.abc import Iterator
from typing import Any

from collectors.transport.json_values import as_instant, listing, mapping, text, whole

_KINDS = {dict: "object", list: "array"}


def wrong_identity(item: Any) -> str | None:
    """Why an application cannot be told from others, in words; None where it can."""
    uid, name = text(item, "metadata", "uid"), text(item, "metadata", "name")
    if not (uid and name):
        return "an application without metadata.uid or name"
    return None if is_name(name) else "metadata.name: is no name that Kubernetes takes"


def unreadable(item: Any) -> Iterator[tuple[str, Any]]:
    """(what is wrong, the part) of all that tells of syncs and cannot be read."""
    status = mapping(item, "status")
    for where, found, kind in (
        ("status", mapping(item).get("status"), dict),
        ("history", status.get("history"), list),
        ("operationState", status.get("operationState"), dict),
        ("operation", mapping(status, "operationState").get("operation"), dict),
        ("sync", mapping(status, "operationState", "operation").get("sync"), dict),
    ):
        if not isinstance(found, kind | None):
            yield f"{where}: is no {_KINDS[kind]}", found
    operation = mapping(status, "operationState")
    if operation and not as_instant(operation, "startedAt"):
        yield "operationState: startedAt is missing, or no instant", operation
    for entry in listing(status, "history"):
        if not has_number(entry):
            yield "history: an entry without an id", entry


def is_name(told: str) -> bool:
    """Whether Kubernetes would take it as a name, capitals aside: it becomes a part of addresses."""
    return re.fullmatch(r"[\w.-]{1,253}", told, re.ASCII) is not None


def has_number(entry: Any) -> bool:
    """Whether an entry of the history has an id after which others can be told."""
    id = whole(entry, "id")
    return id is not None and 0 <= id < 2**63


def distinct_instant(value: dict[str, Any], key: str) -> object:
    """The instant at `key`, equal to no other where there is none."""
    return as_instant(value, key) or object()
