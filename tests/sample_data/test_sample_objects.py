"""The sample organisation's Argo CD and PagerDuty objects have the shapes and the meaning of real ones."""

import json
from datetime import timedelta
from typing import Any

import pytest

from sample_data.model import Organisation
from tests.conftest import Sample
from tests.support.places import RECORDED, SHARED
from tests.support.raw_sample import git, instant, repository, success


@pytest.fixture
def acme(sample: Sample) -> Organisation:
    return sample.organisation


def test_argocd_keeps_ten_entries_with_growing_ids(acme: Organisation) -> None:
    config = repository(acme, "gitops-config")
    known = set(git(config, "rev-list", "main").splitlines())
    *services, namespaces = acme.argocd.applications
    names = [application["metadata"]["name"] for application in services]
    assert names == ["search-eu", "search-us", "fraud-scoring", "fraud-scoring-staging", "notifications"]
    assert namespaces["metadata"]["name"] == "platform-namespaces"
    for application in services:
        status = application["status"]
        ids = [entry["id"] for entry in status["history"]]
        assert ids == list(range(ids[0], ids[0] + 10))
        assert ids[0] > 0
        for entry in status["history"]:
            assert entry["revision"] in known
            assert (application["metadata"]["name"], entry["revision"]) in acme.argocd.revision_metadata
        operation = status["operationState"]
        if operation["phase"] == "Succeeded":
            assert operation["startedAt"] == status["history"][-1]["deployStartedAt"]
        else:
            assert operation["startedAt"] > status["history"][-1]["deployedAt"]


def test_argocd_applications_are_traced_by_trailers_by_image_or_not(acme: Organisation) -> None:
    by_name = {each["metadata"]["name"]: each["status"] for each in acme.argocd.applications}
    search = set(git(repository(acme, "search"), "rev-list", "main").splitlines())
    for entry in by_name["search-us"]["history"]:
        metadata = acme.argocd.revision_metadata["search-us", entry["revision"]]
        commit = metadata["references"][0]["commit"]
        assert commit["sha"] in search
        assert commit["repoUrl"] == "https://github.com/acme/search"
        assert f"Argocd-reference-commit-sha: {commit['sha']}" in metadata["message"]
    tags = {
        name: [entry["source"]["kustomize"]["images"][0].rpartition(":")[2] for entry in status["history"]]
        for name, status in by_name.items()
        if not name.startswith(("search", "platform"))
    }
    scoring = repository(acme, "fraud-scoring")
    assert all(git(scoring, "rev-parse", f"{tag}^{{commit}}") for tag in tags["fraud-scoring"])
    unclear = [tag for tag in tags["notifications"] if tag == "latest" or tag.startswith("build-")]
    assert len(unclear) == 4
    assert "latest" in unclear
    last = by_name["fraud-scoring"]["operationState"]["syncResult"]["resources"][0]["images"]
    assert last[0].endswith(tags["fraud-scoring"][-1])


def test_one_deployment_is_seen_by_github_and_argocd(acme: Organisation) -> None:
    entries = next(
        each["status"]["history"]
        for each in acme.argocd.applications
        if each["metadata"]["name"] == "fraud-scoring"
    )
    finished = {success(deployment) for deployment in repository(acme, "fraud-scoring").deployments}
    seen = [
        entry
        for entry in entries
        if any(at and abs(at - instant(entry["deployedAt"])) < timedelta(minutes=5) for at in finished)
    ]
    assert len(seen) == 7  # not the change of configuration, the sync of what ran already, nor the last
    assert len({entry["revision"] for entry in entries}) == 9


def _known_to(definitions: dict[str, Any], name: str, value: Any) -> None:
    properties = definitions[name].get("properties")
    if not isinstance(value, dict) or properties is None:
        return
    for key, inside in value.items():
        assert key in properties, f"{name}.{key}"
        schema = properties[key]
        if "$ref" in schema:
            _known_to(definitions, schema["$ref"].rpartition("/")[2], inside)
        elif "$ref" in schema.get("items", {}):
            for item in inside:
                _known_to(definitions, schema["items"]["$ref"].rpartition("/")[2], item)


def test_argocd_objects_have_the_keys_of_its_specification(acme: Organisation) -> None:
    specification = SHARED / "specs" / "argocd-swagger.json"
    if not specification.exists():
        pytest.skip(f"{specification} is absent")
    definitions = json.loads(specification.read_text())["definitions"]
    for application in acme.argocd.applications:
        body = {key: value for key, value in application.items() if key not in ("apiVersion", "kind")}
        _known_to(definitions, "v1alpha1Application", body)
    for metadata in acme.argocd.revision_metadata.values():
        _known_to(definitions, "v1alpha1RevisionMetadata", metadata)


def test_pagerduty_incidents_have_the_keys_of_real_ones(acme: Organisation) -> None:
    recorded = RECORDED / "pagerduty" / "incidents.json"
    if not recorded.exists():
        pytest.skip(f"{recorded} is absent")
    real = json.loads(recorded.read_text())[0]
    for each in acme.pagerduty.incidents:
        assert set(each) == {*real, "resolve_reason"}
