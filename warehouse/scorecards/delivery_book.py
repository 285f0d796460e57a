"""The book of what was sent to whom, so that a message goes out once whatever restarts or overlaps happen.

A message is claimed for its targets before it is handed over, and settled afterwards, each in a transaction. One
process at a time delivers; so a claim that was never settled is of a process that ended in between. What then becomes
of it depends on the channel: a file is written again, and a webhook is told again under the same id, by which its
receiver knows it; of a mail or a message in Slack nobody can tell whether it arrived, so a person decides.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from config.errors import SixkeysError
from warehouse.storage.instants import naive
from warehouse.storage.lock import locked
from warehouse.storage.store import open_warehouse

Channel = Literal["directory", "slack", "webhook", "email"]
DeliveryStatus = Literal["sending", "delivered", "failed", "refused", "unknown"]
# what may arrive twice without being seen twice
REPEATABLE: tuple[Channel, ...] = ("directory", "webhook")
# what happened is on record even if the warehouse is busy for long: it cannot be found out later
_SETTLE_SECONDS = 600.0
_INTERRUPTED = "ended while it was handed over, so it is not known whether it arrived"


class DeliveryInProgress(SixkeysError):
    """Another process delivers: which, and what to do."""


@dataclass(frozen=True)
class Message:
    """What is told: a `scorecard`, or an alert such as `alert lead_time missed`, of a scope and an ISO week.

    The organisation's `name` is empty, so that it may be renamed without being told everything again.
    """

    kind: str
    scope: str
    name: str
    week: str


@dataclass(frozen=True)
class DeliveryEntry:
    """What became of a message at one target; `error` is None where it arrived."""

    message: Message
    channel: Channel
    target: str
    status: DeliveryStatus
    error: str | None


@contextmanager
def delivering(warehouse: Path) -> Iterator[None]:
    """Makes this process the one that delivers; raises DeliveryInProgress where there is one already."""
    with locked(warehouse, "delivery-lock") as holder:
        if holder:
            raise DeliveryInProgress(f"process {holder} is delivering; what is due is left to it")
        yield


def close_interrupted(warehouse: Path) -> list[DeliveryEntry]:
    """Settles what a process that has ended left unsettled; those of which nobody knows whether they arrived."""
    with open_warehouse(warehouse) as opened, opened.transaction():
        opened.connection.execute(
            "update deliveries set status = 'failed', error = ? where status = 'sending'"
            f" and channel in ({', '.join('?' * len(REPEATABLE))})",
            [_INTERRUPTED, *REPEATABLE],
        )
        opened.connection.execute(
            "update deliveries set status = 'unknown', error = ? where status = 'sending'"
            " returning kind, scope, name, week, channel, target, status, error",
            [_INTERRUPTED],
        )
        return [DeliveryEntry(Message(*row[:4]), *row[4:]) for row in opened.connection.fetchall()]


def delivery_entries(warehouse: Path, week: str) -> list[DeliveryEntry]:
    """What was sent, or tried, about a week."""
    with open_warehouse(warehouse) as opened:
        rows = opened.connection.execute(
            "select kind, scope, name, week, channel, target, status, error from deliveries where week = ?",
            [week],
        ).fetchall()
    return [DeliveryEntry(Message(*row[:4]), *row[4:]) for row in rows]


def claim(
    warehouse: Path,
    message: Message,
    channel: Channel,
    targets: Sequence[str],
    final: Iterable[DeliveryStatus],
    at: datetime,
) -> list[str]:
    """Those of `targets` that the message is now to be handed over to: the ones whose status is not `final`."""
    done = set(final)
    with open_warehouse(warehouse) as opened, opened.transaction():
        found = opened.connection.execute(
            "select target, status, attempts, delivered_at from deliveries"
            " where kind = ? and scope = ? and name = ? and week = ? and channel = ?",
            [*_key(message), channel],
        ).fetchall()
        known = {target: (status, attempts, delivered_at) for target, status, attempts, delivered_at in found}
        claimed = [
            target for target in targets if target not in known or known[target][0] not in {*done, "sending"}
        ]
        for target in claimed:
            _, attempts, delivered_at = known.get(target, (None, 0, None))
            opened.connection.execute(
                "delete from deliveries where kind = ? and scope = ? and name = ? and week = ? and channel = ?"
                " and target = ?",
                [*_key(message), channel, target],
            )
            opened.connection.execute(
                "insert into deliveries values (?, ?, ?, ?, ?, ?, 'sending', ?, null, ?, ?)",
                [*_key(message), channel, target, attempts + 1, naive(at), delivered_at],
            )
    return claimed


def settle(warehouse: Path, outcomes: Iterable[DeliveryEntry], at: datetime) -> None:
    """Puts on record what became of claimed messages."""
    with open_warehouse(warehouse, wait_seconds=_SETTLE_SECONDS) as opened, opened.transaction():
        for entry in outcomes:
            delivered_at = naive(at) if entry.status == "delivered" else None
            opened.connection.execute(
                "update deliveries set status = ?, error = ?, delivered_at = coalesce(?, delivered_at)"
                " where kind = ? and scope = ? and name = ? and week = ? and channel = ? and target = ?",
                [
                    entry.status,
                    entry.error,
                    delivered_at,
                    *_key(entry.message),
                    entry.channel,
                    entry.target,
                ],
            )


def _key(message: Message) -> list[str]:
    return [message.kind, message.scope, message.name, message.week]
