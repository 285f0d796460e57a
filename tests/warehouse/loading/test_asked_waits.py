"""A source that asks to wait holds nobody up: neither the others, nor the next run, nor `sixkeys check`."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from config.settings import Settings
from config.sources import ArgoCD, GitHub, PagerDuty, Sources
from config.survey import Survey
from sample_data.servers import faults
from sample_data.servers.faults import Environ, Faulty
from tests.support.command_line import run
from tests.support.faulty_sources import Bench, make_organisation, serving
from tests.support.github_organisation import NOW, TOKEN
from warehouse.loading.configured import sources
from warehouse.loading.runs import Run
from warehouse.pipeline import collect
from warehouse.storage.store import open_warehouse

GITHUB = "/api/"
FAR = faults.status(403, {"message": "You have exceeded a secondary rate limit."}, Retry_After="99999")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with serving(tmp_path, make_organisation()) as bench:
        yield bench


def settings_of(bench: Bench, folder: Path, **more: Any) -> Settings:
    token = SecretStr(TOKEN)
    hub = GitHub(url=f"{bench.url}/api/v3", token=token, repositories=["acme/*"], clone=False)
    return Settings(
        organization="acme",
        timezone="UTC",
        warehouse=folder / "acme.duckdb",
        sources=Sources(
            github=hub,
            argocd=[ArgoCD(url=f"{bench.url}/argocd", token=token)],
            pagerduty=PagerDuty(url=f"{bench.url}/pagerduty", token=token),
            **more,
        ),
    )


def collected(settings: Settings, **how: Any) -> dict[str, Run]:
    return {one.source: one for one in collect(settings, now=NOW, **how)}


def stored(settings: Settings, table: str) -> int:
    with open_warehouse(settings.warehouse) as warehouse:
        return warehouse.connection.execute(f"select count(*) from {table}").fetchall()[0][0]


def after(number: int) -> faults.Fault:
    """GitHub asks to wait after so many answers; the others answer."""
    left = [number]

    def answer(faulty: Faulty, environ: Environ, start_response: Any) -> Any:
        is_asked = environ["PATH_INFO"].startswith(GITHUB)
        left[0] -= is_asked
        return (
            FAR(faulty, environ, start_response)
            if is_asked and left[0] < 0
            else faulty.app(environ, start_response)
        )

    return answer


def covered(settings: Settings) -> list[tuple[Any, ...]]:
    with open_warehouse(settings.warehouse) as warehouse:
        return warehouse.connection.execute("from coverage order by all").fetchall()


def test_what_is_refused_for_a_month_is_covered_for_no_day_of_it(tmp_path: Path) -> None:
    organisation = make_organisation()
    # without what was deployed: git would look for each of those commits
    alone = [replace(one, deployments=[], releases=[]) for one in organisation.repositories]
    with serving(tmp_path, replace(organisation, repositories=alone)) as bench:
        settings = settings_of(bench, tmp_path, survey=Survey(files=[f"{bench.url}/survey.csv"]))
        collected(settings)
        before = covered(settings)
        assert {"git", "tags", "pull_requests", "pagerduty", "survey"} <= {source for source, *_ in before}
        with bench.faulty.all(FAR):
            runs = collect(settings, now=NOW + timedelta(days=30))
    assert covered(settings) == before
    assert [one.source for one in runs if not one.error] == ["git"], "it had nothing to ask for"


def test_the_others_are_read_what_came_is_kept_and_no_run_asks_before_then_but_goes_on_where_it_was(
    bench: Bench, tmp_path: Path
) -> None:
    settings = settings_of(bench, tmp_path)
    with bench.faulty.all(after(2)):
        runs = collected(settings)
    assert [name for name, one in runs.items() if one.error] == ["github", "git"]
    assert runs["github"].meter.waited_seconds < 1
    assert (runs["github"].error or "").startswith("github: asks to wait until ")
    assert (stored(settings, "repositories"), stored(settings, "pull_requests") > 0) == (1, True)
    assert stored(settings, "incidents") > 100
    # a run that nobody asks for
    asked = len(bench.faulty.asked)
    runs = collected(settings)
    assert [path for path in bench.faulty.asked[asked:] if path.startswith(GITHUB)] == []
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
    assert (runs["github"].error or "").startswith(f"github: asked to wait until {tomorrow}")
    assert (runs["github"].error or "").endswith("sixkeys collect --source github asks now")
    assert runs["pagerduty"].error is None
    # the time that was asked for is over
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        for source in ("github", "git"):
            past = datetime.now(UTC) - timedelta(seconds=1)
            warehouse.move_cursor(source, "asked to wait", {"until": past.isoformat()}, past)
    runs = collected(settings)
    assert [one.error for one in runs.values()] == [None] * 4
    assert stored(settings, "pull_requests") == 120


@pytest.mark.parametrize(
    "how",
    [{"only": "github"}, pytest.param({"since": date(2026, 1, 1)}, marks=pytest.mark.soak)],
    ids=["source", "since"],
)
def test_who_asks_by_hand_asks_at_once(bench: Bench, tmp_path: Path, how: dict[str, Any]) -> None:
    settings = settings_of(bench, tmp_path)
    bench.faulty.next(FAR, "/graphql")
    collected(settings, only="github")
    assert collected(settings, **how)["github"].error is None


def test_how_long_is_waited_is_configured(bench: Bench, tmp_path: Path) -> None:
    settings = settings_of(bench, tmp_path, longest_wait="0m")
    bench.faulty.next(faults.status(429, "{}", Retry_After="5"), "/pagerduty")
    assert "asks to wait until" in (collected(settings, only="pagerduty")["pagerduty"].error or "")


def test_an_argo_cd_is_read_before_github_once_there_are_clones(bench: Bench, tmp_path: Path) -> None:
    def order(clone: bool) -> list[str]:
        settings = settings_of(bench, tmp_path)
        assert settings.sources.github
        hub = settings.sources.github.model_copy(update={"clone": clone})
        of = settings.model_copy(update={"sources": settings.sources.model_copy(update={"github": hub})})
        return [source.name for source in sources(of)]

    first = ["argocd:main", "github", "git", "pagerduty"]
    assert order(clone=False) == first
    assert order(clone=True) == ["github", "git", "argocd:main", "pagerduty"]
    (tmp_path / "git").mkdir()
    assert order(clone=True) == first


def test_check_does_not_wait_and_says_until_when(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "sixkeys.yaml").write_text(f"""
organization: acme
sources:
  github: {{url: {bench.url}/api/v3, token: file:token, repositories: ["acme/*"]}}
  argocd: [{{url: {bench.url}/argocd, token: file:token}}]
  pagerduty: {{url: {bench.url}/pagerduty, token: file:token}}
""")
    bench.faulty.next(faults.secondary_limit(4), "/commits")
    bench.faulty.next(faults.status(429, "{}", Retry_After="4"), "/pagerduty")
    done = run(tmp_path, "check")
    asked = len(bench.faulty.asked)
    assert done.returncode == 1
    wrong = [line for line in done.stdout.splitlines() if line.startswith("✗")]
    assert [line.partition(" until ")[0] for line in wrong] == [
        "✗ github: asks to wait",
        "✗ pagerduty: asks to wait",
    ]
    assert all(line.endswith("UTC; a run after that goes on from there") for line in wrong)
    assert "✓ argocd:main: may read 1 application" in done.stdout
    assert asked < 12
