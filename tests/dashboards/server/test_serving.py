"""The demo and the service as processes: what they start, what they survive, and how they stop."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from dashboards.server.process import free_port
from sample_data.folder import demo_folder
from tests.support.places import PROGRAM

COMMAND = [sys.executable, str(PROGRAM)]
PATIENCE = 120.0


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@contextmanager
def started(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], Path, Path]]:
    """(process, its stdout, its stderr) of a command that runs in the background; killed if it is still there."""
    out, err = folder / f"{arguments[0]}.out", folder / f"{arguments[0]}.err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen([*COMMAND, *arguments], cwd=folder, stdout=stdout, stderr=stderr)
        try:
            yield process, out, err
        finally:
            process.kill()
            process.wait()


def awaited(path: Path, pattern: str, process: subprocess.Popen[bytes]) -> str:
    """The first group of `pattern` once it is in the file; fails when the process ended without it."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        ended = process.poll() is not None
        if found := re.search(pattern, path.read_text()):
            return found[1]
        assert not ended, f"ended with {process.returncode} before {pattern}"
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    raise AssertionError(f"{path.name} never had {pattern}: {path.read_text()}")


def stopped(process: subprocess.Popen[bytes], number: signal.Signals) -> tuple[int, float]:
    """(exit status, seconds it took) after a signal."""
    before = time.monotonic()
    process.send_signal(number)
    return process.wait(PATIENCE), time.monotonic() - before


def children(process: subprocess.Popen[bytes]) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a demo that runs, its dashboard included; it has to stop well at the end."""
    folder = tmp_path_factory.mktemp("demo")
    with started(folder, "demo", "--today", "2026-11-16") as (process, out, err):
        url = awaited(out, r"The dashboard is at (http://\S+)", process)
        assert httpx.get(url, trust_env=False).is_success
        assert (folder / "demo" / "scorecards").is_dir()
        yield folder
        status, seconds = stopped(process, signal.SIGTERM)
    assert (status, seconds < 10) == (0, True)
    assert "Traceback" not in err.read_text()
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)


@pytest.fixture
def config(demo: Path) -> Iterator[Path]:
    """The demo's configuration under another name, with another warehouse, and a dashboard at a port of its own."""
    text = (demo / "demo" / "sixkeys.yaml").read_text()
    text = re.sub(r"(?m)^reports:.*$", "reports: {directory: own/scorecards}", text)
    text = re.sub(r"(?m)^warehouse:.*$", "warehouse: own/acme.duckdb", text)
    path = demo / "demo" / "own.yaml"
    path.write_text(f"{text}\ndashboard: {{port: {free_port('127.0.0.1', 0)}}}\n")
    yield path
    path.unlink()


def test_a_second_terminal_works_on_the_demo_while_it_runs(demo: Path) -> None:
    collected = run(demo, "collect", "--config", "demo/sixkeys.yaml")
    assert (collected.returncode, collected.stdout) == (0, "")
    values = json.loads(run(demo, "metrics", "--config", "demo/sixkeys.yaml", "--format", "json").stdout)
    assert len(values) == 8
    checked = run(demo, "check", "--config", "demo/sixkeys.yaml")
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.count("✓") == 5
    assert re.search(r"search-eu +shop +prod-eu +search +production +search ", checked.stdout)


def test_a_second_demo_in_the_same_folder_is_refused(demo: Path) -> None:
    again = run(demo, "demo", "--no-dashboard")
    assert again.returncode == 2
    assert (
        again.stderr
        == "sixkeys: demo: a demo is running in it; end that one, or name another with --folder\n"
    )


def test_a_source_that_fails_leaves_the_others_and_ends_with_1(demo: Path, config: Path) -> None:
    config.write_text(re.sub(r'(url: "\S+)/argocd"', r'\1/nowhere"', config.read_text()))
    collected = run(demo, "collect", "--config", str(config))
    assert collected.returncode == 1
    assert "argocd:main: failed: argocd main: " in collected.stderr
    assert "Traceback" not in collected.stderr
    values = json.loads(run(demo, "metrics", "--config", str(config), "--format", "json").stdout)
    assert next(value["n"] for value in values if value["metric"] == "lead_time") > 0
    checked = run(demo, "check", "--config", str(config))
    assert checked.returncode == 1
    assert "✗ argocd main: " in checked.stdout


def test_only_a_configured_source_can_be_collected(demo: Path) -> None:
    done = run(demo, "collect", "--source", "jenkins", "--config", "demo/sixkeys.yaml")
    assert done.returncode == 2
    assert 'there is no source "jenkins"; configured: catalog, github' in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_service_collects_at_once_and_stops_cleanly(
    demo: Path, config: Path, number: signal.Signals
) -> None:
    with started(demo, "serve", "--config", str(config)) as (process, out, err):
        url = awaited(out, r"The dashboard is at (http://\S+)", process)
        awaited(err, r"(git: .*commits|git: nothing new)", process)
        assert httpx.get(url, trust_env=False).is_success
        own = children(process)
        status, seconds = stopped(process, number)
        assert (status, seconds < 10) == (0, True)
        assert [pid for pid in own if Path(f"/proc/{pid}").exists()] == []
        assert "Traceback" not in err.read_text()
        assert "***" in err.read_text(), "the configuration is told, its secrets are not"


def test_the_service_ends_with_1_when_its_dashboard_does(demo: Path, config: Path) -> None:
    with started(demo, "serve", "--config", str(config)) as (process, out, err):
        awaited(out, r"The dashboard is at (http://\S+)", process)
        for pid in children(process):
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"streamlit" in command:
                os.kill(pid, signal.SIGKILL)
        assert process.wait(PATIENCE) == 1
        assert "sixkeys: the dashboard ended by itself with status -9" in err.read_text()


def test_a_port_that_is_taken_is_said_and_nothing_is_started(demo: Path, config: Path) -> None:
    taken = (demo / "demo.out").read_text().rsplit("http://127.0.0.1:", 1)[1].split()[0]
    config.write_text(re.sub(r"port: \d+", f"port: {taken}", config.read_text()))
    done = run(demo, "dashboard", "--config", str(config))
    assert done.returncode == 1
    assert f"cannot listen at 127.0.0.1:{taken} (Address already in use)" in done.stderr


def test_an_earlier_demo_makes_room_for_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with demo_folder(folder):
        (folder / "warehouse").mkdir()
        (folder / "warehouse" / "acme.duckdb").write_text("old")
        (folder / "sixkeys.yaml").write_text("old")
    with demo_folder(folder):
        assert [path.name for path in folder.iterdir()] == [".sixkeys-demo"]
