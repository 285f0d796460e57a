"""What applications run: what is kept of it, how often it is asked for, and that no secret is kept anywhere."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
import stamina
from hypothesis import given
from hypothesis import settings as run_with
from hypothesis import strategies as st
from werkzeug import Response

from collectors.argocd.collect import again, collect
from collectors.argocd.managed_reading import Guarded
from collectors.argocd.reduction import reduced
from collectors.contract.items import Checkpoint, Item, Malformed, Resume, SetAside, SourceError, key_of
from collectors.contract.managed_objects import ManagedObject
from collectors.contract.records import Coverage
from tests.support.argocd_instance import NOW, application, serving, source_at
from tests.support.hostile.cluster_objects import (
    BOUNDED,
    SECRET,
    about,
    container,
    everything,
    network_policy,
    secret,
    workload,
)
from tests.support.hostile.values import VALUES, Raw, parts, with_part
from tests.support.loopback import Loopback

DAY = timedelta(days=1)


def poll(
    server: Loopback,
    before: Iterable[Item] = (),
    now: datetime = NOW,
    stored: Iterable[Item] = (),
    cursors: dict[str, Any] | None = None,
) -> list[Item]:
    """What a poll tells after those that told `before`."""
    told = [one for one in (*before, *stored) if isinstance(one, ManagedObject)]
    kept: dict[str, list[ManagedObject]] = {}
    for one in told:
        kept[one.application] = [
            *(other for other in kept.get(one.application, ()) if key_of(other) != key_of(one)),
            one,
        ]
    guarded = Guarded(lambda name, *_: "staging" not in name, lambda: kept)
    known = {one.subject: one.cursor for one in before if isinstance(one, Checkpoint)} | (cursors or {})
    return list(collect(source_at(server.url), Resume(now, NOW - 365 * DAY, known), guarded=guarded))


def objects(items: Iterable[Item]) -> list[ManagedObject]:
    return [item for item in items if isinstance(item, ManagedObject)]


def set_aside(items: Iterable[Item]) -> list[Malformed]:
    return [item for item in items if isinstance(item, Malformed)]


def read_until(items: Iterable[Item]) -> list[tuple[str, datetime]]:
    return [
        (item.subject, item.until_at)
        for item in items
        if isinstance(item, Coverage) and item.source == "managed_objects"
    ]


def asked(server: Loopback) -> list[str]:
    return [path for path in server.requests if "managed-resources" in path]


def synced(revision: str, name: str = "web", uid: str = "u1") -> dict[str, Any]:
    return application([], name, uid, sync={"status": "Synced", "revision": revision})


def test_of_each_object_only_what_rules_ask_for_is_kept() -> None:
    with serving(synced("a"), objects={"web": everything()}) as server:
        items = poll(server)
    found = {(one.kind, one.name): one for one in objects(items)}
    assert len(found) == 14
    assert "ConfigMap" not in {kind for kind, _ in found}
    deployment = found["Deployment", "deployment"]
    assert (deployment.application, deployment.cluster, deployment.namespace) == ("main/web", "eu-1", "web")
    assert deployment.labels == {"app.kubernetes.io/name": "deployment"}
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Pod", "Rollout"):
        own, first = found[kind, kind.lower()].containers
        assert (own.name, own.image, own.is_init, own.cpu_request, own.memory_limit) == (
            *("web", "acme/web:1", False, "100m", "512Mi"),
        )
        assert (first.name, first.is_init) == ("first", True)
    policy = found["NetworkPolicy", "default-deny"]
    assert (policy.selects_all_pods, policy.policy_types, policy.ingress_rules) == (True, ("Ingress",), 0)
    assert [rule.verbs for rule in found["ClusterRole", "all"].rules] == [("*",)]
    assert found["ClusterRoleBinding", "admins"].role == "ClusterRole/cluster-admin"
    assert found["Secret", "db"].secret_type == "Opaque"
    assert SECRET not in repr(items)


def test_the_owner_of_a_secret_is_kept() -> None:
    owner = {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "name": "db", "uid": "1"}
    made = [
        secret("owned", ownerReferences=[owner]),
        secret("labelled", labels={"reconcile.external-secrets.io/managed": "true"}),
        secret("tls", "kubernetes.io/tls", annotations={"cert-manager.io/certificate-name": "web"}),
    ]
    with serving(synced("a"), objects={"web": made}) as server:
        found = {one.name: one.owners for one in objects(poll(server))}
    assert found == {
        "owned": ("ExternalSecret/db",),
        "labelled": ("ExternalSecret",),
        "tls": ("Certificate",),
    }


def test_what_is_in_git_only_does_not_run() -> None:
    told = json.dumps(workload())
    item = {"group": "apps", "kind": "Deployment", "namespace": "web", "name": "web", "targetState": told}
    assert reduced({**item, "liveState": "null"}) is None
    assert reduced({**item, "liveState": "", "normalizedLiveState": "null"}) is None
    found = reduced({**item, "normalizedLiveState": told})
    assert found
    assert found[1] is None


def test_an_application_is_asked_for_once_and_again_when_its_sync_changed_a_day_later() -> None:
    with serving(synced("a"), synced("a", "api", "u2"), objects={"web": [workload()]}) as server:
        first = poll(server)
        assert len(asked(server)) == 2
        # both at once, in whichever order
        assert sorted(asked(server))[1].endswith("/web/managed-resources?appNamespace=argocd&project=shop")
        second = poll(server, first, NOW + 2 * DAY)
        assert len(asked(server)) == 2
    assert read_until(second) == [(f"main/{name}", NOW + 2 * DAY) for name in ("web", "api")]
    with serving(synced("b"), synced("a", "api", "u2"), objects={"web": [workload()]}) as server:
        soon = poll(server, first, NOW + DAY / 2)
        assert asked(server) == []
        assert read_until(soon) == [("main/api", NOW + DAY / 2)]
        later = poll(server, first, NOW + DAY)
        assert len(asked(server)) == 1
        assert objects(later) == []
        assert len(read_until(later)) == 2
        poll(server, first, NOW + 7 * DAY)
        assert len(asked(server)) == 3


def test_applications_that_are_no_production_and_none_without_guardrails_are_asked_for() -> None:
    with serving(synced("a", "web-staging"), objects={"web-staging": [workload()]}) as server:
        assert objects(poll(server)) == []
        list(collect(source_at(server.url), Resume(NOW, NOW - DAY)))
        assert asked(server) == []


def test_only_changes_are_told_and_what_is_gone() -> None:
    with serving(synced("a"), objects={"web": [workload(), network_policy()]}) as server:
        first = poll(server)
    changed = workload(container(image="acme/web:2"))
    with serving(synced("b"), objects={"web": [changed, secret()]}) as server:
        second = poll(server, first, NOW + DAY)
    told = [(one.kind, one.is_gone, one.from_at) for one in objects(second)]
    assert told == [
        ("Deployment", False, NOW + DAY),
        ("Secret", False, NOW + DAY),
        ("NetworkPolicy", True, NOW + DAY),
    ]
    with serving(synced("c"), objects={"web": [changed, secret(), network_policy()]}) as server:
        third = poll(server, [*first, *second], NOW + 2 * DAY)
    assert [one.kind for one in objects(third)] == ["NetworkPolicy"]
    assert not objects(third)[0].is_gone


def test_a_change_of_what_no_rule_asks_for_is_none() -> None:
    with serving(synced("a"), objects={"web": [workload()]}) as server:
        first = poll(server)
    other = workload()
    other["spec"]["replicas"] = 9
    with serving(synced("b"), objects={"web": [other]}) as server:
        assert objects(poll(server, first, NOW + DAY)) == []


def test_an_object_that_cannot_be_read_is_set_aside_and_known_to_be_there() -> None:
    broken = workload(container(resources={"limits": {"cpu": [SECRET]}}))
    with serving(synced("a"), objects={"web": [broken, network_policy()]}) as server:
        first = poll(server)
        (aside,) = set_aside(first)
        assert aside.reason == "resources: cpu is no quantity"
        assert json.loads(aside.raw) == {
            "application": "main/web",
            "kind": "Deployment",
            "namespace": "web",
            "name": "web",
        }
        assert [(one.kind, one.is_readable) for one in objects(first)] == [
            ("Deployment", False),
            ("NetworkPolicy", True),
        ]
        cursors = {one.subject: one.cursor for one in first if isinstance(one, Checkpoint)}
        held = SetAside(aside.kind, aside.subject, tuple(json.loads(aside.key or "")))
        assert len(set_aside(poll(server, first, cursors=again(cursors, [held])))) == 1
    with serving(synced("b"), objects={"web": [workload(), network_policy()]}) as server:
        (mended,) = objects(poll(server, first, NOW + DAY))
    assert mended.is_readable
    assert key_of(mended) == aside.key


@pytest.mark.parametrize(
    "answer",
    [
        Response(f"denied: {SECRET}", 403),
        Response(f"{SECRET} is no JSON", 200, content_type="application/json"),
        Response(b'{"items": [{"liveState": "\xff' + SECRET.encode() + b'"', 200),
        Response(json.dumps({"items": SECRET}), 200),
        Response(SECRET, 302, {"Location": f"https://login.example/{SECRET}"}),
        Response(json.dumps([SECRET]), 200),
    ],
)
def test_a_refusal_costs_its_application_only_and_is_not_quoted(answer: Response) -> None:
    apps = synced("a"), synced("a", "api", "u2")
    with serving(
        *apps, objects={"api": [workload()]}, faults=[answer], fault_path="web/managed-resources"
    ) as server:
        first = poll(server)
        (aside,) = set_aside(first)
        assert SECRET not in repr(first)
        assert aside.reason.startswith("what it runs is unknown until it can be read: Argo CD answered ")
        assert [subject for subject, _ in read_until(first)] == ["main/api"]
        assert [one.application for one in objects(first)] == ["main/api"]
        # it is not asked for again before the next day
        poll(server, first, NOW + DAY / 2)
        assert len(asked(server)) == 2
        later = poll(server, first, NOW + DAY)
        assert len(asked(server)) == 3
    (mended,) = [
        one
        for one in later
        if isinstance(one, Coverage) and one.subject == "main/web" and one.source == "managed_objects"
    ]
    assert key_of(mended) == aside.key


def test_a_token_that_does_not_hold_any_more_ends_the_run_and_is_not_quoted() -> None:
    refused = Response(SECRET, 401)
    with (
        serving(synced("a"), faults=[refused], fault_path="managed-resources") as server,
        pytest.raises(SourceError, match=r"answered 401; .* set sources.argocd.token") as raised,
    ):
        poll(server)
    assert SECRET not in str(raised.value)


def test_syncs_are_told_although_argo_cd_is_gone_when_it_comes_to_objects() -> None:
    gone = [Response(SECRET, 503) for _ in range(4)]
    items: list[Item] = []

    def read() -> None:
        guarded = Guarded(lambda *_: True, dict)
        for item in collect(source_at(server.url), Resume(NOW, NOW - DAY), guarded=guarded):
            items.append(item)

    with (
        stamina.set_testing(True, attempts=4),
        serving(synced("a"), faults=gone, fault_path="managed-resources") as server,
        pytest.raises(SourceError, match="answered 503; try again later") as raised,
    ):
        read()
    assert SECRET not in str(raised.value)
    assert [one.subject for one in items if isinstance(one, Checkpoint)] == ["u1", "*"]


def test_a_thousand_applications_cost_a_request_each_and_then_one_in_all() -> None:
    apps = [synced("a", f"app-{number}", f"u{number}") for number in range(40)]
    with serving(*apps, objects={"app-1": [workload()]}) as server:
        first = poll(server)
        assert len(server.requests) == 1 + 40
        poll(server, first, NOW + DAY)
        assert len(server.requests) == 1 + 40 + 1


SOUND = [
    {"group": one["apiVersion"].rpartition("/")[0], "kind": one["kind"], "name": one["metadata"]["name"]}
    | {"namespace": one["metadata"].get("namespace", ""), "liveState": one}
    for one in everything()
]
KINDS = {one["kind"] for one in SOUND} | {"?"}
# where a hostile value stands in no part that is read, the secrets around it must stay unread
HOSTILE = [value for value in VALUES if not isinstance(value, Raw)]


@run_with(max_examples=150)
@given(st.data())
def test_whatever_stands_anywhere_in_an_object_it_is_kept_or_set_aside_and_no_value_gets_out(
    data: st.DataObject,
) -> None:
    sound = data.draw(st.sampled_from(SOUND))
    place, _ = data.draw(st.sampled_from(list(parts(sound))))
    value = data.draw(st.sampled_from(HOSTILE))
    item = with_part(sound, place, value)
    if place != ("liveState",):
        item["liveState"] = json.dumps(item["liveState"])
    found = reduced(item)
    if found is None:
        return
    fields, reason = found
    record = ManagedObject(source="argocd", application="main/web", from_at=NOW, **fields)
    assert record.is_readable == (reason is None)
    assert record.kind in KINDS
    assert SECRET not in repr(found)
    assert len(reason or "") < 120


def test_a_live_state_that_is_no_json_is_not_quoted() -> None:
    for told in (f'{{"data": "{SECRET}"', f'"{SECRET}"', SECRET, "[" * 100_000):
        found = reduced({**SOUND[0], "liveState": told})
        assert found
        assert found[1] in ("liveState: is no JSON", "liveState: is no object")
        assert SECRET not in repr(found)


def test_a_rollout_may_run_what_a_deployment_is() -> None:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    rollout = workload(kind="Rollout")
    rollout["spec"] = {"workloadRef": reference}
    item = {"group": "argoproj.io", "kind": "Rollout", "name": "web", "liveState": json.dumps(rollout)}
    found = reduced(item)
    assert found
    assert found == (
        {"kind": "Rollout", "namespace": "", "name": "web", "labels": about("web")["labels"]},
        None,
    )


def test_the_bounds_of_a_container_are_as_they_are_written() -> None:
    numbers = container(resources={"requests": {"cpu": 1, "memory": 0.5}, "limits": BOUNDED["limits"]})
    with serving(synced("a"), objects={"web": [workload(numbers)]}) as server:
        (found,) = objects(poll(server))
    (one,) = found.containers
    assert (one.cpu_request, one.memory_request, one.cpu_limit) == ("1", "0.5", "500m")
