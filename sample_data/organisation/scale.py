"""An organisation of any size, quickly made and the same each time: for measurements, not for looking at.

The shape is simple: pull requests of two commits land one after the other by squash; each repository deploys some of
what landed, and its service has incidents, to each of which PagerDuty relates the last deployment before it. Sizes
differ sevenfold between repositories.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, cycle, islice, pairwise
from pathlib import Path

import yaml

from sample_data.model import (
    ArgoCD,
    Deployment,
    DeploymentStatus,
    Organisation,
    PullCommit,
    PullRequest,
    Repository,
    Review,
)
from sample_data.organisation.history import History
from sample_data.organisation.pagerduty_objects import pagerduty
from sample_data.work.plans import ChangeEvent, Incident
from sample_data.work.staff import TEAMS

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
_DAYS = 350
_WORK = timedelta(hours=5)  # from the first commit of a pull request to its merge
_STAFF = [person for team in TEAMS.values() for person in team]
_SETTINGS = """\
organization: {name}
warehouse: warehouse.duckdb
sources:
  github: {{url: "{url}/api/v3", token: "file:token", repositories: ["{name}/*"], since: {since}}}
  argocd: [{{name: main, url: "{url}/argocd", token: "file:token"}}]
  pagerduty: {{url: "{url}/pagerduty", token: "file:token", since: {since}}}
  catalog: {{files: ["catalog.yaml"]}}
privacy: {{key: "file:key"}}  # the same hashes in every warehouse
"""


@dataclass(frozen=True)
class _Landed:
    """What a merge put on the main branch."""

    sha: str
    at: datetime


def build_large(
    folder: Path,
    repositories: int = 200,
    pull_requests: int = 8000,
    deployments: int = 4000,
    incidents: int = 1000,
) -> Organisation:
    """An organisation `acme` as of `NOW` with as many of each; writes its git repositories below `folder`."""
    organisation = Organisation("acme", NOW, [], ArgoCD(), pagerduty([], {}, {}), {}, {}, {})
    opened: list[Incident] = []
    shares = zip(*(_shares(n, repositories) for n in (pull_requests, deployments, incidents)), strict=True)
    for index, (pulls, deploys, fails) in enumerate(shares):
        repository = Repository(
            id=index + 1,
            owner="acme",
            name=f"service-{index:03}",
            created_at=NOW - timedelta(days=_DAYS, minutes=index),
            pushed_at=NOW - timedelta(hours=1),
            git_dir=folder / f"service-{index:03}.git",
        )
        landed = _pull_requests(repository, pulls)
        _deployments(repository, deploys, landed)
        opened += _incidents(repository, fails)
        organisation.repositories.append(repository)
    services = {_service(r): r.name for r in organisation.repositories}
    shas = {(r.name, str(d.id)): d.sha for r in organisation.repositories for d in r.deployments}
    organisation.pagerduty = pagerduty(opened, services, shas)
    organisation.catalog_files["catalog.yaml"] = "---\n".join(map(_component, organisation.repositories))
    return organisation


def large_settings(organisation: Organisation, server_url: str, folder: Path, token: str) -> Path:
    """Writes `sixkeys.yaml`, the token and the catalogue into `folder`; returns the path of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in organisation.catalog_files.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "token").write_text(token, encoding="utf-8")
    (folder / "token").chmod(0o600)
    (folder / "key").write_text("as good as any other key of people", encoding="utf-8")
    since = (organisation.now - timedelta(days=_DAYS + 10)).date()
    text = _SETTINGS.format(name=organisation.name, url=server_url, since=since)
    (folder / "sixkeys.yaml").write_text(text, encoding="utf-8")
    return folder / "sixkeys.yaml"


