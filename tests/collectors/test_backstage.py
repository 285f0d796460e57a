"""Backstage descriptors: what an entity becomes, and what a file that cannot be read leaves."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.contract.items import Checkpoint, Malformed, Resume, SourceError
from collectors.contract.records import Component
from collectors.files.backstage import collect, parse
from tests.support.places import RECORDED

RESUME = Resume(datetime(2026, 11, 16, tzinfo=UTC), datetime(2025, 11, 16, tzinfo=UTC))
REAL = RECORDED / "catalog" / "demo.yaml"
CHECKOUT = """
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: checkout
  tags: [python, payments]
  annotations:
    github.com/project-slug: acme/shop
    argocd/app-name: checkout-eu, checkout-us
    argocd/app-selector: app=checkout,tier=front
    pagerduty.com/service-id: "PCHECK1,PCHECK2"
    sixkeys.dev/source-patterns: checkout/**, lib/**
    sixkeys.dev/environments: production
    sixkeys.dev/workflows: deploy.yml
    sixkeys.dev/tag-patterns: checkout-v*
    sixkeys.dev/golden-path: python-service
    sixkeys.dev/deployments-from: releases
    sixkeys.dev/formerly: till, cashdesk
spec:
  type: service
  owner: group:default/payments
  system: system:default/shop
  lifecycle: production
"""


def component(text: str, repo: str | None = None) -> Component:
    (found,) = parse(text, "catalog-info.yaml", repo)
    assert isinstance(found, Component)
    return found


def short(name: str, spec: str = "{}", annotations: str = "{}", kind: str = "Component") -> str:
    return f"kind: {kind}\nmetadata: {{name: {name}, annotations: {annotations}}}\nspec: {spec}\n"


def test_a_component_carries_all_that_maps_sources_to_it() -> None:
    assert component(CHECKOUT) == Component(
        name="checkout",
        kind="Component",
        owner="payments",
        system="shop",
        lifecycle="production",
        type="service",
        tags=("python", "payments"),
        repo="acme/shop",
        source_patterns=("checkout/**", "lib/**"),
        argocd_apps=("checkout-eu", "checkout-us"),
        argocd_selector="app=checkout,tier=front",
        environments=("production",),
        workflows=("deploy.yml",),
        tag_patterns=("checkout-v*",),
        pagerduty_services=("PCHECK1", "PCHECK2"),
        golden_path="python-service",
        deployments_from="releases",
        formerly=("till", "cashdesk"),
        origin="catalog-info.yaml",
    )


@pytest.mark.parametrize(
    ("reference", "owner"),
    [
        ("payments", "payments"),
        ("group:payments", "payments"),
        ("Group:default/payments", "payments"),
        ("group:emea/payments", "emea/payments"),
        ("default/payments", "payments"),
        ("backstage/maintainers", "backstage/maintainers"),
        ("user:default/jane", None),
    ],
)
def test_an_owner_is_a_team_s_name_without_kind_and_default_namespace(
    reference: str, owner: str | None
) -> None:
    assert component(short("web", f"{{owner: '{reference}'}}")).owner == owner


def test_a_component_without_a_slug_lies_where_its_source_location_or_its_file_is() -> None:
    location = "{backstage.io/source-location: 'url:https://github.com/acme/mono/tree/main/web/'}"
    assert component(short("web", annotations=location), "acme/other").repo == "acme/mono"
    assert component(short("web"), "acme/other").repo == "acme/other"
    assert component(short("web")).repo is None
    assert component(short("shop", kind="System"), "acme/other").repo is None


@pytest.mark.parametrize(
    "slug",
    [
        "acme/shop",
        "acme/shop.git",
        "/acme/shop/",
        " acme/shop",
        "github.com/acme/shop",
        "ghe.acme.example/acme/shop",
        "https://github.com/acme/shop",
        "https://github.com/acme/shop/tree/main/web",
        "git@github.com:acme/shop.git",
    ],
)
def test_a_slug_may_be_written_as_an_address(slug: str) -> None:
    annotations = f"{{github.com/project-slug: '{slug}'}}"
    assert component(short("web", annotations=annotations)).repo == "acme/shop"


def test_other_kinds_and_empty_documents_are_passed_over() -> None:
    documents = [
        short("a"),
        "",
        short("there", kind="Location"),
        short("jane", kind="User"),
        short("b", kind="API"),
    ]
    assert [(c.name, c.kind) for c in parse("---\n".join(documents), "x") if isinstance(c, Component)] == [
        ("a", "Component"),
        ("b", "API"),
    ]
    assert not [c for c in parse("---\n".join(documents), "x") if isinstance(c, Malformed)]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("kind: Component\nmetadata: {}\n", "line 5: metadata.name: null is no name"),
        ("metadata: {name: web}\n", "line 5: an entity has a kind"),
        ("- just\n- a list\n", "line 5: an entity has a kind"),
        ("kind: [Component\n", "line 6, column 1: is not YAML"),
        ("kind: !!python/object:os.system Component\n", "line 5, column 7: has the tag"),
        ("kind: \x01\n", "line 5, column 7: is not YAML: it holds a character"),
        (short("'${{ values.name | dump }}'"), "line 5: a software template's skeleton"),
        (short("a/b"), 'line 5: metadata.name: "a/b" is no name'),
        (short("x" * 64), "line 5: metadata.name: "),
    ],
)
def test_a_document_that_cannot_be_read_is_set_aside_with_its_line(broken: str, reason: str) -> None:
    items = list(parse(f"{short('a')}---\n{broken}", "catalog-info.yaml"))
    malformed = [item for item in items if isinstance(item, Malformed)]
    assert [(m.kind, m.subject) for m in malformed] == [("components", "catalog-info.yaml")]
    assert malformed[0].reason.startswith(reason)


def test_directives_and_comments_before_the_first_document_are_none_of_their_own() -> None:
    assert component(f"%YAML 1.2\n# of the shop\n---\n{short('a')}").name == "a"


def test_a_document_after_a_malformed_one_is_still_read() -> None:
    items = list(parse(f"metadata: {{}}\n---\n{short('b')}", "x"))
    assert [type(item) for item in items] == [Malformed, Component]


def test_every_file_of_a_pattern_is_read_once_and_has_a_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.yaml").write_text(short("a") + "---\n" + short("shop", kind="System"))
    (tmp_path / "deep" / "b.yaml").write_text("\ufeff" + short("b"), encoding="utf-8")
    patterns = [str(tmp_path / "**" / "*.yaml"), str(tmp_path / "a.yaml")]
    items = list(collect(patterns, RESUME))
    assert [item.name for item in items if isinstance(item, Component)] == ["a", "shop", "b"]
    assert [c.subject for c in items if isinstance(c, Checkpoint)] == [
        str(tmp_path / "a.yaml"),
        str(tmp_path / "deep" / "b.yaml"),
    ]


def test_a_pattern_goes_into_folders_that_begin_with_a_dot(tmp_path: Path) -> None:
    (tmp_path / ".backstage").mkdir()
    (tmp_path / ".backstage" / "catalog-info.yaml").write_text(short("a"))
    (item, _) = collect([str(tmp_path / "**" / "catalog-info.yaml")], RESUME)
    assert isinstance(item, Component)


def test_yaml_is_that_of_backstage_in_which_no_is_a_word_and_a_day_a_text() -> None:
    found = component(short("web", "{owner: no, system: on, lifecycle: 2026-06-31, type: true}"))
    assert (found.owner, found.system, found.lifecycle, found.type) == ("no", "on", "2026-06-31", None)


def test_a_location_stands_for_what_it_names_beside_it(tmp_path: Path) -> None:
    location = (
        "kind: Location\nmetadata: {name: all}\n"
        "spec: {targets: [./*/catalog-info.yaml, ./none.yaml, 'https://elsewhere.example/x.yaml']}\n"
    )
    (tmp_path / "catalog-info.yaml").write_text(location)
    for name in ("cart", "tax"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "catalog-info.yaml").write_text(short(name))
    items = list(collect([str(tmp_path / "catalog-info.yaml")], RESUME))
    assert [item.name for item in items if isinstance(item, Component)] == ["cart", "tax"]
    assert [item.reason for item in items if isinstance(item, Malformed)] == [
        "line 1: the Location names ./none.yaml, which was not read: no file is there",
        "line 1: the Location names https://elsewhere.example/x.yaml, which was not read: it is at another place",
    ]


