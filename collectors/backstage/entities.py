"""What an entity of the catalogue becomes, whether a descriptor or Backstage's API tells of it.

https://backstage.io/docs/features/software-catalog/descriptor-format .
"""

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

from collectors.contract.items import Malformed, record_or_malformed
from collectors.contract.records import Component, Record
from collectors.transport.json_values import listing, mapping, text
from collectors.transport.repository_addresses import repository_name
from config.names import bare
from config.text.quoting import one_short_line

# persons are not kept
KINDS: tuple[str, ...] = get_args(Component.model_fields["kind"].annotation)
_FORM = "letters and digits, joined by -, _ or ., at most 63"
_NAME = re.compile(r"(?=.{1,63}$)[A-Za-z0-9]+(?:[-_.]+[A-Za-z0-9]+)*")
# annotation -> field, of those that hold a list separated by commas
_LISTS = {
    "argocd/app-name": "argocd_apps",
    "pagerduty.com/service-id": "pagerduty_services",
    "sixkeys.dev/source-patterns": "source_patterns",
    "sixkeys.dev/environments": "environments",
    "sixkeys.dev/workflows": "workflows",
    "sixkeys.dev/tag-patterns": "tag_patterns",
    "sixkeys.dev/formerly": "formerly",
}
# what has to be a text, and what is another entity's name in it
_TEXTS = ("owner", "system", "parent", "lifecycle", "type")


def component_of(
    entity: Any, origin: str, repo: str | None = None, portal_url: str | None = None
) -> Record | Malformed:
    """The component that an entity of one of `KINDS` is, told of by `origin`, or why it is none.

    `repo` is the repository that it lies in, for a component that names none itself; `portal_url` its page. What
    Backstage found out, the entity's relations, goes before what its descriptor says.
    """
    kind, metadata, spec = text(entity, "kind"), mapping(entity, "metadata"), mapping(entity, "spec")
    if wrong := _wrong_name(metadata) or _placeholder(spec):
        return Malformed("components", origin, wrong, "")
    annotations = mapping(metadata, "annotations")
    own_repo = _slug(text(annotations, "github.com/project-slug")) or repository_name(
        (text(annotations, "backstage.io/source-location") or "").removeprefix("url:")
    )
    fields = {
        "name": f"{_qualifier(text(metadata, 'namespace'))}{metadata.get('name')}",
        "kind": kind,
        "title": text(spec, "profile", "displayName") or text(metadata, "title"),
        "owner": next(_related(entity, "ownedBy", "group"), _name_in(text(spec, "owner"), "group")),
        "system": next(_related(entity, "partOf", "system"), _name_in(text(spec, "system"), "system")),
        "parent": next(_related(entity, "childOf", "group"), _name_in(text(spec, "parent"), "group")),
        "children": _children(entity, spec) if kind == "Group" else [],
        "lifecycle": text(spec, "lifecycle"),
        "type": text(spec, "type"),
        "tags": [tag for tag in listing(metadata, "tags") if isinstance(tag, str)],
        "repo": own_repo or (repo if kind == "Component" else None),
        "argocd_selector": text(annotations, "argocd/app-selector"),
        "golden_path": text(annotations, "sixkeys.dev/golden-path"),
        "template": _name_in(text(annotations, "backstage.io/source-template"), "template"),
        "deployments_from": text(annotations, "sixkeys.dev/deployments-from"),
        "origin": origin,
        "portal_url": portal_url,
        "depends_on": _dependencies(entity, spec),
        **{field: _listed(annotations.get(key)) for key, field in _LISTS.items()},
    }
    # what was read of it: the entity itself may name persons, as owners and members
    return record_or_malformed(Component, origin, fields, fields)


def _children(entity: Any, spec: dict[str, Any]) -> list[str]:
    told = [_name_in(child, "group") for child in listing(spec, "children") if isinstance(child, str)]
    return list(dict.fromkeys([*_related(entity, "parentOf", "group"), *filter(None, told)]))


def _dependencies(entity: Any, spec: dict[str, Any]) -> list[str] | None:
    """What the entity depends on, as references; None where nothing is said of it."""
    relations = [one for one in listing(entity, "relations") if text(one, "type") == "dependsOn"]
    told = [*listing(spec, "dependsOn"), *(text(one, "targetRef") for one in relations)]
    if not told and not isinstance(spec.get("dependsOn"), list):
        return None
    return list(dict.fromkeys(one for one in told if isinstance(one, str)))


def _related(entity: Any, relation: str, kind: str) -> Iterator[str]:
    """The names of those of `kind` to which the entity has a relation, as Backstage's API tells them."""
    for one in listing(entity, "relations"):
        target = text(one, "targetRef") or ""
        is_meant = text(one, "type") == relation and target.lower().startswith(f"{kind}:")
        if is_meant and (name := _name_in(target, kind)):
            yield name


def _qualifier(namespace: str | None) -> str:
    return "" if (namespace or "default").lower() == "default" else f"{namespace}/"


def _wrong_name(metadata: dict[str, Any]) -> str | None:
    """What no catalogue takes of an entity's name, in words."""
    name = metadata.get("name")
    if isinstance(name, str) and "{{" in name:
        return f"a software template's skeleton, with a name that is filled in later ({one_short_line(name)})"
    if isinstance(name, str) and _NAME.fullmatch(name):
        return None
    # an alias may make a list of what fits in no memory when it is written out
    told = json.dumps(name)[:80] if isinstance(name, str | int | float | None) else f"a {type(name).__name__}"
    return f"metadata.name: {told} is no name; it has {_FORM}"


def _placeholder(spec: dict[str, Any]) -> str | None:
    """Which part that is read stands in another file, where only Backstage finds it, in words."""
    for key in _TEXTS:
        part = spec.get(key)
        found = (
            next((name for name in part if str(name).startswith("$")), None)
            if isinstance(part, dict)
            else None
        )
        if found:
            return (
                f"spec.{key}: is a placeholder ({one_short_line(found)}), which Backstage alone fills in; write it out,"
                " or read the catalogue from Backstage"
            )
    return None


def _name_in(reference: str | None, kind: str) -> str | None:
    """The name in an entity reference: `group:default/payments`, `default/payments` and `payments` are the same.

    A namespace is kept unless it is the default one; a person is no team.
    """
    if reference is None or reference.lower().startswith("user:"):
        return None
    return bare(re.sub(rf"^{kind}:", "", reference, flags=re.IGNORECASE)) or None


def _slug(told: str | None) -> str | None:
    """`owner/name`, also where somebody wrote the address or put the host before it."""
    plain = (told or "").strip(" /")
    spellings = (plain, f"https://{plain}", f"https://github.com/{plain}")
    return next(filter(None, map(repository_name, spellings)), plain) or None


def _listed(value: Any) -> list[str]:
    return (
        [part for part in (part.strip() for part in value.split(",")) if part]
        if isinstance(value, str)
        else []
    )
