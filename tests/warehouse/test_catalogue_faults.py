"""A catalogue file that cannot be read costs itself: all else is collected, and what it told before stays."""

from itertools import pairwise
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import pytest
from pydantic import SecretStr

from config.settings import Settings, load_settings
from config.sources import Catalog, GitHub, Sources
from sample_data.model import ArgoCD, Backstage, Organisation, PagerDuty
from sample_data.servers.faults import App, Faulty, changed
from sample_data.servers.server import SampleServer
from tests.support.faulty_sources import make_entity
from tests.support.github_organisation import (
    CATALOG,
    NOW,
    TOKEN,
    everything,
    make_deployment,
    make_pull,
    make_repository,
    serve,
)
from warehouse.pipeline import collect
from warehouse.storage.store import open_warehouse

DOUBLED = "".join(f"{name}: &{name} [*{before}, *{before}]\n" for before, name in pairwise(ascii_lowercase))
# of each kind what stands in a repository's catalog-info.yaml, and what is said of it
HOSTILE = {
    "deep": (f"{CATALOG}x: {'[' * 2_000}", "is nested in more than 100 levels"),
    "deeper": (f"{CATALOG}x: {'{a: ' * 50_000}", "is nested in more than 100 levels"),
    "bomb": (f"a: &a [x, x]\n{DOUBLED}kind: Component\nmetadata: {{name: *z}}\n", "more than 20,000 values"),
    "itself": ("kind: Component\nmetadata: &m {name: *m}\n", "stands inside of itself"),
    "twice": ("kind: Component\nmetadata: {name: a}\nmetadata: {name: b}\n", "comes a second time"),
    "half": (f'{CATALOG}title: "\\ud83d"\n', "holds half a character"),
    "number": (f"{CATALOG}size: {'9' * 5_000}\n", "is a number of 5,000 digits"),
    "tag": (f"{CATALOG}run: !!python/object/apply:os.system [ls]\n", "has the tag"),
    "open": (f"{CATALOG}x: [\n", "is not YAML"),
    "long": (f"{CATALOG}x: {'x' * 1_100_000}\n", "is longer than 1,000,000 characters"),
    "list": ("- " * 50, "an entity has a kind"),
    "targets": (
        f"kind: Location\nspec: {{targets: [{', '.join(f'https://elsewhere.example/{n}' for n in range(9_000))}]}}",
        "was not read: it is at another place",
    ),
    "documents": ("---\n- x\n" * 5_000, "an entity has a kind"),
}


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with open_warehouse(settings.warehouse) as warehouse:
        found: list[tuple[Any, ...]] = warehouse.connection.execute(query).fetchall()
    return found


@pytest.mark.parametrize("graphql", [True, False])
def test_no_repository_s_catalogue_costs_another_repository_anything(tmp_path: Path, graphql: bool) -> None:
    others = [
        make_repository(
            name,
            catalog_info=content,
            pull_requests=[make_pull(7)],
            deployments=[make_deployment(100 + number, "SUCCESS")],
        )
        for number, (name, (content, _)) in enumerate(HOSTILE.items())
    ]
    with serve(*others, everything()) as server:
        settings = Settings(
            organization="acme",
            warehouse=tmp_path / "w.duckdb",
            sources=Sources(
                github=GitHub(
                    url=f"{server.url}/api/v3",
                    token=SecretStr(TOKEN),
                    repositories=["acme/*"],
                    graphql=graphql,
                    workflow_runs=False,
                ),
                catalog=Catalog(from_github=True),
            ),
        )
        (run,) = collect(settings, only="github", now=NOW)
    assert run.error is None
    assert rows(settings, "select name from components") == [("checkout",)]
    repositories = [(f"acme/{name}",) for name in sorted([*HOSTILE, "checkout"])]
    assert rows(settings, "select distinct repo from pull_requests order by 1") == repositories
    assert rows(settings, "select distinct repo from deployments order by 1") == repositories
    aside = rows(settings, "select subject, reason, raw from quarantine where kind = 'components'")
    for name, (_, expected) in HOSTILE.items():
        reasons = [reason for subject, reason, _ in aside if subject == f"acme/{name}/catalog-info.yaml"]
        assert any(expected in reason and "line " in reason for reason in reasons), name
        assert len(reasons) <= 21
        assert max(map(len, reasons)) < 400
    assert {raw for _, _, raw in aside} == {""}
    assert [reason for _, reason, _ in aside if "8,980 more mistakes of this file are not listed" in reason]


