"""What a guardrail says of an object, in the corners that the cases leave out."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as run_with
from hypothesis import strategies as st

from collectors.contract.managed_objects import ManagedObject
from config.platform_team.guardrails import GuardrailOptions, Guardrails
from warehouse.building.standards.guardrail_rules import image_parts, judged

AT = datetime(2026, 11, 16, tzinfo=UTC)
MOST = {"cpu_limit": "500m", "memory_limit": "512Mi"}
ALL = Guardrails(most=MOST, registries=("ghcr.io/acme",))


def said(guardrails: Guardrails = ALL, **fields: Any) -> dict[str, tuple[bool | None, str | None]]:
    told = {"kind": "Deployment", "name": "web", **fields}
    one = ManagedObject(source="argocd", application="main/web", from_at=AT, **told)
    return {found.rule: found[1:] for found in judged(guardrails, one.model_dump())}


def with_image(image: str | None) -> tuple[bool | None, str | None]:
    return said(containers=[{"name": "web", "image": image}])["Images"]


def limited(guardrails: Guardrails = ALL, **amounts: str) -> tuple[bool | None, str | None]:
    return said(guardrails, containers=[{"name": "web", **amounts}])["Resource limits"]


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("web", ("docker.io/web", None, None)),
        ("acme/web:1", ("docker.io/acme/web", "1", None)),
        ("index.docker.io/acme/web", ("docker.io/acme/web", None, None)),
        ("localhost/web:1", ("localhost/web", "1", None)),
        ("GHCR.io:443/acme/web:v1@sha256:ab", ("ghcr.io:443/acme/web", "v1", "sha256:ab")),
    ],
)
def test_an_image_has_a_place_a_tag_and_a_digest(image: str, parts: tuple[str | None, ...]) -> None:
    assert image_parts(image) == parts


@pytest.mark.parametrize(
    "tag", ["", ":latest", ":main", ":master", ":stable", ":feature-login", ":alpine", ":Latest", ":HEAD"]
)
def test_a_tag_that_names_a_branch_or_a_channel_moves(tag: str) -> None:
    holds, reason = with_image(f"ghcr.io/acme/web{tag}")
    assert holds is False
    assert reason
    assert reason.endswith("which moves")
    # a digest says what is run, whatever else is said
    assert with_image(f"ghcr.io/acme/web{tag}@sha256:0a1b") == (True, None)


@pytest.mark.parametrize("tag", ["1.2.0", "3f78685", "main-402", "20261116", "v2"])
def test_a_tag_with_a_number_names_a_build(tag: str) -> None:
    assert with_image(f"ghcr.io/acme/web:{tag}") == (True, None)


@pytest.mark.parametrize(
    ("image", "holds"),
    [
        ("ghcr.io/acme/web:1", True),
        ("ghcr.io/acme/team/web:1", True),
        ("ghcr.io/acme-evil/web:1", False),
        ("ghcr.io/other/acme/web:1", False),
        ("evil.example/ghcr.io/acme/web:1", False),
        ("ghcr.io.evil.example/acme/web:1", False),
        ("ghcr.io/acme:1", False),
        ("acme/web:1", False),
    ],
)
def test_an_image_is_from_the_registry_or_from_elsewhere(image: str, holds: bool) -> None:
    assert with_image(image)[0] is holds


def test_a_registry_of_amazon_is_one_of_any_account_and_region() -> None:
    ours = replace(ALL, registries=("*.dkr.ecr.*.amazonaws.com",))
    for host, holds in (
        ("1.dkr.ecr.eu-west-1.amazonaws.com", True),
        ("1.dkr.ecr.eu-west-1.amazonaws.com.evil.example", False),
        ("evil.example/x.dkr.ecr.y.amazonaws.com", False),
    ):
        assert said(ours, containers=[{"name": "w", "image": f"{host}/web:1"}])["Images"][0] is holds


def test_what_cannot_be_told_of_an_image_is_unknown() -> None:
    assert with_image(None) == (None, "web: its image is not told")
    unknown = replace(ALL, registries=())
    (holds, reason) = said(unknown, containers=[{"name": "web", "image": "web:1"}])["Images"]
    assert holds is None
    assert reason == "the registry is not known; name its host in security.guardrails.registries"
    # that it moves is known all the same
    assert said(unknown, containers=[{"name": "web", "image": "web"}])["Images"][0] is False
    assert (
        said(replace(ALL, registries=None), containers=[{"name": "w", "image": "w:1"}])["Images"][0] is True
    )


def test_an_amount_that_is_none_is_unknown_and_none_at_all_is_missing() -> None:
    assert limited(cpu_limit="many", memory_limit="1") == (None, "web: cpu limit many is no quantity")
    assert limited(cpu_limit="500m", memory_limit="512Mi") == (True, None)
    assert limited(cpu_limit="0.5001", memory_limit="1")[1] == "web: cpu limit 0.5001 is more than 500m"
    assert limited(cpu_limit="0", memory_limit="1")[1] == "web: cpu limit 0 is no bound"
    # without bounds each has to be told, and what requests nothing requests its limit
    unbounded = replace(ALL, most={})
    assert limited(unbounded, cpu_limit="64", memory_limit="1Ti") == (True, None)
    assert limited(unbounded, cpu_limit="64", memory_request="1Gi")[1] == "web: memory limit is missing"


def test_of_many_containers_the_first_are_told() -> None:
    many = [{"name": f"c{number}"} for number in range(50)]
    assert said(containers=many)["Resource limits"] == (
        False,
        "c0: cpu limit is missing; c0: memory limit is missing; c1: cpu limit is missing; c1: memory limit is missing;"
        " and 96 more",
    )


def test_a_rollout_without_containers_of_its_own_is_held_to_its_labels_only() -> None:
    assert set(said(kind="Rollout")) == {"Required labels"}


def test_of_an_object_that_could_not_be_read_every_rule_is_unknown() -> None:
    of_policy = said(kind="NetworkPolicy", is_readable=False)
    assert of_policy == {"denies ingress": (None, None)}
    nameless = said(kind="?", name="?", is_readable=False)
    assert {holds for holds, _ in nameless.values()} == {None}
    assert len(nameless) == 6


@run_with(max_examples=100)
@given(
    st.builds(
        dict,
        selects_all_pods=st.sampled_from([True, False, None]),
        policy_types=st.lists(st.sampled_from(["Ingress", "Egress"]), unique=True),
        ingress_rules=st.integers(0, 2),
        egress_rules=st.integers(0, 2),
    )
)
def test_a_policy_denies_by_default_what_it_speaks_of_for_all_pods_and_has_no_rule_for(
    policy: dict[str, Any],
) -> None:
    both = replace(ALL, options=GuardrailOptions(deny=["ingress", "egress"]))
    found = said(both, kind="NetworkPolicy", **policy)
    for traffic in ("ingress", "egress"):
        denies = (
            policy["selects_all_pods"] is True
            and traffic.capitalize() in policy["policy_types"]
            and policy[f"{traffic}_rules"] == 0
        )
        assert found[f"denies {traffic}"] == (denies, None)