def test_files_that_name_each_other_by_whatever_way_are_read_once(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / name).mkdir()
        target = f"../{other}/../{other}/catalog-info.yaml"
        text = f"{short(name)}---\nkind: Location\nspec: {{target: {target}}}\n"
        (tmp_path / name / "catalog-info.yaml").write_text(text)
    (tmp_path / "a" / "again").symlink_to(tmp_path / "a")
    items = list(collect([str(tmp_path / "a" / "**" / "catalog-info.yaml")], RESUME))
    assert [(item.name, item.origin) for item in items if isinstance(item, Component)] == [
        (name, str(tmp_path / name / "catalog-info.yaml")) for name in ("a", "b")
    ]
    assert not [item for item in items if isinstance(item, Malformed)]


def test_a_location_s_glob_that_may_take_for_ever_is_not_looked_for(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        f"kind: Location\nspec: {{targets: ['**/../**/*.yaml', './{'x' * 2_000}']}}\n"
    )
    items = list(collect([str(tmp_path / "a.yaml")], RESUME))
    reasons = [item.reason for item in items if isinstance(item, Malformed)]
    assert reasons[0].endswith("the Location names **/../**/*.yaml, which was not read: it is no plain path")
    assert reasons[1].endswith("which was not read: it is no plain path")
    assert len(reasons[1]) < 300


