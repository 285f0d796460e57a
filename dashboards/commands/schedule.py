"""Runs commands at set times, for `sixkeys serve`.

Each run is a process of its own: it gives its memory back, a crash in it does not end the service, and stopping
does not wait for a network. The warehouse ends the same wherever a run was cut off.
"""

import logging
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

log = logging.getLogger(__name__)
STOP_SECONDS = 3.0


@dataclass(frozen=True)
class ScheduledCommand:
    """Commands by name and when they run, one after the other: five cron fields in the schedule's time zone.

    `at_start`: at the start as well.
    """

    cron: str
    commands: Mapping[str, Sequence[str]]
    at_start: bool = False


@contextmanager
def scheduled(jobs: Sequence[ScheduledCommand], timezone: str) -> Iterator[list[datetime]]:
    """Runs `jobs` one at a time while the context lasts; at its end a running one is stopped within seconds.

    The context's value is when each of them runs next.
    A run that fails is logged, and the next one tries again. A run that falls due while its predecessor is still
    at work is left out; one that was missed, because the machine slept, is made up for once.
    """
    zone = ZoneInfo(timezone)
    runner = _Runner()
    scheduler = BackgroundScheduler(
        timezone=zone,
        executors={"default": ThreadPoolExecutor(1)},  # two jobs would wait for the one writer anyway
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    added = []
    for job in jobs:
        at_start = {"next_run_time": datetime.now(zone)} if job.at_start else {}
        trigger = CronTrigger.from_crontab(job.cron, timezone=zone)
        added.append(scheduler.add_job(runner.run, trigger, args=[job], **at_start))
    # its own messages speak of jobs and instances; ours say what happened
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    scheduler.start()
    try:
        yield [job.next_run_time for job in added]
    finally:
        scheduler.pause()
        runner.stop()
        scheduler.shutdown(wait=True)


class _Runner:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stopped = False
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, job: ScheduledCommand) -> None:
        for name, command in job.commands.items():
            with self._lock:
                if self._stopped:
                    return
                # a session of its own, so that git and whatever else it started ends with it
                self._process = process = subprocess.Popen(command, start_new_session=True)
            status = process.wait()
            if status and not self._stopped:
                log.error("%s ended with %s; it is tried again at the next time", name, status)

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
        process = self._process
        if process is None or process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