def test_what_an_unreadable_file_told_or_named_before_stays_until_it_is_read_again(tmp_path: Path) -> None:
    def descriptor(name: str) -> str:
        return f"kind: Component\nmetadata: {{name: {name}}}\nspec: {{owner: web}}\n"

    all_of_it, alone = tmp_path / "all.yaml", tmp_path / "alone.yaml"
    well = f"{descriptor('root')}---\nkind: Location\nspec: {{targets: [services/*.yaml]}}\n"
    all_of_it.write_text(well)
    alone.write_text(f"{descriptor('alone')}---\n{descriptor('with')}")
    (tmp_path / "services").mkdir()
    for name in ("cart", "tax"):
        (tmp_path / "services" / f"{name}.yaml").write_text(descriptor(name))
    (tmp_path / "sixkeys.yaml").write_text(
        "organization: acme\nsources: {catalog: {files: [all.yaml, alone.yaml]}}"
    )
    settings = load_settings(tmp_path / "sixkeys.yaml")

    def there() -> list[str]:
        (run,) = collect(settings, only="catalog")
        assert run.error is None
        return [
            name for (name,) in rows(settings, "select name from components where gone_at is null order by 1")
        ]

    assert there() == ["alone", "cart", "root", "tax", "with"]
    # a file beside it that was read in full is believed
    alone.write_text(descriptor("alone"))
    all_of_it.write_text("kind: [\n")
    assert there() == ["alone", "cart", "root", "tax"]
    assert rows(settings, "select subject, reason from quarantine where kind = 'components'") == [
        ("all.yaml", "line 2, column 1: is not YAML: expected the node content, but found '<stream end>'")
    ]
    (tmp_path / "services" / "tax.yaml").unlink()
    all_of_it.write_text(well)
    assert there() == ["alone", "cart", "root"]
    assert rows(settings, "select count(*) from quarantine") == [(0,)]


def test_what_leaves_backstage_is_gone_after_a_whole_reading_only(tmp_path: Path) -> None:
    portal = [make_entity(n) for n in range(9)]
    organisation = Organisation(
        "acme", NOW, [], ArgoCD(), PagerDuty(), {}, {}, {}, backstage=Backstage(portal)
    )
    faulties: list[Faulty] = []

    def around(app: App) -> App:
        faulties.append(Faulty(app))
        return faulties[0]

    with SampleServer(organisation, around=around) as server, faulties[0]:
        (tmp_path / "sixkeys.yaml").write_text(
            "organization: acme\nsources: {catalog: {backstage: "
            f"{{url: '{server.url}/backstage', token: 'file:token'}}}}}}\n"
        )
        (tmp_path / "token").write_text(server.token)
        settings = load_settings(tmp_path / "sixkeys.yaml")

        def gone() -> list[str]:
            found = rows(settings, "select name from components where gone_at is not null order by 1")
            return [name for (name,) in found]

        assert [run.error for run in collect(settings)] == [None]
        del portal[5:7]
        faulties[0].next(changed(lambda _, page: page | {"totalItems": 9}))
        (run,) = collect(settings)
        assert "told of 9 entities and gave 7" in str(run.error)
        assert gone() == []
        portal[3]["metadata"]["name"] = "no name"
        assert [run.error for run in collect(settings)] == [None]
        assert gone() == ["web-3", "web-5", "web-6"]
