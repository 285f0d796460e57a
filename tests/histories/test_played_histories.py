"""What Sixkeys says of generated repositories, read by git itself, is what those who played them out know of them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import SecretStr

from collectors.contract.items import Checkpoint, Item, Malformed, Resume
from collectors.contract.records import Deployment, PullRequest, PullRequestCommit, Record, Repository
from collectors.git.collect import collect
from config.settings import GitHub, Settings
from sample_data import model
from sample_data.servers.server import SampleServer
from tests.histories.played_history import BEGIN, BOT, Play
from tests.histories.what_happened import Pull, Shipped
from tests.histories.written_history import point, write
from tests.support.git_origin import PEOPLE, TOKEN
from tests.support.places import LONG
from warehouse.building.build import build
from warehouse.metrics.published_facts import open_facts
from warehouse.storage.store import open_warehouse

EVENTS = {
    "pull": 30, "deploy": 34, "pick": 12, "revert": 9, "push": 4, "again": 2, "release": 5, "rollback": 3,
    "cut": 1, "library": 1, "rewrite": 1,
}  # fmt: skip
# once in the middle, whatever chance says
MIDDLE = [("cut", 1), ("library", 1), ("rewrite", 1)]
KINDS = [kind for kind, weight in EVENTS.items() for _ in range(weight)]
PLANS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 999)), min_size=1, max_size=60)


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def as_records(play: Play) -> Iterator[Record]:
    repo = f"acme/{play.name}"
    for pull in play.pulls:
        yield _pull_request(repo, pull)
    for one in play.shipped:
        yield Deployment(
            source="import",
            id=one.id,
            repo=repo,
            service=service_of(play, one),
            environment="production",
            sha=one.sha,
            status=one.status,
            finished_at=instant(one.at),
        )


def _pull_request(repo: str, pull: Pull) -> PullRequest:
    return PullRequest(
        repo=repo,
        number=pull.number,
        title=pull.title,
        created_at=instant(pull.created),
        merged_at=instant(pull.merged),
        closed_at=instant(pull.merged),
        merge_sha=pull.merge_sha,
        base_branch=pull.base,
        labels=("hotfix",) if pull.is_hotfix else (),
        reverts=pull.reverts,
        commit_count=len(pull.own),
        commits=tuple(
            PullRequestCommit(
                sha=commit.sha,
                authored_at=instant(commit.authored),
                subject=commit.title,
                is_merge=len(commit.parents) > 1,
                is_bot=commit.author == BOT,
            )
            for commit in pull.own[: pull.listed]
        ),
    )


def service_of(play: Play, one: Shipped) -> str:
    return f"{play.name}-{one.service}"


def read(folder: Path, plays: list[Play]) -> list[Item]:
    """What git's collector reads of the repositories: once before one was written anew, and once at their end."""
    now = instant(max(play.now for play in plays)) + timedelta(days=1)
    created = instant(BEGIN) - timedelta(days=1)
    origins = {play.name: folder / f"{play.name}.git" for play in plays}
    organisation = model.Organisation(
        "acme",
        now,
        [
            model.Repository(number, "acme", name, created, now, git_dir=origin)
            for number, (name, origin) in enumerate(origins.items(), 1)
        ],
        model.ArgoCD(),
        model.PagerDuty(),
        {},
        {},
        {},
    )
    items: list[Item] = []
    cursors: dict[str, Any] = {}
    for play in plays:
        write(origins[play.name], play.everything)
    with SampleServer(organisation, token=TOKEN) as server:
        source = GitHub(url=f"{server.url}/api/v3", token=SecretStr(TOKEN), repositories=["acme/*"])
        for reading in (0, 1):
            for play in plays:
                last = {name: log[-1] for name, log in play.branches.items()}
                point(origins[play.name], last if reading else play.was or last)
            repositories = [
                Repository(
                    repo=f"acme/{play.name}",
                    created_at=created,
                    pushed_at=created + timedelta(days=1, hours=reading),
                    default_branch="main",
                )
                for play in plays
                if not reading or play.was
            ]
            resume = Resume(now, now - timedelta(days=2000), cursors)
            found = list(collect(source, resume, PEOPLE, repositories, folder / "cache", {}, ()))
            cursors |= {item.subject: item.cursor for item in found if isinstance(item, Checkpoint)}
            items += found
    assert not [item for item in items if isinstance(item, Malformed)]
    return [item for item in items if isinstance(item, Record)]


