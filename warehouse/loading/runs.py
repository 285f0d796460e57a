"""What one source did in one run, and how that is told."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from collectors.transport.cost import Meter


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
