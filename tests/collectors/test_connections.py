"""`sixkeys check` before the first collection: one small request for each permission, each told by itself."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pydantic import SecretStr
from werkzeug import Response

from collectors.argocd import collect as argocd
from collectors.connections import Connection, try_connections
from collectors.contract.items import SourceError
from config import sources
from config.settings import Deployments, Settings, WorkflowDeployment
from sample_data.model import ArgoCD, Organisation, PagerDuty
from sample_data.servers.faults import App, Fault, Faulty, status
from sample_data.servers.pagerduty_api import PagerDutyApi
from sample_data.servers.server import SampleServer
from tests.support import argocd_instance
from tests.support.github_organisation import (
    NOW,
    TOKEN,
    hours,
    make_organisation,
    make_repository,
    make_run,
    settings,
)
from tests.support.loopback import Loopback

REFUSED = status(403, {"message": "Resource not accessible by personal access token"})


@contextmanager
def github(
    *refused: str, fault: Fault = REFUSED, token: str = TOKEN, **fields: object
) -> Iterator[list[Connection]]:
    """What is told of a GitHub that refuses the paths `refused`: a repository that is worked on, and two others."""
    faulties: list[Faulty] = []

    def around(app: App) -> App:
        faulties.append(Faulty(app))
        for path in refused:
            faulties[0].next(fault, path, None)
        return faulties[0]

    workflows = fields.pop("workflows", [WorkflowDeployment(workflow="deploy.yml")])
    organisation = make_organisation(
        make_repository("old", pushed_at=hours(1)),
        make_repository(workflow_runs=[make_run(1), make_run(2, path=".github/workflows/lint.yml")]),
        make_repository("archive", is_archived=True, pushed_at=NOW),
    )
    with SampleServer(organisation, token=TOKEN, around=around) as server, faulties[0]:
        source = settings(server.url, token=token, **fields)
        of = Settings(
            organization="acme",
            sources=sources.Sources(github=source),
            deployments=Deployments.model_construct(workflows=workflows),
        )
        yield list(try_connections(of))


def test_each_permission_is_tried_on_the_repository_that_is_worked_on() -> None:
    with github(incidents=sources.GitHubIncidents(labels=["incident"])) as told:
        assert [(one.works, one.detail) for one in told] == [
            (True, "3 repositories match acme/*"),
            (True, "may read contents (tried on acme/checkout)"),
            (True, "may read pull requests (tried on acme/checkout)"),
            (True, "may read deployments (tried on acme/checkout)"),
            (True, "may read issues (tried on acme/checkout)"),
            (True, "may read actions (tried on acme/checkout; of its workflow files deploy.yml may deploy)"),
        ]


def test_all_that_are_missing_are_told_at_once_and_the_others_work() -> None:
    with github("/deployments", "/actions/") as told:
        assert [one.works for one in told] == [True, True, True, False, False]
        for missing, one in zip(("deployments", "actions"), told[-2:], strict=True):
            assert f"github: {missing} cannot be read: " in one.detail
            assert "answered 403: Resource not accessible" in one.detail
            assert TOKEN not in one.detail


def test_what_no_collection_needs_is_no_fault() -> None:
    with github("/actions/", "/issues", workflows=[]) as told:
        assert all(one.works for one in told)
    with github("/actions/", workflow_runs=False) as told:
        assert all(one.works for one in told)


def test_issues_that_are_turned_off_and_an_empty_repository_are_no_fault() -> None:
    gone = status(410, {"message": "Issues has been disabled in this repository."})
    with github("/issues", fault=gone, incidents=sources.GitHubIncidents(labels=["incident"])) as told:
        assert all(one.works for one in told)


def test_by_rest_too_and_a_wrong_token_is_told_once() -> None:
    with github("/pulls", graphql=False) as told:
        assert [one.works for one in told] == [True, True, False, True, True]
    with github(token="wrong-secret") as (one,):
        assert not one.works
        assert "401" in one.detail
        assert "wrong-secret" not in one.detail


def test_argo_cd_tells_who_the_token_belongs_to_and_how_many_applications_it_sees() -> None:
    with argocd_instance.serving(argocd_instance.application([argocd_instance.entry(0)])) as server:
        answers = [*argocd.try_connection(argocd_instance.source_at(server.url))]
        assert answers == ["signed in as sixkeys", "may read 1 application"]
        with pytest.raises(SourceError, match="does not know the token"):
            list(argocd.try_connection(argocd_instance.source_at(server.url, "wrong-secret")))


def test_a_token_that_sees_no_application_is_told() -> None:
    with argocd_instance.serving() as server:
        _, seen = argocd.try_connection(argocd_instance.source_at(server.url))
    assert isinstance(seen, SourceError)
    assert "p, ROLE, applications, get, */*, allow" in str(seen)


def test_a_token_that_may_read_incidents_but_no_log_entries_is_told() -> None:
    refused = Response('{"error": {"message": "Access Denied"}}', 403)
    account = Organisation("acme", NOW, [], ArgoCD(), PagerDuty(), {}, {}, {})
    with Loopback(PagerDutyApi(account, TOKEN), [refused], "/log_entries") as server:
        source = sources.PagerDuty.model_construct(url=server.url, token=SecretStr(TOKEN))
        of = sources.Sources.model_construct(pagerduty=source)
        read, not_read = try_connections(Settings.model_construct(sources=of))
    assert (read.works, read.detail) == (True, "may read incidents")
    assert not not_read.works
    assert "/log_entries answered 403" in not_read.detail
