"""What the steps of a golden path are, by their names and tools, and which jobs of workflows do such a thing."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from typing import Literal

from config.platform_team.golden_paths import GoldenPath, PathStep, StepMatch

# a run is any run at the commit, elsewhere a deployment to neither staging nor production, a tool what no word says
StepKind = Literal["build", "test", "scan", "staging", "production", "elsewhere", "run", "tool"]
STAGING_WORDS = ("staging", "stage", "stg", "preprod", "pre-prod", "pre-production", "uat")
_PRODUCTION = ("production", "prod", "prd", "live")
# names of the same place
_ELSEWHERE = (
    ("dev", "development"),
    ("test", "testing"),
    ("qa",),
    ("sandbox",),
    ("demo",),
    ("preview", "previews"),
)
_DOCS = ("docs", "documentation", "pages", "storybook", "chart", "charts")
_DEPLOY = ("deploy", "deploys", "deployment", "release", "promote", "promotion", "rollout", "publish", "ship")
_WORDS: dict[StepKind, tuple[str, ...]] = {
    "scan": (
        *("scan", "scans", "scanner", "scanning", "security", "sast", "dast", "sca", "vulnerability"),
        *("vulnerabilities", "trivy", "codeql", "snyk", "grype", "semgrep", "gitleaks", "trufflehog", "checkov"),
        *("tfsec", "kics", "bandit", "gosec", "zap", "clair", "anchore", "wiz", "sonarqube", "sonarcloud", "sonar"),
        *("audit", "govulncheck", "owasp", "dependency review", "dependency check", "secret detection"),
    ),
    "test": (
        *("test", "tests", "tested", "testing", "unit", "unittest", "unittests", "integration", "e2e", "pytest"),
        *("jest", "vitest", "junit", "rspec", "cypress", "playwright", "acceptance", "regression", "tox", "nox"),
    ),
    "build": (
        *("build", "builds", "building", "buildx", "compile", "package", "bundle", "assemble", "kaniko", "buildah"),
    ),
}  # fmt: skip
# what is built, where no other word says what is done with it
_BUILT = {"image", "images", "docker", "container", "push", "to", "ecr", "ghcr"}
# such a job is about a step, and none: "upload scan results"
_ABOUT = re.compile(
    r"^(?:upload|download|notify|clean ?up|tear ?down|set ?up|prepare|cancel|comment|collect|report)\b"
    r"|\b(?:results?|reports?|reporting|summary|metrics|badges?|notify|notifications?)\b"
)
# where one of these is said of a deployment it is none: "verify deployment"
_DEPLOYS_NOT = re.compile(
    r"\b(?:plan|diff|dry run|approv\w+|verify|check|checks|migrat\w+|please|notes|changelog|draft|semantic|npm|pypi"
    r"|(?:post|pre|after|before) (?:deploy|deployment|release))\b"
)
# what a job of these does is said, and the name of its workflow's file does not make it another
_SAYS_ELSE = re.compile(
    r"\b(?:lint\w*|format\w*|fmt|style|type ?check|types|mypy|ruff|flake8|eslint|prettier|golangci|pre commit|changes"
    r"|label\w*|license\w*|slack|docs|documentation)\b"
)
_DEPLOYS = re.compile(rf"\b(?:{'|'.join(_DEPLOY)})\b")
_TEST_IMAGE = re.compile(r"\bbuild (?:tests?|e2e|integration) (images?|containers?)\b")
# of a tool, words that say nothing of what it does
_SAYS_NOTHING = re.compile(
    r"github|actions?|tekton|jenkins|gitlab|ci|cd|circleci|argo|automated|security|tools?|the|and|or|of"
)
# they tell no step from another of its kind
_SAID_OF_ALL = {
    *("test", "tests", "tested", "testing", "automated", "scan", "scans", "scanner", "scanning", "security", "build"),
    *("builds", "building", "run", "step", "check", "checks", "github", "actions", "tool", "and", "the", "of", "in"),
}  # fmt: skip
_FIRST: tuple[StepKind, ...] = ("production", "staging", "elsewhere", "scan", "test", "build")
_KNOWN = {*_DEPLOY, *_PRODUCTION, *STAGING_WORDS, *(word for words in _WORDS.values() for word in words)}


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
    places: tuple[str, ...] = ()  # words of the environments that it deploys to
    # where several steps are of one kind: the words that are this one's only, and the others'
    own_words: tuple[str, ...] = ()
    words_of_others: tuple[str, ...] = ()
    takes_rest: bool = True  # jobs that have none of those words
    has_place: bool = True  # whether it follows the step before it


def judged_steps(path: GoldenPath) -> list[JudgedStep]:
    """The steps that each deployment of a service on the path is held to, in their order.

    Where no step says that it is required, each is that does not say that it is not. A path without steps has those
    that its deployment says: a run of GitHub Actions, and the way to production. Scanning that only a guardrail asks
    for is looked for wherever it ran, and not required.
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
            _places_of(step),
        )
        for position, step in enumerate(steps, 1)
    ]
    found = list(_told_apart(found, steps))
    asked_for = next((name for name in path.guardrails if _has(name, _WORDS["scan"])), None)
    if found and asked_for and not any(step.kind == "scan" for step in found):
        asked = JudgedStep(path.name, len(found) + 1, asked_for, "scan", False, None, False, (), None)
        found.append(replace(asked, has_place=False))
    return found


