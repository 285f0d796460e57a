"""A build that derives anew what is touched alone comes to the same facts as one of everything, row for row."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from collectors.contract.items import Gone
from collectors.contract.records import (
    Commit,
    Component,
    Coverage,
    Deployment,
    Incident,
    Link,
    PullRequest,
    Record,
)
from config.settings import Settings, load_settings
from tests.conftest import Sample
from warehouse.building.build import build
from warehouse.metrics.published_facts import current_facts
from warehouse.storage.store import Warehouse, open_warehouse

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
# of each table one of these columns is written anew, from another row of the same table
COLUMNS = {
    "commits": ("authored_at", "parents", "subject"),
    "pull_requests": ("merge_sha", "merged_at", "commits", "labels"),
    "deployments": ("finished_at", "sha", "url", "service", "repo", "status", "environment"),
    "incidents": ("opened_at", "resolved_at", "service", "source_service", "change_events"),
    "workflow_runs": ("conclusion", "jobs", "sha", "finished_at"),
    "links": ("deployment_id",),
    "coverage": ("until_at",),
    "components": ("owner", "repo", "pagerduty_services", "argocd_apps", "source_patterns", "gone_at"),
    "owners": ("team", "from_at"),
    "memberships": ("golden_path", "from_at"),
    "repositories": ("created_at", "is_archived"),
    "responses": ("team", "score"),
    "managed_objects": ("from_at",),
    "requests": ("sha", "opened_at"),
    "events": ("at", "scope"),
}
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(
            [(table, column) for table, columns in COLUMNS.items() for column in (None, *columns)]
        ),
        st.integers(0, 10**6),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=3,
)


def change(
    connection: duckdb.DuckDBPyConnection, place: tuple[str, str | None], seed: int, rows: int
) -> None:
    """Removes rows of a table, or gives them a column's value of another row; whoever writes what, a build finds it."""
    table, column = place
    chosen = f"rowid in (select rowid from {table} order by hash(rowid + {seed}) limit {rows})"
    if column is None:
        connection.execute(f"delete from {table} where {chosen}")
    else:
        other = f'(select "{column}" from {table} order by hash(rowid + {seed + 1}) limit 1)'
        # a key that another row has, or nothing where something must be
        with suppress(duckdb.ConstraintException):
            connection.execute(f'update {table} set "{column}" = {other} where {chosen}')


def derived(facts: Path) -> int | None:
    """How many services were derived anew; None: all that there are."""
    with duckdb.connect(str(facts), read_only=True) as connection:
        found: int | None = connection.execute("select derived from kept.made").fetchall()[0][0]
        return found


def built_anew(settings: Settings, now: datetime) -> Path:
    path = build(settings, now, is_full=True, worth_storing=0)
    assert derived(path) is None
    return path


def differing(one: Path, other: Path) -> dict[str, list[Any]]:
    """The rows of each table that only one of two facts files has."""
    found: dict[str, list[Any]] = {}
    with duckdb.connect() as connection:
        for name, path in (("one", one), ("other", other)):
            connection.execute(f"attach '{path}' as {name} (read_only)")
        tables = [
            connection.execute(
                "select schema_name || '.' || table_name from duckdb_tables() where database_name = ? order by 1",
                [name],
            ).fetchall()
            for name in ("one", "other")
        ]
        assert tables[0] == tables[1]
        for (table,) in tables[0]:
            if table != "kept.made":
                rows = f"from one.{table} except all from other.{table}"
                back = f"from other.{table} except all from one.{table}"
                if only := connection.execute(f"({rows}) union all ({back}) limit 5").fetchall():
                    found[table] = only
    return found


