"""Thousands of runs against hostile answers, each judged: what is sound is stored, what is not is set aside."""

import json
import resource
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from tests.support.hostile.answers import SOURCES, Asked, HostileBench, Reading, hostile_bench
from tests.support.hostile.values import Place, Raw, drawn, parts
from warehouse.storage.store import Warehouse, open_warehouse

LONGEST_REASON = 600
LONGEST_SECONDS = 5
# whether the cursors of a hostile run are good for the next one is tried once in so many examples
_NEXT_RUN = 4


@dataclass(frozen=True)
class Trial:
    """So many examples, of which the longest took so many seconds, and the megabytes held at the peak."""

    examples: int
    longest_seconds: float
    peak_megabytes: float


@dataclass(frozen=True)
class Example:
    """One place of one answer of a source, and what stands there instead."""

    source: str
    asked: Asked
    place: Place
    was: Any
    value: Any

    def __str__(self) -> str:
        return f"{self.source} {self.asked[0]} {self.place}: {self.value!r:.80}"


class _RolledBackError(Exception):
    """Ends a transaction without leaving anything."""


def try_hostile_answers(count: int, seed: str) -> Trial:
    """Judges `count` examples; raises AssertionError with those that do harm."""
    longest, harmful = 0.0, []
    with (
        tempfile.TemporaryDirectory() as folder,
        hostile_bench(Path(folder)) as bench,
        open_warehouse(Path(folder) / "w.duckdb") as warehouse,
    ):
        for number in range(count):
            example = _example(bench, Random(f"{seed} {number}"), SOURCES[number % len(SOURCES)])
            try:
                longest = max(longest, _judged(bench, warehouse, example, number % _NEXT_RUN == 0))
            except Exception as error:  # the others are judged as well
                harmful.append(f"{seed} {number}: {example}: {type(error).__name__} {error!s:.300}")
    assert not harmful, f"{len(harmful)} of {count} do harm:\n" + "\n".join(harmful[:20])
    return Trial(count, longest, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _example(bench: HostileBench, random: Random, source: str) -> Example:
    while True:
        asked = random.choice(list(bench.answers[source]))
        if places := list(parts(bench.answers[source][asked])):
            place, was = random.choice(places)
            return Example(source, asked, place, was, drawn(random))


def _judged(bench: HostileBench, warehouse: Warehouse, example: Example, with_next: bool) -> float:
    """How many seconds it took."""
    begun = time.monotonic()
    reading = bench.read(example.source, hit=(example.asked, example.place, example.value))
    _store(bench.sound[example.source], reading, warehouse)
    seconds = time.monotonic() - begun
    assert seconds < LONGEST_SECONDS, f"took {seconds:.1f} s"
    told = [*(item.reason for item in reading.set_aside), reading.error or ""]
    assert max(map(len, told)) < LONGEST_REASON, f"says too much: {max(told, key=len)[:900]}"
    if reading.error is None:
        lost = bench.differing(example.source, reading) - bench.hanging(
            example.source, example.asked, example.place
        )
        assert not lost, f"harms others: {sorted(map(str, lost))[:5]}"
        assert not _is_silent(bench.sound[example.source], reading, example), "is lost without a word"
    if with_next or reading.error:
        following = bench.read(example.source, reading.cursors)
        assert following.error is None, f"breaks the next run: {following.error}"
        if reading.error:
            both = reading.stored.keys() | following.stored.keys()
            missing = bench.sound[example.source].stored.keys() - both
            hanging = bench.hanging(example.source, example.asked, example.place)
            assert missing <= hanging, f"is missed by the next run: {sorted(map(str, missing))[:5]}"
    return seconds


def _is_silent(sound: Reading, reading: Reading, example: Example) -> bool:
    """Whether something is neither stored, under whatever key, nor set aside, for a value of a wrong type."""
    value = example.value
    if isinstance(value, Raw):
        with suppress(ValueError, RecursionError):
            value = json.loads(value.written)
    is_sound = value is None or type(value) is type(example.was)
    is_less = len(reading.stored) < len(sound.stored)
    return is_less and not is_sound and not reading.set_aside


def _store(sound: Reading, reading: Reading, warehouse: Warehouse) -> None:
    """Stores what differs from a sound run, cursors too, and takes it back."""
    now = datetime.now(UTC)
    with suppress(_RolledBackError), warehouse.transaction():
        warehouse.upsert(
            [record for key, record in reading.stored.items() if sound.stored.get(key) != record]
        )
        warehouse.quarantine("here", reading.set_aside, now)
        for subject, cursor in reading.cursors.items():
            if cursor != sound.cursors.get(subject):
                warehouse.move_cursor("here", subject, cursor, now)
        raise _RolledBackError
