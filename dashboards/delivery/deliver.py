"""Sends parcels, each once. What is done is left alone, what may pass is tried again, and nothing holds up the rest."""

import os
import signal
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import stamina

from config.settings import Settings
from config.text.quoting import in_short
from dashboards.delivery.parcels import Parcel, Send
from dashboards.delivery.posting import NotDelivered
from warehouse.loading.redaction import redact
from warehouse.scorecards.delivery_book import (
    REPEATABLE,
    Channel,
    DeliveryEntry,
    DeliveryStatus,
    Message,
    claim,
    close_interrupted,
    delivery_entries,
    settle,
)

ATTEMPTS = 4
# a longer wait is left to the next run, which comes with the next collection
LONGEST_WAIT_SECONDS = 60.0
_AUTOMATIC: frozenset[DeliveryStatus] = frozenset({"delivered", "refused", "unknown"})
_BY_HAND: frozenset[DeliveryStatus] = frozenset({"delivered", "unknown"})
_ORDER: tuple[Channel, ...] = ("directory", "slack", "webhook", "email")
BY_HAND = '; then run "sixkeys scorecard --send"'
AGAIN = '; where it did not arrive, run "sixkeys scorecard --send --again"'


@dataclass(frozen=True)
class Delivery:
    """What became of a parcel for some of its targets; `error` is None where it arrived, now or `before`."""

    message: Message
    channel: Channel
    detail: str
    error: str | None = None
    before: bool = False

    def __str__(self) -> str:
        whose = f"{self.message.scope} {self.message.name}".rstrip()
        about = f"{whose}, {self.message.kind} {self.message.week}, {self.channel}"
        if self.error:
            return f"{about}: not delivered to {self.detail}: {self.error}"
        return f"{about}: delivered {'before ' if self.before else ''}to {self.detail}"


def deliver(
    settings: Settings,
    parcels: Sequence[Parcel],
    by_hand: bool = False,
    again: bool = False,
    attempts: int = ATTEMPTS,
) -> list[Delivery]:
    """Sends what is not delivered yet and tells what became of it; the caller is the one that is `delivering`.

    What was refused is tried again `by_hand` only, and what arrived, or may have, only if it is to be sent `again`.
    What was done `before` is told `by_hand` only.
    """
    interrupted = close_interrupted(settings.warehouse)
    run = _Run(settings, by_hand, again)
    waiting = run.open(parcels)
    with suppress(_Waiting):
        for attempt in stamina.retry_context(
            on=_pause,
            attempts=attempts,
            timeout=None,
            wait_initial=0.5,
            wait_max=20,
            wait_jitter=0.5,
            wait_exp_base=4,
        ):
            with attempt:
                waiting, wait = run.round(waiting)
                if waiting:
                    raise _Waiting(wait)
    told = list(run.told(parcels))
    return [*map(_interrupted, interrupted), *(one for one in told if by_hand or not one.before)]


def wanted(
    settings: Settings, parcels: Sequence[Parcel], again: bool = False
) -> list[tuple[Parcel, list[str]]]:
    """The parcels that `deliver` would send by hand now, each with its targets."""
    return _Run(settings, True, again).open(parcels)


def _status(entry: DeliveryEntry) -> DeliveryStatus:
    """What became of it, also where the process that handed it over ended without saying so."""
    if entry.status == "sending":
        return "failed" if entry.channel in REPEATABLE else "unknown"
    return entry.status


def _interrupted(entry: DeliveryEntry) -> Delivery:
    return Delivery(entry.message, entry.channel, entry.target, f"{entry.error}{AGAIN}")


class _Waiting(Exception):
    """Some parcels may get through later; `wait` is what the other side asked for, in seconds."""

    def __init__(self, wait: float | None) -> None:
        super().__init__()
        self.wait = wait


def _pause(error: Exception) -> bool | float:
    if not isinstance(error, _Waiting):
        return False
    # 0 would be read as "do not retry"
    return True if error.wait is None else max(error.wait, 0.001)


