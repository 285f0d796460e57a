"""The sample organisation holds what its README says, and its git repositories are real ones."""

import csv
import io
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from collectors.backstage.portal import collect
from collectors.contract.records import Component, Link, Response
from collectors.files.backstage import parse
from config.settings import load_settings
from config.sources import Backstage
from sample_data.model import Organisation, PullRequest, Repository
from sample_data.organisation.build import build_organisation
from sample_data.organisation.catalog import catalog_info
from sample_data.servers.server import SampleServer
from sample_data.settings import demo_settings
from tests.conftest import Sample
from tests.support.raw_sample import git, instant, repository, success

TODAY = date(2026, 11, 16)


@pytest.fixture
def acme(sample: Sample) -> Organisation:
    return sample.organisation


def incidents(acme: Organisation, service: str) -> list[dict[str, Any]]:
    return [each for each in acme.pagerduty.incidents if each["service"]["summary"] == service]


def instants(value: Any) -> Iterator[datetime]:
    if isinstance(value, datetime):
        yield value
    elif isinstance(value, dict):
        for inside in value.values():
            yield from instants(inside)
    elif isinstance(value, list | tuple):
        for inside in value:
            yield from instants(inside)
    elif isinstance(value, str) and len(value) == 20 and value.endswith("Z"):
        yield instant(value)


def without_place(organisation: Organisation) -> dict[str, Any]:
    return asdict(
        replace(organisation, repositories=[replace(r, git_dir=None) for r in organisation.repositories])
    )


def test_two_builds_for_the_same_day_are_the_same(acme: Organisation, tmp_path: Path) -> None:
    again = build_organisation(TODAY, tmp_path)
    assert without_place(again) == without_place(acme)
    for one, other in zip(acme.repositories, again.repositories, strict=True):
        if one.git_dir:
            assert git(one, "for-each-ref") == git(other, "for-each-ref")


@pytest.mark.parametrize("today", [date(2026, 11, 16), date(2027, 4, 7), date(2025, 1, 5)])
def test_nothing_happens_after_the_last_sunday(today: date, tmp_path: Path) -> None:
    acme = build_organisation(today, tmp_path)
    monday = today - timedelta(days=today.weekday())
    end = datetime.combine(monday, datetime.min.time(), UTC)
    for part in (acme.repositories, acme.pagerduty.incidents, acme.pagerduty.log_entries):
        found = list(instants([asdict(each) if isinstance(each, Repository) else each for each in part]))
        assert found
        assert max(found) < end
    deployed = [d.created_at for r in acme.repositories for d in r.deployments]
    assert timedelta(0) <= min(deployed) - (end - timedelta(weeks=26)) < timedelta(days=7)
    assert acme.now == datetime(today.year, today.month, today.day, 9, tzinfo=UTC)


def test_every_repository_is_sound_and_holds_what_github_names(acme: Organisation) -> None:
    for each in acme.repositories:
        if each.git_dir is None:
            continue
        git(each, "fsck", "--strict")
        known = set(git(each, "rev-list", "--all").splitlines())
        for pull in each.pull_requests:
            assert git(each, "rev-parse", f"refs/pull/{pull.number}/head") == pull.commits[-1].sha
            assert {commit.sha for commit in pull.commits} <= known
        merged = {pull.merge_sha for pull in each.pull_requests if pull.merged_at}
        assert merged <= set(git(each, "rev-list", "main").splitlines())
        assert {deployment.sha for deployment in each.deployments} <= known
        tags = {name: git(each, "rev-parse", f"{name}^{{}}") for name in git(each, "tag").splitlines()}
        assert tags == {release.tag: release.sha for release in each.releases if not release.is_draft}


