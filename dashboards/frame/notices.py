"""What is to be said above the numbers, and what a reader has to know before believing them."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.figures import formats
from dashboards.frame.state import State


@dataclass(frozen=True)
class Notice:
    """Something to be said above the numbers; `bad` where they may be wrong."""

    title: str
    lines: tuple[str, ...] = ()
    bad: bool = False


def warnings(state: State, unknown: Sequence[str]) -> list[Notice]:
    """What a reader has to know before believing the numbers, the worst first."""
    found = []
    if state.failed:
        lines = [
            f"{run.source}, {formats.instant(run.started_at, state.timezone)}: {run.error or 'no reason was recorded'}"
            for run in state.failed
        ]
        found.append(
            Notice("Not all sources could be read; numbers may be incomplete", tuple(lines), bad=True)
        )
    if state.warning:
        found.append(Notice("These are not the newest facts", (state.warning,), bad=True))
    if unknown:
        found.append(Notice(f"Not found, so not applied: {', '.join(unknown)}"))
    return found
