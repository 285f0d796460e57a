"""Collecting: a source that fails, a run that is killed, two runs at once, a catalogue that changes."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from config.errors import ConfigurationError
from config.settings import load_settings
from sample_data.model import ArgoCD, Organisation
from sample_data.organisation.scale import build_large, large_settings
from sample_data.servers.server import App, SampleServer
from sample_data.settings import demo_settings
from tests.conftest import Sample
from tests.support.argocd_instance import application, entry
from tests.support.places import ROOT
from warehouse.loading.configured import sources
from warehouse.loading.imports import import_file
from warehouse.metrics.published_facts import open_facts
from warehouse.pipeline import RunInProgress, collect
from warehouse.progress import Silent
from warehouse.storage.store import open_warehouse

WAIT_SECONDS = 60.0
TABLES = (
    "repositories",
    "commits",
    "pull_requests",
    "deployments",
    "incidents",
    "responses",
    "components",
    "links",
)


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    """A small organisation with something in every source; to be read only."""
    made = build_large(tmp_path_factory.mktemp("repositories"), 3, 60, 30, 12)
    made.argocd = ArgoCD([application([entry(1), entry(2)], f"web-{n}", f"u{n}") for n in range(2)], {})
    return made


@pytest.fixture
def server(acme: Organisation) -> Iterator[SampleServer]:
    with SampleServer(acme) as server:
        yield server


# what differs from one server or warehouse to the next: addresses, and the keyed hashes of persons
PASSING = {"url", "change_events", "author", "creator", "respondent"}


def content(warehouse: Path) -> dict[str, list[str]]:
    """The rows of the source tables, without what differs between two collections of the same."""
    found = {}
    with open_warehouse(warehouse) as opened:
        for table in TABLES:
            result = opened.connection.execute(f"from {table}")
            columns = result.description or ()
            kept = [i for i, column in enumerate(columns) if column[0] not in PASSING]
            found[table] = sorted(repr([row[i] for i in kept]) for row in result.fetchall())
    return found


def test_a_source_that_fails_leaves_the_others_and_is_on_record_and_goes_on_where_it_was_when_it_recovers(
    acme: Organisation, server: SampleServer, tmp_path: Path
) -> None:
    config = large_settings(acme, server.url, tmp_path / "disturbed", server.token)
    # a port on which nothing listens, with a token that must not be told to anybody
    (tmp_path / "disturbed" / "other").write_text("a-secret-token")
    well = config.read_text()
    failing = well.replace(
        f'{{name: main, url: "{server.url}/argocd", token: "file:token"}}',
        '{name: main, url: "http://127.0.0.1:9/argocd", token: "file:other"}',
    )
    assert failing != well
    config.write_text(failing)
    settings = load_settings(config)
    runs = {run.source: run for run in collect(settings, now=acme.now)}
    assert runs["argocd:main"].error
    assert "http://127.0.0.1:9/argocd" in runs["argocd:main"].error
    assert [name for name, run in runs.items() if run.error] == ["argocd:main"]
    with open_facts(settings.warehouse) as facts:
        recorded = facts.connection.execute("select source, status, error from runs").fetchall()
        assert facts.connection.execute("select count(*) from deployments").fetchall() == [(30,)]
    assert {source for source, status, _ in recorded if status == "failed"} == {"argocd:main"}
    written = b"".join(path.read_bytes() for path in settings.warehouse.parent.glob("*.duckdb"))
    assert b"a-secret-token" not in written
    assert server.token.encode() not in written

    config.write_text(well)
    collect(load_settings(config), now=acme.now)
    undisturbed = load_settings(large_settings(acme, server.url, tmp_path / "undisturbed", server.token))
    collect(undisturbed, now=acme.now)
    assert content(settings.warehouse) == content(undisturbed.warehouse)
    assert len(content(settings.warehouse)["deployments"]) == 30 + 4


def held(path: str, until: Callable[[list[str]], bool]) -> Callable[[App], App]:
    """Keeps requests whose path begins with `path` waiting until `until` holds of all that came."""
    come: list[str] = []
    changed = threading.Condition()

    def around(app: App) -> App:
        def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            asked = environ["PATH_INFO"]
            with changed:
                come.append(asked)
                changed.notify_all()
                if asked.startswith(path):
                    assert changed.wait_for(lambda: until(come), WAIT_SECONDS)
            return app(environ, start_response)

        return answer

    return around


class InterruptedByCommits(Silent):
    """Progress at whose first commit somebody interrupts."""

    def advance(self, source: str, kind: str, n: int) -> None:
        if source == "git":
            raise KeyboardInterrupt


def test_no_source_waits_for_one_whose_rows_it_does_not_need(acme: Organisation, tmp_path: Path) -> None:
    others = ("/argocd", "/pagerduty")
    around = held("/api/graphql", lambda come: all(any(p.startswith(o) for p in come) for o in others))
    with SampleServer(acme, around=around) as server:
        config = large_settings(acme, server.url, tmp_path, server.token)
        # on a first run Argo CD waits for the clones, where there are to be any
        config.write_text(config.read_text().replace("token: ", "clone: false, token: ", 1))
        runs = collect(load_settings(config), now=acme.now)
    assert [run.error for run in runs] == [None] * 5


@pytest.mark.parametrize("is_first", [True, False])
def test_each_source_is_read_after_those_whose_rows_it_needs(
    sample: Sample, tmp_path: Path, is_first: bool
) -> None:
    config = demo_settings(sample.organisation, "http://127.0.0.1:9", tmp_path, "token")
    settings = load_settings(config)
    if not is_first:
        (settings.warehouse.parent / "git").mkdir(parents=True)
    known = {source.name: source.after for source in sources(settings)}
    # git fetches what Argo CD deployed, and once Argo CD's config is read from the clones of git
    assert known["argocd:main"] == (("git", "requests") if is_first else ())
    assert set(known["git"]) == {"catalog", "github"} | (set() if is_first else {"argocd:main"})
    needed = {"requests": {"git"}, "github_jobs": {"catalog", "github"}, "github_issues": {"github"}}
    for name, others in needed.items():
        assert name not in known or set(known[name]) == others
    names = list(known)
    for name, before in known.items():
        for other in set(before) & set(known):
            assert names.index(other) < names.index(name), "so that nobody waits for itself"


def test_after_an_interrupt_nothing_is_stored_and_the_next_run_completes_it(
    acme: Organisation, tmp_path: Path
) -> None:
    is_over = threading.Event()

    def around(app: App) -> App:
        def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            if environ["PATH_INFO"].startswith("/pagerduty/incidents"):
                assert is_over.wait(WAIT_SECONDS)
            return app(environ, start_response)

        return answer

    before = set(threading.enumerate())
    with SampleServer(acme, around=around) as server:
        settings = load_settings(large_settings(acme, server.url, tmp_path / "w", server.token))
        with pytest.raises(KeyboardInterrupt):
            collect(settings, InterruptedByCommits(), now=acme.now)
        stored = content(settings.warehouse)
        is_over.set()
        reading = [one for one in set(threading.enumerate()) - before if one.name in ("pagerduty", "git")]
        assert reading
        for thread in reading:
            thread.join(WAIT_SECONDS)
        assert stored["incidents"] == content(settings.warehouse)["incidents"] == []
        assert content(settings.warehouse) == stored
        runs = collect(settings, now=acme.now)
        undisturbed = load_settings(large_settings(acme, server.url, tmp_path / "undisturbed", server.token))
        collect(undisturbed, now=acme.now)
    assert [run.error for run in runs] == [None] * 5
    assert content(settings.warehouse) == content(undisturbed.warehouse)


@pytest.mark.soak
@pytest.mark.parametrize("requests", [3, 40, 90, 140])
def test_a_killed_run_of_the_whole_sample_is_completed_by_the_next(
    sample: Sample, tmp_path: Path, requests: int
) -> None:
    with SampleServer(sample.organisation) as server:
        config = demo_settings(sample.organisation, server.url, tmp_path, server.token)
        now = sample.organisation.now
        command = (
            "from datetime import datetime; from pathlib import Path; from config.settings import load_settings;"
            "from warehouse.pipeline import collect;"
            f"collect(load_settings(Path({str(config)!r})), now=datetime.fromisoformat({now.isoformat()!r}))"
        )
        process = subprocess.Popen([sys.executable, "-c", command], cwd=ROOT, start_new_session=True)
        while process.poll() is None and server.requests.total() < requests:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.002)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        settings = load_settings(config)
        runs = collect(settings, now=now)
        shutil.rmtree(settings.warehouse.parent / "git")
        runs += collect(settings, only="requests", now=now)
    assert [run.error for run in runs if run.error] == []
    assert content(settings.warehouse) == content(sample.settings.warehouse)


def test_a_second_run_at_the_same_time_says_so_and_leaves(
    acme: Organisation, server: SampleServer, tmp_path: Path
) -> None:
    settings = load_settings(large_settings(acme, server.url, tmp_path, server.token))
    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    lock = settings.warehouse.with_name(f"{settings.warehouse.stem}.lock")
    command = (
        f"import fcntl; f = open({str(lock)!r}, 'w'); fcntl.flock(f, fcntl.LOCK_EX);"
        "f.write('4711'); f.flush(); print('held', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RunInProgress, match="process 4711 is collecting"):
            collect(settings, now=acme.now)
        holder.stdin.write("\n")
    assert not server.requests


def test_a_component_that_leaves_the_catalogue_is_gone_from_then_on_and_back_when_it_comes_back(
    acme: Organisation, server: SampleServer, tmp_path: Path
) -> None:
    settings = load_settings(large_settings(acme, server.url, tmp_path, server.token))
    catalogue = tmp_path / "catalog.yaml"
    others = catalogue.read_text()
    catalogue.write_text(
        f"{others}---\n"
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: gone}\nspec: {owner: web}\n"
    )
    collect(settings, only="catalog", now=acme.now)
    with open_warehouse(settings.warehouse) as warehouse:
        assert warehouse.connection.execute(
            "select owner from components where name = 'gone'"
        ).fetchall() == [("web",)]
    catalogue.write_text(others)
    collect(settings, only="catalog", now=acme.now)
    with open_warehouse(settings.warehouse) as warehouse:
        rows = warehouse.connection.execute(
            "select name from components where gone_at is not null"
        ).fetchall()
    assert rows == [("gone",)]
    catalogue.write_text(f"{others}---\nkind: Component\nmetadata: {{name: gone}}\nspec: {{owner: web}}\n")
    collect(settings, only="catalog", now=acme.now)
    with open_warehouse(settings.warehouse) as warehouse:
        assert warehouse.connection.execute("select count(gone_at) from components").fetchall() == [(0,)]


def test_a_link_that_its_file_no_longer_tells_is_gone_and_another_source_s_stays(tmp_path: Path) -> None:
    (tmp_path / "sixkeys.yaml").write_text("organization: acme\nincidents: {links: [links.csv]}\n")
    settings = load_settings(tmp_path / "sixkeys.yaml")
    heading = "incident_source,incident_id,deployment_id,reason\n"

    def linked(*incidents: str) -> list[str]:
        rows = "".join(f"pagerduty,{name},d1,a look at it\n" for name in incidents)
        (tmp_path / "links.csv").write_text(heading + rows)
        assert [run.error for run in collect(settings, only="links")] == [None]
        with open_warehouse(settings.warehouse) as warehouse:
            found = warehouse.connection.execute("select incident_id from links order by 1").fetchall()
        return [name for (name,) in found]

    (tmp_path / "by_hand.csv").write_text(f"{heading}pagerduty,Q9,d1,by hand\n")
    import_file(settings, "links", tmp_path / "by_hand.csv")
    assert linked("Q1", "Q2") == ["Q1", "Q2", "Q9"]
    assert linked("Q2") == ["Q2", "Q9"]
    assert linked() == ["Q9"]
    assert linked("Q1") == ["Q1", "Q9"]


def test_a_source_that_is_not_configured_is_refused_with_the_names_of_those_that_are(sample: Sample) -> None:
    with pytest.raises(
        ConfigurationError, match='no source "jira"; configured: argocd:main, catalog, github, git'
    ):
        collect(sample.settings, only="jira")


def test_since_reads_again_from_that_day(acme: Organisation, server: SampleServer, tmp_path: Path) -> None:
    settings = load_settings(large_settings(acme, server.url, tmp_path, server.token))
    collect(settings, only="pagerduty", now=acme.now)
    (again,) = collect(settings, only="pagerduty", now=acme.now)
    assert again.counts["incidents"] <= 1
    (since,) = collect(settings, only="pagerduty", since=date(2026, 6, 1), now=acme.now)
    later = [i for i in acme.pagerduty.incidents if i["created_at"] >= "2026-06-01"]
    assert since.counts["incidents"] == len(later) > again.counts["incidents"]


def test_what_a_run_brought_is_kept_by_kind(sample: Sample) -> None:
    with open_facts(sample.settings.warehouse) as facts:
        rows = facts.connection.execute(
            "select counts from runs where source = 'github' order by started_at"
        ).fetchall()
    assert json.loads(rows[0][0])["pull_requests"] > 400


def test_a_build_leaves_the_facts_and_nothing_that_it_worked_with(sample: Sample) -> None:
    left = sample.settings.warehouse.parent.glob("*.facts-*")
    assert [path.suffix for path in left] == [".duckdb", ".duckdb"], "of the two collections"
