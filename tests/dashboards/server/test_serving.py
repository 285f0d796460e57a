"""The demo and the service as processes: what they start, what they survive, and how they stop."""

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import httpx
import pytest

from config.metrics import metrics
from sample_data.folder import demo_folder
from tests.support.command_line import COMMAND, run, run_alone
from tests.support.loopback import PATIENCE, closed_address
from warehouse.metrics.published_facts import current_facts

# nothing stops at once on a busy machine, but all that runs has to be gone long before a service manager kills it
STOPPED_WITHIN = 30
CONFIGURATION = """
organization: acme
warehouse: acme.duckdb
sources: {{catalog: {{files: [catalog.yaml]}}}}
reports:
  email: {{host: 127.0.0.1, sender: sixkeys@acme.example, password: "file:password"}}
  teams: {{nobody: {{email: [nobody@acme.example]}}}}
dashboard: {{port: {port}}}
"""
CATALOG = """
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: checkout, annotations: {github.com/project-slug: acme/checkout}}
spec: {owner: payments, system: shop}
"""


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


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    """A folder with a configuration of one source, a file, of a secret, and of a dashboard at any port."""
    (tmp_path / "sixkeys.yaml").write_text(CONFIGURATION.format(port=0))
    (tmp_path / "catalog.yaml").write_text(CATALOG)
    (tmp_path / "password").write_text("s3cret")
    return tmp_path


@pytest.mark.soak
def test_a_second_terminal_works_on_the_demo_while_it_runs(tmp_path: Path) -> None:
    with started(tmp_path, "demo", "--today", "2026-11-16") as (process, out, err):
        url = awaited(out, r"The dashboard is at (http://\S+)", process)
        assert httpx.get(url, trust_env=False, timeout=PATIENCE).is_success
        assert (tmp_path / "demo" / "scorecards").is_dir()
        collected = run(tmp_path, "collect", "--config", "demo/sixkeys.yaml")
        assert (collected.returncode, collected.stdout) == (0, "")
        shown = run(tmp_path, "metrics", "--config", "demo/sixkeys.yaml", "--format", "json")
        assert len(json.loads(shown.stdout)) == len(metrics())
        checked = run(tmp_path, "check", "--all", "--config", "demo/sixkeys.yaml")
        assert checked.returncode == 0, checked.stdout
        assert checked.stdout.count("✓") == 12
        assert re.search(r"search-eu +shop +prod-eu +search +production +search ", checked.stdout)
        again = run(tmp_path, "demo", "--no-dashboard")
        assert again.returncode == 2
        refused = "demo: a demo is running in it; end that one, or name another with --folder"
        assert again.stderr == f"sixkeys: {refused}\n"
        status, seconds = stopped(process, signal.SIGTERM)
    assert (status, seconds < STOPPED_WITHIN) == (0, True)
    assert "Traceback" not in err.read_text()
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False, timeout=PATIENCE)


@pytest.mark.soak
def test_a_source_that_fails_leaves_the_others_and_ends_with_1(acme: Path) -> None:
    argocd = f'argocd: [{{name: main, url: "{closed_address()}", token: "file:password"}}]'
    github = f'github: {{url: "{closed_address()}", token: "file:password", repositories: [acme/checkout]}}'
    config = acme / "sixkeys.yaml"
    config.write_text(config.read_text().replace("{catalog:", f"{{{argocd}, {github}, catalog:"))
    collected = run_alone(acme, "collect")
    assert collected.returncode == 1
    assert "argocd:main: failed: argocd main: " in collected.stderr
    assert "catalog: 1 components" in collected.stderr
    sources = (
        "argocd:main: ",
        "catalog: ",
        "git: ",
        "github: ",
        "survey: ",
        "The first scorecard leaves on ",
    )
    assert [line for line in collected.stderr.splitlines() if not line.startswith(sources)] == []
    told = json.loads(run(acme, "metrics", "--by", "team", "--format", "json").stdout)
    assert {value["name"] for value in told} == {"payments"}
    checked = run(acme, "check")
    assert checked.returncode == 1
    assert "✗ argocd main: " in checked.stdout


def test_only_a_configured_source_can_be_collected(acme: Path) -> None:
    done = run(acme, "collect", "--source", "jenkins")
    assert done.returncode == 2
    assert 'there is no source "jenkins"; configured: catalog' in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.soak)])
def test_the_service_collects_at_once_and_stops_cleanly(acme: Path, number: signal.Signals) -> None:
    with started(acme, "serve") as (process, out, err):
        url = awaited(out, r"The dashboard is at (http://\S+)", process)
        awaited(err, r"(catalog: 1 components)", process)
        assert httpx.get(url, trust_env=False, timeout=PATIENCE).is_success
        own = children(process)
        status, seconds = stopped(process, number)
        assert (status, seconds < STOPPED_WITHIN) == (0, True)
        assert [pid for pid in own if Path(f"/proc/{pid}").exists()] == []
        assert "Traceback" not in err.read_text()
        assert "***" in err.read_text(), "the configuration is told, its secrets are not"


@pytest.mark.soak
def test_the_service_builds_facts_of_another_version_before_it_shows_anything(acme: Path) -> None:
    assert run(acme, "collect").returncode == 0
    before = current_facts(acme / "acme.duckdb")
    with duckdb.connect(str(before)) as facts:
        facts.execute("alter table about drop column facts_version")
    with started(acme, "serve") as (process, out, err):
        built = awaited(err, r"another version of Sixkeys; building them anew\nbuilt (\S+)", process)
        assert out.read_text() == ""
        awaited(out, r"The dashboard is at (http://\S+)", process)
        stopped(process, signal.SIGTERM)
    assert Path(built).name != before.name


def test_the_service_ends_with_1_when_its_dashboard_does(acme: Path) -> None:
    with started(acme, "serve") as (process, out, err):
        awaited(out, r"The dashboard is at (http://\S+)", process)
        for pid in children(process):
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"streamlit" in command:
                os.kill(pid, signal.SIGKILL)
        assert process.wait(PATIENCE) == 1
        assert "sixkeys: the dashboard ended by itself with status -9" in err.read_text()


def test_a_port_that_is_taken_is_said_and_nothing_is_started(acme: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        (acme / "sixkeys.yaml").write_text(CONFIGURATION.format(port=taken))
        done = run(acme, "dashboard")
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
