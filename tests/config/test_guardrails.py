"""Guardrails in the platform team's words: which rules they come to, and amounts as Kubernetes writes them."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as run_with
from hypothesis import strategies as st

from config.errors import ConfigurationError
from config.platform_team.guardrails import Guardrails, hosts_called, rule_called
from config.platform_team.quantities import quantity
from config.platform_team.understood import understood_documents
from config.settings import Settings, load_settings

SECURITY = """\
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
platform: {containers: {base_image: "distroless", registry: "ECR"}}
---
golden_path:
  name: "Standard Web Application"
  guardrails: ["Required labels", "Resource limits", "Security scanning"]
"""


def loaded(folder: Path, platform: str, more: str = "") -> Settings:
    (folder / "platform.yaml").write_text(platform, encoding="utf-8")
    named = f"organization: acme\nplatform: {{files: [platform.yaml]}}\n{more}"
    (folder / "sixkeys.yaml").write_text(named, encoding="utf-8")
    return load_settings(folder / "sixkeys.yaml")


def guardrails(folder: Path, platform: str, more: str = "") -> Guardrails:
    return loaded(folder, platform, more).guardrails


def test_the_platform_teams_defaults_come_to_rules_as_they_stand(tmp_path: Path) -> None:
    found = guardrails(tmp_path, SECURITY)
    assert found.for_all == (
        *("Network policy", "Resource limits", "Secrets", "Security scanning", "Least privilege", "Images"),
    )
    assert found.by_path == {
        "Standard Web Application": ("Required labels", "Resource limits", "Security scanning")
    }
    assert found.most == {
        "cpu_request": "100m",
        "memory_request": "128Mi",
        "cpu_limit": "500m",
        "memory_limit": "512Mi",
    }
    assert found.registries == ("*.dkr.ecr.*.amazonaws.com", "*.dkr.ecr.*.amazonaws.com.cn")
    assert found.ask_for_objects


def test_what_only_sixkeys_asks_for_stands_beside_them(tmp_path: Path) -> None:
    own = (
        "security: {guardrails: {required_labels: team, registries: [ghcr.io/acme], deny: [ingress, egress],"
        " scope: golden paths}}\n"
    )
    found = guardrails(tmp_path, SECURITY, own)
    assert "Required labels" in found.for_all
    assert found.registries == ("ghcr.io/acme",)
    assert (found.options.required_labels, found.options.deny) == (["team"], ["ingress", "egress"])
    assert found.options.scope == "golden paths"
    assert found.most["cpu_limit"] == "500m"
    excepted = guardrails(tmp_path, SECURITY, "security: {guardrails: {except: [scans, RBAC]}}\n")
    named = {*excepted.for_all, *excepted.by_path["Standard Web Application"]}
    assert not {"Security scanning", "Least privilege"} & named


def test_nothing_is_read_from_clusters_where_no_rule_asks_for_it(tmp_path: Path) -> None:
    assert not guardrails(tmp_path, "platform: {databases: {primary: x}}").ask_for_objects
    assert not guardrails(tmp_path, "security: {defaults: {image_scanning: trivy}}").ask_for_objects
    assert not Settings(organization="acme").guardrails.ask_for_objects


def test_words_that_no_rule_knows_are_told(tmp_path: Path) -> None:
    text = (
        "security: {defaults: {secrets: Vault, pod_security: restricted, network_policy: deny-all}}\n---\n"
        "golden_path: {name: web, guardrails: [Cost centre, RBAC]}"
    )
    (security, path) = [found for _, found in understood_documents(loaded(tmp_path, text))]
    assert security.what == "guardrails: Network policy"
    assert security.unused == ["defaults.pod_security", "defaults.secrets"]
    assert path.unused == ["guardrails: Cost centre"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            "security: {defaults: {resources: {limits: {cpu: 500 milli}}}}",
            'platform.yaml:1:44: security.defaults.resources.limits.cpu: "500 milli" is no quantity; write it like'
            ' "100m" or "128Mi"',
        ),
        (
            "security: {guardrails: {required_label: team}}",
            'platform.yaml:1:25: unknown key "security.guardrails.required_label"; did you mean "required_labels"?',
        ),
        (
            "security: {guardrails: {except: [Backups]}}",
            'platform.yaml:1:25: security.guardrails.except: "Backups" is no guardrail; it is one of Required labels,'
            " Resource limits, Network policy, Images, Secrets, Least privilege, Security scanning",
        ),
    ],
)
def test_a_mistake_is_told_with_file_line_and_column(tmp_path: Path, written: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        loaded(tmp_path, written)
    assert str(refused.value) == expected


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("Required labels", "Required labels"),
        ("Resource limits", "Resource limits"),
        ("Security scanning", "Security scanning"),
        ("Image scanning", "Security scanning"),
        ("Default-deny network policies", "Network policy"),
        ("Trusted registries", "Images"),
        ("No plain secrets", "Secrets"),
        ("RBAC", "Least privilege"),
        ("Cost centre", None),
    ],
)
def test_a_path_may_call_a_rule_by_many_names(name: str, rule: str | None) -> None:
    assert rule_called(name) == rule


@pytest.mark.parametrize(
    ("registry", "host"),
    [
        ("ECR", "*.dkr.ecr.*.amazonaws.com"),
        ("AWS ECR", "*.dkr.ecr.*.amazonaws.com"),
        ("GHCR", "ghcr.io"),
        ("GitHub Container Registry", "ghcr.io"),
        ("GCR", "gcr.io"),
        ("Google Artifact Registry", "*-docker.pkg.dev"),
        ("Docker Hub", "docker.io"),
        ("ACR", "*.azurecr.io"),
        ("Quay.io", "Quay.io"),
        ("Quay", "quay.io"),
        ("registry.acme.example:5000/team", "registry.acme.example:5000/team"),
        ("Harbor", None),
        (3, None),
    ],
)
def test_a_registry_is_known_by_what_people_call_it(registry: object, host: str | None) -> None:
    assert next(iter(hosts_called(registry)), None) == host


@pytest.mark.parametrize(
    ("told", "value"),
    [
        ("100m", "0.1"),
        ("0.5", "0.5"),
        ("1", "1"),
        ("128Mi", str(128 * 2**20)),
        ("1G", "1000000000"),
        ("1e3", "1000"),
        ("1E3", "1000"),
        ("1E", str(10**18)),
        ("2Ki", "2048"),
        ("100k", "100000"),
        (".5", "0.5"),
        ("5.", "5"),
        ("+1.5Gi", str(3 * 2**29)),
        ("100n", "0.0000001"),
        ("3u", "0.000003"),
        ("12e-1", "1.2"),
    ],
)
def test_an_amount_is_what_kubernetes_takes_it_for(told: str, value: str) -> None:
    assert quantity(told) == Decimal(value)


@pytest.mark.parametrize(
    "told",
    [
        "",
        "m",
        "1 Gi",
        "1gi",
        "1K",
        "1Kb",
        "0x1",
        "1e",
        "1e3Mi",
        "NaN",
        "inf",
        "1_000",
        "١",
        "--1",
        "1e999",
        "1\n",
    ],
)
def test_what_kubernetes_refuses_is_no_amount(told: str) -> None:
    with pytest.raises(ValueError, match="is no quantity"):
        quantity(told)


@run_with(max_examples=60)
@given(
    st.decimals(0, 10**6, places=3),
    st.sampled_from(["n", "u", "m", "", "k", "M", "G", "T", "P", "E"]),
    st.sampled_from(["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]),
)
def test_a_suffix_is_a_thousand_or_1024_times_the_one_before(
    number: Decimal, decimal: str, binary: str
) -> None:
    powers = {"n": -3, "u": -2, "m": -1, "": 0, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
    assert quantity(f"{number}{decimal}") == number * Decimal(1000) ** powers[decimal]
    assert quantity(f"{number}{binary}") == number * 1024 ** ["", *"KMGTPE"].index(binary[:1])


@run_with(max_examples=150)
@given(st.text(max_size=12) | st.from_regex(r"[0-9.eEnumkKMGTPi+-]{1,12}", fullmatch=True))
def test_any_text_is_an_amount_or_refused(told: str) -> None:
    try:
        found = quantity(told)
    except ValueError:
        return
    assert found.is_finite()
