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
    ("deploy.yml", "deploy to test", {"elsewhere"}),
    ("docs.yml", "deploy docs", {"elsewhere"}),
    ("deploy.yml", "test and deploy", {"test", "production"}),
    ("release.yml", "build-and-publish", {"build"}),
    ("ci.yml", "sign-image", set()),
    ("ci.yml", "latest", set()),
    ("ci.yml", "lint", set()),
    # names as GitHub shows them: matrices, reusable workflows, products
    ("ci.yml", "test (3.11, ubuntu-latest)", {"test"}),
    ("ci.yml", "call-workflow / Deploy production", {"production"}),
    ("ci.yml", "E2E / chromium (1/4)", {"test"}),
    ("ci.yml", "CodeQL", {"scan"}),
    ("ci.yml", "deploy-staging2", {"staging"}),
    ("ci.yml", "OWASP dependency check", {"scan"}),
    ("ci.yml", "Lint, build & test", {"build", "test"}),
    ("ci.yml", "test and report", {"test"}),
    ("ci.yml", "build-and-upload", {"build"}),
    ("ci.yml", "publish image", {"build"}),
    ("ci.yml", "build-e2e-image", {"build"}),
    ("deploy.yml", "post-deployment-tests", {"test"}),
    # what only speaks of a step
    ("ci.yml", "upload scan results", set()),
    ("ci.yml", "scan-results-upload", set()),
    ("ci.yml", "test-report", set()),
    ("ci.yml", "notify build failure", set()),
    ("ci.yml", "setup test database", set()),
    ("ci.yml", "openapi-spec", set()),
    ("build.yml", "lint", set()),
    ("test.yml", "typecheck", set()),
    ("deploy-prod.yml", "notify slack", set()),
    ("deploy.yml", "Post-deploy checks", set()),
    ("deploy.yml", "Terraform plan (production)", set()),
    ("release.yml", "release-please", set()),
    # of the pages beside a service
    ("ci.yml", "build-docs", set()),
    ("docs.yml", "build", set()),
    ("pages.yml", "deploy", {"elsewhere"}),
    # of a matrix over environments
    ("deploy.yml", "deploy (dev)", {"elsewhere"}),
    ("deploy.yml", "deploy / dev", {"elsewhere"}),
    ("deploy.yml", "deploy-preview", {"elsewhere"}),
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
        ("E2E", "", "test"),
        ("Smoke tests in staging", "", "test"),
        ("Build for production", "", "build"),
        ("Deploy to Dev", "", "elsewhere"),
        ("Lint", "ruff", "tool"),
        ("Sign image", "cosign", "tool"),
    ]
    steps = judged_steps(path(*({"name": name, "tool": tool} for name, tool, _ in named)))
    assert [step.kind for step in steps] == [kind for _, _, kind in named]
    lint, sign = steps[-2:]
    assert fits(lint, "ci.yml", [], "Ruff")
    assert not fits(lint, "ci.yml", [], "build image")
    assert fits(sign, "release.yml", [], "cosign-sign")


def test_steps_of_one_kind_are_told_apart_by_their_own_words() -> None:
    told = {
        ("Unit tests", "Integration tests"): {"test (3.11)": 0, "unit-tests": 0, "integration": 1},
        ("Integration tests", "Test"): {"test": 1, "unit-tests": 1, "integration-tests": 0},
        ("Deploy to Dev", "Deploy to QA"): {"deploy (qa)": 1, "deploy / dev": 0},
    }
    for names, jobs in told.items():
        steps = judged_steps(path(*({"name": name} for name in names)))
        for job, at in jobs.items():
            assert [step.name for step in steps if fits(step, "ci.yml", [], job)] == [names[at]], job
    scans = [("Container scan", "Trivy"), ("Dependency scan", "Snyk"), ("SAST", "CodeQL")]
    steps = judged_steps(path(*({"name": name, "tool": tool} for name, tool in scans)))
    for workflow, job, at in (
        ("ci.yml", "trivy", 0),
        ("ci.yml", "snyk", 1),
        ("codeql.yml", "Analyze (go)", 2),
    ):
        assert [step.name for step in steps if fits(step, workflow, [], job)] == [scans[at][0]]


def test_a_matrix_value_is_no_tool() -> None:
    (step,) = judged_steps(path({"name": "Test", "tool": "Python"}))
    assert not fits(step, "ci.yml", [], "lint (python 3.11)")


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
