"""Repositories that are renamed, transferred, deleted, made anew: their history stays theirs."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.contract.items import Malformed
from collectors.contract.records import Commit, Component, Deployment, PullRequest, Record, Repository
from config.settings import Settings, load_settings
from sample_data.model import Organisation
from sample_data.organisation.scale import NOW, build_large, large_settings
from sample_data.servers.server import SampleServer
from warehouse.loading.runs import Run
from warehouse.metrics.published_facts import open_facts
from warehouse.pipeline import collect
from warehouse.storage.store import open_warehouse

TABLES = ("repositories", "commits", "pull_requests", "deployments", "workflow_runs", "incidents")


@pytest.fixture
def acme(tmp_path: Path) -> Organisation:
    made = build_large(
        tmp_path / "repositories", repositories=4, pull_requests=30, deployments=20, incidents=6
    )
    made.repositories[3].owner = "stores"
    return made


def read(settings: Settings, organisation: Organisation) -> dict[str, Run]:
    runs = {run.source: run for run in collect(settings, now=organisation.now)}
    assert [run.error for run in runs.values() if run.error] == []
    return runs


def prepared(organisation: Organisation, server: SampleServer, folder: Path) -> Settings:
    path = large_settings(organisation, server.url, folder, server.token)
    path.write_text(path.read_text().replace('["acme/*"]', '["acme/*", "stores/*"]'))
    return load_settings(path)


def rows(settings: Settings, sql: str) -> list[Any]:
    with open_warehouse(settings.warehouse) as warehouse:
        return warehouse.connection.execute(sql).fetchall()


def content(settings: Settings) -> dict[str, list[str]]:
    return {table: sorted(map(repr, rows(settings, f"from {table}"))) for table in TABLES}


def changes(settings: Settings) -> list[Any]:
    with open_facts(settings.warehouse) as facts:
        return facts.connection.execute(
            "select service, team, count(*) from changes group by all order by all"
        ).fetchall()


def test_a_repository_that_was_renamed_or_transferred_is_the_same_repository(
    acme: Organisation, tmp_path: Path
) -> None:
    with SampleServer(acme) as server:
        settings = prepared(acme, server, tmp_path / "w")
        read(settings, acme)
        before = changes(settings)
        acme.repositories[1].name = "till"
        acme.repositories[2].owner, acme.repositories[2].name = "stores", "counter"
        read(settings, acme)
        fresh = prepared(acme, server, tmp_path / "fresh")
        read(fresh, acme)
        assert content(settings) == content(fresh), "as if they had been called so from the first"
        assert changes(settings) == before, "the catalogue names them by their former names"
        assert {service for service, *_ in before} >= {"service-001", "service-002"}
        server.requests.clear()
        read(settings, acme)
        assert server.requests == {"github graphql": 2, "argocd": 1, "pagerduty": 1}
        assert changes(settings) == before


def test_a_deleted_or_emptied_repository_keeps_its_history_and_the_deleted_one_is_not_asked_for(
    acme: Organisation, tmp_path: Path
) -> None:
    with SampleServer(acme) as server:
        settings = prepared(acme, server, tmp_path / "w")
        with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
            warehouse.upsert([Repository(repo="elsewhere/imported", created_at=NOW, pushed_at=NOW)])
        read(settings, acme)
        before = content(settings)
        # they were pushed to since their commits were read
        for repository in acme.repositories[:3]:
            repository.pushed_at = acme.now
        collect(settings, only="github", now=acme.now)
        emptied, gone = acme.repositories[2], acme.repositories.pop(1)
        emptied.git_dir = None
        acme.now += timedelta(minutes=15)
        server.log.clear()
        read(settings, acme)
        asked = {path.partition(".git")[0] for source, _, path in server.log if source == "git"}
        assert asked == {"/acme/service-000", "/acme/service-002"}
        after = content(settings)
    for repository in (emptied, gone):
        assert [row for row in before["commits"] if repository.full_name in row]
    assert {table: after[table] for table in TABLES if table != "repositories"} == {
        table: before[table] for table in TABLES if table != "repositories"
    }


@pytest.mark.soak
def test_two_repositories_that_swap_their_names_swap_their_histories(
    acme: Organisation, tmp_path: Path
) -> None:
    with SampleServer(acme) as server:
        settings = prepared(acme, server, tmp_path / "w")
        read(settings, acme)
        one, other = acme.repositories[:2]
        one.name, other.name = other.name, one.name
        read(settings, acme)
        fresh = prepared(acme, server, tmp_path / "fresh")
        read(fresh, acme)
        for table, key in (("commits", "sha"), ("pull_requests", "merge_sha"), ("deployments", "sha")):
            pairs = f"select repo, {key} from {table} order by all"
            assert rows(settings, pairs) == rows(fresh, pairs)


AT = NOW


def stored(path: Path, *batches: list[Record]) -> Callable[[str], list[Any]]:
    for batch in batches:
        with open_warehouse(path) as warehouse, warehouse.transaction():
            warehouse.upsert(batch)

    def select(sql: str) -> list[Any]:
        with open_warehouse(path) as warehouse:
            return warehouse.connection.execute(sql).fetchall()

    return select


def repository(name: str, id: str | None) -> Repository:
    return Repository(repo=f"acme/{name}", external_id=id, created_at=AT)


def commit(name: str, sha: str) -> Commit:
    return Commit(repo=f"acme/{name}", sha=sha, authored_at=AT, committed_at=AT)


def test_a_name_that_is_taken_by_another_repository_does_not_mix_the_two(tmp_path: Path) -> None:
    select = stored(
        tmp_path / "w.duckdb",
        [repository("till", "1"), commit("till", "a")],
        [repository("till", "2"), commit("till", "b")],
    )
    assert select("select repo, external_id from repositories order by 1") == [
        ("acme/till", "2"),
        ("acme/till#1", "1"),
    ]
    assert select("select repo, sha from commits order by 1") == [("acme/till", "b"), ("acme/till#1", "a")]
    # what had the name turns out to be renamed, not gone
    select = stored(tmp_path / "w.duckdb", [repository("cash-desk", "1")])
    assert select("select repo, sha from commits order by 1") == [("acme/cash-desk", "a"), ("acme/till", "b")]


def test_what_others_call_by_a_former_name_is_stored_under_the_current_one(tmp_path: Path) -> None:
    deployed: dict[str, Any] = {"source": "argocd", "status": "success"}
    select = stored(
        tmp_path / "w.duckdb",
        [repository("a", "1"), Deployment(id="x", repo="acme/a", config_repo="acme/a", **deployed)],
        [repository("b", "1")],
        [repository("c", "1")],
        [Component(name="till", repo="acme/a"), Deployment(id="y", config_repo="acme/b", **deployed)],
    )
    assert select("select repo from components") == [("acme/c",)]
    assert select("select id, repo, config_repo from deployments order by 1") == [
        ("x", "acme/c", "acme/c"),
        ("y", None, "acme/c"),
    ]
    select = stored(tmp_path / "w.duckdb", [repository("a", "2")], [Component(name="till", repo="acme/a")])
    assert select("select repo from components") == [("acme/a",)], "the name is another repository's now"


def test_a_tag_and_a_cursor_move_with_their_repository(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    tag = Deployment(source="tags", id="acme/a@v1", repo="acme/a", status="success")
    with open_warehouse(path) as warehouse, warehouse.transaction():
        warehouse.upsert([repository("a", "1"), tag])
        for subject in ("acme/a", "acme/a pull_requests", "acme/ab pull_requests"):
            warehouse.move_cursor("github", subject, 1, AT)
        warehouse.move_cursor("pagerduty", "acme/a", 1, AT)
        warehouse.upsert([repository("b", "1")])
        assert sorted(warehouse.cursors("github")) == [
            "acme/ab pull_requests",
            "acme/b",
            "acme/b pull_requests",
        ]
        assert list(warehouse.cursors("pagerduty")) == ["acme/a"]
        assert warehouse.connection.execute("select id, repo from deployments").fetchall() == [
            ("acme/b@v1", "acme/b")
        ]


def test_rows_of_both_names_become_one_where_their_key_is_the_same(tmp_path: Path) -> None:
    pulls = [PullRequest(repo=f"acme/{name}", number=1, created_at=AT, title=name) for name in ("a", "b")]
    select = stored(tmp_path / "w.duckdb", [repository("a", "1"), *pulls], [repository("b", "1")])
    assert select("select repo, title from pull_requests") == [("acme/b", "b")]


def set_aside(source: str, kind: str, subject: str, *key: str) -> tuple[str, Malformed]:
    return source, Malformed(kind, subject, "bad", subject, json.dumps(key) if key else None)


def test_what_was_set_aside_of_a_repository_leaves_the_quarantine_under_its_next_name(tmp_path: Path) -> None:
    every = [
        set_aside("github", "pull_requests", "acme/a#7", "acme/a", "7"),
        set_aside("github", "deployments", "acme/a", "deployments", "11"),
        set_aside("github", "workflow_runs", "acme/a", "acme/a", "3", "1"),
        set_aside("github", "components", "acme/a/catalog-info.yaml"),
        set_aside("git", "commits", "acme/a@f00", "acme/a", "f00"),
        set_aside("git", "deployments", "acme/a@v1", "tags", "acme/a@v1"),
        set_aside("github_issues", "incidents", "acme/a#9", "github_issues", "acme/a#9"),
        # of others
        set_aside("github", "pull_requests", "acme/ab#7", "acme/ab", "7"),
        set_aside("git", "deployments", "acme/ab@v1", "tags", "acme/ab@v1"),
        set_aside("github", "pull_requests", "acme/a#1#7", "acme/a#1", "7"),
        set_aside("github", "deployments", "acme/a#1", "deployments", "12"),
        set_aside("argocd:main", "deployments", "acme/a", "argocd", "u/1"),
        # met again under the next name already
        set_aside("github", "pull_requests", "acme/b#7", "acme/b", "7"),
    ]
    with open_warehouse(tmp_path / "w.duckdb") as warehouse, warehouse.transaction():
        warehouse.upsert([repository("a", "5")])
        for source, item in every:
            warehouse.quarantine(source, [item], AT)
        warehouse.upsert([repository("b", "5")])
        found = warehouse.connection.execute("select subject, key from quarantine order by all").fetchall()
        assert found == [
            ("acme/a", '["argocd", "u/1"]'),
            ("acme/a#1", '["deployments", "12"]'),
            ("acme/a#1#7", '["acme/a#1", "7"]'),
            ("acme/ab#7", '["acme/ab", "7"]'),
            ("acme/ab@v1", '["tags", "acme/ab@v1"]'),
            ("acme/b", '["acme/b", "3", "1"]'),
            ("acme/b", '["deployments", "11"]'),
            ("acme/b#7", '["acme/b", "7"]'),
            ("acme/b#9", '["github_issues", "acme/b#9"]'),
            ("acme/b/catalog-info.yaml", None),
            ("acme/b@f00", '["acme/b", "f00"]'),
            ("acme/b@v1", '["tags", "acme/b@v1"]'),
        ]
        warehouse.release("git", [commit("b", "f00")])
        assert ("acme/b@f00",) not in warehouse.connection.execute(
            "select subject from quarantine"
        ).fetchall()
