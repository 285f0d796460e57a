"""Whether an object holds a guardrail, and in words why not: what SQL cannot say well, as tables that the models join.

Unknown is None, with its reason: it is neither held nor broken.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from config.platform_team.golden_paths import path_key
from config.platform_team.guardrails import Guardrails, Rule
from config.platform_team.quantities import quantity

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Pod", "Rollout")
_ROLES, _BINDINGS = ("Role", "ClusterRole"), ("RoleBinding", "ClusterRoleBinding")
# of an object whose kind could not be told
_ANY = "?"
_BOUNDS = ("cpu_request", "memory_request", "cpu_limit", "memory_limit")
_BY_OTHERS = ("kubernetes.io/service-account-token",)
# they are called so although what they name changes
_CHANNELS = re.compile(r"latest|main|master|trunk|head|edge|nightly|canary|stable|dev|develop", re.IGNORECASE)
# a pod may have any number of containers
_MOST_SAID = 4
Object = Mapping[str, Any]
_KEY = ("source", "application", "kind", "namespace", "name", "from_at")
_STATES = "select m.* from source.managed_objects as m where not m.is_gone order by all"
_CALLED = "select distinct c.golden_path from source.components as c where c.golden_path is not null"
_BATCH = 10_000


def create_guardrail_inputs(
    connection: duckdb.DuckDBPyConnection,
    table: Callable[[str, dict[str, pa.DataType], list[tuple[Any, ...]]], None],
    guardrails: Guardrails,
) -> None:
    """`guardrail_rules` (a rule and the path whose it is, none: all services'), `guardrail_paths` (what services call
    those paths), `denied_traffic` and `judged_objects`."""
    text, is_bounded = pa.string(), guardrails.options.scope == "golden paths"
    rules: list[tuple[str, str | None, bool]] = [(rule, None, is_bounded) for rule in guardrails.for_all]
    rules += [(rule, path, True) for path, named in guardrails.by_path.items() for rule in named]
    table("guardrail_rules", {"rule": text, "path": text, "on_path_only": pa.bool_()}, rules)
    called = connection.execute(_CALLED).fetchall()
    keys = {path_key(path): path for path in guardrails.by_path}
    names = {*(told for (told,) in called), *guardrails.by_path}
    paths = [(told, keys[path_key(told)]) for told in sorted(names) if path_key(told) in keys]
    table("guardrail_paths", {"told": text, "path": text}, paths)
    table("denied_traffic", {"traffic": text}, [(traffic,) for traffic in guardrails.options.deny])
    columns = {**dict.fromkeys(_KEY[:-1], text), "from_at": pa.timestamp("us")}
    said = {"rule": text, "holds": pa.bool_(), "reason": text}
    table("judged_objects", columns | said, [*_all_judged(connection, guardrails)] if rules else [])


def _all_judged(connection: duckdb.DuckDBPyConnection, guardrails: Guardrails) -> Iterator[tuple[Any, ...]]:
    result = connection.execute(_STATES)
    names = [column[0] for column in result.description or ()]
    while rows := result.fetchmany(_BATCH):
        for row in rows:
            one = dict(zip(names, row, strict=True))
            yield from ((*(one[name] for name in _KEY), *judgement) for judgement in judged(guardrails, one))


class Judgement(NamedTuple):
    """Of one object and rule: whether it holds, None where that is unknown, and why where it does not."""

    rule: str
    holds: bool | None
    reason: str | None = None


def judged(guardrails: Guardrails, one: Object) -> Iterator[Judgement]:
    """What each rule that concerns the object `one` (columns of `managed_objects`) says of it.

    Of a NetworkPolicy it is whether it denies by default what it has to deny: `denies ingress`.
    """
    for rule, kinds, why_not in _RULES:
        if one["kind"] not in (*kinds, _ANY):
            continue
        if not one["is_readable"]:
            yield Judgement(rule, None, "it could not be read")
            continue
        yield from _judgement(rule, why_not(guardrails, one))
    if one["kind"] in ("NetworkPolicy", _ANY):
        for traffic in guardrails.options.deny:
            denies = _denies(one, traffic) if one["is_readable"] else None
            yield Judgement(f"denies {traffic}", denies)


class _Unknown(str):
    """Why it cannot be told whether a rule holds."""


def _judgement(rule: Rule, reasons: list[str] | None) -> Iterator[Judgement]:
    """None asks nothing of the object; an empty list is a rule that holds."""
    if reasons is None:
        return
    broken = [reason for reason in reasons if not isinstance(reason, _Unknown)]
    if broken:
        yield Judgement(rule, False, _in_words(broken))
    elif reasons:
        yield Judgement(rule, None, _in_words(reasons))
    else:
        yield Judgement(rule, True)


def _in_words(reasons: list[str]) -> str:
    left = len(reasons) - _MOST_SAID
    return "; ".join(reasons[:_MOST_SAID]) + (f"; and {left} more" if left > 0 else "")


def _labels(guardrails: Guardrails, one: Object) -> list[str]:
    labels = one["labels"] or {}
    missing = [label for label in guardrails.options.required_labels if not labels.get(label)]
    return [f"has no label {', '.join(missing)}"] if missing else []


def _resources(guardrails: Guardrails, one: Object) -> list[str] | None:
    if not one["containers"]:
        return None
    asked = guardrails.most or dict.fromkeys(_BOUNDS)
    return [
        reason
        for container in one["containers"]
        for bound, most in asked.items()
        if (reason := _out_of_bounds(container, bound, most))
    ]


def _out_of_bounds(container: Object, bound: str, most: str | None) -> str | None:
    resource, kind = bound.split("_")
    told = container[bound]
    # a container that says its limit only requests as much
    if told is None and kind == "request":
        told = container[f"{resource}_limit"]
    called = f"{container['name']}: {resource} {kind}"
    if told is None:
        return f"{called} is missing"
    try:
        amount = quantity(told)
    except ValueError:
        return _Unknown(f"{called} {told} is no quantity")
    if most is not None and amount > quantity(most):
        return f"{called} {told} is more than {most}"
    return f"{called} {told} is no bound" if amount <= Decimal(0) and kind == "limit" else None


def _images(guardrails: Guardrails, one: Object) -> list[str] | None:
    if not one["containers"]:
        return None
    return [reason for container in one["containers"] for reason in _wrong_image(guardrails, container)]


def _wrong_image(guardrails: Guardrails, container: Object) -> Iterator[str]:
    image, name = container["image"], container["name"]
    if image is None:
        yield _Unknown(f"{name}: its image is not told")
        return
    place, tag, digest = image_parts(image)
    if digest is None and (tag is None or not re.search(r"[0-9]", tag) or _CHANNELS.fullmatch(tag)):
        yield f"{name}: {image} names {'no tag' if tag is None else f'the tag {tag}'}, which moves"
    known = guardrails.registries
    if known is not None and not known:
        yield _Unknown("the registry is not known; name its host in security.guardrails.registries")
    elif known and not any(_is_from(place, allowed.lower()) for allowed in known):
        yield f"{name}: {image} is not from {' or '.join(known[:1])}"


def image_parts(image: str) -> tuple[str, str | None, str | None]:
    """(host with the path, in small letters; tag; digest) of an image's name; the host is Docker Hub's without one."""
    name, _, digest = image.partition("@")
    first, slash, rest = name.partition("/")
    has_host = bool(slash) and (re.search(r"[.:]", first) is not None or first == "localhost")
    path = rest if has_host else name
    path, _, tag = path.partition(":")
    host = first if has_host else "docker.io"
    return f"{'docker.io' if host == 'index.docker.io' else host}/{path}".lower(), tag or None, digest or None


def _is_from(place: str, allowed: str) -> bool:
    """Whether an image's place lies below a glob of hosts, or of hosts with the beginning of a path."""
    parts = allowed.rstrip("/").split("/")
    found = place.split("/")
    return len(found) > len(parts) and all(map(fnmatchcase, found, parts))


