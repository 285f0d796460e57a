"""Backstage's own catalogue: its pages, what an entity becomes, and what is never taken for gone."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import SecretStr
from werkzeug import Response

from collectors.backstage.entities import component_of
from collectors.backstage.portal import collect
from collectors.connections import Connection, try_connections
from collectors.contract.items import Item, Malformed, SourceError
from collectors.contract.records import Component
from config.settings import Settings
from config.sources import Backstage, Catalog, Sources
from sample_data import model
from sample_data.servers.server import SampleServer
from tests.support.loopback import Loopback

NOW = datetime(2026, 11, 16, tzinfo=UTC)
TOKEN = "portal-token"


def entity(name: str, number: int = 0, kind: str = "Component", **parts: Any) -> dict[str, Any]:
    """One as the API lists it; `parts` are its own, `metadata` beside name and uid."""
    metadata = {"name": name, "namespace": "default", "uid": f"{number:08}", **parts.pop("metadata", {})}
    return {"apiVersion": "backstage.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": {}, **parts}


def serving(*entities: dict[str, Any]) -> SampleServer:
    organisation = model.Organisation("acme", NOW, [], model.ArgoCD(), model.PagerDuty(), {}, {}, {})
    organisation.backstage.entities.extend(entities)
    return SampleServer(organisation, token=TOKEN)


def portal(server: SampleServer, token: str = TOKEN) -> Backstage:
    return Backstage.model_construct(
        url=f"{server.url}/backstage", token=SecretStr(token), portal="https://portal.acme.example"
    )


def read(*entities: dict[str, Any]) -> list[Item]:
    with serving(*entities) as server:
        return list(collect(portal(server)))


def test_a_thousand_entities_are_one_request_and_more_are_read_page_by_page() -> None:
    for n, requests in ((1_000, 1), (1_001, 2), (2_500, 3)):
        with serving(*(entity(f"service-{number}", number) for number in range(n))) as server:
            found = list(collect(portal(server)))
        names = [item.name for item in found if isinstance(item, Component)]
        assert (len(found), len(set(names)), server.requests["backstage"]) == (n, n, requests)


def test_an_entity_is_what_its_descriptor_would_be_with_its_page_in_the_portal() -> None:
    annotations = {"github.com/project-slug": "acme/shop", "argocd/app-name": "checkout-eu,checkout-us"}
    (found,) = read(
        entity(
            "checkout",
            metadata={
                "namespace": "EMEA",
                "annotations": annotations,
                "tags": ["tier-1"],
                "title": "Checkout",
            },
            spec={"owner": "payments", "system": "shop", "lifecycle": "production", "definition": "long"},
            relations=[
                {"type": "ownedBy", "targetRef": "group:emea/payments"},
                {"type": "partOf", "targetRef": "component:emea/till"},
                {"type": "partOf", "targetRef": "system:default/shop"},
            ],
        )
    )
    assert found == Component(
        name="EMEA/checkout",
        title="Checkout",
        # as Backstage resolved it: what the descriptor leaves out is of its own namespace
        owner="emea/payments",
        system="shop",
        lifecycle="production",
        tags=("tier-1",),
        repo="acme/shop",
        argocd_apps=("checkout-eu", "checkout-us"),
        origin="backstage:component:emea/checkout",
        portal_url="https://portal.acme.example/catalog/emea/component/checkout",
    )


def test_groups_carry_what_is_above_and_below_them_and_no_person() -> None:
    group = entity(
        "commerce",
        kind="Group",
        spec={
            "type": "product-area",
            "profile": {"displayName": "Commerce", "email": "jane@acme.example"},
            "parent": "products",
            "children": ["group:default/storefront"],
            "members": ["jane"],
        },
        relations=[
            {"type": "hasMember", "targetRef": "user:default/jane"},
            {"type": "parentOf", "targetRef": "group:default/fulfilment"},
        ],
    )
    user = entity("jane", 1, "User", spec={"profile": {"email": "jane@acme.example"}})
    (found,) = read(group, user)
    assert isinstance(found, Component)
    assert (found.title, found.parent, found.children) == (
        "Commerce",
        "products",
        ("fulfilment", "storefront"),
    )
    assert "jane" not in found.model_dump_json()


def test_what_backstage_says_against_an_entity_is_told_and_the_entity_counts() -> None:
    orphan = entity("left", 1, metadata={"annotations": {"backstage.io/orphan": "true"}})
    broken = entity(
        "broken",
        2,
        status={
            "items": [{"type": "x", "level": "error", "message": "its $text\nhas no file"}, {"level": "info"}]
        },
    )
    found = read(orphan, broken)
    assert [item.name for item in found if isinstance(item, Component)] == ["left", "broken"]
    told = [(item.subject, item.reason) for item in found if isinstance(item, Malformed)]
    assert [subject for subject, _ in told] == [
        "backstage:component:default/left",
        "backstage:component:default/broken",
    ]
    assert "an orphan" in told[0][1]
    assert "its $text has no file" in told[1][1]


def test_one_that_is_malformed_costs_itself_only_and_many_are_counted() -> None:
    found = read(entity("fine"), *(entity(f"not a name {n}", n) for n in range(1, 31)))
    assert [item.name for item in found if isinstance(item, Component)] == ["fine"]
    aside = [item for item in found if isinstance(item, Malformed)]
    assert len(aside) == 21
    # what was stored of those that are not listed may be there all the same
    assert (aside[-1].reason, aside[-1].hides) == (
        "10 more mistakes are not listed; mend those that are first",
        "backstage:",
    )


def test_a_placeholder_that_only_backstage_fills_in_is_told() -> None:
    found = component_of(entity("web", spec={"owner": {"$text": "./owner.txt"}}), "catalog.yaml")
    assert isinstance(found, Malformed)
    assert found.reason.startswith("spec.owner: is a placeholder ($text)")
    api = component_of(
        entity("web", spec={"definition": {"$openapi": "./api.yaml"}}, kind="API"), "catalog.yaml"
    )
    assert isinstance(api, Component)


def test_no_entity_at_all_is_no_reading() -> None:
    with pytest.raises(SourceError, match="shows the token no entity"):
        read()
    with pytest.raises(SourceError, match="shows the token no entity"):
        read(entity("jane", kind="User"))


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ({"items": [entity("web")], "totalItems": 2, "pageInfo": {}}, "told of 2 entities and gave 1"),
        (
            {"items": [entity("web")], "totalItems": 9, "pageInfo": {"nextCursor": "a"}},
            "same page again and again",
        ),
        ({"items": [], "totalItems": 9, "pageInfo": {"nextCursor": "a"}}, "same page again and again"),
        ({"entities": []}, "lists no entities"),
    ],
)
def test_what_ends_before_all_was_told_is_no_whole_reading(page: dict[str, Any], told: str) -> None:
    with Loopback(lambda request: Response(json.dumps(page), content_type="application/json")) as server:
        source = Backstage.model_construct(url=server.url, token=SecretStr(TOKEN), portal=None)
        with pytest.raises(SourceError, match=told):
            list(collect(source))


@pytest.mark.parametrize(("token", "works"), [(TOKEN, True), ("another", False)])
def test_the_check_counts_what_the_token_sees(token: str, works: bool) -> None:
    with serving(entity("web"), entity("jane", 1, "User"), entity("shop", 2, "System")) as server:
        configured = Settings(
            organization="acme",
            sources=Sources(catalog=Catalog.model_construct(backstage=portal(server, token))),
        )
        (told,) = try_connections(configured)
    if works:
        assert told == Connection("catalog", True, "may read 2 entities of the catalogue")
    else:
        assert not told.works
        assert "401" in told.detail
        assert "sources.catalog.backstage.token" in told.detail
        assert token not in told.detail


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PARTS = ("kind", "metadata", "spec", "relations", "status")


@hypothesis_settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from(PARTS), JSON), st.sampled_from(["spec", "metadata", "relations"]), JSON
)
def test_whatever_an_entity_holds_it_is_kept_or_set_aside(
    parts: dict[str, Any], where: str, value: Any
) -> None:
    whole = entity(
        "web", spec={"owner": "a", "parent": "b", "children": ["c"], "profile": {"displayName": "d"}}
    )
    for odd in ({**whole, **parts}, {**whole, where: {"owner": value, "children": value, "name": value}}):
        assert isinstance(component_of(odd, "place"), Component | Malformed)
