"""acme's Backstage descriptors: most in files, `identity` in its own repository, `legacy-cron` nowhere."""

import uuid
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

# group -> (its title, the group that it says is above it); what is above a team here owns no service itself
GROUPS = {
    "products": ("Products", None),
    "commerce": ("Commerce", "products"),
    **{team: (title, None) for team, title in TEAM_TITLES.items()},
    "storefront": (TEAM_TITLES["storefront"], "commerce"),
    "fulfilment": (TEAM_TITLES["fulfilment"], "commerce"),
    "payments": (TEAM_TITLES["payments"], "products"),
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
    depends_on: tuple[str, ...] | None = None


# what keeps data -> its team, and the tag that tells what it is
RESOURCES = {
    "payouts-db": ("payments", "mysql-8"),
    "scoring-features": ("payments", "redis-7"),
    "mail-queue": ("platform", "postgresql-15"),
}

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
        tags=("go-1.22", "distroless", "github-actions"),
        annotations={
            "argocd/app-name": "search-eu,search-us",
            "sixkeys.dev/golden-path": "Standard Web Application",
        },
        depends_on=(),
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
    Component(
        "payments-api",
        "payments",
        "payments",
        "Takes and returns money",
        tags=("tier-1", "pci"),
        depends_on=("resource:default/payouts-db",),
    ),
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
        tags=("python-3.9",),
        annotations={
            "argocd/app-selector": "app.kubernetes.io/part-of=fraud-scoring",
            "sixkeys.dev/golden-path": "Standard Web Application",
        },
        depends_on=("resource:scoring-features",),
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
        tags=("python-3.12", "distroless", "github-actions"),
        annotations={"argocd/app-name": "notifications"},
        depends_on=("resource:mail-queue", "component:identity"),
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
        *map(_group, GROUPS),
        *(_entity("System", name, {"owner": f"group:default/{team}"}) for name, team in SYSTEMS.items()),
        _entity("API", "checkout-api", _checkout_api(), "Orders and payments"),
        *(
            _entity("Resource", name, {"type": "database", "owner": f"group:default/{team}"}, tags=(tag,))
            for name, (team, tag) in RESOURCES.items()
        ),
    ]
    files = {"catalog/organisation.yaml": _documents(organisation)}
    for system in SYSTEMS:
        inside = [each for each in COMPONENTS if each.system == system and each.name != IN_REPOSITORY]
        files[f"catalog/{system}.yaml"] = _documents([_component(each) for each in inside])
    return files


def catalog_info() -> str:
    """The `catalog-info.yaml` that lies in the repository of `identity`."""
    return _documents([_component(each) for each in COMPONENTS if each.name == IN_REPOSITORY])


def catalog_entities() -> list[dict[str, Any]]:
    """The same entities as Backstage's API lists them once it has read these files."""
    told = [
        (place, entity)
        for place, text in {**catalog_files(), f"{IN_REPOSITORY}/catalog-info.yaml": catalog_info()}.items()
        for entity in yaml.safe_load_all(text)
    ]
    return [_processed(entity, f"url:https://git.acme.example/acme/{place}") for place, entity in told]


def _processed(entity: dict[str, Any], location: str) -> dict[str, Any]:
    """An entity with what Backstage adds: an identity, where it was read, and its relations as references."""
    spec, metadata = entity["spec"], entity["metadata"]
    reference = f"{entity['kind'].lower()}:default/{metadata['name']}"
    targets = {"ownedBy": spec.get("owner"), "partOf": spec.get("system"), "childOf": spec.get("parent")}
    kinds = {"ownedBy": "group", "partOf": "system", "childOf": "group", "parentOf": "group"}
    related = [(name, target) for name, target in targets.items() if target]
    related += [("parentOf", child) for child in spec.get("children", [])]
    return {
        **entity,
        "metadata": {
            "namespace": "default",
            **metadata,
            "uid": str(uuid.uuid5(uuid.NAMESPACE_URL, reference)),
            "etag": "0",
            "annotations": {
                "backstage.io/managed-by-location": location,
                "backstage.io/managed-by-origin-location": location,
                **metadata.get("annotations", {}),
            },
        },
        "relations": [
            {"type": name, "targetRef": f"{kinds[name]}:default/{target.rpartition('/')[2]}"}
            for name, target in related
        ],
    }


def _group(name: str) -> dict[str, Any]:
    title, parent = GROUPS[name]
    children = [below for below, (_, above) in GROUPS.items() if above == name]
    spec: dict[str, Any] = {"type": "product-area" if children else "team", "profile": {"displayName": title}}
    if parent:
        spec["parent"] = parent
    return _entity("Group", name, {**spec, "children": children}, title)


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
    if of.depends_on is not None:
        spec["dependsOn"] = list(of.depends_on)
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
