"""acme's Backstage descriptors: most in files, `identity` in its own repository, `legacy-cron` nowhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from sample_data.work.services import PAGERDUTY

SYSTEMS = {"shop": "storefront", "payments": "payments", "platform": "platform"}
TEAM_TITLES = {
    "storefront": "Storefront",
    "fulfilment": "Fulfilment",
    "payments": "Payments",
    "platform": "Platform engineering",
}


@dataclass(frozen=True)
class Component:
    """A service as the catalogue describes it; annotations beside those that every service has."""

    name: str
    team: str
    system: str
    text: str
    repo: str | None = None
    kind: str = "service"
    lifecycle: str = "production"
    tags: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)


COMPONENTS = (
    Component("web-shop", "storefront", "shop", "What customers see", kind="website", tags=("tier-1",)),
    Component(
        "checkout",
        "storefront",
        "shop",
        "From the cart to the order",
        tags=("tier-1",),
        annotations={"sixkeys.dev/golden-path": "container-deployment"},
    ),
    Component(
        "search",
        "storefront",
        "shop",
        "Finds products",
        annotations={
            "argocd/app-name": "search-eu,search-us",
            "sixkeys.dev/golden-path": "Standard Web Application",
        },
    ),
    Component(
        "delivery",
        "fulfilment",
        "shop",
        "Brings parcels to customers",
        repo="fulfilment",
        annotations={"sixkeys.dev/source-patterns": "delivery/**"},
    ),
    Component(
        "inventory",
        "fulfilment",
        "shop",
        "Knows what is in stock",
        repo="fulfilment",
        annotations={"sixkeys.dev/source-patterns": "inventory/**"},
    ),
    Component("payments-api", "payments", "payments", "Takes and returns money", tags=("tier-1", "pci")),
    Component(
        "ledger",
        "payments",
        "payments",
        "Books every cent",
        tags=("pci",),
        annotations={"sixkeys.dev/environments": "production"},
    ),
    Component(
        "fraud-scoring",
        "payments",
        "payments",
        "Says how likely an order is a fraud",
        annotations={
            "argocd/app-selector": "app.kubernetes.io/part-of=fraud-scoring",
            "sixkeys.dev/golden-path": "Standard Web Application",
        },
    ),
    Component(
        "identity",
        "platform",
        "platform",
        "Signs people in",
        tags=("tier-1",),
        annotations={
            "sixkeys.dev/workflows": "deploy.yml",
            "sixkeys.dev/golden-path": "Container Deployment",
        },
    ),
    Component(
        "notifications",
        "platform",
        "platform",
        "Sends mail and push messages",
        lifecycle="experimental",
        annotations={"argocd/app-name": "notifications"},
    ),
    Component(
        "acme-cli",
        "platform",
        "platform",
        "What developers type",
        kind="tool",
        annotations={"sixkeys.dev/tag-patterns": "v*"},
    ),
)
IN_REPOSITORY = "identity"


def catalog_files() -> dict[str, str]:
    """The descriptor files, by their path below the configuration's folder."""
    organisation = [
        *(
            _entity("Group", name, {"type": "team", "children": []}, title)
            for name, title in TEAM_TITLES.items()
        ),
        *(_entity("System", name, {"owner": f"group:default/{team}"}) for name, team in SYSTEMS.items()),
        _entity("API", "checkout-api", _checkout_api(), "Orders and payments"),
    ]
    files = {"catalog/organisation.yaml": _documents(organisation)}
    for system in SYSTEMS:
        inside = [each for each in COMPONENTS if each.system == system and each.name != IN_REPOSITORY]
        files[f"catalog/{system}.yaml"] = _documents([_component(each) for each in inside])
    return files


def catalog_info() -> str:
    """The `catalog-info.yaml` that lies in the repository of `identity`."""
    return _documents([_component(each) for each in COMPONENTS if each.name == IN_REPOSITORY])


def _checkout_api() -> dict[str, Any]:
    return {
        "type": "openapi",
        "lifecycle": "production",
        "owner": "group:default/storefront",
        "system": "shop",
        "definition": "openapi: 3.1.0",
    }


def _component(of: Component) -> dict[str, Any]:
    repo = of.repo or of.name
    annotations = {"github.com/project-slug": f"acme/{repo}"}
    if repo in PAGERDUTY:
        annotations["pagerduty.com/service-id"] = PAGERDUTY[repo]
    spec: dict[str, Any] = {
        "type": of.kind,
        "lifecycle": of.lifecycle,
        "owner": f"group:default/{of.team}",
        "system": of.system,
    }
    if of.name == "checkout":
        spec["providesApis"] = ["checkout-api"]
    return _entity("Component", of.name, spec, of.text, annotations | dict(of.annotations), of.tags)


def _entity(
    kind: str,
    name: str,
    spec: Mapping[str, Any],
    text: str | None = None,
    annotations: Mapping[str, str] | None = None,
    tags: tuple[str, ...] = (),
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name}
    if text:
        metadata["description"] = text
    if annotations:
        metadata["annotations"] = dict(annotations)
    if tags:
        metadata["tags"] = list(tags)
    return {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": kind,
        "metadata": metadata,
        "spec": dict(spec),
    }


def _documents(entities: list[dict[str, Any]]) -> str:
    return "---\n".join(yaml.safe_dump(entity, sort_keys=False, allow_unicode=True) for entity in entities)
