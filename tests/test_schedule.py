"""Commands at set times. The jobs tell of themselves through named pipes, so nothing here waits longer than it must."""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from warehouse.schedule import Job, scheduled

NEVER = "0 0 1 1 *"
TELL = "import sys, signal, subprocess, time; pipe = open(sys.argv[1], 'w'); pipe.write('up'); pipe.flush(); "


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A named pipe: a reader waits for the first writer, and reads the end once the last one is gone."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def python(code: str, *arguments: object) -> Sequence[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


def test_a_job_runs_at_the_start_only_if_wanted(tmp_path: Path, pipe: Path) -> None:
    later = tmp_path / "later"
    jobs = [
        Job(NEVER, {"later": python("import sys; open(sys.argv[1], 'w')", later)}),
        Job(NEVER, {"now": python(TELL, pipe)}, at_start=True),
    ]
    with scheduled(jobs, "Europe/Berlin"):
        assert pipe.read_text() == "up"
    assert not later.exists()


def test_a_running_job_is_stopped_with_all_that_it_started(pipe: Path) -> None:
    child = TELL + "time.sleep(600)"
    parent = "import subprocess, sys; subprocess.run([sys.executable, '-c', *sys.argv[1:]])"
    with scheduled([Job(NEVER, {"long": python(parent, child, pipe)}, at_start=True)], "UTC"):
        opened = pipe.open()
        assert opened.read(2) == "up"
        before = time.monotonic()
    with opened:
        assert opened.read() == "", "the child is gone as well"
    assert time.monotonic() - before < 10


def test_a_job_that_does_not_listen_is_killed(pipe: Path) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + TELL + "time.sleep(600)"
    with scheduled([Job(NEVER, {"deaf": python(deaf, pipe)}, at_start=True)], "UTC"):
        opened = pipe.open()
        assert opened.read(2) == "up"
        before = time.monotonic()
    with opened:
        assert opened.read() == ""
    assert time.monotonic() - before < 10


def test_a_job_that_fails_is_logged_and_the_next_one_runs(
    pipe: Path, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = [
        Job(NEVER, {"collect": python("raise SystemExit(1)")}, at_start=True),
        Job(NEVER, {"scorecard": python(TELL, pipe)}, at_start=True),
    ]
    with scheduled(jobs, "UTC"):
        assert pipe.read_text() == "up"
    assert "collect ended with 1; it is tried again at the next time" in caplog.text