@pytest.fixture(scope="module")
def before(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The sample organisation with facts that have stored values; to be read only."""
    folder = tmp_path_factory.mktemp("before")
    shutil.copy(sample.settings.warehouse, folder / "warehouse.duckdb")
    settings = sample.settings.model_copy(update={"warehouse": folder / "warehouse.duckdb"})
    build(settings, NOW, worth_storing=0)
    return settings


def copied(settings: Settings, folder: Path) -> Settings:
    shutil.copytree(settings.warehouse.parent, folder, dirs_exist_ok=True)
    return settings.model_copy(update={"warehouse": folder / settings.warehouse.name})


def hold_after(settings: Settings, rounds: list[list[Any]]) -> None:
    """Facts that are brought up after each round of changes are those of a build of everything."""
    with TemporaryDirectory() as folder:
        own = copied(settings, Path(folder))
        now = NOW
        for changes in rounds:
            with duckdb.connect(str(own.warehouse)) as connection:
                for one in changes:
                    change(connection, *one)
            now += timedelta(minutes=15)
            path = build(own, now, worth_storing=0)
        brought_up = Path(folder) / "brought-up.duckdb"
        shutil.copy(path, brought_up)
        assert differing(brought_up, built_anew(own, now)) == {}


@hypothesis_settings(max_examples=2)
@given(rounds=st.lists(CHANGES, min_size=1, max_size=2))
def test_whatever_is_written_to_the_warehouse_facts_that_are_brought_up_are_those_of_a_full_build(
    before: Settings, rounds: list[list[Any]]
) -> None:
    hold_after(before, rounds)


@pytest.mark.soak
@hypothesis_settings(max_examples=60)
@given(rounds=st.lists(CHANGES, min_size=1, max_size=4))
def test_the_same_for_many_more_changes(before: Settings, rounds: list[list[Any]]) -> None:
    hold_after(before, rounds)


def deployment(id: str, at: datetime, **more: Any) -> Deployment:
    told = {"source": "ci", "id": id, "service": "tool", "status": "success", "finished_at": at}
    return Deployment.model_validate(told | more)


LATE = NOW - timedelta(days=9)
URL = "https://ci.acme.example/deployments/77"
EVENT = {"id": "e1", "links": (URL,)}


def incident(id: str, **more: Any) -> Incident:
    return Incident(source="paging", id=id, service="desk", opened_at=LATE, resolved_at=NOW, **more)


def written(*records: Any) -> Callable[[Warehouse], None]:
    return lambda warehouse: warehouse.upsert(records)


def changed(sql: str) -> Callable[[Warehouse], None]:
    def write(warehouse: Warehouse) -> None:
        warehouse.connection.execute(sql)

    return write


def has_page(name: str) -> Callable[[Warehouse], None]:
    """Two deployments of one repository get the same page."""
    two = "select id from deployments where repo = 'acme/ledger' order by id limit 2"
    return changed(f"update deployments set url = 'https://ci.acme.example/{name}' where id in ({two})")


# the others take as long, and are played with what takes minutes
OFTEN = ("a deployment comes after the incident that names it", "a page that deployments share moves")
# where each service or name is another one with it
FULL = (
    "incidents were read for longer than anybody thought",
    "a repository that nobody knew is deployed, and written otherwise",
)
# in rounds, each of which is built: what happens in organisations, and where a row of one service speaks of another's
HISTORIES: dict[str, list[Callable[[Warehouse], None]]] = {
    "a late incident of another service names a deployment": [
        written(deployment("77", LATE - timedelta(hours=1), url=URL)),
        written(incident("late", change_events=(EVENT,))),
    ],
    "a deployment comes after the incident that names it": [
        written(incident("late", change_events=(EVENT,))),
        written(deployment("77", LATE - timedelta(hours=1), url=URL)),
    ],
    "two deployments come after the incident that names both": [
        written(incident("late", change_events=(EVENT,))),
        written(deployment("77", LATE - timedelta(hours=1), url=URL)),
        written(deployment("78", LATE - timedelta(hours=2), url=URL)),
    ],
    "a link goes to a deployment of another service, elsewhere, and away": [
        written(deployment("77", LATE), deployment("78", LATE + timedelta(hours=1)), incident("linked")),
        written(Link(incident_source="paging", incident_id="linked", deployment_id="77", reason="said")),
        written(Link(incident_source="paging", incident_id="linked", deployment_id="78", reason="said")),
        lambda warehouse: warehouse.forget([Gone(Link, ("paging", "linked"))]),
    ],
    "a link goes to a deployment that does not count, and is gone": [
        written(deployment("79", LATE, status="failure"), incident("linked")),
        written(Link(incident_source="paging", incident_id="linked", deployment_id="79", reason="said")),
        changed("delete from deployments where id = '79'"),
    ],
    "a page that deployments share moves": [has_page("one"), has_page("other")],
    "a place is approved by one and deployed to by another": [
        changed("update workflow_runs set approved = ['pre-prod'] where repo = 'acme/checkout'"),
        changed(
            "update deployments set environment = 'pre-prod'"
            " where id = (select min(id) from deployments where repo = 'acme/ledger')"
        ),
    ],
    "a service gets another owner and another repository, and is gone": [
        written(Component(name="search", owner="payments", repo="acme/search")),
        written(Component(name="search", owner="payments", repo="acme/checkout")),
        written(Component(name="search", owner="payments", repo="acme/checkout", gone_at=LATE)),
    ],
    "a repository that nobody knew is deployed, and written otherwise": [
        written(
            Deployment(source="deployments", id="n1", repo="acme/new", status="success", finished_at=LATE)
        ),
        written(
            Deployment(source="deployments", id="n2", repo="ACME/New", status="success", finished_at=NOW)
        ),
    ],
    "incidents were read for longer than anybody thought": [
        written(Coverage(source="import incidents", subject="every service", from_at=LATE, until_at=NOW)),
        written(
            Coverage(
                source="import incidents",
                subject="every service",
                from_at=LATE - timedelta(days=30),
                until_at=NOW,
            )
        ),
    ],
    "a pull request is merged by another commit": [
        written(
            PullRequest(
                repo="acme/checkout",
                number=1,
                created_at=LATE,
                merged_at=LATE + timedelta(1),
                merge_sha="a" * 40,
            )
        ),
    ],
}


@pytest.mark.parametrize(
    "name", [name if name in OFTEN else pytest.param(name, marks=pytest.mark.soak) for name in HISTORIES]
)
def test_what_one_service_is_told_of_reaches_each_that_it_concerns(
    before: Settings, tmp_path: Path, name: str
) -> None:
    own = copied(before, tmp_path)
    now, ways = NOW, list[int | None]()
    for write in HISTORIES[name]:
        with open_warehouse(own.warehouse) as warehouse, warehouse.transaction():
            write(warehouse)
        now += timedelta(minutes=15)
        path = build(own, now, worth_storing=0)
        ways.append(derived(path))
    assert name in FULL or None not in ways
    brought_up = tmp_path / "brought-up.duckdb"
    shutil.copy(path, brought_up)
    assert differing(brought_up, built_anew(own, now)) == {}


@pytest.mark.parametrize(
    "told_later",
    [
        # nobody knew what it touched, and it touched nothing
        Commit(repo="acme/mono", sha="2" * 40, parents=("1" * 40,), authored_at=LATE, paths=()),
        # from the end of one list to the beginning of the next
        Component(name="web", owner="a", repo="acme/mono", source_patterns=("web",), argocd_apps=("lib",)),
    ],
    ids=["none and empty", "one list and the next"],
)
def test_lists_that_hold_the_same_otherwise_are_others(tmp_path: Path, told_later: Record) -> None:
    own = Settings(organization="acme", warehouse=tmp_path / "warehouse.duckdb")
    web = Component(name="web", owner="a", repo="acme/mono", source_patterns=("web", "lib"), argocd_apps=())
    shas = [str(n) * 40 for n in (1, 2, 3)]
    told: list[Record] = [
        web,
        Coverage(source="deployments", subject="acme/mono", from_at=LATE, until_at=NOW),
    ]
    for number, sha in enumerate(shas):
        at, parents = LATE + timedelta(hours=number), tuple(shas[:number][-1:])
        paths = [("web/a",), None, ("lib/b",)][number]
        told.append(Commit(repo="acme/mono", sha=sha, parents=parents, authored_at=LATE, paths=paths))
        about = {"repo": "acme/mono", "service": "web", "sha": sha}
        told.append(
            Deployment(
                source="ci", id=sha, status="success", finished_at=at, environment="production", **about
            )
        )
    for number in range(9):  # so that few of all are touched
        told.append(
            Deployment(
                source="ci", id=f"o{number}", repo="acme/other", service="other", environment="production",
                status="success", finished_at=LATE,
            )
        )  # fmt: skip
    for records in (told, [told_later]):
        with open_warehouse(own.warehouse) as warehouse, warehouse.transaction():
            warehouse.upsert(records)
        path = build(own, NOW, worth_storing=0)
    assert derived(path) == 1
    brought_up = tmp_path / "brought-up.duckdb"
    shutil.copy(path, brought_up)
    assert differing(brought_up, built_anew(own, NOW)) == {}


def test_only_what_is_touched_is_derived_anew_and_everything_on_a_new_day_or_by_other_settings(
    sample: Sample, before: Settings, tmp_path: Path
) -> None:
    own = copied(before, tmp_path)
    later = NOW + timedelta(minutes=15)
    assert derived(build(own, later, worth_storing=0)) == 0
    with open_warehouse(own.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert([deployment("77", LATE)])
    assert derived(build(own, later, worth_storing=0)) == 1
    # what was taken back is in no copy of a file
    with duckdb.connect(str(own.warehouse)) as connection:
        connection.execute("delete from comments")
    assert derived(build(own, later, worth_storing=0)) is None
    other = load_settings(sample.config).model_copy(update={"warehouse": own.warehouse})
    other.golden_paths.pop()  # which stands in a file of the platform team
    assert derived(build(other, later, worth_storing=0)) is None
    assert derived(build(own, NOW + timedelta(days=1), worth_storing=0)) is None


def test_a_facts_file_that_is_damaged_is_built_anew(before: Settings, tmp_path: Path) -> None:
    own = copied(before, tmp_path)
    facts = current_facts(own.warehouse)
    content = facts.read_bytes()
    facts.write_bytes(content[: len(content) // 2])
    later = NOW + timedelta(minutes=15)
    built = build(own, later, worth_storing=0)
    assert derived(built) is None
