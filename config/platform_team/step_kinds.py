"""What the steps of a golden path are, by their names and tools, and which jobs of workflows do such a thing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Literal

from config.platform_team.golden_paths import GoldenPath, PathStep, StepMatch

# a run is any run at the commit, a tool what no word of the others says
StepKind = Literal["build", "test", "scan", "staging", "production", "run", "tool"]
STAGING_WORDS = ("staging", "stage", "stg", "preprod", "pre-prod", "pre-production", "uat", "preview")
_PRODUCTION = ("production", "prod", "prd", "live")
_DEPLOY = ("deploy", "deploys", "deployment", "release", "promote", "promotion", "rollout", "publish", "ship")
_WORDS: dict[StepKind, tuple[str, ...]] = {
    "scan": (
        *("scan", "scans", "scanner", "scanning", "security", "sast", "dast", "sca", "vulnerability"),
        *("vulnerabilities", "trivy", "codeql", "snyk", "grype", "semgrep", "gitleaks", "trufflehog", "checkov"),
        *("tfsec", "kics", "bandit", "gosec", "zap", "clair", "anchore", "wiz", "sonarqube", "sonarcloud", "sonar"),
        *("audit", "dependency review", "secret detection"),
    ),
    "test": (
        *("test", "tests", "tested", "testing", "unit", "unittest", "unittests", "integration", "e2e", "pytest"),
        *("jest", "vitest", "junit", "spec", "specs", "rspec", "cypress", "playwright", "acceptance", "regression"),
    ),
    "build": (
        *("build", "builds", "building", "buildx", "compile", "package", "bundle", "assemble", "kaniko", "buildah"),
    ),
}  # fmt: skip
# what is built, where no other word says what is done with it
_BUILT = {"image", "images", "docker", "container", "push", "and", "to", "ecr", "ghcr"}
# where what is deployed is neither staging nor production
_ELSEWHERE = (
    "dev",
    "development",
    "test",
    "qa",
    "sandbox",
    "demo",
    "docs",
    "documentation",
    "pages",
    "chart",
    "charts",
)
# of a tool, words that say nothing of what it does
_SAYS_NOTHING = re.compile(
    r"github|actions?|tekton|jenkins|gitlab|ci|cd|circleci|argo|automated|security|tools?|the|and|or|of"
)


@dataclass(frozen=True)
class JudgedStep:
    """A step of a path as deployments are held to it; `position` counts from 1."""

    path: str
    position: int
    name: str
    kind: StepKind
    is_required: bool
    timeout_seconds: float | None
    is_auto: bool
    words: tuple[str, ...]  # of a tool
    match: StepMatch | None


def judged_steps(path: GoldenPath) -> list[JudgedStep]:
    """The steps that each deployment of a service on the path is held to, in their order.

    Where no step says that it is required, each is that does not say that it is not. A path without steps has those
    that its deployment says: a run of GitHub Actions, and the way to production. Scanning that only a guardrail asks
    for is looked for, and not required.
    """
    steps = path.deployment.steps
    says_required = any(step.required for step in steps)
    if not steps:
        steps = list(_implied(path))
    found = [
        JudgedStep(
            path.name,
            position,
            step.name,
            step_kind(step),
            bool(step.required) if says_required else step.required is not False,
            step.timeout.total_seconds() if step.timeout else None,
            bool(step.auto) or path.deployment.approval_required is False,
            _tool_words(step),
            step.match,
        )
        for position, step in enumerate(steps, 1)
    ]
    asked_for = next((name for name in path.guardrails if _has(name, _WORDS["scan"])), None)
    if found and asked_for and not any(step.kind == "scan" for step in found):
        found.append(JudgedStep(path.name, len(found) + 1, asked_for, "scan", False, None, False, (), None))
    return found


def _implied(path: GoldenPath) -> Iterator[PathStep]:
    deployment = path.deployment
    if deployment.github_actions:
        yield PathStep(name="GitHub Actions")
    if deployment.github_actions is not None or deployment.approval_required is not None:
        yield PathStep(name="Deploy to Production")


def step_kind(step: PathStep) -> StepKind:
    """What a step is, by its name, else by its tool."""
    for text in (step.name, step.tool):
        words = words_of(text)
        if words & {*_DEPLOY, *_PRODUCTION} or _has(text, STAGING_WORDS):
            return "staging" if _has(text, STAGING_WORDS) else "production"
        if kind := next(iter(_done(text)), None):
            return kind
    return "run" if step.name.casefold() == "github actions" else "tool"


@cache
def job_kinds(workflow: str, job: str) -> set[StepKind]:
    """What a job does by its name; where that says nothing, by the name of its workflow's file."""
    stem = re.sub(r"\.ya?ml$", "", workflow)
    # matrix values say on what it runs, not what it does; of a reusable workflow the job is the last
    own = re.sub(r"\([^)]*\)?", " ", job).rpartition(" / ")[2]
    if _has(own, _DEPLOY):
        return _kinds(own, job, stem)
    return _kinds(own, job, stem) or _kinds(job, stem) or _kinds(stem)


