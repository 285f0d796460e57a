"""How a long-running collection tells what it is doing; how that is shown is the caller's affair."""

from typing import Protocol


class Progress(Protocol):
    """Told by the pipeline, one source at a time; never raises and never slows the collection down."""

    def start(self, source: str) -> None:
        """`source` begins to be read."""

    def advance(self, source: str, kind: str, n: int) -> None:
        """`n` more records of `kind` came from `source`."""

    def part(self, source: str, done: int, total: int, of: str) -> None:
        """`done` of `total` `of` (such as "repositories") were read from `source`."""

    def wait(self, source: str, text: str) -> None:
        """Reading `source` pauses: "waiting 35 s for GitHub's rate limit"."""

    def finish(self, source: str, summary: str, failed: bool) -> None:
        """`source` is done; `summary` says in one line what came or what went wrong."""


class Silent:
    """A `Progress` that shows nothing."""

    def start(self, source: str) -> None:
        """Nothing."""

    def advance(self, source: str, kind: str, n: int) -> None:
        """Nothing."""

    def part(self, source: str, done: int, total: int, of: str) -> None:
        """Nothing."""

    def wait(self, source: str, text: str) -> None:
        """Nothing."""

    def finish(self, source: str, summary: str, failed: bool) -> None:
        """Nothing."""
