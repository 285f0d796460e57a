"""Plays a repository's plans in the order in which they reached it: a git history and GitHub's objects come out."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sample_data.model import Deployment, DeploymentStatus, PullCommit, PullRequest, Release, Repository
from sample_data.model import Review as ModelReview
from sample_data.organisation.history import History
from sample_data.work.plans import LIVE, MAIN, PREVIOUS, Change, Deploy, Plan, Pull, Push, Sync
from sample_data.work.plans import Release as ReleasePlan
from sample_data.work.staff import ACTIONS, GITHUB

_FINAL = {"success": "SUCCESS", "failure": "FAILURE", "error": "ERROR"}


@dataclass(frozen=True)
class Landed:
    """What a plan's key stands for: the commit, what its paths held before, its pull request, its first parent."""

    sha: str
    before: dict[str, str | None] = field(default_factory=dict)
    number: int | None = None
    parent: str | None = None


@dataclass(frozen=True)
class Promoted:
    """A sync with the application's commit that it brings."""

    plan: Sync
    sha: str


class Playback:
    """The state of one repository while its plans are played; `first_id` starts the ids of its objects."""

    def __init__(self, repository: Repository, first_id: int) -> None:
        self.repository, self.history = repository, History()
        self.keys: dict[str, Landed] = {}
        self.deployment_ids: dict[str, int] = {}
        self.promoted: list[Promoted] = []
        self._first_id = first_id
        self._main: list[tuple[datetime, str]] = []
        self._live: dict[str, list[str]] = {}
        self._numbers: dict[int, int] = {}
        self._branches: dict[int, list[str]] = {}
        self._versions = 0

    def play(self, plans: Iterable[Plan]) -> None:
        """Plays all plans, then takes over what they left: references, the time of the last push."""
        plans = list(plans)
        pulls = sorted((plan for plan in plans if isinstance(plan, Pull)), key=lambda pull: pull.opened)
        self._numbers = {id(pull): number for number, pull in enumerate(pulls, start=1)}
        steps: list[tuple[datetime, int, Callable[[Any], None], Plan]]
        steps = [(_pushed(pull), 0, self._branch, pull) for pull in pulls]
        steps += [(_landed(plan), 1, self._step, plan) for plan in plans]
        for _, _, step, plan in sorted(steps, key=lambda entry: entry[:2]):
            step(plan)
        self.repository.pull_requests.sort(key=lambda pull: pull.number)
        self._retire_deployments()
        if self._main:
            self.history.refs["refs/heads/main"] = self.tip
            pushes = [self._main[-1][0], *(commit.committed_at for commit in self.history.commits.values())]
            tagged = [at for _, _, at in self.history.tags.values()]
            self.repository.pushed_at = max(pushes + tagged)

    @property
    def tip(self) -> str:
        """The commit that main is at."""
        return self._main[-1][1]

    def content(self, path: str, note: str) -> str:
        """New content for a file, different from all before."""
        self._versions += 1
        return f"# {path}\n# version {self._versions}: {note}\n"

    def _land(
        self, key: str | None, at: datetime, sha: str, parent: str | None, number: int | None = None
    ) -> None:
        if key:
            before: Mapping[str, str] = self.history.commits[parent].files if parent else {}
            after = self.history.commits[sha].files
            changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
            self.keys[key] = Landed(sha, {path: before.get(path) for path in changed}, number, parent)
        self._main.append((at, sha))

    def _push(self, plan: Push) -> None:
        parent = self.tip if self._main else None
        files: dict[str, str | None] = {path: self.content(path, plan.message) for path in plan.paths}
        sha = self.history.commit(
            (parent,) if parent else (),
            files | plan.files,
            plan.author,
            plan.authored or plan.at,
            plan.message,
            plan.committer,
            plan.at,
        )
        self._land(plan.key, plan.at, sha, parent)

    def _tip_at(self, at: datetime) -> str:
        return self._main[max(0, bisect_right(self._main, at, key=lambda entry: entry[0]) - 1)][1]

    def _step(self, plan: Plan) -> None:
        if isinstance(plan, Push):
            self._push(plan)
        elif isinstance(plan, Pull):
            self._pull(plan)
        elif isinstance(plan, Deploy):
            self._deploy(plan)
        elif isinstance(plan, Sync):
            self._promote(plan)
        else:
            self._release(plan)

    def _branch(self, plan: Pull) -> None:
        """Makes the commits of a pull request on its branch."""
        own = [self._tip_at(min(change.at for change in plan.commits))]
        for change in plan.commits:
            own.append(self._branch_commit(plan, change, own[-1]))
        number = self._numbers[id(plan)]
        self._branches[number] = own[1:]
        self.history.refs[f"refs/pull/{number}/head"] = own[-1]
        if plan.key:
            self.keys[f"head:{plan.key}"] = Landed(own[-1], number=number)

    def _pull(self, plan: Pull) -> None:
        number = self._numbers[id(plan)]
        own = self._branches[number]
        branch = plan.branch or "-".join(re.sub(r"[^a-z0-9. ]", "", plan.title.lower()).split()[:5])
        body = ""
        if plan.reverts and self.keys[plan.reverts].number:
            body = f"Reverts {self.repository.full_name}#{self.keys[plan.reverts].number}"
        merge_sha = self._merge(plan, number, own, branch) if plan.merged else None
        if not plan.merged and not plan.closed:
            self.history.refs[f"refs/heads/{branch}"] = own[-1]
        reviews = [ModelReview(review.by.account, review.at, review.state) for review in plan.reviews]
        happened = [
            plan.opened,
            plan.ready,
            plan.merged,
            plan.closed,
            *(review.at for review in plan.reviews),
        ]
        self.repository.pull_requests.append(
            PullRequest(
                id=1_900_000_000 + self._first_id + number,
                number=number,
                title=plan.title,
                author=plan.author.account,
                created_at=plan.opened,
                updated_at=max(at for at in happened if at),
                head_branch=branch,
                body=body,
                is_draft=plan.is_draft,
                ready_at=plan.ready,
                merged_at=plan.merged,
                closed_at=plan.merged or plan.closed,
                merge_sha=merge_sha,
                labels=plan.labels,
                commits=tuple(self._pull_commit(sha) for sha in own),
                reviews=tuple(sorted(reviews, key=lambda review: review.submitted_at)),
            )
        )

    def _branch_commit(self, plan: Pull, change: Change, head: str) -> str:
        author = change.author or plan.author
        if change.merges_main:
            other = self._tip_at(change.at)
            ours, theirs = self.history.commits[head].files, self.history.commits[other].files
            taken = {path: text for path, text in theirs.items() if ours.get(path) != text}
            return self.history.commit((head, other), taken, author, change.at, change.message)
        if plan.reverts:
            landed = self.keys[plan.reverts]
            message = f"{plan.title}\n\nThis reverts commit {landed.sha}"
            merged = len(self.history.commits[landed.sha].parents) > 1
            message += f", reversing\nchanges made to {landed.parent}." if merged else "."
            return self.history.commit((head,), landed.before, author, change.at, message)
        files = {path: self.content(path, change.message) for path in change.paths} | change.files
        helper = change.helped_by
        trailer = f"\n\nCo-authored-by: {helper.name} <{helper.email}>" if helper else ""
        return self.history.commit((head,), files, author, change.at, change.message + trailer)

    def _merge(self, plan: Pull, number: int, own: list[str], branch: str) -> str:
        at = plan.merged or plan.opened
        persons = [review.by for review in plan.reviews if not review.by.is_bot]
        merger = plan.merger or next(iter(persons), plan.author)
        parent = self.tip
        commits = [self.history.commits[sha] for sha in own]
        final = {path: commits[-1].files.get(path) for commit in commits for path in commit.changes}
        if plan.method == "rebase":
            sha = parent
            for commit in commits:
                message, author = commit.message, commit.author
                sha = self.history.commit(
                    (sha,), commit.changes, author, commit.authored_at, message, merger, at
                )
        elif plan.method == "squash":
            bodies = [commit.message.partition("\n")[2].strip() for commit in commits]
            message = "\n\n".join([f"{plan.title} (#{number})", *filter(None, bodies)])
            sha = self.history.commit((parent,), final, plan.author, at, message, GITHUB)
        else:
            message = f"Merge pull request #{number} from {self.repository.owner}/{branch}\n\n{plan.title}"
            sha = self.history.commit((parent, own[-1]), final, merger, at, message, GITHUB)
        self._land(plan.key, at, sha, parent, number)
        return sha

    def _pull_commit(self, sha: str) -> PullCommit:
        commit = self.history.commits[sha]
        return PullCommit(
            sha,
            commit.authored_at,
            commit.committed_at,
            commit.author.account,
            commit.parents,
            commit.message,
        )

    def _sha_of(self, what: str, place: str) -> str:
        if what == MAIN:
            return self.tip
        if what == LIVE:
            return self._live[place][-1]
        if what == PREVIOUS:
            return self._live[place][-2]
        return self.keys[what].sha

    def _arrived(self, place: str, sha: str, key: str | None) -> None:
        live = self._live.setdefault(place, [])
        if not live or live[-1] != sha:
            live.append(sha)
        if key:
            self.keys[key] = Landed(sha)

    def _deploy(self, plan: Deploy) -> None:
        sha = self._sha_of(plan.what, plan.environment)
        if plan.outcome == "success":
            self._arrived(plan.environment, sha, plan.key)
        elif plan.key:
            self.keys[plan.key] = Landed(sha)
        # database ids outgrew 32 bits long ago
        number = 3_100_000_000 + self._first_id + len(self.repository.deployments) + 1
        if plan.key:
            self.deployment_ids[plan.key] = number
        began = plan.at + timedelta(seconds=8)
        statuses = [DeploymentStatus("WAITING", plan.at + timedelta(seconds=1))]
        if plan.outcome != "waiting":
            statuses = [
                DeploymentStatus("QUEUED", statuses[0].created_at),
                DeploymentStatus("IN_PROGRESS", began),
            ]
        if plan.outcome in _FINAL:
            statuses.append(DeploymentStatus(_FINAL[plan.outcome], plan.finished))
        elif plan.outcome == "cancelled":
            statuses.append(DeploymentStatus("INACTIVE", plan.finished))
        head = self.keys[plan.what].number if plan.what.startswith("head:") else None
        ref = f"refs/pull/{head}/head" if head else "main"
        self.repository.deployments.append(
            Deployment(number, sha, ref, plan.environment, plan.at, ACTIONS.account, tuple(statuses))
        )

    def _retire_deployments(self) -> None:
        """A success makes the environment's earlier successes inactive, as GitHub does."""
        latest: dict[str, int] = {}
        deployments = self.repository.deployments
        for position, deployment in enumerate(deployments):
            if deployment.statuses[-1].state != "SUCCESS":
                continue
            previous = latest.get(deployment.environment)
            if previous is not None:
                old, at = deployments[previous], deployment.statuses[-1].created_at + timedelta(seconds=1)
                inactive = (*old.statuses, DeploymentStatus("INACTIVE", at))
                deployments[previous] = Deployment(
                    old.id, old.sha, old.ref, old.environment, old.created_at, old.creator, inactive
                )
            latest[deployment.environment] = position

    def _promote(self, plan: Sync) -> None:
        sha = self._sha_of(plan.what, plan.application)
        if plan.succeeded:
            self._arrived(plan.application, sha, plan.key)
        self.promoted.append(Promoted(plan, sha))

    def _release(self, plan: ReleasePlan) -> None:
        sha, by = self.tip, plan.by
        if not plan.is_draft:
            self.history.tags[plan.tag] = (sha, by, plan.at - timedelta(minutes=2))
        number = 210_000_000 + self._first_id + len(self.repository.releases) + 1
        created = plan.at - timedelta(minutes=1)
        self.repository.releases.append(
            Release(number, plan.tag, sha, plan.tag, created, plan.at, by.account, plan.is_draft)
        )


def _landed(plan: Plan) -> datetime:
    """When a plan takes effect on main or as an object."""
    if isinstance(plan, Pull):
        return plan.merged or plan.closed or _pushed(plan)
    return plan.at


def _pushed(pull: Pull) -> datetime:
    """When a pull request's branch is complete; a commit of a clock that is fast does not delay it."""
    complete = max(pull.opened, *(change.at for change in pull.commits))
    return min(complete, pull.merged or pull.closed or complete)
