"""Progress: waits are said at once, and where a whole is known, how much of it is left."""

import io

import pytest
from rich.console import Console

from dashboards.commands.progress_display import estimate, shown_on


@pytest.mark.parametrize(
    ("done", "total", "seconds", "expected"),
    [
        (0, 200, 60, "0 of 200 repositories"),
        (1, 200, 1, "1 of 200 repositories"),
        (50, 200, 10, "50 of 200 repositories, about 30 s left"),
        (12, 1200, 60, "12 of 1,200 repositories, about 99 min left"),
        (200, 200, 60, "200 of 200 repositories"),
    ],
)
def test_an_estimate_follows_from_the_pace_so_far(
    done: int, total: int, seconds: float, expected: str
) -> None:
    assert estimate(done, total, "repositories", seconds) == expected


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_wait_is_said_at_once(is_terminal: bool) -> None:
    out = io.StringIO()
    with shown_on(Console(file=out, force_terminal=is_terminal, width=150)) as progress:
        progress.start("github")
        progress.advance("github", "pull_requests", 3)
        progress.part("github", 3, 200, "lists")
        progress.wait("github", "waiting 35 s for GitHub's rate limit [x]")
        if not is_terminal:
            assert out.getvalue().splitlines()[-1] == "github: waiting 35 s for GitHub's rate limit [x]"
    assert "waiting 35 s for GitHub's rate limit [x]" in out.getvalue()
    if is_terminal:
        assert "3 of 200 lists" in out.getvalue()
