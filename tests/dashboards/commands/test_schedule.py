"""Commands at set times. The jobs tell of themselves through named pipes, so nothing here waits longer than it must."""

import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.commands.schedule import ScheduledCommand, scheduled
from warehouse.scorecards.due_weeks import due

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
        ScheduledCommand(NEVER, {"later": python("import sys; open(sys.argv[1], 'w')", later)}),
        ScheduledCommand(NEVER, {"now": python(TELL, pipe)}, at_start=True),
    ]
    with scheduled(jobs, "Europe/Berlin"):
        assert pipe.read_text() == "up"
    assert not later.exists()


def test_a_job_waits_for_its_next_time_on_the_local_clock() -> None:
    now = datetime.now(UTC)
    with scheduled([ScheduledCommand("30 8 * * MON", {"weekly": python("")})], "Asia/Kolkata") as (
        next_time,
    ):
        pass
    assert f"{next_time.astimezone(ZoneInfo('Asia/Kolkata')):%a %H:%M:%S}" == "Mon 08:30:00"
    assert timedelta() < next_time - now <= timedelta(days=7)


def test_a_running_job_is_stopped_with_all_that_it_started(pipe: Path) -> None:
    child = TELL + "time.sleep(600)"
    parent = "import subprocess, sys; subprocess.run([sys.executable, '-c', *sys.argv[1:]])"
    with scheduled([ScheduledCommand(NEVER, {"long": python(parent, child, pipe)}, at_start=True)], "UTC"):
        opened = pipe.open()
        assert opened.read(2) == "up"
        before = time.monotonic()
    with opened:
        assert opened.read() == "", "the child is gone as well"
    assert time.monotonic() - before < 30


def test_a_job_that_does_not_listen_is_killed(pipe: Path) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + TELL + "time.sleep(600)"
    with scheduled([ScheduledCommand(NEVER, {"deaf": python(deaf, pipe)}, at_start=True)], "UTC"):
        opened = pipe.open()
        assert opened.read(2) == "up"
        before = time.monotonic()
    with opened:
        assert opened.read() == ""
    assert time.monotonic() - before < 30


def test_a_job_that_fails_is_logged_and_the_next_one_runs(
    pipe: Path, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = [
        ScheduledCommand(NEVER, {"collect": python("raise SystemExit(1)")}, at_start=True),
        ScheduledCommand(NEVER, {"scorecard": python(TELL, pipe)}, at_start=True),
    ]
    with scheduled(jobs, "UTC"):
        assert pipe.read_text() == "up"
    assert "collect ended with 1; it is tried again at the next time" in caplog.text


@pytest.mark.parametrize(
    ("cron", "at", "week"),
    [
        ("0 8 * * MON", "2026-11-16T06:59:59", None),
        ("0 8 * * MON", "2026-11-16T07:00:00", "2026-11-09"),
        ("0 8 * * MON", "2026-11-22T22:59:59", "2026-11-09"),  # Sunday, the last second in Berlin
        ("0 8 * * MON", "2026-11-22T23:00:00", None),
        ("0 8 * * MON", "2026-03-30T05:59:59", None),  # the first Monday of summer time
        ("0 8 * * MON", "2026-03-30T06:00:00", "2026-03-23"),
        ("0 8 * * MON", "2026-10-26T06:59:59", None),  # and the first after it
        ("0 8 * * MON", "2026-10-26T07:00:00", "2026-10-19"),
        ("30 2 * * SUN", "2026-03-29T01:29:59", None),  # there is no 2:30 on this day
        ("30 2 * * SUN", "2026-03-29T01:30:00", "2026-03-16"),
        ("30 2 * * SUN", "2026-10-25T00:29:59", None),  # and two on this one
        ("30 2 * * SUN", "2026-10-25T00:30:00", "2026-10-12"),
        ("0 8 1 * *", "2026-11-20T12:00:00", None),  # monthly: no time of it since the week ended
    ],
)
def test_a_week_is_due_from_its_time_on_the_local_clock_until_the_next_one_ends(
    cron: str, at: str, week: str | None
) -> None:
    found = due(cron, "Europe/Berlin", datetime.fromisoformat(at).replace(tzinfo=UTC))
    assert found == (date.fromisoformat(week) if week else None)


@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)),
    st.sampled_from(["Europe/Berlin", "America/Sao_Paulo", "Pacific/Auckland", "Asia/Kolkata", "UTC"]),
    st.integers(0, 23),
    st.integers(0, 59),
    st.sampled_from(["MON", "TUE", "SUN", "*"]),
)
def test_a_due_week_is_the_last_complete_one_and_stays_due(
    at: datetime, zone: str, hour: int, minute: int, day: str
) -> None:
    cron, now = f"{minute} {hour} * * {day}", at.replace(tzinfo=UTC)
    found = due(cron, zone, now)
    local = now.astimezone(ZoneInfo(zone)).date()
    if found:
        assert timedelta(days=7) <= local - found < timedelta(days=14)
        assert found.weekday() == 0
    soon = now + timedelta(minutes=1)
    if soon.astimezone(ZoneInfo(zone)).date().isocalendar()[:2] == local.isocalendar()[:2] and found:
        assert due(cron, zone, soon) == found
    if local.weekday() == 6 and now.astimezone(ZoneInfo(zone)).hour == 23 and hour < 23:
        assert found, "every week is due once"
