"""The numbers that the sample organisation's README works out by hand, computed from the raw objects.

The means are other than the program's: git's own log, GitHub's objects as they are, a few lines of arithmetic.
"""

import csv
import io
import tomllib
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from statistics import mean, median

import pytest

import sample_data
from sample_data.model import Organisation, PullRequest, Repository
from sample_data.organisation.build import build_organisation
from tests.support.raw_sample import git, instant, repository, success

_BY_HAND = tomllib.loads((Path(sample_data.__file__).parent / "worked_numbers.toml").read_text())
WORKED, MOVED = _BY_HAND["worked"], _BY_HAND["moved"]
_BOTS = ("dependabot[bot]", "renovate[bot]")


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    return build_organisation(date(2026, 11, 16), tmp_path_factory.mktemp("acme"))


def is_squash(each: Repository, pull: PullRequest) -> bool:
    parents, authored = git(each, "show", "-s", "--format=%P|%at", str(pull.merge_sha)).split("|")
    return len(parents.split()) == 1 and int(authored) != pull.commits[-1].authored_at.timestamp()


def _worked(metric: str) -> tuple[float, int]:
    (found,) = [each for each in WORKED if each["metric"] == metric]
    return found["value"], found["n"]


def _production(acme: Organisation) -> list[tuple[str, datetime]]:
    """Successful production deployments of checkout: SHA and finish."""
    deployments = repository(acme, "checkout").deployments
    return [(d.sha, at) for d in deployments if d.environment == "production" and (at := success(d))]


def _counted(acme: Organisation) -> list[tuple[str, datetime]]:
    seen: dict[str, datetime] = {}
    for sha, at in _production(acme):
        seen.setdefault(sha, at)
    return list(seen.items())


def test_worked_time_to_first_commit(acme: Organisation) -> None:
    waited = []
    timed = ("search", "checkout", "acme-cli", "notifications", "reviews")
    for name in timed:
        each = repository(acme, name)
        lines = git(each, "log", "--format=%at %s", "main").splitlines()
        authored = min(int(line.split()[0]) for line in lines if not line.endswith("Initial commit"))
        waited.append(max(0.0, authored - each.created_at.timestamp()))
    assert sorted(waited) == [0, 1140, 1440, 2460, 6300]
    assert (median(waited), len(waited)) == _worked("time_to_first_commit")
    others = {
        each.name for each in acme.repositories if each.created_at > datetime(2026, 5, 17, 22, tzinfo=UTC)
    } - set(timed)
    assert others == {"ledger", "terraform-provider-dns", "public-suffix-list", "loyalty"}


def test_worked_deployment_frequency(acme: Organisation) -> None:
    week = [at for _, at in _counted(acme) if at >= datetime(2026, 11, 8, 23, tzinfo=UTC)]
    assert (len(week) / 7, len(week)) == _worked("deployment_frequency")


def test_worked_lead_time(acme: Organisation) -> None:
    checkout = repository(acme, "checkout")
    pulls = {pull.merge_sha: pull for pull in checkout.pull_requests}
    seconds = []
    for (before, _), (sha, at) in pairwise(_counted(acme)):
        if at < datetime(2026, 11, 8, 23, tzinfo=UTC):
            continue
        for line in git(checkout, "log", "--first-parent", "--format=%H %at", sha, f"^{before}").splitlines():
            commit, authored = line.split()
            pull = pulls.get(commit)
            times = [float(authored)]
            if pull and is_squash(checkout, pull):
                own = [each for each in pull.commits if len(each.parents) == 1 and each.author.kind == "User"]
                times = [each.authored_at.timestamp() for each in own]
            seconds += [at.timestamp() - time for time in times]
    assert sorted(second / 60 for second in seconds) == [20, 38, 38, 46, 48, 78, 96, 128, 1188]
    assert (median(seconds), len(seconds)) == _worked("lead_time")