def true_changes(play: Play) -> Iterator[tuple[str, str, int, int]]:
    """(service, deployment, authored, lead time) of each change that reached a service after its first deployment."""
    for one in play.shipped:
        for change in play.changes:
            if one.kind == "new" and one.brought >> change.bit & 1 and change.author != BOT:
                yield service_of(play, one), one.id, change.authored, one.at - change.authored


def true_deployments(play: Play) -> Iterator[tuple[str, bool, str | None]]:
    """(deployment, whether it failed, why it was rework) of each that reached production."""
    for one in play.shipped:
        if one.kind == "unsuccessful":
            continue
        brought = [c for c in play.changes if one.brought >> c.bit & 1 and c.author != BOT]
        reason = "rollback" if one.kind == "rollback" else None
        if one.kind == "new" and brought and all(c.is_revert or c.is_hotfix for c in brought):
            reason = "hotfix" if any(c.is_hotfix for c in brought) else "revert"
        yield one.id, one.is_failed, reason


def differences(folder: Path, plays: list[Play]) -> dict[str, list[str]]:
    """What is told otherwise than it is, by repository."""
    settings = Settings(organization="acme", warehouse=folder / "w.duckdb")
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert(read(folder, plays))
        warehouse.upsert([record for play in plays for record in as_records(play)])
    build(settings, instant(max(play.now for play in plays)) + timedelta(days=1))
    with open_facts(settings.warehouse) as facts:
        changes = facts.connection.execute(
            "select service, deployment_id, epoch(authored_at)::bigint, lead_time_seconds::bigint, subject"
            " from changes where excluded_because is null"
        ).fetchall()
        deployments = facts.connection.execute(
            "select id, failed = 1, rework_because from deployments"
            " where excluded_because is null or excluded_because = 'rollback'"
        ).fetchall()
    titles = {f"acme/{p.name}": {c.authored: c.title for c in p.changes} for p in plays}
    told = defaultdict(list)
    for service, id, authored, lead, subject in changes:
        name = service.rpartition("-")[0]
        told[name].append(f"{service} {id} {subject} {authored} {lead}")
    for id, failed, rework in deployments:
        told[id.rpartition("-")[0]].append(f"{id} {'failed' if failed else 'held'} {rework}")
    found = {}
    for play in plays:
        title = titles[f"acme/{play.name}"]
        true = [f"{service} {id} {title[at]} {at} {lead}" for service, id, at, lead in true_changes(play)]
        true += [
            f"{id} {'failed' if failed else 'held'} {rework}" for id, failed, rework in true_deployments(play)
        ]
        if sorted(true) != sorted(told[play.name]):
            found[play.name] = [
                *_more("not told", true, told[play.name]),
                *_more("told", told[play.name], true),
            ]
    return found


def _more(word: str, those: Iterable[str], than: Iterable[str]) -> Iterator[str]:
    left = list(than)
    for one in sorted(those):
        if one in left:
            left.remove(one)
        else:
            yield f"{word}: {one}"


def played(seed: int, commits: int) -> Play:
    """A repository of about so many commits in which everything happens."""
    chance = Random(seed)
    events: list[tuple[str, int]] = []
    for _ in range(max(commits * 2 // 5, 8)):
        events.append((chance.choice(KINDS[:-3]), chance.randrange(1_000_000)))
    events[len(events) // 2 : len(events) // 2] = chance.sample(MIDDLE, 3)
    return Play(f"app{seed}").play(events)


@hypothesis_settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=PLANS)
def test_a_plan_of_any_kind_is_told_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, plan: list[tuple[str, int]]
) -> None:
    assert differences(tmp_path_factory.mktemp("played"), [Play("app").play(plan)]) == {}


def test_small_histories_are_told_as_they_were(tmp_path: Path) -> None:
    assert differences(tmp_path, [played(seed, 60) for seed in range(20)]) == {}


@pytest.mark.soak
@pytest.mark.parametrize("first", range(1000, 1160, 40) if LONG else [1000])
def test_many_histories_are_told_as_they_were(tmp_path: Path, first: int) -> None:
    assert differences(tmp_path, [played(seed, 200) for seed in range(first, first + 40)]) == {}


@pytest.mark.soak
@pytest.mark.parametrize("first", range(2000, 2040, 8) if LONG else [2000])
def test_long_histories_are_told_as_they_were(tmp_path: Path, first: int) -> None:
    plays = [played(seed, 2300) for seed in range(first, first + 8)]
    assert min(play.count() for play in plays) >= 2000
    assert differences(tmp_path, plays) == {}