def _shares(total: int, parts: int) -> list[int]:
    """`total` in `parts`, of which the largest are seven times the smallest."""
    weights = list(islice(cycle(range(1, 8)), parts))
    ends = [total * done // sum(weights) for done in accumulate(weights, initial=0)]
    return [end - start for start, end in pairwise(ends)]


def _times(of: Repository, count: int) -> Iterator[datetime]:
    """As many instants, evenly spread over the repository's life but its last two days."""
    step = timedelta(days=_DAYS - 2) / max(count, 1)
    return ((of.created_at + step * n + _WORK).replace(microsecond=0) for n in range(count))


def _sha(*parts: object) -> str:
    return hashlib.sha1("/".join(map(str, parts)).encode()).hexdigest()


def _pull_requests(repository: Repository, count: int) -> list[_Landed]:
    """Gives the repository its pull requests and its history; returns what landed, oldest first."""
    history = History()
    first = history.commit((), {"README.md": repository.name}, _STAFF[0], repository.created_at, "Begin")
    landed = [_Landed(first, repository.created_at)]
    for number, merged_at in enumerate(_times(repository, count), 1):
        author, reviewer = _STAFF[number % len(_STAFF)], _STAFF[(number + 1) % len(_STAFF)]
        title = f"Change {number} of {repository.name}"
        content = {f"part-{number % 5}.txt": title}
        sha = history.commit([landed[-1].sha], content, author, merged_at, f"{title} (#{number})")
        begun = merged_at - _WORK
        commits = tuple(
            PullCommit(
                _sha(repository.name, number, n),
                at,
                at,
                author.account,
                (landed[-1].sha,),
                f"Step {n} of {title}",
            )
            for n, at in enumerate((begun, begun + _WORK / 4))
        )
        repository.pull_requests.append(
            PullRequest(
                id=repository.id * 100_000 + number,
                number=number,
                title=title,
                author=author.account,
                created_at=begun + _WORK / 4,
                updated_at=merged_at,
                head_branch=f"change-{number}",
                merged_at=merged_at,
                closed_at=merged_at,
                merge_sha=sha,
                labels=("feature",),
                commits=commits,
                reviews=(Review(reviewer.account, begun + _WORK / 2),),
            )
        )
        landed.append(_Landed(sha, merged_at))
    history.refs["refs/heads/main"] = landed[-1].sha
    assert repository.git_dir  # noqa: S101  was just given
    history.write(repository.git_dir)
    return landed


def _deployments(repository: Repository, count: int, landed: list[_Landed]) -> None:
    """Deploys what landed, as evenly as it goes; where there is less than is to be deployed, some of it twice."""
    for number in range(count):
        what = landed[(number + 1) * len(landed) // (count + 1)]
        at = what.at + timedelta(minutes=10 + number % 7)
        states = ("QUEUED", "IN_PROGRESS", "FAILURE" if number % 25 == 24 else "SUCCESS", "INACTIVE")
        statuses = tuple(DeploymentStatus(state, at + timedelta(minutes=n)) for n, state in enumerate(states))
        repository.deployments.append(
            Deployment(
                repository.id * 100_000 + number,
                what.sha,
                "main",
                "production",
                at,
                _STAFF[0].account,
                statuses,
            )
        )


def _incidents(repository: Repository, count: int) -> Iterator[Incident]:
    for number, opened in enumerate(_times(repository, count)):
        yield Incident(
            f"{repository.name}-{number}",
            _service(repository),
            f"{repository.name} is slow",
            opened,
            opened + timedelta(minutes=20 + number % 90),
            acknowledged=opened + timedelta(minutes=4),
            change_events=tuple(_change_event(repository, opened)),
        )


def _change_event(repository: Repository, opened: datetime) -> Iterator[ChangeEvent]:
    """The last deployment before an incident; what lies further back than two days is the most recent, no more."""
    before = [deployment for deployment in repository.deployments if deployment.created_at <= opened]
    for last in before[-1:]:
        is_near = opened - last.created_at <= timedelta(days=2)
        yield ChangeEvent(
            last.created_at,
            f"Deployed {repository.name}",
            "related_service" if is_near else "most_recent",
            repository.name,
            str(last.id),
        )


def _service(repository: Repository) -> str:
    return f"P{repository.id:06}"


def _component(repository: Repository) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "backstage.io/v1alpha1",
            "kind": "Component",
            "metadata": {
                "name": repository.name,
                "annotations": {
                    "github.com/project-slug": repository.full_name,
                    "pagerduty.com/service-id": _service(repository),
                },
            },
            "spec": {"owner": f"team-{repository.id % 20}", "lifecycle": "production", "type": "service"},
        }
    )
