"""`sixkeys serve` and what it delivers to real servers on loopback, across kills and restarts."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from werkzeug import Request, Response

from tests.dashboards.server.test_serving import awaited, started, stopped
from tests.support.command_line import run
from tests.support.loopback import PATIENCE, Loopback
from tests.support.mail_server import Mailbox, login, mail_server
from tests.support.small_organisation import built_before

SECRETS = ("s3cret-slack", "s3cret-hook", "s3cret-key", "s3cret-password")
REPORTS = """
reports:
  slack_webhook: "file:slack"
  webhook: {{url: "file:hook", secret: "file:key"}}
  email:
    host: 127.0.0.1
    port: {port}
    security: none
    username: sixkeys
    password: "file:password"
    sender: sixkeys@acme.example
    recipients: [lead@acme.example, team@acme.example]
"""


@dataclass
class Received:
    """What came: posts by path, and mails; `first` is done when the first post is there."""

    box: Mailbox
    slack: list[bytes] = field(default_factory=list)
    hook: list[bytes] = field(default_factory=list)
    first: Callable[[], object] = lambda: None

    def take(self, request: Request) -> Response:
        of = self.slack if "slack" in request.path else self.hook
        of.append(request.get_data())
        if len(self.slack) + len(self.hook) == 1:
            self.first()
        return Response("ok")

    @property
    def counts(self) -> tuple[int, int, list[list[str]]]:
        return len(self.slack), len(self.hook), self.box.recipients


@contextmanager
def organisation(folder: Path, cron: str, timezone: str = "UTC") -> Iterator[Received]:
    """Deployments of the last weeks in `folder`, and servers that scorecards go to while the context lasts."""
    with mail_server(authenticator=login, auth_require_tls=False) as (port, box):
        received = Received(box)
        with Loopback(received.take) as server:
            texts = {
                "slack": f"{server.url}/slack/s3cret-slack",
                "hook": f"{server.url}/hook?token=s3cret-hook",
                "key": "s3cret-key",
                "password": "s3cret-password",
                "sixkeys.yaml": f"organization: acme\ntimezone: {timezone}\n"
                'sources: {survey: {files: ["surveys/*.csv"]}}\n'
                f'schedule: {{scorecard: "{cron}", collect: "0 0 1 1 *"}}\n'
                "dashboard: {port: 0}" + REPORTS.format(port=port),
                "deployments.csv": _deployments(),
            }
            for name, text in texts.items():
                (folder / name).write_text(text)
            assert run(folder, "import", "deployments", "deployments.csv").returncode == 0
            built_before(folder / "warehouse.duckdb")
            yield received


def _deployments() -> str:
    now = datetime.now(UTC)
    rows = [
        f"jenkins,{days},checkout,production,{days:040x},success,{at:%Y-%m-%dT%H:%M:%SZ},{at:%Y-%m-%dT%H:%M:%SZ}"
        for days in range(1, 22)
        for at in [now - timedelta(days=days)]
    ]
    return "\n".join(["source,id,service,environment,sha,status,started_at,finished_at", *rows]) + "\n"


def killed(pid: int) -> None:
    """Kills a process and all that it started, as a machine that goes down does."""
    for one in below(pid):
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


def below(pid: int) -> list[int]:
    """A process and all that it started, itself first."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


@pytest.mark.soak
def test_a_missed_scorecard_is_made_up_for_at_the_start_and_a_kill_in_the_middle_sends_nothing_twice(
    tmp_path: Path,
) -> None:
    shown: list[bytes] = []
    with organisation(tmp_path, "0 0 * * MON") as received:
        with started(tmp_path, "serve") as (process, _, err):

            def goes_down() -> None:
                shown.extend(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in below(process.pid))
                killed(process.pid)

            received.first = goes_down
            process.wait(PATIENCE)
            said = err.read_text()
        assert received.counts == (1, 0, [])
        with started(tmp_path, "serve") as (process, out, err):
            awaited(err, r"(email: delivered to lead@acme.example, team@acme.example)", process)
            awaited(out, r"(The dashboard is at)", process)
            assert stopped(process, signal.SIGTERM)[0] == 0
            said += err.read_text()
        again = run(tmp_path, "deliver")
        assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
        assert received.counts == (1, 1, [["lead@acme.example", "team@acme.example"]])
    assert "slack: not delivered to 127.0.0.1" in said
    assert "so it is not known whether it arrived" in said
    assert any(b"deliver" in line for line in shown)
    for secret in SECRETS:
        assert secret not in said
        assert all(secret.encode() not in line for line in shown)
    stored = (tmp_path / "warehouse.duckdb").read_bytes()
    assert b"s3cret" not in stored


@pytest.mark.soak
def test_a_scorecard_is_delivered_at_its_time_and_not_again_after_a_kill_and_a_restart(
    tmp_path: Path,
) -> None:
    # so late that there is time to start before it on a busy machine too; never around midnight
    timezone = "UTC" if 2 <= datetime.now(UTC).hour < 22 else "Etc/GMT+6"
    at = datetime.now(ZoneInfo(timezone)) + timedelta(seconds=110)
    cron = f"{at.minute} {at.hour} * * {at:%a}".upper()
    mail = "email: delivered to lead@acme.example, team@acme.example"
    with organisation(tmp_path, cron, timezone) as received:
        with started(tmp_path, "serve") as (process, out, _):
            awaited(out, r"(The dashboard is at)", process)
            killed(process.pid)
        assert received.counts == (0, 0, [])
        with started(tmp_path, "serve") as (process, _, err):
            awaited(err, f"({mail})", process)
            killed(process.pid)
        assert datetime.now(ZoneInfo(timezone)) >= at.replace(second=0, microsecond=0)
        once = (1, 1, [["lead@acme.example", "team@acme.example"]])
        assert received.counts == once
        with started(tmp_path, "serve") as (process, out, err):
            awaited(out, r"(The dashboard is at)", process)
            stopped(process, signal.SIGTERM)
        assert run(tmp_path, "deliver").stderr == ""
        assert received.counts == once