def test_a_file_that_is_something_else_altogether_does_not_fill_the_quarantine(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("---\nno: entity\n" * 30 + "---\n" + short("a"))
    items = list(collect([str(tmp_path / "a.yaml")], RESUME))
    reasons = [item.reason for item in items if isinstance(item, Malformed)]
    assert len(reasons) == 21
    assert reasons[-1] == "10 more mistakes of this file are not listed; mend those that are first"
    assert [item.name for item in items if isinstance(item, Component)] == ["a"]


def test_what_is_told_of_a_wrong_entity_is_short_however_long_that_is() -> None:
    tags = ", ".join(["*t"] * 9_000)
    items = list(parse(f"kind: API\nmetadata: {{name: &t '{'{{x' * 9_000}', title: [{tags}]}}", "x"))
    items += list(
        parse(f"kind: API\nmetadata: {{name: a}}\nspec: {{owner: {'x' * 500_000}, system: [[]]}}", "x")
    )
    items += list(parse(f"kind: API\nmetadata: {{name: {'x' * 500_000}}}", "x"))
    aside = [item for item in items if isinstance(item, Malformed)]
    assert len(aside) == 2
    assert all(len(item.reason) < 300 and not item.raw for item in aside)


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.characters(codec=None), max_size=60) | st.text("kind: Componetmadasc{}[],\n-&*", max_size=80)
)
def test_no_text_stops_a_run(text: str) -> None:
    for item in parse(f"kind: Component\nmetadata: {{name: web, x: {text}}}\n---\n{text}", "x", "acme/web"):
        assert isinstance(item, Component | Malformed)


def test_a_pattern_that_matches_nothing_is_named_after_the_rest_was_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(short("a"))
    items = collect([str(tmp_path / "none*.yaml"), str(tmp_path / "a.yaml")], RESUME)
    assert isinstance(next(items), Component)
    assert isinstance(next(items), Checkpoint)
    with pytest.raises(SourceError, match=r"none\*\.yaml; mend sources\.catalog\.files"):
        next(items)


def test_a_file_that_is_no_text_is_set_aside_without_a_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"kind: \xff\xfe")
    (item,) = collect([str(tmp_path / "a.yaml")], RESUME)
    assert isinstance(item, Malformed)
    assert "not UTF-8" in item.reason


def test_the_recorded_descriptor_gives_its_component_and_its_api() -> None:
    if not REAL.exists():
        pytest.skip("the recorded Backstage descriptor is not here")
    found = list(parse(REAL.read_text(), "demo.yaml"))
    assert [(c.name, c.kind, c.owner) for c in found if isinstance(c, Component)] == [
        ("backstage-demo", "Component", "backstage/maintainers"),
        ("demo-graphql", "API", "backstage/maintainers"),
    ]
    assert len(found) == 2
    assert isinstance(found[0], Component)
    assert (found[0].repo, found[0].type, found[0].lifecycle) == ("backstage/demo", "website", "experimental")
