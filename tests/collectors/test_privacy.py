"""What is stored of people, wherever it comes from."""

import json
from pathlib import Path

import pytest

from config.settings import Privacy, Settings
from warehouse.loading.configured import people_of
from warehouse.loading.imports import import_file
from warehouse.loading.store import open_warehouse

ROWS = {
    "commits": {"repo": "acme/web", "sha": "a", "authored_at": "2024-11-01T00:00:00Z", "author": "jane"},
    "pull_requests": {
        "repo": "acme/web",
        "number": 1,
        "created_at": "2024-11-01T00:00:00Z",
        "author": "jane",
    },
    "deployments": {"source": "jenkins", "id": "1", "service": "web", "status": "success", "creator": "jane"},
    "responses": {"round": "r", "respondent": "jane", "question": "q", "score": 4},
}
TIMES = {
    "commits": {"committed_at": "2024-11-01T00:00:00Z"},
    "deployments": {"started_at": "2024-11-01T00:00:00Z", "finished_at": "2024-11-01T00:01:00Z"},
    "responses": {"submitted_at": "2024-11-01T00:00:00Z", "closes_at": "2024-11-02T00:00:00Z"},
}
COLUMNS = {
    "commits": "author",
    "pull_requests": "author",
    "deployments": "creator",
    "responses": "respondent",
}


@pytest.mark.parametrize("logins", [False, True])
@pytest.mark.parametrize("kind", sorted(ROWS))
def test_an_imported_person_is_stored_as_a_collected_one_and_a_respondent_always_hashed(
    tmp_path: Path, kind: str, logins: bool
) -> None:
    settings = Settings(
        organization="acme", timezone="UTC", warehouse=tmp_path / "w.duckdb", privacy=Privacy(logins=logins)
    )
    file = tmp_path / f"{kind}.jsonl"
    file.write_text(json.dumps(ROWS[kind] | TIMES.get(kind, {})))
    assert import_file(settings, kind, file).new == 1
    with open_warehouse(settings.warehouse) as warehouse:
        stored = warehouse.connection.execute(f"select {COLUMNS[kind]} from {kind}").fetchall()
    people = people_of(settings)
    expected = people.respondent("jane") if kind == "responses" else people.pseudonym("jane")
    assert stored == [(expected,)]
    assert (expected == "jane") == (logins and kind != "responses")