def _places_of(step: PathStep) -> tuple[str, ...]:
    kind = step_kind(step)
    return STAGING_WORDS if kind == "staging" else _places(_spaced(step.name)) if kind == "elsewhere" else ()


def _told_apart(found: Sequence[JudgedStep], steps: Sequence[PathStep]) -> Iterator[JudgedStep]:
    """Steps of one kind with the words by which they are told apart: of "Unit tests" and "Integration tests"."""
    words = [words_of(f"{step.name} {step.tool}") - _SAID_OF_ALL for step in steps]
    for at, one in enumerate(found):
        alike = [other for other, step in enumerate(found) if step.kind == one.kind and one.kind in _WORDS]
        own = {n: words[n].difference(*(words[other] for other in alike if other != n)) for n in alike}
        if len(alike) < 2 or not any(own.values()):
            yield one
            continue
        others = set[str]().union(*(said for other, said in own.items() if other != at))
        rest = next((n for n in alike if not own[n]), alike[0])
        yield replace(
            one,
            own_words=tuple(sorted(own[at])),
            words_of_others=tuple(sorted(others)),
            takes_rest=at == rest,
        )


def _implied(path: GoldenPath) -> Iterator[PathStep]:
    deployment = path.deployment
    if deployment.github_actions:
        yield PathStep(name="GitHub Actions")
    if deployment.github_actions is not None or deployment.approval_required is not None:
        yield PathStep(name="Deploy to Production")


def step_kind(step: PathStep) -> StepKind:
    """What a step is, by its name, else by its tool."""
    for text in (step.name, step.tool):
        found = _kinds(text)
        if kind := next((kind for kind in _FIRST if kind in found), None):
            return kind
    return "run" if step.name.casefold() == "github actions" else "tool"


@cache
def job_kinds(workflow: str, job: str) -> set[StepKind]:
    """What a job does by its name; where that says nothing, by the name of its workflow's file."""
    stem = re.sub(r"\.ya?ml$", "", workflow)
    # matrix values say on what it runs, not what it does; of a reusable workflow the job is the last
    caller, _, own = without_matrix(job).rpartition(" / ")
    found = _kinds(own, job, stem)
    if not found and not _has(own, _DEPLOY) and not any(map(_says_else, (own, caller))):
        found = _kinds(job, stem) or _kinds(stem)
    return found - {"build"} if _has(stem, _DOCS) or _has(caller, _DOCS) else found


