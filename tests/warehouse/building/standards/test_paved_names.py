"""One name for what people call in several ways: languages, databases, bases, registries and tools."""

import pytest

from config.platform_team.paved_road import choice_of
from warehouse.building.standards import paved_names as names
from warehouse.building.standards.paved_names import FoundName, is_on, named_by, registry_of


@pytest.mark.parametrize(
    ("tag", "known", "expected"),
    [
        ("go", names.RUNTIMES, ("Go", None)),
        ("golang-1.22", names.RUNTIMES, ("Go", "1.22")),
        ("TypeScript", names.RUNTIMES, ("Node.js", None)),
        ("node20", names.RUNTIMES, ("Node.js", "20")),
        ("python3", names.RUNTIMES, ("Python", "3")),
        ("python-3.9", names.RUNTIMES, ("Python", "3.9")),
        (".net-8", names.RUNTIMES, (".NET", "8")),
        ("postgres-15.4", names.DATABASES, ("PostgreSQL", "15.4")),
        ("aurora-postgresql-15", names.DATABASES, ("PostgreSQL", "15")),
        ("ubi9", names.BASES, ("UBI", "9")),
        ("db2", names.DATABASES, ("Db2", None)),
        ("redis7", names.CACHES, ("Redis", "7")),
        ("gitlab-ci", names.CI_TOOLS, ("GitLab CI", None)),
    ],
)
def test_a_tag_is_known_by_any_of_its_names(
    tag: str, known: dict[str, str], expected: tuple[str, str | None]
) -> None:
    assert [(one.name, one.version) for one in named_by([tag], known, "tag")] == [expected]


@pytest.mark.parametrize("tag", ["tier-1", "pci", "s3", "frontend", "going", "3", ""])
def test_other_tags_name_nothing(tag: str) -> None:
    for known in (names.RUNTIMES, names.DATABASES, names.CACHES, names.BASES, names.CI_TOOLS):
        assert named_by([tag], known, "tag") == []


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders:1.2", "ECR"),
        ("public.ecr.aws/acme/orders:1", "ECR"),
        ("ghcr.io/acme/orders@sha256:abc", "GHCR"),
        ("europe-docker.pkg.dev/acme/orders/web:1", "Artifact Registry"),
        ("eu.gcr.io/acme/orders", "Artifact Registry"),
        ("acme.azurecr.io/orders", "ACR"),
        ("nginx:1.27", "Docker Hub"),
        ("acme/orders:1", "Docker Hub"),
        ("registry.acme.example:5000/orders:1", "registry.acme.example:5000"),
        ("evil.example/123456789012.dkr.ecr.eu-west-1.amazonaws.com/x", "evil.example"),
    ],
)
def test_the_host_of_an_image_tells_its_registry(image: str, registry: str) -> None:
    assert registry_of(image) == registry


def test_a_registry_may_be_named_by_its_host() -> None:
    found = FoundName("registry.acme.example", None, "image")
    assert is_on(found, [choice_of("registry.acme.example")], names.REGISTRIES)
    assert not is_on(found, [choice_of("AWS ECR"), choice_of("Docker Hub")], names.REGISTRIES)
    assert is_on(FoundName("ECR", None, "image"), [choice_of("Amazon ECR")], names.REGISTRIES)
