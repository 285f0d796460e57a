"""Progress: waits are said at once, and where a whole is known, how much of it is left."""

import io

import pytest
from rich.console import Console

from dashboards.commands.progress_display import how_far, shown_on


@pytest.mark.parametrize(
    ("seconds_left", "expected"),
    [
        (None, "12 of 1,200 lists"),
        (0.2, "12 of 1,200 lists, about 1 s left"),
        (30, "12 of 1,200 lists, about 30 s left"),
        (5_940, "12 of 1,200 lists, about 99 min left"),
    ],
)
def test_what_is_left_is_said_where_it_can_be_told(seconds_left: float | None, expected: str) -> None:
    assert how_far(12, 1200, "lists", seconds_left) == expected


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_wait_is_said_at_once(is_terminal: bool) -> None:
    out = io.StringIO()
    with shown_on(Console(file=out, force_terminal=is_terminal, width=150)) as progress:
        progress.start("github")
        progress.advance("github", "pull_requests", 3)
        progress.part("github", 3, 200, "lists", None)
        progress.wait("github", "waiting 35 s for GitHub's rate limit [x]")
        if not is_terminal:
            assert out.getvalue().splitlines()[-1] == "github: waiting 35 s for GitHub's rate limit [x]"
    assert "waiting 35 s for GitHub's rate limit [x]" in out.getvalue()
    if is_terminal:
        assert "3 of 200 lists" in out.getvalue()