def _plain_secret(_: Guardrails, one: Object) -> list[str]:
    kind, owners = one["secret_type"] or "Opaque", {owner.partition("/")[0] for owner in one["owners"] or ()}
    is_certificate = kind == "kubernetes.io/tls" and "Certificate" in owners
    if "ExternalSecret" in owners or kind in _BY_OTHERS or is_certificate:
        return []
    return [f"is a plain Secret ({kind}) that no ExternalSecret owns"]


def _wildcards(_: Guardrails, one: Object) -> list[str]:
    rules = [rule["resources"] or ["no resource"] for rule in one["rules"] or () if "*" in rule["verbs"]]
    on = ", ".join(dict.fromkeys("everything" if name == "*" else name for names in rules for name in names))
    return [f"allows every verb on {on}"] if rules else []


def _administers(_: Guardrails, one: Object) -> list[str]:
    return ["binds to cluster-admin"] if one["role"] == "ClusterRole/cluster-admin" else []


def _denies(one: Object, traffic: str) -> bool:
    """Whether a policy denies by default: it speaks of all pods, and of the traffic, and allows none of it."""
    types = [kind.lower() for kind in one["policy_types"] or ()]
    return bool(one["selects_all_pods"]) and traffic in types and one[f"{traffic}_rules"] == 0


_RULES: tuple[tuple[Rule, tuple[str, ...], Callable[[Guardrails, Object], list[str] | None]], ...] = (
    ("Required labels", WORKLOADS, _labels),
    ("Resource limits", WORKLOADS, _resources),
    ("Images", WORKLOADS, _images),
    ("Secrets", ("Secret",), _plain_secret),
    ("Least privilege", _ROLES, _wildcards),
    ("Least privilege", _BINDINGS, _administers),
)