def _kinds(text: str, *around: str) -> set[StepKind]:
    spaced = _spaced(text)
    deploys = re.search(rf"(?<![a-z])(?:{'|'.join(_DEPLOY)})(?![a-z])", spaced)
    # where to it deploys is no step of its own: "deploy to test"
    before = spaced[: deploys.start()] if deploys else spaced
    found = set(_done(before))
    if deploys or (not found and _has(spaced, (*STAGING_WORDS, *_PRODUCTION))):
        for where in (spaced, *map(_spaced, around)):
            if _has(where, STAGING_WORDS):
                return {*found, "staging"}
            if _has(where, _PRODUCTION):
                return {*found, "production"}
        is_here = not deploys or not _has(spaced[deploys.start() :], _ELSEWHERE)
        if deploys and is_here and not (found and deploys[0] in ("publish", "release")):
            found.add("production")
    return found


def _done(text: str) -> list[StepKind]:
    """What of building, testing and scanning the words of a name say, scanning first."""
    found = [kind for kind, words in _WORDS.items() if _has(text, words)]
    words = words_of(text)
    return found or (["build"] if words & _BUILT and words <= _BUILT else [])


def fits(step: JudgedStep, workflow: str, called: list[str], job: str) -> bool:
    """Whether a job of a workflow's file, or of one that it `called`, is a step of a path."""
    match = step.match
    if match and (match.workflow or match.job):
        in_file = not match.workflow or any(_matches(match.workflow, file) for file in (workflow, *called))
        return in_file and (not match.job or _matches(match.job, job))
    if match and match.step:
        return True
    if step.kind == "run":
        return True
    if step.kind == "tool":
        return _has(f"{job} {workflow}", step.words)
    kinds = job_kinds(workflow, job)
    return step.kind in kinds or (bool(step.words) and _has(job, step.words))


def _matches(globs: list[str], name: str) -> bool:
    return any(fnmatchcase(name.casefold(), glob.casefold()) for glob in globs)


def _tool_words(step: PathStep) -> tuple[str, ...]:
    """The words of a step's tool that say what it is; of a step that is no common one, those of its name too."""
    named = step.name if step_kind(step) == "tool" else ""
    told = set(re.findall(r"[a-z0-9]+", f"{step.tool} {named}".lower()))
    generic = {word for words in _WORDS.values() for word in words} | {*_DEPLOY, *_PRODUCTION} | _BUILT
    return tuple(
        sorted(w for w in told if len(w) > 2 and w not in generic and not _SAYS_NOTHING.fullmatch(w))
    )


def words_of(text: str) -> set[str]:
    """The words of a name, in small letters, those of `unitTests` apart."""
    return set(re.findall(r"[a-z0-9]+", _spaced(text)))


def _spaced(text: str) -> str:
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return re.sub(r"[^a-z0-9]+", " ", apart.lower()).strip()


def _has(text: str, words: tuple[str, ...]) -> bool:
    padded = f" {_spaced(text)} "
    return any(f" {_spaced(word)} " in padded for word in words)
