"""What was set aside in the quarantine is read again: exactly that, from each kind of source."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from collectors.argocd import collect as argocd
from collectors.contract.items import SetAside
from collectors.contract.records import RECORDS
from collectors.git import collect as git
from collectors.github import issues
from config.settings import Privacy, Settings
from config.sources import ArgoCD, Catalog, GitHub, PagerDuty, Sources
from config.survey import Survey
from sample_data.model import Organisation
from sample_data.servers import faults
from sample_data.servers.faults import Fault
from tests.support.faulty_sources import LATE, Bench, serving
from tests.support.github_organisation import NOW, TOKEN
from warehouse.loading.runs import Run
from warehouse.pipeline import collect
from warehouse.storage.store import open_warehouse

Change = Callable[[Any], Any]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, behind_every_api: Organisation) -> Iterator[Bench]:
    with serving(tmp_path_factory.mktemp("bench"), behind_every_api) as bench:
        yield bench


def settings_of(bench: Bench, folder: Path, graphql: bool = True, survey: str | None = None) -> Settings:
    token = SecretStr(TOKEN)
    # by REST each pull request costs three requests
    since = None if graphql else LATE.date()
    hub = GitHub(
        url=f"{bench.url}/api/v3", token=token, repositories=["acme/*"], graphql=graphql, since=since
    )
    return Settings(
        organization="acme",
        timezone="UTC",
        privacy=Privacy(key=SecretStr("the same hashes in every warehouse")),
        warehouse=folder / "acme.duckdb",
        sources=Sources(
            github=hub,
            argocd=[ArgoCD(url=f"{bench.url}/argocd", token=token)],
            pagerduty=PagerDuty(url=f"{bench.url}/pagerduty", token=token),
            survey=Survey(files=[survey or f"{bench.url}/survey.csv"]),
            catalog=Catalog(files=[str(folder / "catalog.yaml")]),
        ),
    )


def run(settings: Settings, source: str, **more: Any) -> Run:
    (found,) = collect(settings, only=source, now=NOW, **more)
    assert found.error is None
    return found


def content(settings: Settings) -> dict[str, list[str]]:
    with open_warehouse(settings.warehouse) as warehouse:
        return {
            table: sorted(map(repr, warehouse.connection.execute(f"from {table}").fetchall()))
            for table in [*RECORDS, "quarantine"]
        }


def kinds_set_aside(settings: Settings) -> Counter[str]:
    with open_warehouse(settings.warehouse) as warehouse:
        return Counter(
            kind for (kind,) in warehouse.connection.execute("select kind from quarantine").fetchall()
        )


def where(has: str, then: Change) -> Change:
    """`then` done to every object that has the key `has`."""

    def changed(value: Any) -> Any:
        if isinstance(value, list):
            return [changed(part) for part in value]
        if isinstance(value, dict):
            value = {key: changed(part) for key, part in value.items()}
            return {**value, **then(value)} if has in value else value
        return value

    return changed


def each(*changes: Change) -> Fault:
    """All of `changes` in every answer."""
    return faults.changed(lambda _, value: reduce(lambda so_far, change: change(so_far), changes, value))


def with_null(value: Any) -> Any:
    return {**value, "incidents": [None, *value["incidents"]]} if "incidents" in value else value


# one that reads from its beginning, and one that asks for the items alone
OFTEN = ("github", "argocd")
# of each source: what is wrong, and how much of it is set aside by kind
WRONG: dict[str, tuple[str, Fault, dict[str, int]]] = {
    "github": (
        "",
        each(
            where("headRefName", lambda pull: {"createdAt": None} if pull["number"] < 9 else {}),
            where("commitOid", lambda _: {"createdAt": "yesterday", "statuses": {"nodes": []}}),
            where("tagCommit", lambda _: {"publishedAt": "yesterday"}),
        ),
        {"pull_requests": 8, "deployments": 3 + 120},
    ),
    "github rest": ("/commits", faults.null("commit"), {"pull_requests": 20}),
    "argocd": (
        "",
        each(
            where("deployedAt", lambda sync: {"deployedAt": None} if sync["id"] == 1 else {}),
            where("phase", lambda _: {"finishedAt": "yesterday"}),
        ),
        {"deployments": 1 + 1},
    ),
    "pagerduty": (
        "",
        each(where("urgency", lambda _: {"created_at": None}), with_null),
        {"incidents": 102 + 1},
    ),
}


@pytest.mark.parametrize(
    "name", [name if name in OFTEN else pytest.param(name, marks=pytest.mark.soak) for name in WRONG]
)
def test_a_replay_reads_what_was_set_aside_and_ends_as_if_it_had_been_well_at_once(
    bench: Bench, tmp_path: Path, name: str
) -> None:
    path, fault, expected = WRONG[name]
    source, graphql = name.partition(" ")[0], "rest" not in name
    disturbed = settings_of(bench, tmp_path / "disturbed", graphql)
    well = settings_of(bench, tmp_path / "well", graphql)
    n = sum(expected.values())
    with bench.faulty.all(fault, path):
        assert run(disturbed, source).quarantined >= n
    assert kinds_set_aside(disturbed) == expected
    if graphql:  # by REST the newest are asked for in each run
        run(disturbed, source)
        assert kinds_set_aside(disturbed) == expected, "an ordinary run asks for what is new only"
    replayed = run(disturbed, source, replay=True)
    run(well, source)
    assert content(disturbed) == content(well)
    assert replayed.mended == (n, n)
    assert f"{n} of {n} out of the quarantine" in replayed.summary


def test_what_is_still_wrong_stays_and_a_source_with_nothing_set_aside_is_not_asked(
    bench: Bench, tmp_path: Path
) -> None:
    broken = each(where("urgency", lambda incident: {"created_at": None} if incident["id"] == "Q7" else {}))
    settings = settings_of(bench, tmp_path)
    with bench.faulty.all(broken, "/pagerduty"):
        run(settings, "argocd")
        run(settings, "pagerduty")
        before = len(bench.faulty.asked)
        (replayed,) = collect(settings, now=NOW, replay=True)
        asked = [path.partition("?")[0] for path in bench.faulty.asked[before:]]
    assert replayed.source == "pagerduty"
    assert replayed.mended == (0, 1)
    assert len(content(settings)["quarantine"]) == 1
    # the log, and the incident with its own
    assert asked == [
        "/pagerduty/log_entries",
        "/pagerduty/incidents/Q7",
        "/pagerduty/incidents/Q7/log_entries",
    ]
    assert run(settings, "pagerduty", replay=True).mended == (1, 1)
    assert collect(settings, now=NOW, replay=True) == []


def test_a_survey_file_is_read_again_although_it_did_not_change(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_text(
        "round,respondent,question,team,submitted_at,closes_at,score\nQ3,jane,q,shop,today,tomorrow,4\n"
    )
    settings = settings_of(bench, tmp_path, survey=str(file))
    assert run(settings, "survey").quarantined == 1
    assert run(settings, "survey").quarantined == 0
    replayed = run(settings, "survey", replay=True)
    assert (replayed.quarantined, replayed.mended) == (1, (0, 1))


def test_a_catalogue_that_was_mended_leaves_the_quarantine_by_itself(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "catalog.yaml"
    file.write_text(
        "kind: Group\nmetadata: {}\nspec: {members: [jane], profile: {email: jane@acme.example}}\n---\n- ["
    )
    settings = settings_of(bench, tmp_path)
    assert run(settings, "catalog").quarantined == 2
    assert "jane" not in str(content(settings)["quarantine"])
    file.write_text("kind: Group\nmetadata: {name: shop}\n")
    run(settings, "catalog")
    assert content(settings)["quarantine"] == []


def test_a_commit_s_repository_is_read_again_from_its_clone(
    behind_every_api: Organisation, tmp_path: Path
) -> None:
    # without what was deployed of it: git would look for each of those commits
    (repository,) = behind_every_api.repositories
    alone = replace(repository, deployments=[], releases=[])
    with serving(tmp_path, replace(behind_every_api, repositories=[alone])) as bench:
        settings = settings_of(bench, tmp_path)
        run(settings, "github")
        collect(settings, only="git", now=NOW)
        before = content(settings)
        with open_warehouse(settings.warehouse) as warehouse:
            ((sha,),) = warehouse.connection.execute(
                "delete from commits where subject = 'Commit 7' returning sha"
            ).fetchall()
            warehouse.connection.execute(
                "insert into quarantine (source, kind, subject, reason, raw, seen_at, key) values ('git', 'commits',"
                f" 'acme/checkout@{sha}', 'authored_at', '', now()::timestamp, '[\"acme/checkout\", \"{sha}\"]')"
            )
        replayed = run(settings, "git", replay=True)
        assert content(settings) == before
    assert replayed.mended == (1, 1)


def test_the_cursors_that_a_replay_begins_with() -> None:
    cursors = {
        "u1": {"last": 9, "wiped": 1, "pending": [3]},
        "u2": {"operation": {"started": "2026-11-01T00:00:00Z"}},
    }

    def items(*ids: str) -> Iterator[SetAside]:
        return (SetAside("deployments", "web", ("argocd", id)) for id in ids)

    assert argocd.again(cursors, items("u1~1/7"))["u1"]["pending"] == [3, 7]
    assert argocd.again(cursors, items("u1/7", "gone/1")) == cursors, "of a history that was wiped since"
    assert argocd.again(cursors, items("u2/2026-11-01T00:00:00Z"))["u2"] == {"operation": {}}
    kept = {
        "acme/web": {"from_at": "2026-01-01T00:00:00Z", "until": "2026-11-01T00:00:00Z"},
        "acme/x": {"until": "y"},
    }
    moved = issues.again(kept, [SetAside("incidents", "acme/web#7", None)])
    assert moved == {**kept, "acme/web": {"from_at": "2026-01-01T00:00:00Z"}}
    assert git.again({"acme/web": {"frontier": ["a"]}}, [SetAside("commits", "acme/none@b", None)]) == {
        "acme/web": {"frontier": ["a"]}
    }
