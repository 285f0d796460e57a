"""Which deployment shipped a commit is what `git rev-list` says, on generated histories."""

import subprocess
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.contract.records import Commit, Deployment
from config.settings import Settings
from warehouse.building.ancestry.graph import Graph
from warehouse.building.ancestry.source_paths import source_pattern
from warehouse.building.build import build
from warehouse.metrics.published_facts import open_facts
from warehouse.storage.store import open_warehouse

# a commit is a list of how far back its parents lie; none for a root, several for (octopus) merges
COMMITS = st.lists(st.lists(st.integers(1, 8), max_size=3, unique=True), min_size=1, max_size=40)


def graph_of(commits: list[tuple[str, list[str]]]) -> Graph:
    shas, parents = zip(*commits, strict=True)
    return Graph(pa.array(shas), pa.array(parents, pa.list_(pa.string())))


def git(folder: Path, *arguments: str, given_input: str | None = None) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], input=given_input, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lineage")
    git(folder, "init", "--bare", "--quiet")
    return folder


def written(folder: Path, history: list[list[int]]) -> list[tuple[str, list[str]]]:
    """Writes the history with real commits; (SHA, parents) in order, parents before children."""
    stream, parents_of = [], []
    for number, back in enumerate(history):
        parents = sorted({number - distance for distance in back if number - distance >= 0}, reverse=True)
        parents_of.append(parents)
        message = f"commit {number} of {len(history)}, parents {back}"
        stream.append("" if parents else "reset refs/heads/main\n\n")
        stream.append(f"commit refs/heads/main\nmark :{number + 1}\n")
        stream.append(f"committer A <a@example.org> {1_700_000_000 + number} +0000\n")
        stream.append(f"data {len(message)}\n{message}\n")
        stream += [f"{'merge' if i else 'from'} :{parent + 1}\n" for i, parent in enumerate(parents)]
        stream.append("\n")
    marks = folder / "marks"
    git(folder, "fast-import", "--quiet", "--force", f"--export-marks={marks}", given_input="".join(stream))
    sha_of = dict(line.split() for line in marks.read_text(encoding="utf-8").splitlines())
    shas = [sha_of[f":{number + 1}"] for number in range(len(history))]
    return [(sha, [shas[p] for p in parents]) for sha, parents in zip(shas, parents_of, strict=True)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=COMMITS, data=st.data())
def test_each_deployment_ships_what_rev_list_says(
    repository: Path, history: list[list[int]], data: st.DataObject
) -> None:
    commits = written(repository, history)
    graph = graph_of(data.draw(st.permutations(commits)))
    deployed = data.draw(st.lists(st.sampled_from([sha for sha, _ in commits]), min_size=1, max_size=8))
    visited = bytearray(len(graph.shas))
    for place, sha in enumerate(deployed):
        shipped = {graph.shas[n] for n in graph.unvisited(graph.number[sha], visited)}
        expected = git(repository, "rev-list", sha, "--not", *deployed[:place]).split()
        assert shipped == set(expected)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=COMMITS, data=st.data())
def test_difference_and_containment_are_those_of_git(
    repository: Path, history: list[list[int]], data: st.DataObject
) -> None:
    commits = written(repository, history)
    graph = graph_of(data.draw(st.permutations(commits)))
    one, other = (data.draw(st.sampled_from([sha for sha, _ in commits])) for _ in range(2))
    found = [graph.shas[n] for n in graph.differing(graph.number[one], graph.number[other])]
    assert sorted(found) == sorted(git(repository, "rev-list", f"{one}...{other}").split())
    is_ancestor = subprocess.run(
        ["git", "-C", str(repository), "merge-base", "--is-ancestor", other, one]
    ).returncode
    for near in (0, 3, 1000):
        assert graph.contains(graph.number[one], graph.number[other], near) == (is_ancestor == 0)


def generated(seed: int, count: int) -> list[list[int]]:
    """A history of `count` commits as parallel branches make it: merges, octopus and criss-cross merges, new roots."""
    chance = Random(seed)
    tips = [0]
    history: list[list[int]] = [[]]
    for number in range(1, count):
        draw = chance.random()
        if draw < 0.01:
            parents: list[int] = []
        elif draw < 0.25 and len(tips) > 1:
            parents = chance.sample(tips, min(len(tips), 2 if draw < 0.22 else 3))
        else:
            parents = [chance.choice(tips)]
        # a merged branch may live on, and a commit may start one anywhere
        tips = [tip for tip in tips if tip not in parents or chance.random() < 0.15] + [number]
        if chance.random() < 0.08:
            tips.append(chance.randrange(number))
        tips = tips[-8:]
        history.append([number - parent for parent in parents])
    return history


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in (1, 2))])
def test_a_built_warehouse_ships_what_rev_list_says(repository: Path, tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    commits = written(repository, generated(seed, 2_000))
    # mostly onwards, sometimes back or sideways, to two environments
    places = [min(max(n * 33 + chance.randint(-150, 60), 0), len(commits) - 1) for n in range(60)]
    at = datetime(2026, 1, 1, tzinfo=UTC)
    deployments = [
        Deployment(
            source="import",
            id=str(n),
            service="app",
            repo="acme/app",
            environment=chance.choice(["prod-eu", "prod-us"]),
            sha=commits[place][0],
            status="success",
            finished_at=at + timedelta(hours=n),
        )
        for n, place in enumerate(places)
    ]
    rows = [
        Commit(repo="acme/app", sha=sha, parents=tuple(parents), authored_at=at, committed_at=at)
        for sha, parents in commits
    ]
    settings = Settings(organization="acme", warehouse=tmp_path / "w.duckdb")
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert([*rows, *deployments])
    build(settings, at + timedelta(days=9))
    with open_facts(settings.warehouse) as facts:
        shipped = facts.connection.execute("select deployment_id, sha from changes").fetchall()
        counts = dict(facts.connection.execute("select id, new_commits from deployments").fetchall())
    found: dict[str, set[str]] = defaultdict(set)
    for deployment, sha in shipped:
        found[deployment].add(sha)
    earlier: list[str] = []
    for deployment in deployments:
        expected = git(repository, "rev-list", deployment.sha or "", "--not", *earlier).split()
        assert counts[deployment.id] == len(expected)
        assert found[deployment.id] == (set(expected) if earlier else set())
        earlier.append(deployment.sha or "")
    assert len(found) > 20


def test_a_short_sha_is_found_only_where_it_is_unambiguous() -> None:
    graph = graph_of([("aaa111", []), ("aaa222", ["aaa111"]), ("bbb333", ["missing"])])
    assert graph.find("aaa1") == "aaa111"
    assert graph.find("aaa") is None
    assert graph.find("ccc") is None
    assert graph.parents[graph.number["bbb333"]] == []


@pytest.mark.parametrize("pattern", ["cart", "cart/", "/cart", "/cart/**", "cart/**", "./cart/", " cart "])
def test_a_folder_is_meant_however_it_is_written(pattern: str) -> None:
    means = source_pattern([pattern]).fullmatch
    assert all(map(means, ("cart/main.py", "cart/deep/below.py")))
    assert not any(map(means, ("carton/main.py", "lib/cart/main.py", "README.md")))


def test_a_pattern_may_mean_files_of_one_kind_one_file_or_everything() -> None:
    assert source_pattern(["lib/*.py"]).fullmatch("lib/a.py")
    assert not source_pattern(["lib/*.py"]).fullmatch("lib/a.js")
    assert source_pattern(["go.mod", "api"]).fullmatch("go.mod")
    assert source_pattern(["/"]).fullmatch("any/file")
