"""The config repository that Argo CD deploys from: a commit for each promotion, and what the syncs then brought."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sample_data.model import Repository
from sample_data.organisation.history import History
from sample_data.organisation.playback import Playback, Promoted
from sample_data.work.staff import PROMOTER, TEAMS
from sample_data.work.weeks import Weeks

KEPT = 10
REPO_URL = "https://github.com/acme/gitops-config.git"


@dataclass(frozen=True)
class Application:
    """An Argo CD application; `traced` says what names the application's commit: `trailers`, `image`, or `partly`,
    where some entries carry a build number instead."""

    name: str
    repo: str
    cluster: str
    project: str
    traced: str

    @property
    def path(self) -> str:
        """The folder in the config repository."""
        return f"apps/{self.repo}/{self.cluster}"


APPLICATIONS = (
    Application("search-eu", "search", "prod-eu", "shop", "trailers"),
    Application("search-us", "search", "prod-us", "shop", "trailers"),
    Application("fraud-scoring", "fraud-scoring", "prod-eu", "payments", "image"),
    Application("fraud-scoring-staging", "fraud-scoring", "staging-eu", "payments", "image"),
    Application("notifications", "notifications", "prod-eu", "platform", "partly"),
)
# of the ten entries of `notifications` that Argo CD keeps, those whose image names no commit
_UNTRACEABLE = {3: "build", 4: "build", 5: "latest", 6: "build"}


@dataclass(frozen=True)
class Synced:
    """A sync operation: the config commit it brought and the image that ran then."""

    application: Application
    config_sha: str
    image: str
    started: datetime
    finished: datetime
    succeeded: bool


class Gitops:
    """The config repository and the syncs of each application, oldest first."""

    def __init__(self, repository: Repository, weeks: Weeks) -> None:
        self.repository, self.history = repository, History()
        self.synced: dict[str, list[Synced]] = {application.name: [] for application in APPLICATIONS}
        self._tip = ""
        elena, ben = TEAMS["platform"][4:]
        for text, who, at, path in (
            ("Begin", elena, weeks.at(-110, "Tue 10:20"), "README.md"),
            ("Add the clusters", elena, weeks.at(-104, "Wed 14:00"), "clusters/prod-eu.yaml"),
            ("Add prod-us", ben, weeks.at(-62, "Thu 11:00"), "clusters/prod-us.yaml"),
        ):
            self._commit({path: f"# {text}\n"}, who, at, text)

    def _commit(self, changes: Mapping[str, str], who: object, at: datetime, message: str) -> str:
        self._tip = self.history.commit((self._tip,) if self._tip else (), changes, who, at, message)  # type: ignore[arg-type]
        self.history.refs["refs/heads/main"] = self._tip
        self.repository.pushed_at = at
        return self._tip

    def play(self, playbacks: Mapping[str, Playback]) -> None:
        """Commits and syncs all promotions of the services in the order of their time."""
        by_name = {application.name: application for application in APPLICATIONS}
        promoted = [promotion for playback in playbacks.values() for promotion in playback.promoted]
        left = {
            name: sum(p.plan.application == name and p.plan.succeeded for p in promoted) for name in by_name
        }
        for promotion in sorted(promoted, key=lambda each: (each.plan.at, each.plan.application)):
            application = by_name[promotion.plan.application]
            entry = KEPT - left[application.name]
            left[application.name] -= promotion.plan.succeeded
            self._sync(promotion, application, entry, playbacks[application.repo])

    def _sync(self, promotion: Promoted, application: Application, entry: int, playback: Playback) -> None:
        plan, earlier = promotion.plan, self.synced[application.name]
        image = f"ghcr.io/acme/{application.repo}:{_tag(application, promotion.sha, entry, len(earlier))}"
        if plan.resync:
            sha = earlier[-1].config_sha
        else:
            memory = "768Mi" if plan.config else "512Mi"
            files = {
                f"{application.path}/kustomization.yaml": _kustomization(image),
                f"{application.path}/memory.yaml": f"# limits of {application.name}\nmemory: {memory}\n",
            }
            who = TEAMS["payments"][3] if plan.config else PROMOTER
            subject = (
                plan.config or f"Promote {application.repo} to {application.cluster}: {promotion.sha[:7]}"
            )
            trailers = _trailers(promotion.sha, playback) if application.traced == "trailers" else ""
            sha = self._commit(files, who, plan.at, f"{subject}\n{trailers}")
        earlier.append(Synced(application, sha, image, plan.started, plan.finished, plan.succeeded))


def _tag(application: Application, sha: str, entry: int, number: int) -> str:
    if application.traced == "trailers":
        return f"main-{400 + number}"
    if application.traced == "partly" and (entry < 0 or entry in _UNTRACEABLE):
        return "latest" if _UNTRACEABLE.get(entry) == "latest" else f"build-{1300 + number}"
    return sha[:7]


def _kustomization(image: str) -> str:
    name, _, tag = image.rpartition(":")
    return (
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - ../base\n"
        f"images:\n  - name: {name}\n    newTag: {tag}\n"
    )


def _trailers(sha: str, playback: Playback) -> str:
    """What Argo CD 3.1 reads as a reference to the application's commit."""
    commit = playback.history.commits[sha]
    lines = {
        "author": f"{commit.author.name} <{commit.author.email}>",
        "date": f"{commit.authored_at:%Y-%m-%dT%H:%M:%SZ}",
        "subject": commit.message.splitlines()[0],
        "sha": sha,
        "repourl": f"https://github.com/{playback.repository.full_name}",
    }
    return "\n" + "".join(f"Argocd-reference-commit-{name}: {value}\n" for name, value in lines.items())
