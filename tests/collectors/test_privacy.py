"""What is stored of people, wherever it comes from."""

import json
import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from collectors.contract.records import Comment, Response
from config.errors import ConfigurationError
from config.settings import Privacy, Settings
from warehouse.loading.configured import sources
from warehouse.loading.imports import import_file
from warehouse.loading.people_key import people_of
from warehouse.storage.store import open_warehouse
from warehouse.trust.matching import report

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
    "comments": {"round": "r", "respondent": "jane", "text": "fine"},
}
RESPONSES = [
    Response(
        round="r",
        respondent="x",
        submitted_at="2024-11-01T00:00:00Z",
        closes_at="2024-11-02T00:00:00Z",
        score=4,
    )  # type: ignore[arg-type]
]
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
    "comments": "respondent",
}
# who answers a survey is always a hash
RESPONDENTS = ("responses", "comments")


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
    expected = people.respondent("jane") if kind in RESPONDENTS else people.pseudonym("jane")
    assert stored == [(expected,)]
    assert (expected == "jane") == (logins and kind not in RESPONDENTS)


def test_a_warehouse_goes_on_with_the_key_that_it_began_with(tmp_path: Path) -> None:
    settings = Settings(organization="acme", warehouse=tmp_path / "w.duckdb")
    path = tmp_path / "w.people-key"
    # a kill, or a crash, left it without its content before anybody was kept under it
    for left in (b"", bytes(64)):
        path.write_bytes(left)
        jane = people_of(settings).pseudonym("jane")
        assert re.fullmatch(rb"[0-9a-f]{64}", path.read_bytes())
        if not left:
            settings.warehouse.unlink()
    key = path.read_bytes()
    assert len(key) == 64
    assert path.stat().st_mode & 0o777 == 0o600
    assert people_of(settings).pseudonym("jane") == jane
    lost = (
        lambda: path.unlink(),
        lambda: path.write_bytes(b""),
        lambda: path.write_bytes(b"0" * 64),
        lambda: path.write_bytes(bytes(64)),
    )
    for lose in lost:
        path.write_bytes(key)
        lose()
        with pytest.raises(
            ConfigurationError, match=r"under another key than w\.people-key; bring that one back"
        ):
            people_of(settings)
    path.write_bytes(key)
    assert people_of(settings).pseudonym("jane") == jane
    with open_warehouse(settings.warehouse) as warehouse:  # of before its key was put down
        warehouse.connection.execute("update about set version = 3, people_key = null")
        warehouse.upsert([Comment(round="r", respondent=jane), *RESPONSES])
    path.unlink()
    for asks in (
        lambda: people_of(settings),
        lambda: import_file(settings, "responses", tmp_path / "none.csv"),
        lambda: sources(settings),  # as `collect` and `serve` read them
    ):
        with pytest.raises(ConfigurationError, match="bring that one back"):
            asks()
    assert "bring that one back" in report(settings)[0].rows[0][1]
    assert not path.exists()
    path.write_bytes(key)
    assert people_of(settings).pseudonym("jane") == jane
    other = settings.model_copy(update={"privacy": Privacy(key=SecretStr("another"))})
    with pytest.raises(ConfigurationError, match=r"than privacy\.key"):
        people_of(other)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["w.duckdb", "w.people-key"]
