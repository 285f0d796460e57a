"""Which deployment shipped a commit is what `git rev-list` says, on generated histories."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warehouse.graph import Graph

# a commit is a list of how far back its parents lie; none for a root, several for (octopus) merges
COMMITS = st.lists(st.lists(st.integers(1, 8), max_size=3, unique=True), min_size=1, max_size=40)


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
        message = f"commit {number} of {history}"
        stream.append(f"commit refs/heads/c{number}\nmark :{number + 1}\n")
        stream.append(f"committer A <a@example.org> {1_700_000_000 + number} +0000\n")
        stream.append(f"data {len(message)}\n{message}\n")
        stream += [f"{'merge' if i else 'from'} :{parent + 1}\n" for i, parent in enumerate(parents)]
        if not parents:
            stream.append("deleteall\n")
        stream.append("\n")
    for reference in git(folder, "for-each-ref", "--format=%(refname)").split():
        git(folder, "update-ref", "-d", reference)
    git(folder, "fast-import", "--quiet", "--force", given_input="".join(stream))
    shas = [git(folder, "rev-parse", f"refs/heads/c{number}").strip() for number in range(len(history))]
    return [(sha, [shas[p] for p in parents]) for sha, parents in zip(shas, parents_of, strict=True)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=COMMITS, data=st.data())
def test_each_deployment_ships_what_rev_list_says(
    repository: Path, history: list[list[int]], data: st.DataObject
) -> None:
    commits = written(repository, history)
    graph = Graph(data.draw(st.permutations(commits)))
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
    graph = Graph(data.draw(st.permutations(commits)))
    one, other = (data.draw(st.sampled_from([sha for sha, _ in commits])) for _ in range(2))
    found = [graph.shas[n] for n in graph.only_in(graph.number[one], graph.number[other])]
    assert sorted(found) == sorted(git(repository, "rev-list", one, "--not", other).split())
    is_ancestor = subprocess.run(
        ["git", "-C", str(repository), "merge-base", "--is-ancestor", other, one]
    ).returncode
    assert graph.contains(graph.number[one], graph.number[other]) == (is_ancestor == 0)


def test_a_short_sha_is_found_only_where_it_is_unambiguous() -> None:
    graph = Graph([("aaa111", []), ("aaa222", ["aaa111"]), ("bbb333", ["missing"])])
    assert graph.find("aaa1") == "aaa111"
    assert graph.find("aaa") is None
    assert graph.find("ccc") is None
    assert graph.parents[graph.number["bbb333"]] == []