def test_a_blobless_clone_and_a_fetch_by_sha_work(acme: Organisation, tmp_path: Path) -> None:
    checkout = repository(acme, "checkout")
    clone = tmp_path / "clone.git"
    source = f"file://{checkout.git_dir}"
    run = ["git", "clone", "-q", "--bare", "--filter=blob:none", source, str(clone)]
    subprocess.run(run, check=True, capture_output=True)
    missing = subprocess.run(
        ["git", "--git-dir", str(clone), "rev-list", "--objects", "--missing=print", "--all"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "\n?" in missing
    on_no_branch = checkout.pull_requests[0].commits[0].sha
    # version 2 of the protocol allows any commit to be asked for, version 0 only where the configuration says so
    fetch = ["git", "--git-dir", str(clone), "-c", "protocol.version=0", "fetch", "-q", "--filter=blob:none"]
    subprocess.run([*fetch, source, on_no_branch], check=True, capture_output=True)


def _merge_method(each: Repository, pull: PullRequest) -> str:
    parents = git(each, "show", "-s", "--format=%P", str(pull.merge_sha)).split()
    if len(parents) == 2:
        assert parents[1] == pull.commits[-1].sha
        return "merge"
    authored = int(git(each, "show", "-s", "--format=%at", str(pull.merge_sha)))
    assert pull.merge_sha not in {commit.sha for commit in pull.commits}
    if authored == pull.commits[-1].authored_at.timestamp():
        landed = git(each, "log", f"-{len(pull.commits)}", "--format=%at %cn", str(pull.merge_sha))
        times = [int(line.split()[0]) for line in landed.splitlines()][::-1]
        assert times == [int(commit.authored_at.timestamp()) for commit in pull.commits]
        return "rebase"
    return "squash"


def test_pull_requests_are_squashed_rebased_and_merged(acme: Organisation) -> None:
    for name, expected in (
        ("web-shop", {"squash"}),
        ("payments-api", {"merge"}),
        ("ledger", {"rebase"}),
        ("checkout", {"squash", "rebase", "merge"}),
        ("fulfilment", {"squash", "merge"}),
    ):
        each = repository(acme, name)
        assert {_merge_method(each, pull) for pull in each.pull_requests if pull.merged_at} == expected


def test_reviews_by_persons_and_bots_drafts_and_self_merges_are_there(acme: Organisation) -> None:
    pulls = [pull for each in acme.repositories for pull in each.pull_requests]
    reviewers = {review.author.kind for pull in pulls for review in pull.reviews}
    assert reviewers == {"User", "Bot"}
    assert any(pull.merged_at and not pull.reviews and pull.author.kind == "User" for pull in pulls)
    assert any(pull.ready_at and pull.merged_at for pull in pulls)
    assert any(pull.is_draft and not pull.merged_at for pull in pulls)
    assert any(pull.closed_at and not pull.merged_at for pull in pulls)
    assert any("hotfix" in pull.labels for pull in pulls)
    assert any(pull.head_branch.startswith("hotfix/") for pull in pulls)
    assert {pull.author.login for pull in pulls} >= {"dependabot", "renovate", "renovate-acme"}


def test_reverts_name_a_commit_and_a_pull_request(acme: Organisation) -> None:
    for name in ("checkout", "web-shop", "payments-api", "identity"):
        each = repository(acme, name)
        revert = next(pull for pull in each.pull_requests if pull.title.startswith('Revert "'))
        number = int(revert.body.removeprefix(f"Reverts acme/{name}#"))
        reverted = next(pull for pull in each.pull_requests if pull.number == number)
        assert f'Revert "{reverted.title}"' == revert.title
        assert f"This reverts commit {reverted.merge_sha}" in revert.commits[0].message
        before = git(each, "rev-parse", f"{reverted.merge_sha}^1")
        paths = git(each, "diff", "--name-only", before, str(reverted.merge_sha)).splitlines()
        assert paths
        assert not git(each, "diff", before, str(revert.merge_sha), "--", *paths)


def test_deployments_have_every_outcome(acme: Organisation) -> None:
    deployments = [deployment for each in acme.repositories for deployment in each.deployments]
    histories = {tuple(status.state for status in deployment.statuses) for deployment in deployments}
    assert histories == {
        ("QUEUED", "IN_PROGRESS", "SUCCESS"),
        ("QUEUED", "IN_PROGRESS", "SUCCESS", "INACTIVE"),
        ("QUEUED", "IN_PROGRESS", "FAILURE"),
        ("QUEUED", "IN_PROGRESS", "ERROR"),
        ("QUEUED", "IN_PROGRESS", "INACTIVE"),
        ("WAITING",),
    }
    assert {d.environment for d in deployments} == {"production", "production-eu", "production-us", "staging"}
    assert min(deployment.id for deployment in deployments) > 2**31
    assert len({deployment.id for deployment in deployments}) == len(deployments)


def test_a_rollback_happens_in_both_environments_and_a_roll_forward_follows_one(acme: Organisation) -> None:
    for environment in ("production-eu", "production-us"):
        week = [
            d.sha
            for d in repository(acme, "web-shop").deployments
            if d.environment == environment and "2026-08-10" <= f"{d.created_at:%F}" < "2026-08-17"
        ]
        assert week[2] == week[0] != week[1]
    a, b, back, forward, _ = (
        d.sha
        for d in repository(acme, "identity").deployments
        if "2026-10-05" <= f"{d.created_at:%F}" < "2026-10-12"
    )
    assert (back, forward) == (a, b)
    assert a != b


def test_incidents_have_every_fate(acme: Organisation) -> None:
    found = acme.pagerduty.incidents
    assert len({each["id"] for each in found}) == len(found)
    merged = [each for each in found if each["resolve_reason"]]
    assert [each["resolve_reason"]["type"] for each in merged] == ["merge_resolve_reason"]
    assert merged[0]["resolve_reason"]["incident"]["id"] in {each["id"] for each in found}
    assert [each["status"] for each in found if each["resolved_at"] is None] == ["acknowledged"]
    assert sum(each["urgency"] == "low" for each in found) == 2
    assert len(incidents(acme, "Office network")) == 2
    entries = {(entry["incident"]["id"], entry["type"]): entry for entry in acme.pagerduty.log_entries}
    for each in found:
        assert entries[each["id"], "trigger_log_entry"]["created_at"] == each["created_at"]
        if each["resolved_at"]:
            assert entries[each["id"], "resolve_log_entry"]["created_at"] == each["resolved_at"]


def test_a_change_event_names_a_deployment_two_days_older(acme: Organisation) -> None:
    (events,) = [acme.pagerduty.change_events[each["id"]] for each in incidents(acme, "payments-api")]
    assert events[0]["correlation_reason"] == {"reason": "related_service"}
    sha = events[0]["links"][0]["href"].rpartition("/")[2]
    deployment = next(each for each in repository(acme, "payments-api").deployments if each.sha == sha)
    finished = success(deployment)
    assert finished
    opened = instant(incidents(acme, "payments-api")[0]["created_at"])
    assert timedelta(hours=24) < opened - finished < timedelta(hours=72)
    reasons = {
        e["correlation_reason"]["reason"] for all in acme.pagerduty.change_events.values() for e in all
    }
    assert reasons == {"most_recent", "related_service"}


def test_links_blame_a_deployment_and_none(acme: Organisation) -> None:
    rows = list(csv.DictReader(io.StringIO(acme.link_files["links/incidents.csv"])))
    links = [Link.model_validate({key: value or None for key, value in row.items()}) for row in rows]
    known = {str(deployment.id) for deployment in repository(acme, "ledger").deployments}
    assert [link.deployment_id is None for link in links] == [True, False]
    assert links[1].deployment_id in known
    assert {link.incident_id for link in links} <= {each["id"] for each in acme.pagerduty.incidents}


def test_repositories_of_every_origin_are_there(acme: Organisation) -> None:
    def roots(name: str) -> tuple[datetime, datetime]:
        each = repository(acme, name)
        at = git(each, "log", "--max-parents=0", "--format=%at", "main")
        return each.created_at, datetime.fromtimestamp(int(at), UTC)

    assert [r.name for r in acme.repositories if r.git_dir is None] == ["loyalty"]
    assert [r.name for r in acme.repositories if r.is_fork] == ["terraform-provider-dns"]
    assert [r.name for r in acme.repositories if r.mirror_url] == ["public-suffix-list"]
    created, first = roots("notifications")
    assert repository(acme, "notifications").template
    assert timedelta(0) < first - created < timedelta(minutes=10)
    created, first = roots("ledger")
    assert created - first > timedelta(days=4 * 365)
    created, first = roots("search")
    assert timedelta(0) < created - first < timedelta(hours=1)


def test_backstage_tells_of_the_same_catalogue_as_its_files(acme: Organisation) -> None:
    with SampleServer(acme) as server:
        token = SecretStr(server.token)
        told = collect(Backstage.model_construct(url=f"{server.url}/backstage", token=token, portal=None))
        by_portal = [item for item in told if isinstance(item, Component)]
        assert server.requests["backstage"] == 1
    descriptors = {**acme.catalog_files, "": catalog_info()}
    by_file = {
        (item.kind, item.name): item
        for where, text in descriptors.items()
        for item in parse(text, where)
        if isinstance(item, Component)
    }
    only = {"origin": "", "portal_url": None}
    assert {(one.kind, one.name): one.model_copy(update=only) for one in by_portal} == {
        key: one.model_copy(update=only) for key, one in by_file.items()
    }


def test_the_catalogue_knows_eleven_of_twelve_services(acme: Organisation) -> None:
    described = "".join(acme.catalog_files.values())
    assert described.count("kind: Component") == 10
    assert described.count("kind: System") == 3
    assert described.count("kind: Group") == 6  # the four teams, and two groups above three of them
    in_repository = [r.name for r in acme.repositories if r.catalog_info]
    assert in_repository == ["identity"]
    identity = repository(acme, "identity")
    assert git(identity, "show", "main:catalog-info.yaml") == (identity.catalog_info or "").strip()
    assert "legacy-cron" not in described


def test_the_monorepo_has_deployments_of_one_of_both_and_of_neither_service(acme: Organisation) -> None:
    fulfilment = repository(acme, "fulfilment")
    week = [d.sha for d in fulfilment.deployments if "2026-09-21" <= f"{d.created_at:%F}" < "2026-09-28"]
    changed = [
        {path.split("/")[0] for path in git(fulfilment, "diff", "--name-only", old, new).splitlines()}
        for old, new in pairwise(week)
    ]
    assert changed == [{"inventory"}, {"docs"}, {"delivery"}]
    last = git(fulfilment, "show", "--format=", "--name-only", week[0]).splitlines()
    assert {path.split("/")[0] for path in last} == {"delivery", "inventory"}


def test_the_survey_has_two_closed_rounds_and_one_that_runs(acme: Organisation) -> None:
    rounds = {}
    for path, text in acme.survey_files.items():
        if path.startswith("forms/"):
            continue
        answers = [Response.model_validate(row) for row in csv.DictReader(io.StringIO(text))]
        rounds[answers[0].round] = answers
    assert [answers[0].closes_at > acme.now for _, answers in sorted(rounds.items())] == [False, False, True]
    for name in sorted(rounds)[:2]:
        people = {(answer.team, answer.respondent) for answer in rounds[name]}
        sizes = {team: sum(of == team for of, _ in people) for team in {of for of, _ in people}}
        assert sizes == {"storefront": 7, "fulfilment": 4, "payments": 5, "platform": 6}


def test_the_demo_settings_are_valid_and_the_token_is_private(acme: Organisation, tmp_path: Path) -> None:
    settings = load_settings(demo_settings(acme, "http://127.0.0.1:8080/", tmp_path / "a demo", "s3cret"))
    github = settings.sources.github
    assert github
    assert github.token
    assert (github.url, github.token.get_secret_value()) == ("http://127.0.0.1:8080/api/v3", "s3cret")
    assert github.since == date(2026, 5, 18)
    target = settings.target("lead_time", "team", "payments")
    assert target
    assert target.text == "< 2 days"
    assert (tmp_path / "a demo" / "token").stat().st_mode & 0o777 == 0o600
    assert list((tmp_path / "a demo").glob("surveys/*.csv"))