def test_worked_failures_recovery_and_rework(acme: Organisation) -> None:
    production, counted = _production(acme), _counted(acme)
    assert len(production) == 18
    by_sha = dict(counted)
    # D4, D12 and D16 of README.md: a rollback, an incident in the window, a revert
    names = {f"D{number}": entry for number, entry in enumerate(production, start=1)}
    assert names["D5"][0] == names["D3"][0]
    assert names["D9"][0] == names["D8"][0]
    high = [
        each
        for each in acme.pagerduty.incidents
        if each["service"]["summary"] == "checkout" and each["urgency"] == "high"
    ]
    opened = [instant(each["created_at"]) for each in high]
    resolved = [instant(each["resolved_at"]) for each in high]
    revert = next(p for p in repository(acme, "checkout").pull_requests if p.title.startswith("Revert"))
    assert names["D16"][0] in revert.commits[0].message
    assert names["D4"][1] < opened[0] < names["D5"][1] < resolved[0]
    assert names["D12"][1] < opened[1] < names["D13"][1] < resolved[1] < names["D14"][1]
    failed = [by_sha[names[name][0]] for name in ("D4", "D12", "D16")]
    recovered = [names["D5"][1], resolved[1], names["D17"][1]]
    times = [(after - before).total_seconds() for before, after in zip(failed, recovered, strict=True)]
    assert (len(failed) / len(counted), len(counted)) == _worked("change_failure_rate")
    assert (median(times), len(times)) == _worked("failed_deployment_recovery_time")
    # reworked: the rollback D5, the hotfix D6, D13 that ended an incident, the revert D17
    assert (4 / (len(counted) + 1), len(counted) + 1) == _worked("deployment_rework_rate")
    open_for = [(end - start).total_seconds() for start, end in zip(opened, resolved, strict=True)]
    assert (mean(open_for), len(open_for)) == _worked("mttr")


def test_worked_before_and_after_the_move(acme: Organisation) -> None:
    identity = repository(acme, "identity")
    first, moved, last = (
        datetime(2026, month, day, 22, tzinfo=UTC) for month, day in ((6, 21), (8, 16), (10, 11))
    )
    waits: dict[bool, list[float]] = {False: [], True: []}
    deployed = {False: 0, True: 0}
    newest, had = "", set[str]()
    for at, sha in sorted((at, d.sha) for d in identity.deployments if (at := success(d))):
        if sha in had and sha != newest:  # a rollback
            continue
        told = git(identity, "log", "--format=%H|%at|%an", sha, *([f"^{newest}"] if newest else []))
        newest = sha
        had.add(sha)
        if first <= at < last:
            deployed[at >= moved] += 1
            own = [line.split("|") for line in told.splitlines()]
            waits[at >= moved] += [at.timestamp() - int(when) for _, when, who in own if who not in _BOTS]
    for is_after, (lead, failed) in zip((False, True), (MOVED[:2], MOVED[2:]), strict=True):
        assert (median(waits[is_after]), len(waits[is_after])) == (lead["value"], lead["n"])
        assert (3 / deployed[is_after], deployed[is_after]) == (failed["value"], failed["n"])


def test_worked_satisfaction(acme: Organisation) -> None:
    rows = csv.DictReader(io.StringIO(acme.survey_files["surveys/2026-10.csv"]))
    scores: dict[str, list[float]] = {}
    for row in rows:
        if row["team"] == "platform":
            least, most = float(row["scale_min"]), float(row["scale_max"])
            scaled = 1 + 4 * (float(row["score"]) - least) / (most - least)
            scores.setdefault(row["respondent"], []).append(scaled)
    value, n = _worked("developer_satisfaction")
    assert mean(mean(each) for each in scores.values()) == pytest.approx(value)
    assert len(scores) == n


def test_worked_self_service_time(acme: Organisation) -> None:
    infrastructure = repository(acme, "infrastructure")
    (application,) = [
        each for each in acme.argocd.applications if each["metadata"]["name"] == "platform-namespaces"
    ]
    syncs = [
        (datetime.fromisoformat(entry["deployedAt"]), entry["revision"])
        for entry in application["status"]["history"]
    ]
    runs = [(run.updated_at, run.sha) for run in infrastructure.workflow_runs if run.conclusion == "success"]
    took = []
    for pull in infrastructure.pull_requests:
        if pull.merge_sha is None:
            continue
        files = git(infrastructure, "show", "--format=", "--name-only", pull.merge_sha)
        by = syncs if files.startswith("namespaces/") else runs
        contain = [
            at for at, sha in by if pull.merge_sha in git(infrastructure, "rev-list", sha).splitlines()
        ]
        if contain:
            took.append((min(contain) - pull.created_at).total_seconds())
    assert sorted(seconds / 60 for seconds in took) == [16, 21, 26, 30, 36, 41, 76, 92, 112, 1566]
    assert (median(took), len(took)) == _worked("self_service_time")