class _Run:
    def __init__(self, settings: Settings, by_hand: bool, again: bool) -> None:
        self._settings = settings
        self._by_hand, self._again = by_hand, again
        self._now: dict[tuple[Message, Channel, str], DeliveryEntry] = {}
        self._ids: dict[tuple[Message, Channel], str] = {}
        self._before: set[tuple[Message, Channel, str]] = set()

    def open(self, parcels: Sequence[Parcel]) -> list[tuple[Parcel, list[str]]]:
        """The parcels that are to be sent, each with the targets that are; mail last, which waits longest."""
        known = {
            (entry.message, entry.channel, entry.target): entry
            for week in {parcel.message.week for parcel in parcels}
            for entry in delivery_entries(self._settings.warehouse, week)
        }
        found = []
        for parcel in parcels:
            final = self._final(parcel.channel)
            targets = []
            for target in parcel.targets:
                key = (parcel.message, parcel.channel, target)
                if key in known and _status(known[key]) in final:
                    self._before.add(key)
                    self._now[key] = known[key]
                else:
                    targets.append(target)
            if targets:
                found.append((parcel, targets))
        return sorted(found, key=lambda one: _ORDER.index(one[0].channel))

    def round(
        self, waiting: Sequence[tuple[Parcel, list[str]]]
    ) -> tuple[list[tuple[Parcel, list[str]]], float | None]:
        """Tries each parcel once; those worth another attempt, and how long the other side asks to wait."""
        unreachable: dict[str, NotDelivered] = {}
        left, waits = [], []
        for parcel, targets in waiting:
            failures = self._hand_over(parcel, targets, unreachable)
            passing = {target: failure for target, failure in failures.items() if failure.status == "failed"}
            asked = [failure.wait for failure in passing.values() if failure.wait is not None]
            if passing and max(asked, default=0) <= LONGEST_WAIT_SECONDS:
                left.append((parcel, list(passing)))
                waits += asked
        return left, max(waits, default=None)

    def told(self, parcels: Sequence[Parcel]) -> Iterator[Delivery]:
        """What became of each parcel: by hand a line for each target, else one for those that it is the same for."""
        for parcel in parcels:
            alike: dict[tuple[str | None, bool, str], list[str]] = {}
            for target in parcel.targets:
                key = (parcel.message, parcel.channel, target)
                if key in self._now:
                    one_line = target if self._by_hand else ""
                    alike.setdefault((self._now[key].error, key in self._before, one_line), []).append(target)
            for (error, before, _), targets in alike.items():
                yield Delivery(parcel.message, parcel.channel, parcel.shown(targets), error, before)

    def _final(self, channel: Channel) -> frozenset[DeliveryStatus]:
        if self._again or (self._by_hand and channel == "directory"):
            return frozenset()
        return _BY_HAND if self._by_hand else _AUTOMATIC

    def _id(self, parcel: Parcel) -> str:
        """What the other side knows it by: a new one where it is sent again, the same for each attempt of this run."""
        if not self._again:
            return parcel.id
        return self._ids.setdefault((parcel.message, parcel.channel), str(uuid.uuid4()))

    def _hand_over(
        self, parcel: Parcel, targets: Sequence[str], unreachable: dict[str, NotDelivered]
    ) -> Mapping[str, NotDelivered]:
        try:
            if parcel.by in unreachable:
                raise unreachable[parcel.by]
            with parcel.ready(self._id(parcel)) as send, _uninterrupted():
                failures = self._sent(parcel, targets, send)
            for silent in (failure for failure in failures.values() if failure.unreachable):
                unreachable[parcel.by] = NotDelivered(f"not tried, since {silent} before", "failed")
            return failures
        except NotDelivered as error:
            failure = error
        except Exception as error:  # one broken message must not cost the others theirs
            failure = NotDelivered(f"{type(error).__name__}: {error}", "failed")
        if failure.unreachable:
            unreachable[parcel.by] = failure
        with _uninterrupted():
            return self._sent(parcel, targets, lambda claimed: dict.fromkeys(claimed, failure))

    def _sent(self, parcel: Parcel, targets: Sequence[str], send: Send) -> Mapping[str, NotDelivered]:
        """Claims, sends and settles; those who did not get it."""
        warehouse, message, channel = self._settings.warehouse, parcel.message, parcel.channel
        claimed = claim(warehouse, message, channel, targets, self._final(channel), datetime.now(UTC))
        failures: Mapping[str, NotDelivered] = {}
        try:
            failures = send(claimed) if claimed else {}
        except NotDelivered as failure:
            failures = dict.fromkeys(claimed, failure)
        except Exception as error:
            failures = dict.fromkeys(claimed, NotDelivered(f"{type(error).__name__}: {error}", "unknown"))
        outcomes = [self._entry(parcel, target, failures.get(target)) for target in claimed]
        settle(warehouse, outcomes, datetime.now(UTC))
        self._now |= {(message, channel, entry.target): entry for entry in outcomes}
        return failures

    def _entry(self, parcel: Parcel, target: str, failure: NotDelivered | None) -> DeliveryEntry:
        if failure is None:
            return DeliveryEntry(parcel.message, parcel.channel, target, "delivered", None)
        advice = {"refused": BY_HAND, "unknown": AGAIN}.get(failure.status, "")
        error = in_short(redact(self._settings, f"{failure}{advice}"))
        return DeliveryEntry(parcel.message, parcel.channel, target, failure.status, error)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Lets what began end when the process is asked to stop, which it then does: a claim is not left unsettled."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked: list[int] = []
    before = {
        int(number): signal.signal(number, lambda number, _: asked.append(number))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in asked:
            os.kill(os.getpid(), number)
