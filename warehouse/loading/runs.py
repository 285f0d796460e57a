"""What one source did in one run, and how that is told."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from collectors.transport.cost import Meter
from warehouse.storage.store import open_warehouse

KEPT_RUNS = 9_000  # of each source: 90 days, a run each quarter of an hour


@dataclass
class Run:
    """What one source did in one run; `error` is None where all went well.

    `mended` is, of a replay, how many items have left the quarantine, and of how many.
    """

    run_id: str
    source: str
    started_at: datetime
    error: str | None = None
    counts: Counter[str] = field(default_factory=Counter)
    quarantined: int = 0
    mended: tuple[int, int] | None = None
    meter: Meter = field(default_factory=Meter)

    @property
    def status(self) -> str:
        """`ok` or `failed`."""
        return "failed" if self.error else "ok"

    @property
    def summary(self) -> str:
        """In one line what came and what it cost, or what went wrong."""
        if self.error:
            return self.error
        return f"{self._came()}{self._cost()}"

    def _came(self) -> str:
        told = [
            f"{n:,} {kind.replace('_', ' ')}" for kind, n in sorted(self.counts.items()) if kind != "coverage"
        ]
        told += [f"{self.quarantined:,} set aside in the quarantine"] if self.quarantined else []
        told += [f"{self.mended[0]:,} of {self.mended[1]:,} out of the quarantine"] if self.mended else []
        return ", ".join(told) or "nothing new"

    def _cost(self) -> str:
        meter = self.meter
        if not meter.requests:
            return ""
        told = f" in {meter.requests:,} {'request' if meter.requests == 1 else 'requests'}"
        told += f", {_size(meter.bytes)}" if meter.bytes else ""
        return told + (f", {meter.waited_seconds:,.0f} s waiting" if round(meter.waited_seconds) else "")


def _size(n: int) -> str:
    """`n` bytes as people say it: 812 B, 45 kB, 1.2 MB."""
    if n < 1_000:
        return f"{n} B"
    return f"{n / 1_000:.0f} kB" if n < 1_000_000 else f"{n / 1_000_000:,.1f} MB"


def is_first_of(warehouse: Path, sources: Collection[str]) -> bool:
    """Whether any of the sources has never been read to its end, well or not."""
    with open_warehouse(warehouse) as opened:
        ended = opened.connection.execute(
            "select distinct source from runs where status in ('ok', 'failed')"
        ).fetchall()
    return not set(sources) <= {source for (source,) in ended}


def close_interrupted_runs(warehouse: Path) -> None:
    """Puts down of the runs that ended with their process that they did, and removes old ones."""
    with open_warehouse(warehouse) as opened:
        opened.connection.execute(
            "update runs set status = 'interrupted',"
            " error = 'ended before it was done; the next run went on from there' where status = 'running'"
        )
        # by their number, since a clock may be wrong; the last that went well is kept of each source
        opened.connection.execute(
            "delete from runs where rowid in (select rowid from runs"
            " qualify row_number() over (partition by source order by started_at desc) > ?"
            " and started_at is distinct from max(started_at) filter (where status = 'ok') over (partition by source))",
            [KEPT_RUNS],
        )
