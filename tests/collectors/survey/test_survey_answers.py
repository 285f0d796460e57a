"""Survey answers from files and addresses: what a row becomes, what is read again, what is refused."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import stamina
from werkzeug import Request
from werkzeug import Response as Answer

from collectors.contract.items import Checkpoint, Item, Malformed, Resume, SourceError
from collectors.contract.people import People
from collectors.contract.records import Coverage, Response
from collectors.survey.collect import collect
from config.sources import Survey
from tests.support.loopback import Loopback, closed_address

NOW = datetime(2026, 11, 16, tzinfo=UTC)
PEOPLE = People(b"key")
HEADER = "round,respondent,question,team,submitted_at,closes_at,score,scale_min,scale_max\n"
ROW = "2026-Q3,jane@acme.example,satisfaction,payments,2026-10-01T09:00:00+02:00,2026-10-15T00:00:00Z,4,1,5\n"


def run(*files: Path | str, cursors: dict[str, Any] | None = None) -> list[Item]:
    source = Survey(files=[str(file) for file in files])
    return list(collect(source, Resume(NOW, datetime(2025, 11, 16, tzinfo=UTC), cursors or {}), PEOPLE))


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def responses(items: list[Item]) -> list[Response]:
    return [item for item in items if isinstance(item, Response)]


def malformed(items: list[Item]) -> list[Malformed]:
    return [item for item in items if isinstance(item, Malformed)]


def cursors_of(items: list[Item]) -> dict[str, Any]:
    return {item.subject: item.cursor for item in items if isinstance(item, Checkpoint)}


def test_a_row_is_an_answer_of_a_pseudonym(tmp_path: Path) -> None:
    (found,) = responses(run(written(tmp_path / "a.csv", HEADER + ROW)))
    assert found == Response(
        round="2026-Q3",
        respondent=PEOPLE.pseudonym("jane@acme.example"),
        question="satisfaction",
        team="payments",
        submitted_at=datetime(2026, 10, 1, 7, tzinfo=UTC),
        closes_at=datetime(2026, 10, 15, tzinfo=UTC),
        score=4,
    )


def test_question_and_scale_have_defaults_and_other_columns_are_left_out(tmp_path: Path) -> None:
    text = (
        "\ufeffround; respondent ;comment;submitted_at;closes_at;score\r\n"
        '1;x;"fine;\r\nreally";2026-10-01T09:00:00Z;2026-10-15T00:00:00Z;4.5\r\n\r\n'
    )
    (found,) = responses(run(written(tmp_path / "a.csv", text)))
    assert (found.question, found.scale_min, found.scale_max, found.team) == ("satisfaction", 1, 5, None)
    assert found.score == 4.5


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (",4,1,5", ",6,1,5", "score: 6 is not between 1 and 5"),
        (",4,1,5", ",nan,1,5", "score: nan is not between 1 and 5"),
        (",4,1,5", ",good,1,5", "score: "),
        (
            "2026-10-01T09:00:00+02:00",
            "2026-10-01 09:00",
            'submitted_at: "2026-10-01 09:00" is no instant with a zone',
        ),
        ("2026-10-01T09:00:00+02:00", "1790000000", "submitted_at: "),
        ("jane@acme.example", "", "respondent: Field required"),
    ],
)
def test_a_malformed_row_is_set_aside_with_its_line_and_without_the_person(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    path = written(tmp_path / "a.csv", HEADER + ROW.replace(old, new) + ROW)
    items = run(path)
    (bad,) = malformed(items)
    assert (bad.kind, bad.subject) == ("responses", f"{path}:2")
    assert bad.reason.startswith(reason)
    assert "jane" not in bad.raw
    assert len(responses(items)) == 1


def test_a_file_is_read_again_only_when_its_content_changed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", HEADER + ROW)
    cursors = cursors_of(run(path))
    os.utime(path, (0, 0))
    again = run(path, cursors=cursors)
    assert responses(again) == []
    written(path, HEADER + ROW + ROW.replace("jane", "joan"))
    assert len(responses(run(path, cursors=cursors))) == 2


def test_coverage_starts_at_the_first_answer_ever_read(tmp_path: Path) -> None:
    first = run(written(tmp_path / "a.csv", HEADER + ROW))
    later = written(tmp_path / "b.csv", HEADER + ROW.replace("2026-10-01", "2026-11-01"))
    second = run(tmp_path / "a.csv", later, cursors=cursors_of(first))
    for items in (first, second):
        (covered,) = [item for item in items if isinstance(item, Coverage)]
        assert (covered.subject, covered.from_at, covered.until_at) == (
            "*",
            datetime(2026, 10, 1, 7, tzinfo=UTC),
            NOW,
        )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEADER.replace("score", "scor") + ROW, 'a.csv:1: unknown column "scor"; did you mean "score"?'),
        (HEADER.replace("round", "wave") + ROW, 'a.csv:1: the column "round" is missing'),
        ("", 'a.csv:1: the column "round" is missing'),
    ],
)
def test_wrong_columns_are_named_after_the_other_files_were_read(
    tmp_path: Path, text: str, said: str
) -> None:
    written(tmp_path / "a.csv", text)
    written(tmp_path / "b.csv", HEADER + ROW)
    items: list[Item] = []
    with pytest.raises(SourceError) as caught:
        items.extend(collect(Survey(files=[str(tmp_path / "*.csv")]), Resume(NOW, NOW), PEOPLE))
    assert said in str(caught.value)
    assert len(responses(items)) == 1


def test_a_pattern_that_matches_nothing_and_a_file_that_is_no_text_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceError, match=r"a\.csv: is not UTF-8 text.*no file matches .*none\.csv"):
        run(tmp_path / "a.csv", tmp_path / "none.csv")


def published(text: str) -> Callable[[Request], Answer]:
    """An address that sends on to where `text` lies, which has an ETag."""

    def answer(request: Request) -> Answer:
        if request.path == "/form":
            return Answer(status=302, headers={"Location": "/real"})
        if request.headers.get("If-None-Match") == '"v1"':
            return Answer(status=304)
        return Answer(text, content_type="text/csv", headers={"ETag": '"v1"'})

    return answer


def test_an_address_is_read_through_redirects_and_asked_whether_it_changed() -> None:
    with Loopback(published(HEADER + ROW)) as server:
        first = run(f"{server.url}/form?key=hush")
        second = run(f"{server.url}/form?key=hush", cursors=cursors_of(first))
    assert len(responses(first)) == 1
    assert responses(second) == []
    assert not any("hush" in subject for subject in cursors_of(first))
    assert len(server.requests) == 4


def test_a_page_in_place_of_csv_is_refused_without_the_key_of_its_address() -> None:
    page = Answer("<html>sign in", content_type="text/html")
    with Loopback(published(""), faults=[page]) as server, pytest.raises(SourceError) as caught:
        run(f"{server.url}/form?key=hush")
    assert "in place of CSV" in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {
            "columns": {"submitted_at": "When"},
            "questions": [{"column": "How?"}],
            "round": "Q4",
            "closes_at": "2026-11-20",
        },
    ],
    ids=["responses", "form"],
)
@pytest.mark.parametrize(
    "came",
    ["the-machine-s-secret,another\n1,2\n", "When,How?\nthe-machine-s-secret,5\n", '{"key": "secret"}', ""],
)
def test_what_an_address_answers_is_not_told(came: str, entry: dict[str, Any]) -> None:
    with Loopback(lambda request: Answer(came, content_type="text/csv; charset=utf-8")) as server:
        source = Survey(files=[{"files": f"{server.url}/form", **entry}])
        with pytest.raises(SourceError) as caught:
            list(collect(source, Resume(NOW, NOW), PEOPLE))
    assert "secret" not in str(caught.value)
    assert f"what came (text/csv, {len(came)} bytes)" in str(caught.value) or "no row has a time" in str(
        caught.value
    )


def test_an_address_that_leads_to_another_host_is_refused_unless_that_is_named() -> None:
    with Loopback(lambda request: Answer(HEADER + ROW, content_type="text/csv")) as other:
        elsewhere = f"{other.url.replace('127.0.0.1', 'localhost')}/real?key=hush"
        with Loopback(lambda request: Answer(status=307, headers={"Location": elsewhere})) as server:
            with pytest.raises(SourceError) as caught:
                run(f"{server.url}/form?key=hush")
            assert str(caught.value).replace(server.url, "") == (
                "survey: /form leads to localhost, which is not followed; configure the address that is meant, or name"
                " that host in sources.survey.redirects"
            )
            assert other.requests == []
            source = Survey(files=[f"{server.url}/form"], redirects=["localhost"])
            assert len(responses(list(collect(source, Resume(NOW, NOW), PEOPLE)))) == 1


def test_an_address_that_cannot_be_reached_leaves_the_files_answers(tmp_path: Path) -> None:
    written(tmp_path / "a.csv", HEADER + ROW)
    items = collect(Survey(files=[closed_address(), str(tmp_path / "a.csv")]), Resume(NOW, NOW), PEOPLE)
    with stamina.set_testing(True, attempts=2):
        assert isinstance(next(items), Response)
        with pytest.raises(SourceError, match="Connection refused"):
            list(items)
