"""Which jobs are which step, by the names that people give them."""

import pytest

from config.platform_team.golden_paths import GoldenPath
from config.platform_team.step_kinds import fits, job_kinds, judged_steps

JOBS = [
    ("ci.yml", "build", {"build"}),
    ("ci.yml", "unit-tests", {"test"}),
    ("ci.yml", "unitTests", {"test"}),
    ("ci.yml", "test (3.11)", {"test"}),
    ("ci.yml", "build / test (ubuntu-latest, 3.12)", {"test"}),
    ("ci.yml", "ci / build", {"build"}),
    ("ci.yml", "docker-build", {"build"}),
    ("ci.yml", "Build & push image", {"build"}),
    ("ci.yml", "Build and test", {"build", "test"}),
    ("ci.yml", "trivy", {"scan"}),
    ("ci.yml", "snyk scan", {"scan"}),
    ("ci.yml", "dependency-review", {"scan"}),
    ("codeql.yml", "Analyze (python)", {"scan"}),
    ("e2e.yml", "run", {"test"}),
    ("deploy.yml", "deploy to production", {"production"}),
    ("deploy.yml", "Deploy / prod-eu", {"production"}),
    ("deploy.yml", "deploy (staging)", {"staging"}),
    ("deploy-staging.yml", "deploy", {"staging"}),
    ("deploy.yml", "deploy to test", set()),
    ("docs.yml", "deploy docs", set()),
    ("deploy.yml", "test and deploy", {"test", "production"}),
    ("release.yml", "build-and-publish", {"build"}),
    ("ci.yml", "sign-image", set()),
    ("ci.yml", "latest", set()),
    ("ci.yml", "lint", set()),
]


@pytest.mark.parametrize(("workflow", "job", "kinds"), JOBS)
def test_a_job_is_what_its_name_says_else_what_its_file_says(
    workflow: str, job: str, kinds: set[str]
) -> None:
    assert job_kinds(workflow, job) == kinds


def path(*steps: dict[str, object], **deployment: object) -> GoldenPath:
    return GoldenPath.model_validate({"name": "p", "deployment": {"steps": list(steps), **deployment}})


def test_steps_are_what_their_names_or_their_tools_say() -> None:
    named = [
        ("Build", "GitHub Actions / Tekton", "build"),
        ("Test", "Automated tests", "test"),
        ("Scan", "Security scanner", "scan"),
        ("Quality gate", "SonarQube", "scan"),
        ("Deploy to Staging", "", "staging"),
        ("Deploy to Production", "", "production"),
        ("Deploy", "Argo CD", "production"),
        ("Lint", "ruff", "tool"),
        ("Sign image", "cosign", "tool"),
    ]
    steps = judged_steps(path(*({"name": name, "tool": tool} for name, tool, _ in named)))
    assert [step.kind for step in steps] == [kind for _, _, kind in named]
    lint, sign = steps[-2:]
    assert fits(lint, "ci.yml", [], "Ruff")
    assert not fits(lint, "ci.yml", [], "build image")
    assert fits(sign, "release.yml", [], "cosign-sign")


def test_each_step_is_required_unless_the_path_says_which_are() -> None:
    all_of_them = judged_steps(path({"name": "Build"}, {"name": "Test"}))
    assert [step.is_required for step in all_of_them] == [True, True]
    one = judged_steps(path({"name": "Build"}, {"name": "Test", "required": True}))
    assert [step.is_required for step in one] == [False, True]
    others = judged_steps(path({"name": "Build"}, {"name": "Test", "required": False}))
    assert [step.is_required for step in others] == [True, False]


def test_a_path_without_steps_is_held_to_what_its_deployment_says() -> None:
    steps = judged_steps(path(github_actions=True, approval_required=False))
    assert [(step.name, step.kind, step.is_auto) for step in steps] == [
        ("GitHub Actions", "run", True),
        ("Deploy to Production", "production", True),
    ]
    assert judged_steps(path()) == []


def test_a_match_says_outright_which_jobs_are_a_step() -> None:
    (step,) = judged_steps(path({"name": "Scan", "match": {"workflow": "gate*.yml", "job": "quality*"}}))
    assert fits(step, "gate-1.yml", [], "Quality gate")
    assert fits(step, "ci.yml", ["gate-2.yml"], "quality")
    assert not fits(step, "ci.yml", [], "quality")
    assert not fits(step, "gate-1.yml", [], "trivy")
