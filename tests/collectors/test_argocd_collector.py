"""Argo CD: what a poll yields, what a second one asks for, and what faults do."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stamina
import yaml
from werkzeug import Response

from collectors.argocd.collect import collect
from collectors.contract.items import Checkpoint, Malformed, Resume, SourceError
from tests.support.argocd_instance import (
    CONFIG,
    NOW,
    SHAS,
    TOKEN,
    application,
    at,
    coverage,
    cursors_of,
    deployments,
    entry,
    operation,
    poll,
    serving,
    source_at,
)
from tests.support.loopback import closed_address
from tests.support.places import RECORDED

REAL = RECORDED / "argocd" / "application.yaml"


def test_each_history_entry_is_a_deployment_of_the_application() -> None:
    with serving(application([entry(3), entry(4)])) as server:
        first, second = deployments(poll(server))
    assert (first.id, second.id) == ("u1/3", "u1/4")
    assert (first.status, first.application, first.project, first.cluster, first.namespace) == (
        *("success", "web", "shop", "eu-1", "web"),
    )
    assert first.labels == {"tier": "front"}
    assert (first.config_repo, first.config_sha) == ("acme/config", SHAS[3])
    assert first.started_at == datetime(2026, 11, 1, 0, 30, tzinfo=UTC)
    assert first.finished_at == datetime(2026, 11, 1, 0, 31, tzinfo=UTC)
    assert first.url == f"{server.url}/applications/argocd/web"


def test_a_revision_is_looked_up_once_and_an_unchanged_instance_costs_one_request() -> None:
    same = [entry(0, SHAS[5]), entry(1, SHAS[5])]
    apps = application(same), application(same, "api", "u2")
    with serving(*apps) as server:
        cursors = cursors_of(poll(server))
        assert len(server.requests) == 2
        again = poll(server, cursors)
        assert len(server.requests) == 3
    assert deployments(again) == []
    assert [c.subject for c in coverage(again)] == ["main/web", "main/api"]
    assert all("fields" not in path for path in server.requests)


def test_only_new_entries_are_yielded_and_looked_up_later() -> None:
    with serving(application([entry(0)])) as server:
        cursors = cursors_of(poll(server))
    with serving(application([entry(0), entry(1), entry(2, SHAS[0])])) as server:
        items = poll(server, cursors)
        assert len(server.requests) == 2
    assert [d.id for d in deployments(items)] == ["u1/1", "u1/2"]


def test_the_application_commit_comes_from_references_or_else_from_trailers() -> None:
    reference = {"commit": {"sha": SHAS[11], "repoUrl": "git@github.com:acme/web.git"}}
    trailers = (
        f"Deploy web\n\nArgocd-reference-commit-author: a\nArgocd-reference-commit-sha: {SHAS[12]}\n"
        "Argocd-reference-commit-repourl: https://github.com/acme/web\n"
    )
    metadata = {
        ("web", SHAS[0]): {"message": trailers, "references": [{"commit": {}}, reference]},
        ("web", SHAS[1]): {"message": trailers},
        ("web", SHAS[2]): {"message": "says nothing"},
    }
    with serving(application([entry(0), entry(1), entry(2)]), metadata=metadata) as server:
        found = deployments(poll(server))
    assert [(d.sha, d.repo, d.sha_method) for d in found] == [
        (SHAS[11], "acme/web", "trailer"),
        (SHAS[12], "acme/web", "trailer"),
        (None, None, None),
    ]


def test_the_sha_of_a_second_entry_of_a_known_revision_comes_from_the_cursor() -> None:
    metadata = {("web", SHAS[0]): {"message": f"Argocd-reference-commit-sha: {SHAS[12]}"}}
    with serving(application([entry(0)]), metadata=metadata) as server:
        cursors = cursors_of(poll(server))
    with serving(application([entry(0), entry(1, SHAS[0])])) as server:
        (second,) = deployments(poll(server, cursors))
        assert len(server.requests) == 1
    assert second.sha == SHAS[12]


@pytest.mark.parametrize(("phase", "status"), [("Failed", "failure"), ("Error", "failure")])
def test_an_operation_that_did_not_succeed_is_a_deployment_of_its_start(phase: str, status: str) -> None:
    with serving(application([entry(0)], operationState=operation(at(500), phase))) as server:
        found = poll(server)
        assert deployments(poll(server, cursors_of(found))) == []
    failed = deployments(found)[-1]
    assert (failed.id, failed.status, failed.config_sha) == (f"u1/{at(500)}", status, SHAS[20])
    assert failed.config_repo == "acme/config"


def test_an_operation_of_a_phase_that_is_not_known_is_set_aside() -> None:
    with serving(application([entry(0)], operationState=operation(at(500), "Paused"))) as server:
        found = poll(server)
    assert [one.id for one in deployments(found)] == ["u1/0"]
    (aside,) = [item for item in found if isinstance(item, Malformed)]
    assert "status" in aside.reason


def test_a_successful_operation_is_its_history_entry_and_gives_it_its_images() -> None:
    result = {
        "revision": SHAS[1],
        "resources": [{"images": ["acme/web:abc", "envoy:1"]}, {"images": ["acme/web:abc"]}],
    }
    state = operation(at(10), "Succeeded", syncResult=result)
    with serving(application([entry(0), entry(1)], operationState=state)) as server:
        before, last = deployments(poll(server))
    assert (before.images, last.images) == ((), ("acme/web:abc", "envoy:1"))


def test_a_partial_sync_and_a_dry_run_are_no_deployments() -> None:
    partial = operation(at(500), "Failed", sync={"resources": [{"kind": "Service", "name": "x"}]})
    dry = operation(at(500), "Failed", sync={"dryRun": True})
    with serving(
        application([], operationState=partial), application([], "b", "u2", operationState=dry)
    ) as server:
        assert deployments(poll(server)) == []


@pytest.mark.parametrize(("phase", "status"), [("Running", "failure"), ("Terminating", "cancelled")])
def test_an_operation_that_was_replaced_without_reaching_the_history_did_not_succeed(
    phase: str, status: str
) -> None:
    with serving(application([entry(0)], operationState=operation(at(500), phase))) as server:
        first = poll(server)
    assert [d.id for d in deployments(first)] == ["u1/0"]
    with serving(application([entry(0)], operationState=operation(at(600), "Running"))) as server:
        second = deployments(poll(server, cursors_of(first)))
    assert [(d.id, d.status) for d in second] == [(f"u1/{at(500)}", status)]


def test_an_operation_that_still_goes_on_is_told_only_by_the_entry_that_it_becomes() -> None:
    with serving(application([entry(0)], operationState=operation(at(10), "Running"))) as server:
        first = poll(server)
    with serving(application([entry(0), entry(1)], operationState=operation(at(600), "Running"))) as server:
        second = poll(server, cursors_of(first))
    assert [d.id for d in deployments(first) + deployments(second)] == ["u1/0", "u1/1"]


def test_an_operation_that_may_have_left_the_history_again_is_not_called_a_failure() -> None:
    with serving(application([entry(0)], operationState=operation(at(10), "Running"))) as server:
        first = poll(server)
    with serving(application([entry(8), entry(9)], operationState=operation(at(600), "Running"))) as server:
        second = poll(server, cursors_of(first))
    assert [d.id for d in deployments(second)] == ["u1/8", "u1/9"]


def test_images_come_from_the_entry_s_own_kustomize_and_helm_settings() -> None:
    kustomize = {"images": ["acme/web=registry.example/acme/web:1.4.2", "envoy:2"]}
    parameters = [
        {"name": "image.repository", "value": "acme/web"},
        {"name": "image.tag", "value": "1.4.2"},
        {"name": "worker.image.tag", "value": "abc1234"},
        {"name": "sidecar.image", "value": "envoy:2"},
        {"name": "replicas", "value": "2"},
    ]
    history = [
        entry(0, source={"repoURL": CONFIG, "kustomize": kustomize}),
        entry(1, source={"repoURL": CONFIG, "helm": {"parameters": parameters}}),
    ]
    with serving(application(history)) as server:
        first, second = deployments(poll(server))
    assert first.images == ("registry.example/acme/web:1.4.2", "envoy:2")
    assert second.images == ("acme/web:1.4.2", "worker.image:abc1234", "envoy:2")


def test_the_revision_label_of_now_stays_with_the_last_sync_only() -> None:
    item = application([entry(0), entry(1)])
    item["metadata"]["labels"]["org.opencontainers.image.revision"] = SHAS[7]
    with serving(item) as server:
        first, second = deployments(poll(server))
    assert first.labels == {"tier": "front"}
    assert second.labels == {"tier": "front", "org.opencontainers.image.revision": SHAS[7]}


def test_of_several_sources_the_git_one_with_manifests_tells_the_revision() -> None:
    chart = {"repoURL": "https://charts.example.com", "chart": "web"}
    values = {"repoURL": "https://github.com/acme/values", "ref": "values"}
    manifests = {"repoURL": CONFIG, "path": "apps/web"}

    def several(id: int, *sources: dict[str, Any]) -> dict[str, Any]:
        revisions = ["1.2.3" if "chart" in source else SHAS[i + 1] for i, source in enumerate(sources)]
        return entry(id, revision="", source={"repoURL": ""}, sources=list(sources), revisions=revisions)

    history = [several(0, chart, values, manifests), several(1, chart, values), several(2, chart)]
    with serving(application(history)) as server:
        found = deployments(poll(server))
        asked = [path for path in server.requests if "metadata" in path]
    assert [(d.config_repo, d.config_sha) for d in found] == [
        ("acme/config", SHAS[3]),
        ("acme/values", SHAS[2]),
        ("https://charts.example.com", "1.2.3"),
    ]
    assert [path.partition("?")[2] for path in asked] == [
        "appNamespace=argocd&project=shop&sourceIndex=2&versionId=0",
        "appNamespace=argocd&project=shop&sourceIndex=1&versionId=1",
    ]


def test_a_chart_alone_has_a_version_and_no_commit_is_looked_up() -> None:
    chart = {"repoURL": "https://charts.example/stable", "chart": "redis"}
    with serving(application([entry(0, "2.6.2", source=chart), entry(1, "2.7.0", source=chart)])) as server:
        found = deployments(poll(server))
        assert not [path for path in server.requests if "/revisions/" in path]
    assert [(d.config_sha, d.sha) for d in found] == [("2.6.2", None), ("2.7.0", None)]


def test_coverage_starts_at_the_oldest_entry_and_is_kept_while_no_id_is_missing() -> None:
    with serving(application([entry(3), entry(4)])) as server:
        first = poll(server)
    with serving(application([entry(4), entry(5)])) as server:
        second = poll(server, cursors_of(first))
    assert [(c.from_at, c.until_at) for c in coverage(first) + coverage(second)] == [
        (datetime(2026, 11, 1, 0, 31, tzinfo=UTC), NOW)
    ] * 2


def test_missing_history_ids_start_a_new_coverage_at_the_oldest_entry_kept() -> None:
    with serving(application([entry(3), entry(4)])) as server:
        first = poll(server)
    with serving(application([entry(6), entry(7)])) as server:
        (covered,) = coverage(poll(server, cursors_of(first)))
    assert covered.from_at == datetime(2026, 11, 1, 1, 1, tzinfo=UTC)


def test_a_recreated_application_is_collected_from_its_first_entry() -> None:
    with serving(application([entry(3), entry(4)])) as server:
        first = poll(server)
    with serving(application([entry(0)], uid="u9")) as server:
        found = deployments(poll(server, cursors_of(first)))
    assert [d.id for d in found] == ["u9/0"]


@pytest.mark.parametrize("after", [[7], [7, 8, 9, 10, 11]], ids=["shorter", "longer"])
def test_a_history_that_was_wiped_and_began_anew_overwrites_nothing(after: list[int]) -> None:
    with serving(application([entry(0), entry(1), entry(2)])) as server:
        first = poll(server)
    # the same numbers from 0 on, at later times
    begun = [{**entry(minute), "id": id} for id, minute in enumerate(after)]
    with serving(application(begun)) as server:
        second = poll(server, cursors_of(first))
        third = poll(server, {**cursors_of(first), **cursors_of(second)})
    assert [d.id for d in deployments(second)] == [f"u1~1/{id}" for id in range(len(after))]
    assert deployments(third) == []
    assert coverage(second)[0].from_at == datetime(2026, 11, 1, 1, 11, tzinfo=UTC)


def test_applications_of_the_same_name_are_told_apart_by_their_instances_and_namespaces() -> None:
    web = application([entry(0)])
    web["spec"]["destination"] = {"server": "https://kubernetes.default.svc", "namespace": "web"}
    other = application([entry(0)], uid="u2")
    other["metadata"]["namespace"] = "team-a"
    with serving(web, other) as server:
        eu, us = poll(server, name="eu"), poll(server, name="us")
    assert [c.subject for c in coverage(eu) + coverage(us)] == [
        *("eu/web", "eu/team-a/web", "us/web", "us/team-a/web"),
    ]
    # the cluster that an instance runs in is another one in each
    assert [d.cluster for d in deployments(eu) + deployments(us)] == ["eu", "eu-1", "us", "eu-1"]
    assert {d.application for d in deployments(eu)} == {"web"}


def test_an_application_set_s_applications_are_collected_like_any_other() -> None:
    made = application([entry(0)], "web-eu", "u7")
    made["metadata"]["ownerReferences"] = [{"kind": "ApplicationSet", "name": "web", "uid": "s1"}]
    with serving(made) as server:
        assert [(d.id, d.application) for d in deployments(poll(server))] == [("u7/0", "web-eu")]


@pytest.mark.parametrize("status", [403, 404])
def test_metadata_that_is_refused_is_told_once_a_poll_and_asked_for_again(status: int) -> None:
    metadata = {("web", SHAS[n]): {"message": f"Argocd-reference-commit-sha: {SHAS[12 + n]}"} for n in (0, 1)}
    refused = Response('{"error": "permission denied"}', status)
    app = application([entry(0), entry(1)])
    with serving(app, metadata=metadata, faults=[refused], fault_path="metadata") as server:
        first = poll(server)
        assert [d.sha for d in deployments(first)] == [None, None]
        assert len(server.requests) == 2, "what refuses one revision refuses the next"
        told = [item for item in first if isinstance(item, Malformed)]
        assert [item.key for item in told] == ['["argocd", "u1/0"]', '["argocd", "u1/1"]']
        assert all(f"answered {status}" in item.reason for item in told)
        second = poll(server, cursors_of(first))
    assert [(d.id, d.sha) for d in deployments(second)] == [("u1/0", SHAS[12]), ("u1/1", SHAS[13])]
    assert not [item for item in second if isinstance(item, Malformed)]


def test_metadata_that_argo_cd_could_not_read_is_asked_for_again_by_the_next_poll() -> None:
    metadata = {("web", SHAS[0]): {"message": f"Argocd-reference-commit-sha: {SHAS[12]}"}}
    failing = [Response("{}", 500), Response("{}", 500)]
    with serving(application([entry(0)]), metadata=metadata, faults=failing, fault_path="metadata") as server:
        first = poll(server)
        second = poll(server, cursors_of(first))
        third = poll(server, cursors_of(second))
    assert [[d.sha for d in deployments(items)] for items in (first, second, third)] == [
        [None],
        [SHAS[12]],
        [],
    ]


def test_a_malformed_entry_is_set_aside_and_the_others_are_kept() -> None:
    broken = [entry(1, deployedAt="yesterday"), {"revision": "x", "initiatedBy": {"username": "jane"}}, None]
    with serving(
        application([entry(0), *broken, entry(2)]), {"metadata": {"name": "broken"}, "spec": {}}
    ) as server:
        items = poll(server)
    malformed = [item for item in items if isinstance(item, Malformed)]
    assert [d.id for d in deployments(items)] == ["u1/0", "u1/2"]
    assert len(malformed) == 4
    assert [item.key for item in malformed if item.key] == ['["argocd", "u1/1"]']
    assert all("jane" not in item.raw for item in malformed)


def test_an_instance_that_shows_no_application_is_no_failure() -> None:
    with serving() as server:
        assert [type(item) for item in poll(server)] == [Checkpoint]


def test_a_wrong_token_is_named_but_never_shown() -> None:
    with serving() as server, pytest.raises(SourceError, match=r"sources\.argocd\.token") as caught:
        list(collect(source_at(server.url, "wrong-secret"), Resume(NOW, NOW)))
    assert "401" in str(caught.value)
    assert "wrong-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Response(f"<html>sign in {TOKEN}", 200, content_type="text/html"), "text/html in place of JSON"),
        (Response(f'["{TOKEN}"]', 200), "JSON that is no object"),
        (Response('{"items": "none"}', 200), "lists no applications"),
        (
            Response(f"no {TOKEN}", 302, {"Location": f"https://evil.example/?t={TOKEN}"}),
            "a redirect, which is not followed",
        ),
        (Response(f"no {TOKEN}", 404), "answered 404"),
    ],
)
def test_an_answer_that_is_not_argo_cd_s_says_what_came_without_the_token(
    answer: Response, said: str
) -> None:
    with serving(faults=[answer]) as server, pytest.raises(SourceError, match=said) as caught:
        poll(server)
    assert TOKEN not in str(caught.value)
    assert "argocd main: " in str(caught.value)
    assert len(server.requests) == 1


def test_a_refused_connection_says_which_address() -> None:
    url = closed_address()
    with (
        stamina.set_testing(True, attempts=2),
        pytest.raises(SourceError, match="Connection refused") as caught,
    ):
        list(collect(source_at(url), Resume(NOW, NOW)))
    assert url in str(caught.value)


def test_a_recorded_application_gives_its_ten_history_entries() -> None:
    if not REAL.exists():
        pytest.skip("the recorded Argo CD application is not here")
    recorded = yaml.safe_load(REAL.read_text())
    with serving(recorded) as server:
        items = poll(server)
    found = deployments(items)
    assert [int(d.id.rpartition("/")[2]) for d in found] == list(range(14, 24))
    assert {d.config_repo for d in found} == {"foo/manifests-velero"}
    assert [item for item in items if isinstance(item, Malformed)] == []
    assert coverage(items)[0].from_at == datetime(2024, 3, 4, 22, 0, 6, tzinfo=UTC)
