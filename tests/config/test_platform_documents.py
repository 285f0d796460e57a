"""The platform team's own YAML: taken as it stands, wherever it stands."""

from datetime import timedelta
from pathlib import Path

import pytest

from config.errors import ConfigurationError
from config.platform_team.understood import understood_documents
from config.settings import Settings, load_settings

# as platform teams write it; nothing in it may be changed
PLATFORM = """\
golden_path:
  name: "Standard Web Application"
  description: "Recommended path for web apps"
  components:
    - {name: "Container Registry", provider: "AWS ECR", access: "Self-service"}
    - {name: "Kubernetes Cluster", provider: "AWS EKS", config: "Pre-configured with security"}
    - {name: "Database", provider: "AWS RDS", options: ["PostgreSQL", "MySQL"]}
  deployment: {github_actions: true, approval_required: false}
  guardrails: ["Required labels", "Resource limits", "Security scanning"]
---
golden_path:
  deployment:
    name: "Container Deployment"
    steps:
      - {name: "Build", tool: "GitHub Actions / Tekton", timeout: "10 minutes"}
      - {name: "Test", tool: "Automated tests", required: true}
      - {name: "Scan", tool: "Security scanner", required: true}
      - {name: "Deploy to Staging", auto: true}
      - {name: "Deploy to Production", auto: true}  # With approval for main branch
---
security:
  defaults:
    network_policy: "deny-all"
    resources:
      requests: {cpu: "100m", memory: "128Mi"}
      limits: {cpu: "500m", memory: "512Mi"}
    secrets: "External secrets operator"
    image_scanning: "trivy"
    dependency_scanning: "Snyk"
    rbac: "Least privilege"
---
platform:
  language_runtimes: ["Go 1.21+", "Node.js 20+", "Python 3.11+"]
  databases: {primary: "PostgreSQL 15", cache: "Redis 7"}
  containers: {base_image: "distroless", registry: "ECR"}
  ci_cd: {tool: "GitHub Actions", deployment: "ArgoCD"}
---
apiVersion: platform.example.com/v1
kind: NamespaceRequest
metadata: {name: orders}
spec:
  team: orders-team
  quota: {requests.cpu: "10", requests.memory: "20Gi", limits.cpu: "20", limits.memory: "40Gi"}
  networkPolicies: {defaultDeny: true, allowIngress: [{fromNamespace: ingress-nginx}]}
"""
NAMED = "organization: acme\nplatform: {files: [platform.yaml]}\n"


def loaded(folder: Path, platform: str = PLATFORM, settings: str = NAMED) -> Settings:
    (folder / "platform.yaml").write_text(platform, encoding="utf-8")
    (folder / "sixkeys.yaml").write_text(settings, encoding="utf-8")
    return load_settings(folder / "sixkeys.yaml")


