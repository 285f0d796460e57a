"""A repository traced as arrays says what sets of commits say that are walked one deployment and service at a time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.building.ancestry.copies import ToldCopies
from warehouse.building.ancestry.repository import KnownRepository, trace_repository
from warehouse.building.ancestry.revisions import Tags
from warehouse.building.ancestry.source_paths import SourcePaths, source_pattern

BEGIN = datetime(2026, 1, 1)
UNKNOWN = "f" * 40
PATHS = ["a/x.go", "a/deep/y.go", "ab/x.go", "lib/z.py", "lib/z.js", "README.md", "/", "a"]
GLOBS = ["a", "/a/**", "ab/", "lib/*.py", "**/*.go", "*.md", "/", "a/deep", "l?b", "[ab]/x.go"]
TEXT, TEXTS, FLAGS = pa.string(), pa.list_(pa.string()), pa.list_(pa.bool_())
BACK = st.sampled_from([[1]] * 8 + [[1, 3], [2, 1], [3], [1, 2, 5], [], []])
TOUCHED = [None, [], *([path] for path in PATHS), *([path] for path in PATHS), ["a/x.go", "lib/z.py"]]
COMMITS = {"sha": TEXT, "parents": TEXTS, "paths": TEXTS, "is_pulled": pa.bool_()}
DEPLOYMENTS = {
    "source": TEXT,
    "id": TEXT,
    "sequence": TEXT,
    "at": pa.timestamp("us"),
    "sha": TEXT,
    "sha_method": TEXT,
}
DEPLOYMENTS |= {"images": TEXTS, "label": TEXT, "services": TEXTS, "by_paths": FLAGS, "ships": FLAGS}
Gaps = Mapping[str, Sequence[tuple[datetime, datetime]]]


@dataclass
class Written:
    """A repository as it might be told, with unknown parents, merges, several roots and copies."""

    commits: list[dict[str, Any]]
    deployments: list[dict[str, Any]]
    picks: list[tuple[str, str, list[str]]]
    globs: dict[str, list[str]]
    gaps: dict[str, list[tuple[datetime, datetime]]]


@st.composite
def written(draw: st.DrawFn) -> Written:
    commits = []
    for number in range(draw(st.integers(0, 14))):
        back = draw(BACK)
        known = [sha_of(number - distance) for distance in back if distance <= number]
        parents = known + [UNKNOWN] * draw(st.sampled_from([0] * 7 + [1]))
        paths = draw(st.sampled_from(TOUCHED))
        row = {"sha": sha_of(number), "parents": parents, "paths": paths, "is_pulled": draw(st.booleans())}
        commits.append(row)
    shas = [row["sha"] for row in commits]
    services = ["s0", "s1", "s2"][: draw(st.integers(1, 3))]
    globs = {
        s: draw(st.lists(st.sampled_from(GLOBS), min_size=1, max_size=2))
        for s in services
        if draw(st.booleans())
    }
    deployments = []
    for number in range(draw(st.integers(1, 12))):
        own = draw(st.lists(st.sampled_from(services), min_size=1, unique=True))
        row = {
            "source": "import",
            "id": str(number),
            "at": BEGIN + timedelta(hours=number),
            "services": sorted(own),
        }
        row |= {
            "sequence": draw(st.sampled_from(["eu", "eu", "eu", "us"])),
            "sha": draw(st.sampled_from([*shas, UNKNOWN, None])),
        }
        row["by_paths"] = [
            service in globs and draw(st.sampled_from([True, True, False])) for service in row["services"]
        ]
        row["ships"] = [draw(st.sampled_from([True, True, True, False])) for _ in own]
        deployments.append(row)
    gaps = {}
    for service in services:
        begins = draw(st.lists(st.integers(-1, 9), max_size=2))
        gaps[service] = [
            (BEGIN + timedelta(hours=n), BEGIN + timedelta(hours=n + draw(st.integers(0, 3)))) for n in begins
        ]
    copied = (
        draw(st.lists(st.tuples(st.sampled_from(shas), st.sampled_from(shas)), max_size=6)) if shas else []
    )
    picks = sorted({sha: ("acme/app", sha, [of]) for sha, of in copied if sha != of}.values())
    return Written(draw(st.permutations(commits)), deployments, picks, globs, gaps)


def sha_of(number: int) -> str:
    return f"{number:02x}" * 20


def table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, pa.DataType]) -> pa.Table:
    return pa.table({name: pa.array([row.get(name) for row in rows], kind) for name, kind in columns.items()})


def traced(one: Written) -> dict[str, list[dict[str, Any]]]:
    known = KnownRepository(
        "acme/app",
        table(one.commits, COMMITS),
        table(one.deployments, DEPLOYMENTS),
        Tags(),
        ToldCopies(picks=one.picks),
    )
    return {name: rows.to_pylist() for name, rows in trace_repository(known, one.globs, one.gaps).items()}


class Sets:
    """The plain walk: what each commit goes back to as a set, the deployments of each service one after the other."""

    def __init__(self, one: Written, change: Mapping[str, str]) -> None:
        self.one, self.change = one, change
        self.known = {row["sha"]: row for row in one.commits}
        self.cut = {sha for sha, row in self.known.items() if not self.known.keys() >= set(row["parents"])}
        self.traces: dict[tuple[str, str], dict[str, Any]] = {}
        self.shipped: dict[tuple[str, str], dict[str, Any]] = {}
        self.baselined: set[tuple[str, str]] = set()
        claims = defaultdict(list)
        for claim in self.belonging():
            claims[claim["service"]].append(claim)
        for service, of_service in claims.items():
            self.walk(service, of_service)

    def reach(self, sha: str | None) -> set[str]:
        reached, waiting = set(), [sha]
        while waiting:
            commit = waiting.pop()
            if commit in self.known and commit not in reached:
                reached.add(commit)
                waiting += self.known[commit]["parents"]
        return reached

    def matches(self, service: str, commit: str) -> bool:
        paths, globs = self.known[commit]["paths"], self.one.globs.get(service)
        return globs is None or paths is None or any(source_pattern(globs).fullmatch(path) for path in paths)

    def belonging(self) -> list[dict[str, Any]]:
        running: dict[str, str] = {}
        content: dict[tuple[str, str], str] = {}
        belonging = []
        for told in self.one.deployments:
            before, sha, is_first = running.get(told["sequence"]), told["sha"], True
            for service, by_paths, ships in zip(
                told["services"], told["by_paths"], told["ships"], strict=True
            ):
                claim = {**told, "service": service, "ships": ships, "service_sha": sha}
                if by_paths and is_first and ships and sha in self.known:
                    running[told["sequence"]] = sha
                is_first = is_first and not by_paths
                if not by_paths:
                    belonging.append(claim)
                    continue
                differing = self.reach(before) ^ self.reach(sha)
                is_unknown = before is None or sha not in self.known or sha == before
                if (
                    is_unknown
                    or any(self.known[commit]["paths"] is None for commit in differing)
                    or any(self.matches(service, commit) for commit in differing)
                ):
                    belonging.append({**claim, "service_sha": content.get((service, sha), sha)})
                elif ships:
                    content.setdefault((service, sha), content.get((service, before), before))
        return belonging

    def walk(self, service: str, claims: Sequence[Mapping[str, Any]]) -> None:
        seen: set[str] = set()
        last, untraced = None, False
        for claim in claims:
            is_traced = claim["sha"] in self.known
            trace: dict[str, Any] = {"service_sha": claim["service_sha"], "is_traced": is_traced}
            trace |= dict.fromkeys(("is_baseline", "new_commits", "unrelated_commits", "unknown_since"))
            self.traces[claim["id"], service] = trace | {"is_baseline": False}
            if not claim["ships"] or not is_traced:
                untraced |= claim["ships"]
                continue
            new = self.reach(claim["sha"]) - seen
            trace["is_baseline"] = last is None
            gaps = self.one.gaps.get(service, ())
            if last and (untraced or any(begin < claim["at"] and end > last for begin, end in gaps)):
                trace["unknown_since"] = last
            last, untraced = claim["at"], False
            related = {commit for commit in new if self.matches(service, commit)}
            if not new & self.cut:
                trace |= {"new_commits": len(related), "unrelated_commits": len(new - related)}
            self.traces[claim["id"], service] = trace
            older = self.cut | {
                commit
                for commit in new
                if commit in self.change and any(self.change.get(one) == self.change[commit] for one in seen)
            }
            for commit in related:
                alone = self.reach(commit) <= new
                if trace["is_baseline"]:
                    if self.known[commit]["is_pulled"] or commit in self.change:
                        self.baselined.add((service, commit))
                    continue
                self.shipped[service, commit] = {
                    "id": claim["id"],
                    "is_adrift": alone and bool(self.reach(commit) & self.cut),
                    "is_imported": alone and not self.reach(commit) & older,
                }
            seen |= new


@settings(max_examples=100, deadline=None)
@given(one=written())
def test_arrays_say_what_sets_say(one: Written) -> None:
    found = traced(one)
    plain = Sets(one, {row["sha"]: row["change"] for row in found["same_changes"]})
    kept = ("service_sha", "is_traced", "is_baseline", "new_commits", "unrelated_commits", "unknown_since")
    assert {
        (row["id"], row["service"]): {name: row[name] for name in kept} for row in found["traces"]
    } == plain.traces
    told = ("id", "is_adrift", "is_imported")
    shipped = {(row["service"], row["sha"]): {name: row[name] for name in told} for row in found["shipped"]}
    assert shipped == plain.shipped
    assert {(row["service"], row["sha"]) for row in found["baselined"]} == plain.baselined
    assert len(found["traces"]) == len(plain.traces)
    assert len(found["shipped"]) == len(plain.shipped)
    assert len(found["baselined"]) == len(plain.baselined)


@settings(max_examples=60, deadline=None)
@given(
    globs=st.lists(st.lists(st.sampled_from(GLOBS), max_size=3), min_size=1, max_size=20),
    paths=st.lists(
        st.none() | st.lists(st.sampled_from(PATHS) | st.text("ab/.\n", max_size=6), max_size=4), max_size=8
    ),
)
def test_a_commit_touches_the_services_whose_patterns_mean_a_path_of_it(
    globs: list[list[str]], paths: list[list[str] | None]
) -> None:
    rows = SourcePaths(globs).touched(pa.array(paths, TEXTS))
    for row, of_commit in zip(rows, paths, strict=True):
        for service, of_service in enumerate(globs):
            means = source_pattern(of_service).fullmatch
            expected = not of_service or of_commit is None or any(map(means, of_commit))
            assert bool(row[service >> 3] >> (service & 7) & 1) == expected


def test_a_commit_that_is_told_to_be_its_own_ancestor_is_walked_once() -> None:
    rows = [("a", ["b"]), ("b", ["c", "b"]), ("c", ["a", "d"]), ("d", [])]
    commits = [{"sha": sha * 40, "parents": [p * 40 for p in of], "is_pulled": False} for sha, of in rows]
    deployment = {"source": "import", "id": "1", "sequence": "eu", "at": BEGIN, "sha": "d" * 40}
    deployment |= {"services": ["s0"], "by_paths": [False], "ships": [True]}
    later = deployment | {"id": "2", "sha": "a" * 40, "at": BEGIN + timedelta(hours=1)}
    found = traced(Written(commits, [deployment, later], [], {}, {}))
    assert sorted(row["sha"][0] for row in found["shipped"]) == ["a", "b", "c"]
    assert [row["new_commits"] for row in found["traces"]] == [1, None], (
        "its own parent is no parent: it is unknown"
    )


def test_what_changes_nothing_of_a_service_stands_for_the_first_that_had_its_content() -> None:
    paths = {"a": "a/x.go", "b": "README.md", "c": "README.md", "d": "a/x.go"}
    commits = [
        {"sha": sha * 40, "parents": [before * 40] if before else [], "paths": [path], "is_pulled": False}
        for (sha, path), before in zip(paths.items(), ["", *paths], strict=False)
    ]
    deployments = [
        {
            "source": "import",
            "id": str(n),
            "sequence": "eu",
            "at": BEGIN + timedelta(hours=n),
            "sha": sha * 40,
        }
        | {"services": ["s0"], "by_paths": [True], "ships": [True]}
        for n, sha in enumerate("abcdc")
    ]
    found = traced(Written(commits, deployments, [], {"s0": ["a"]}, {}))
    assert [(row["id"], row["service_sha"][0]) for row in found["traces"]] == [
        ("0", "a"),
        ("3", "d"),
        ("4", "a"),
    ]
