"""What a collection is doing, shown on a terminal as it happens and elsewhere as plain lines now and then."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress as Bar
from rich.progress import ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from config.text.legible import one_line
from warehouse.progress import Progress

PLAIN_SECONDS = 5.0


@contextmanager
def shown_on(console: Console) -> Iterator[Progress]:
    """A `Progress` shown on `console` while the context lasts."""
    if not console.is_terminal:
        yield Lines(console)
        return
    columns = (
        SpinnerColumn(finished_text=" "),
        TextColumn("{task.fields[source]}", style="bold"),
        TextColumn("{task.description}"),
        _Rate(),
        TextColumn("{task.fields[part]}", style="dim"),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=console) as bar:
        yield Live(bar)


def tally(counts: Counter[str]) -> str:
    """ "1,204 pull requests, 88 deployments": what came so far."""
    return ", ".join(f"{n:,} {kind.replace('_', ' ')}" for kind, n in counts.items())


def how_far(done: int, total: int, of: str, seconds_left: float | None) -> str:
    """ "12 of 200 repositories, about 3 min left"; no time where it cannot be told."""
    told = f"{done:,} of {total:,} {of}"
    if seconds_left is None:
        return told
    left = f"{seconds_left / 60:,.0f} min" if seconds_left >= 90 else f"{max(seconds_left, 1):.0f} s"
    return f"{told}, about {left} left"


def _shown(text: str) -> str:
    return escape(one_line(text))


class _Rate(ProgressColumn):
    """Records a second since the source was started."""

    def render(self, task: Task) -> Text:
        """ "312/s", or nothing yet."""
        speed = task.completed / task.elapsed if task.elapsed and task.elapsed >= 1 else 0
        return Text(f"{speed:,.0f}/s" if speed >= 1 else "", style="dim")


class Live:
    """A line a source that is redrawn as records come."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._tasks: dict[str, TaskID] = {}
        self._counts: dict[str, Counter[str]] = {}

    def start(self, source: str) -> None:
        """Adds the source's line."""
        self._counts[source] = Counter()
        self._tasks[source] = self._bar.add_task("connecting", total=None, source=_shown(source), part="")

    def advance(self, source: str, kind: str, n: int) -> None:
        """Redraws the source's line."""
        self._counts[source][kind] += n
        self._bar.update(self._tasks[source], advance=n, description=tally(self._counts[source]))

    def part(self, source: str, done: int, total: int, of: str, seconds_left: float | None) -> None:
        """Shows how much is done, and how long the rest may take, in the source's line."""
        self._bar.update(self._tasks[source], part=how_far(done, total, of, seconds_left))

    def wait(self, source: str, text: str) -> None:
        """Says so in the source's line until the next record comes."""
        self._bar.update(self._tasks[source], description=_shown(text))

    def finish(self, source: str, summary: str, failed: bool) -> None:
        """Leaves the source's summary in its line."""
        colour = "red" if failed else "green"
        n = self._counts[source].total() or 1
        description = f"[{colour}]{_shown(summary)}[/{colour}]"
        self._bar.update(self._tasks[source], total=n, completed=n, description=description, part="")


class Lines:
    """A line when a source starts and ends, and at most one of it every few seconds between."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._counts: dict[str, Counter[str]] = {}
        self._started: dict[str, float] = {}
        self._parts: dict[str, str] = {}
        self._told: dict[str, float] = {}

    def start(self, source: str) -> None:
        """Says that the source is being read."""
        self._counts[source] = Counter()
        self._started[source] = self._told[source] = time.monotonic()
        self._say(f"{source}: reading")

    def advance(self, source: str, kind: str, n: int) -> None:
        """Says what came so far, unless it did so a moment ago."""
        self._counts[source][kind] += n
        self._now_and_then(source)

    def part(self, source: str, done: int, total: int, of: str, seconds_left: float | None) -> None:
        """Says how much is done and how long the rest may take, with what came."""
        self._parts[source] = how_far(done, total, of, seconds_left)
        self._now_and_then(source)

    def wait(self, source: str, text: str) -> None:
        """Says so at once: nothing else will be said for a while."""
        self._say(f"{source}: {text}")

    def finish(self, source: str, summary: str, failed: bool) -> None:
        """Says how it ended."""
        seconds = time.monotonic() - self._started[source]
        self._say(f"{source}: {'failed: ' if failed else ''}{summary} ({seconds:.1f} s)")

    def _now_and_then(self, source: str) -> None:
        now = time.monotonic()
        if now - self._told[source] < PLAIN_SECONDS:
            return
        self._told[source] = now
        counts, elapsed = self._counts[source], now - self._started[source]
        told = [f"{tally(counts)} ({counts.total() / elapsed:,.0f}/s)"] if counts else []
        told += [self._parts[source]] if source in self._parts else []
        self._say(f"{source}: {'; '.join(told)}")

    def _say(self, line: str) -> None:
        self._console.print(one_line(line), markup=False, highlight=False, soft_wrap=True)
