"""The paved road as the platform team writes it, and the requests that it offers: what is understood."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import ConfigurationError
from config.platform_team.paved_road import PavedRoad, choice_of, name_and_version
from config.platform_team.understood import understood_documents
from config.settings import load_settings

ROAD = """\
platform:
  language_runtimes: ["Go 1.21+", "Node.js 20+", "Python 3.11+"]
  databases: {primary: "PostgreSQL 15 / MySQL 8", cache: "Redis 7"}
  containers: {base_image: distroless, registry: "ECR", scanner: trivy}
  ci_cd: {tool: "GitHub Actions", deployment: "ArgoCD"}
"""
REQUESTS = """\
self_service:
  requests:
    - {name: Namespace, repository: acme/infra, paths: "namespaces/*.yaml", kind: NamespaceRequest,
       ready: {applications: "platform-*"}}
    - {name: Database, repository: acme/infra, paths: [terraform/**], module: database,
       ready: {workflow: terraform.yml}}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "sixkeys.yaml"
    path.write_text(f"organization: acme\n{text}")
    return path


@pytest.mark.parametrize(
    ("told", "name", "on", "off"),
    [
        ("Go 1.21+", "Go", ["1.21", "1.21.4", "1.30", "2", "1"], ["1.20", "1.2", "0.9"]),
        ("PostgreSQL 15", "PostgreSQL", ["15", "15.4"], ["14", "16.1", "150"]),
        ("Python 3.11", "Python", ["3.11", "3.11.9", "3"], ["3.12", "3.1", "2"]),
        ("Python >=3.11, <3.14", "Python", ["3.11", "3.13.1", "3"], ["3.14", "3.9"]),
        ("Java 17 or newer", "Java", ["17", "21"], ["11"]),
        ("Node.js 20.x", "Node.js", ["20.1"], ["18", "22"]),
        ("Java 17 LTS", "Java", ["17.0.2"], ["21"]),
        ("Node.js (20 or newer)", "Node.js", ["22"], ["18"]),
        ("PHP ^8.2", "PHP", ["8.2", "8.4"], ["8.1", "9.0"]),
        ("Ruby ~> 3.2", "Ruby", ["3.2", "3.4"], ["3.1", "4.0"]),
        ("Python 3.11 - 3.13", "Python", ["3.11.2", "3.13.1"], ["3.10", "3.14"]),
        ("distroless", "distroless", ["1", "latest"], []),
        ("Argo CD", "Argo CD", ["2.9"], []),
    ],
)
def test_a_choice_says_its_versions(told: str, name: str, on: list[str], off: list[str]) -> None:
    choice = choice_of(told)
    assert (choice.name, str(choice)) == (name, told)
    assert [choice.holds(version) for version in on] == [True] * len(on)
    assert [choice.holds(version) for version in off] == [False] * len(off)
    assert choice.holds(None), "a version that nobody tells is not off the road"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("python-3.9", ("python", "3.9")),
        ("python3.9", ("python", "3.9")),
        ("go", ("go", None)),
        ("node.js-20", ("node.js", "20")),
        ("neo4j", ("neo4j", None)),
        ("c++17", ("c++", "17")),
        ("tier-1", ("tier", "1")),
        ("15", ("15", None)),
    ],
)
def test_a_tag_tells_a_name_and_its_version(told: str, expected: tuple[str, str | None]) -> None:
    assert name_and_version(told) == expected


@settings(max_examples=100, deadline=2000)
@given(st.text(max_size=300) | st.text("v0123456789.+x <>=~!-_:ab", max_size=220))
def test_whatever_is_written_is_a_choice_or_a_sentence(told: str) -> None:
    name_and_version(told)
    with suppress(ValueError):
        choice = choice_of(told)
        assert choice.name
        choice.holds("3.9")


def test_versions_alone_are_those_of_the_name_before_them() -> None:
    for told in ("Java 17 or 21", "Java 17/21", "Java 17, 21", ["Java 17", "Java 21"]):
        choices = PavedRoad.model_validate({"language_runtimes": told}).choices["runtime"]
        assert [(one.name, one.holds("21"), one.holds("11")) for one in choices] == [
            ("Java", False, False),
            ("Java", True, False),
        ]


def test_the_road_is_read_where_it_stands_and_its_last_word_counts(tmp_path: Path) -> None:
    (tmp_path / "platform.yaml").write_text(ROAD)
    own = "platform:\n  files: [platform.yaml]\n  language_runtimes: [Rust]\n"
    road = load_settings(written(tmp_path, own)).paved_road
    assert {aspect: list(map(str, choices)) for aspect, choices in road.choices.items()} == {
        "runtime": ["Rust"],
        "base image": ["distroless"],
        "registry": ["ECR"],
        "ci": ["GitHub Actions"],
        "deployment": ["ArgoCD"],
        "databases.primary": ["PostgreSQL 15", "MySQL 8"],
        "databases.cache": ["Redis 7"],
    }


def test_check_says_what_was_understood_of_the_road_and_of_requests(tmp_path: Path) -> None:
    request = "---\napiVersion: platform.example.com/v1\nkind: NamespaceRequest\nmetadata: {name: orders}\n"
    (tmp_path / "platform.yaml").write_text(f"{ROAD}{request}")
    found = load_settings(written(tmp_path, f"platform: {{files: [platform.yaml]}}\n{REQUESTS}"))
    (road, request_of) = [one for _, one in understood_documents(found)]
    assert road.what.startswith(
        "paved road: runtime Go 1.21+ / Node.js 20+ / Python 3.11+, base image distroless"
    )
    assert road.unused == ["containers.scanner"]
    assert request_of.what == "requests of kind NamespaceRequest: made in acme/infra"
    assert [rule.paths for rule in found.self_service.requests] == [["namespaces/*.yaml"], ["terraform/**"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "platform: {language_runtimes: ['Go =>1']}",
            'sixkeys.yaml:2:12: platform.language_runtimes: "Go =>1" has versions',
        ),
        ("platform: {language_runtimes: {go: 1}}", "platform.language_runtimes"),
        ("platform: {databases: [PostgreSQL]}", "platform.databases"),
        ("platform: {containers: distroless}", "platform.containers"),
        (REQUESTS.replace("acme/infra", "infra", 1), '"infra" is not a repository; write "owner/name"'),
        (REQUESTS.replace("kind: NamespaceRequest,", ""), "needs either a kind or a module"),
        (REQUESTS.replace('{applications: "platform-*"}', "{}"), "needs either applications or a workflow"),
        (REQUESTS.replace("Database", "namespace"), "stands for two kinds of requests"),
        (REQUESTS.replace("paths: [terraform/**]", "paths: []"), "self_service.requests.1.paths"),
        (REQUESTS.replace("module:", "modul:"), "self_service.requests.1.modul"),
    ],
)
def test_a_mistake_says_what_and_where(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        load_settings(written(tmp_path, text))
    assert expected in str(told.value)
    assert "\n" not in str(told.value)