def without_matrix(job: str) -> str:
    """A job's name without what stands in brackets: `test` of `test (3.11, ubuntu-latest)`."""
    return re.sub(r"\([^)]*\)?", " ", job)


def _says_else(text: str) -> bool:
    spaced = _spaced(text)
    return any(pattern.search(spaced) for pattern in (_SAYS_ELSE, _ABOUT, _DEPLOYS_NOT))


def _kinds(text: str, *around: str) -> set[StepKind]:
    """What a name says, of each of the things that it joins: "build and push"."""
    parts = _spaced(re.sub("[,;&+]", " and ", text)).split(" and ")
    places = [*map(_spaced, around)]
    return {kind for part in parts for kind in _of_part(part.strip(), places, len(parts) == 1)}


def _of_part(text: str, around: Sequence[str], is_alone: bool) -> set[StepKind]:
    if _ABOUT.search(text):
        return set()
    text = _TEST_IMAGE.sub(r"build \1", text)
    if _DEPLOYS_NOT.search(text):
        return set(_done(text))
    deploys = _DEPLOYS.search(text)
    # where to it deploys is no step of its own: "deploy to test"
    before, after = (text[: deploys.start()], text[deploys.end() :]) if deploys else (text, "")
    found = set(_done(before))
    is_of_image = _is_built(after)
    if deploys and deploys[0] in ("publish", "release") and (found or is_of_image or not is_alone):
        return found or ({"build"} if is_of_image else set())
    if deploys:
        return {*found, next(filter(None, map(_place, (text, *around))), "production")}
    # of a place alone only these say that something is deployed to it
    where = _place(text) if not found else None
    return {where} if where in ("staging", "production") else found


def _place(text: str) -> StepKind | None:
    """Where to something is deployed; None where the words do not say it."""
    if _has(text, STAGING_WORDS):
        return "staging"
    if _has(text, _PRODUCTION):
        return "production"
    deploys = _DEPLOYS.search(text)
    # "test" without it, or before it, is another thing that is done: "test and deploy"
    named = _places(text[deploys.end() :]) if deploys else ()
    return "elsewhere" if named or _has(text, _DOCS) or _places(text)[:1] not in ((), ("test",)) else None


def _places(text: str) -> tuple[str, ...]:
    """All names of the first place, neither staging nor production, that a text names."""
    return next((names for names in _ELSEWHERE if _has(text, names)), ())


def _done(text: str) -> list[StepKind]:
    """What of building, testing and scanning the words of a name say, scanning first."""
    found = [kind for kind, words in _WORDS.items() if _has(text, words)]
    if "build" in found and _has(text, _DOCS):
        found.remove("build")
    return found or (["build"] if _is_built(text) else [])


def _is_built(text: str) -> bool:
    words = words_of(text)
    return bool(words & _BUILT) and words <= _BUILT


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
    named = without_matrix(job)
    if step.kind == "elsewhere":
        return "elsewhere" in job_kinds(workflow, job) and _has(f"{job} {workflow}", step.places)
    if step.kind not in job_kinds(workflow, job):
        return bool(step.words) and _has(named, step.words)
    told = (*step.own_words, *step.words_of_others)
    text = named if _has(named, told) else workflow
    return _has(text, step.own_words) or (step.takes_rest and not _has(text, step.words_of_others))


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
    return set(_spaced(text).split())


def _spaced(text: str) -> str:
    return " ".join(map(_apart, re.findall(r"[^\W_]+", text)))


def _apart(word: str) -> str:
    """`unitTests` and `staging2` as two words, in small letters; names such as `CodeQL` and `e2e` stay one."""
    if word.lower() in _KNOWN:
        return word.lower()
    return re.sub(
        r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[a-zA-Z])(?=[0-9]+$)", " ", word
    ).lower()


def _has(text: str, words: tuple[str, ...]) -> bool:
    padded = f" {_spaced(text)} "
    return any(f" {_spaced(word)} " in padded for word in words)
