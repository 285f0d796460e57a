"""Small organisations on GitHub for tests of its collector, and the collector run against a server of them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr
from werkzeug import Response

from collectors.contract.items import Checkpoint, Item, Resume
from collectors.contract.people import People
from collectors.contract.records import PullRequest
from collectors.github.collect import collect
from config.agents import AGENTS
from config.settings import GitHub
from sample_data import model
from sample_data.model import DeploymentStatus, Person, PullCommit, Review
from sample_data.servers.server import SampleServer
from tests.support.loopback import Loopback

CATALOG = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: checkout}\nspec: {owner: payments}\n"
NOW = datetime(2026, 11, 16, 6, tzinfo=UTC)
SINCE = NOW - timedelta(days=365)
CREATED = NOW - timedelta(days=100)
ANNA, BEN, BOT = Person("anna"), Person("ben"), Person("renovate", "Bot")
TOKEN = "secret-of-the-test"
PEOPLE = People(b"key", ["*[bot]"], agents=AGENTS)


def hours(count: float) -> datetime:
    return CREATED + timedelta(hours=count)


def make_pull(number: int, updated_at: datetime | None = None, **fields: Any) -> model.PullRequest:
    first = {
        "id": number,
        "number": number,
        "title": f"Change {number}",
        "author": ANNA,
        "created_at": hours(number),
        "updated_at": updated_at or hours(number + 1),
        "head_branch": f"b{number}",
    }
    return model.PullRequest(**(first | fields))


def make_commit(number: int, author: Person = ANNA, parents: int = 1, message: str = "message") -> PullCommit:
    shas = tuple(f"{number + n:040x}" for n in range(parents))
    return PullCommit(f"{number + 500:040x}", hours(1), hours(2), author, shas, message)


def make_deployment(id: int, *states: str, created_at: datetime | None = None) -> model.Deployment:
    at = created_at or hours(id)
    statuses = tuple(DeploymentStatus(state, at + timedelta(minutes=n)) for n, state in enumerate(states, 1))
    return model.Deployment(id, f"{id:040x}", "main", "production", at, ANNA, statuses)


def make_run(
    id: int,
    attempt: int = 1,
    status: str = "completed",
    at: datetime | None = None,
    path: str = ".github/workflows/deploy.yml",
) -> model.WorkflowRun:
    at = at or NOW - timedelta(days=2)
    job = model.WorkflowJob(id, "deploy", at, at + timedelta(minutes=attempt), "success")
    return model.WorkflowRun(
        id,
        attempt,
        path,
        "Deploy",
        "push",
        "main",
        "a" * 40,
        status,
        "success" if status == "completed" else None,
        at,
        at,
        at + timedelta(hours=5),
        ANNA,
        (job,) if status == "completed" else (),
    )


def make_repository(name: str = "checkout", **fields: Any) -> model.Repository:
    first = {"id": sum(name.encode()), "owner": "acme", "name": name, "created_at": CREATED, "pushed_at": NOW}
    return model.Repository(**(first | fields))


def make_organisation(*repositories: model.Repository) -> model.Organisation:
    return model.Organisation("acme", NOW, list(repositories), model.ArgoCD(), model.PagerDuty(), {}, {}, {})


@contextmanager
def serve(*repositories: model.Repository) -> Iterator[SampleServer]:
    with SampleServer(make_organisation(*repositories), token=TOKEN) as server:
        yield server


def settings(url: str, *patterns: str, token: str = TOKEN, **fields: Any) -> GitHub:
    return GitHub(
        url=f"{url}/api/v3", token=SecretStr(token), repositories=list(patterns) or ["acme/*"], **fields
    )


def read(
    server: SampleServer | Loopback,
    cursors: dict[str, Any] | None = None,
    *patterns: str,
    since: datetime = SINCE,
    now: datetime = NOW,
    catalog: bool = False,
    workflows: tuple[str, ...] = (),
    **fields: Any,
) -> list[Item]:
    """All items; `cursors` is moved as the pipeline would move it."""
    cursors = {} if cursors is None else cursors
    resume = Resume(now, since, dict(cursors))
    items = list(collect(settings(server.url, *patterns, **fields), resume, PEOPLE, catalog, workflows))
    cursors |= {
        item.subject: json.loads(json.dumps(item.cursor)) for item in items if isinstance(item, Checkpoint)
    }
    return items


def of(items: list[Item], kind: type, source: str | None = None) -> list[Any]:
    return [
        item for item in items if isinstance(item, kind) and source in (None, getattr(item, "source", None))
    ]


def numbers(items: list[Item]) -> list[int]:
    return [pull.number for pull in of(items, PullRequest)]


def everything() -> model.Repository:
    """A repository with something of every kind."""
    pull = make_pull(
        1,
        merged_at=hours(5),
        closed_at=hours(5),
        merge_sha="c" * 40,
        body="Reverts acme/checkout#7",
        labels=("hotfix", "urgent"),
        ready_at=hours(2),
        commits=(make_commit(1), make_commit(2, BOT), make_commit(3, parents=2)),
        reviews=(
            Review(ANNA, hours(2.5)),
            Review(BOT, hours(2.6)),
            Review(BEN, hours(3)),
            Review(BEN, hours(4)),
        ),
    )
    return make_repository(
        topics=("payments", "go"),
        language="Go",
        catalog_info=CATALOG,
        pull_requests=[pull, make_pull(2, author=BOT), make_pull(3, is_draft=True, closed_at=hours(9))],
        deployments=[
            make_deployment(11, "IN_PROGRESS", "SUCCESS", "INACTIVE"),
            make_deployment(12, "FAILURE"),
            make_deployment(13, "PENDING"),
        ],
        releases=[
            model.Release(21, "v1", "d" * 40, "One", hours(1), hours(2), ANNA),
            model.Release(22, "v2", "e" * 40, "Two", hours(3), hours(4), ANNA, is_draft=True),
        ],
        workflow_runs=[make_run(31), make_run(31, 2)],
    )


def answer(status: int, body: Any, **headers: str) -> Response:
    return Response(body if isinstance(body, str) else json.dumps(body), status=status, headers=headers)