def refusal(folder: Path, platform: str = PLATFORM, settings: str = NAMED) -> str:
    with pytest.raises(ConfigurationError) as refused:
        loaded(folder, platform, settings)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_the_platform_teams_file_means_something_as_it_stands(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    web, container = settings.golden_paths
    assert (web.name, web.deployment.github_actions, web.deployment.approval_required) == (
        "Standard Web Application", True, False,
    )  # fmt: skip
    assert [component.name for component in web.components][1:] == ["Kubernetes Cluster", "Database"]
    assert web.guardrails == ["Required labels", "Resource limits", "Security scanning"]
    assert container.name == "Container Deployment"
    steps = container.deployment.steps
    assert [step.name for step in steps if step.required] == ["Test", "Scan"]
    assert [step.name for step in steps if step.auto] == ["Deploy to Staging", "Deploy to Production"]
    assert steps[0].timeout == timedelta(minutes=10)
    found = [(one.topic, one.place()) for one in settings.platform_documents]
    assert found == [
        ("golden_path", "platform.yaml:1:1"),
        ("golden_path", "platform.yaml:11:1"),
        ("security", "platform.yaml:21:1"),
        ("platform", "platform.yaml:32:1"),
        ("request", "platform.yaml:38"),
    ]
    contents = {one.topic: one.content for one in settings.platform_documents}
    assert contents["security"]["defaults"]["resources"]["limits"] == {"cpu": "500m", "memory": "512Mi"}
    assert contents["platform"]["databases"]["cache"] == "Redis 7"
    assert contents["request"]["spec"]["quota"]["limits.cpu"] == "20"
    request = settings.platform_documents[-1]
    assert request.place("spec", "quota", "limits.cpu") == "platform.yaml:43:56"


def test_the_same_keys_mean_the_same_in_the_configuration(tmp_path: Path) -> None:
    web, container, security, platform, _ = PLATFORM.split("---\n")
    paths = f"golden_paths:\n- {_indented(web)}- {_indented(container)}"
    inline = loaded(
        tmp_path, "", f"organization: acme\n{paths}{security}{platform}  files: [platform.yaml]\n"
    )
    of_file = loaded(tmp_path)
    assert inline.golden_paths == of_file.golden_paths
    told = {one.topic: one.content for one in of_file.platform_documents if one.topic != "request"}
    assert {one.topic: one.content for one in inline.platform_documents} | {
        "golden_path": told["golden_path"]
    } == told
    assert inline.platform_documents[0].place() == "sixkeys.yaml:3:3"


def _indented(document: str) -> str:
    return document.replace("\n", "\n  ").rstrip(" ")


def test_what_only_sixkeys_asks_for_stands_beside_a_file_that_is_not_touched(tmp_path: Path) -> None:
    own = (
        "golden_paths:\n- name: container-deployment\n  members: {tags: container}\n"
        "  deployment: {steps: [{name: scan, match: {job: 'trivy*'}}]}\n"
    )
    path = loaded(tmp_path, settings=NAMED + own).golden_paths[1]
    assert (path.name, path.members.tags) == ("Container Deployment", ["container"])
    scan = path.deployment.steps[2]
    assert (scan.name, scan.required, scan.match and scan.match.job) == ("Scan", True, ["trivy*"])
    assert len(path.deployment.steps) == 5


def test_lists_names_and_numbers_may_be_written_as_people_write_them(tmp_path: Path) -> None:
    platform = (
        "golden_path:\n  name: 2026\n  description:\n  guardrails: [{name: Resource limits}]\n  deployment:\n"
        "    steps: [Unit tests, {name: Scan, tool: , timeout: }, Deploy to prod]\n"
        "  components: [Queue, {name: Database, provider: , options: [15, 16], access: {by: ticket}}]\n---\n"
        "security: {defaults: {rbac: , resources: {limits: {cpu: 1}}}}\n---\n"
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: x}\n"
    )
    settings = loaded(tmp_path, platform)
    (path,) = settings.golden_paths
    assert (path.name, path.description, path.guardrails) == ("2026", "", ["Resource limits"])
    assert [step.name for step in path.deployment.steps] == ["Unit tests", "Scan", "Deploy to prod"]
    assert [component.name for component in path.components] == ["Queue", "Database"]
    told = [found.what for _, found in understood_documents(settings)]
    assert told[1] == "guardrails: Resource limits"
    assert told[2].startswith("not used: an entity of Backstage, Component")


def test_what_is_not_used_is_kept_and_told(tmp_path: Path) -> None:
    platform = (
        "golden_path:\n  name: web\n  owner: platform\n"
        "  deployment: {steps: [{name: Build, cache: true}], strategy: canary}\n---\nteams: [a]\n---\n[1]\n"
    )
    settings = loaded(tmp_path, platform)
    assert settings.golden_paths[0].model_extra == {"owner": "platform"}
    found = dict(understood_documents(settings))
    assert found["platform.yaml:1:1"].what == 'golden path "web": steps Build'
    assert found["platform.yaml:1:1"].unused == ["owner", "deployment.strategy", "deployment.steps.0.cache"]
    assert found["platform.yaml:6"].what.startswith("not used: no golden_path")


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("golden_path: 3", "platform.yaml:1:1: golden_path: is a section; write its keys below it, indented"),
        (
            "---\n---\nsecurity:\n- a",
            "platform.yaml:3:1: security: is a section; write its keys below it, indented",
        ),
        (
            "golden_path: {name: a, deployment: {steps: [{name: b, timeout: soon}]}}",
            "platform.yaml:1:55: golden_path.deployment.steps.0.timeout (b): "
            '"soon" is not a duration; write it like "10 minutes" or "1h"',
        ),
        (
            "golden_path: {url: 'https://a'}",
            'platform.yaml:1:1: the key "golden_path.name" is missing; add it',
        ),
        (
            "golden_path: {name: a, deployment: {steps: [{name: b, match: {jobs: c}}]}}",
            'platform.yaml:1:63: unknown key "golden_path.deployment.steps.0.match.jobs"; did you mean "job"?',
        ),
        ("a: b\n---\na: [", "platform.yaml:3:5: is not YAML"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_column(tmp_path: Path, platform: str, expected: str) -> None:
    assert refusal(tmp_path, platform).startswith(expected)


def test_a_pattern_that_matches_no_file_is_refused(tmp_path: Path) -> None:
    told = refusal(tmp_path, settings="organization: acme\nplatform: {files: ['nowhere/*']}")
    assert told == f'{tmp_path}/sixkeys.yaml:2: platform.files: "nowhere/*" matches no file; mend the path'


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("10 minutes", 600), ("90s", 90), ("1h 30m", 5400), ("2 hours", 7200), ("1 min", 60)],
)
def test_times_are_written_as_people_write_them(tmp_path: Path, written: str, seconds: int) -> None:
    path = f"golden_path: {{name: a, deployment: {{steps: [{{name: b, timeout: {written}}}]}}}}"
    assert loaded(tmp_path, path).golden_paths[0].deployment.steps[0].timeout == timedelta(seconds=seconds)
