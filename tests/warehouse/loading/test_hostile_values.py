"""Whatever a source sends in a field: what is sound is stored, what is not is set aside, nothing else is harmed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.contract.items import Malformed, record_or_malformed
from collectors.contract.records import RECORDS, Record
from collectors.files.backstage import parse
from warehouse.storage.store import Warehouse, open_warehouse

AT = "2026-11-02T09:00:00Z"
# of each kind what makes a record of its own
SOUND: dict[str, dict[str, Any]] = {
    "repositories": {"repo": "acme/app", "created_at": AT},
    "commits": {"repo": "acme/app", "sha": "a" * 40, "authored_at": AT, "committed_at": AT},
    "pull_requests": {"repo": "acme/app", "number": 1, "created_at": AT},
    "deployments": {"source": "jenkins", "id": "1", "status": "success", "finished_at": AT},
    "incidents": {"source": "opsgenie", "id": "1", "opened_at": AT},
    "workflow_runs": {"repo": "acme/app", "id": 1, "workflow": "deploy.yml", "created_at": AT},
    "components": {"name": "app"},
    "responses": {
        "round": "q",
        "respondent": "r",
        "question": "satisfaction",
        "score": 4,
        "submitted_at": AT,
        "closes_at": AT,
    },
    "owners": {"component": "app", "from_at": AT},
    "links": {"incident_source": "a", "incident_id": "1", "reason": "by hand"},
    "events": {"id": "1", "at": AT, "title": "a freeze"},
    "coverage": {"source": "git", "subject": "acme/app", "from_at": AT, "until_at": AT},
}
HOSTILE = [
    *("\ud83d", "half \ud83d an emoji", "\udc00\ud800", "\ud83d\ude00", "\x00", "a\x00b", "\x1b]0;title\x07"),
    *("\u202egnirts", "\ufeff", "x" * 1_000_000, "", " ", True, None, [], {}, [[[[]]]], ["\ud83d"]),
    *(2**63, -(2**63) - 1, 2**200, 10**30, 1e308, float("nan"), float("inf"), "1e400"),
    *({"\ud83d": "\ud83d"}, {"a": {"b": ["\ud83d"]}}),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00Z"),
    *("9999-12-31T23:59:59Z", "2026-11-02T09:00:00", "2026-02-30T00:00:00Z"),
]
VALUES = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(codec=None, categories=["L", "N", "C", "P", "S"]), max_size=20),
    st.integers(),
    st.floats(),
    st.lists(st.one_of(st.text(max_size=5), st.integers(), st.none()), max_size=3),
    st.datetimes().map(lambda at: at.isoformat() + "+14:00"),
)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with open_warehouse(tmp_path / "w.duckdb") as opened:
        yield opened


def kept(warehouse: Warehouse, item: Record | Malformed) -> None:
    with warehouse.transaction():
        if isinstance(item, Malformed):
            warehouse.quarantine("here", [item], datetime.now(UTC))
        else:
            warehouse.upsert([item])


def test_a_hostile_value_is_stored_or_set_aside(warehouse: Warehouse) -> None:
    @settings(max_examples=300, deadline=None)
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        kind = data.draw(st.sampled_from(sorted(SOUND)))
        record = RECORDS[kind]
        field = data.draw(st.sampled_from(sorted(record.model_fields)))
        fields = SOUND[kind] | {field: data.draw(VALUES)}
        kept(warehouse, record_or_malformed(record, str(fields.get("repo", "?")), fields, fields))
        warehouse.move_cursor("here", str(fields.get("repo", "?")), {"at": AT}, datetime.now(UTC))
        # the next one finds everything as it was
        sound = record_or_malformed(record, "sound", SOUND[kind], {})
        assert isinstance(sound, Record)
        kept(warehouse, sound)

    holds()


def test_half_a_character_costs_no_pull_request(warehouse: Warehouse) -> None:
    fields = SOUND["pull_requests"] | {"title": "Cache \ud83d prices", "labels": ["\ud83d"], "number": 7}
    kept(warehouse, record_or_malformed(RECORDS["pull_requests"], "acme/app#7", fields, fields))
    found = warehouse.connection.execute(
        "select title, labels from pull_requests where number = 7"
    ).fetchall()
    assert found == [("Cache \ufffd prices", ["\ufffd"])]


def test_a_catalogue_file_that_unfolds_without_end_is_set_aside(tmp_path: Path) -> None:
    doubled = [f"{name}: &{name} [*{before}, *{before}]\n" for before, name in pairwise(ascii_lowercase)]
    bomb = "a: &a [x, x]\n" + "".join(doubled)
    items = list(parse(f"kind: Component\n{bomb}metadata: {{name: *z}}\n", "catalog-info.yaml"))
    deep = list(
        parse(f"kind: Component\nmetadata: {{name: {'[' * 3000}{']' * 3000}}}\n", "catalog-info.yaml")
    )
    assert [type(item) for item in (*items, *deep)] == [Malformed, Malformed]
    assert all(len(item.reason) < 300 for item in (*items, *deep) if isinstance(item, Malformed))
