"""Exports of Google Forms, Typeform and Microsoft Forms: what their rows become, and what is said where they do not."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from collectors.contract.items import Item, Resume, SourceError
from collectors.contract.people import People
from collectors.contract.records import Comment
from collectors.survey.collect import collect
from config.survey import Survey
from tests.collectors.survey.test_survey_answers import cursors_of, malformed, published, responses, written
from tests.support.loopback import Loopback

NOW = datetime(2026, 12, 1, tzinfo=UTC)
PEOPLE = People(b"key")
CLOSE = datetime(2026, 11, 20, 22, 59, 59, tzinfo=UTC)  # the end of the day in Berlin
SATISFIED = "How satisfied are you with our platform?"

GOOGLE = f"""\
"Timestamp","Email Address","Your team","{SATISFIED}","I can deploy whenever I want","Anything else?"
"2026/11/06 10:15:02 AM GMT+1","jane@acme.example","payments","8","Yes","<b>fine</b>, ""really"" so"
"2026/11/06 3:05:00 PM EST","joe@acme.example","payments","1","no",""
"2026/11/07 12:00:00 AM GMT+5:30","ann@acme.example","","","Sometimes",""
"""
GOOGLE_FORM: dict[str, Any] = {
    "columns": {"submitted_at": "Timestamp", "respondent": "Email Address", "team": "Your team"},
    "questions": [
        {"column": SATISFIED, "scale": [1, 10]},
        {
            "column": "I can deploy whenever I want",
            "question": "deploys",
            "answers": ["No", "Sometimes", "Yes"],
        },
    ],
    "round": "2026-Q4",
    "closes_at": date(2026, 11, 20),
}
TYPEFORM = f"""\
#,{SATISFIED},team,Response Type,Start Date (UTC),Stage Date (UTC),Submit Date (UTC),Network ID,Tags,Ending
mjqlcfbw1jrm5xak,4,payments,completed,2026-11-06 09:14:40,,2026-11-06 09:15:02,6d2f1a9c3e,,Thanks
8f0e1kq2v9yb7c3d,2,storefront,completed,2026-11-05 23:59:00,,2026-11-06 00:00:30,1b7c55e0aa,,Thanks
"""
TYPEFORM_FORM = {
    "columns": {"submitted_at": "Submit Date (UTC)", "respondent": "#", "team": "team"},
    "questions": [{"column": SATISFIED}],
    "round": "2026-Q4",
    "closes_at": date(2026, 11, 20),
}
# the workbook saved as "CSV UTF-8" by Excel in Germany: a byte order mark, semicolons, a non-breaking blank
MICROSOFT = (
    f"\ufeffID;Start time;Completion time;Email;Name;Team;{SATISFIED}\xa0\r\n"
    "1;11/6/26 10:14:30;11/6/26 10:15:02;anonymous;;payments;4,5\r\n"
    "2;11/6/26 10:15:00;11/6/26 10:15:02;anonymous;;payments;2\r\n"
)
MICROSOFT_FORM = {
    "columns": {"submitted_at": "Completion time", "respondent": "Email", "team": "Team"},
    "questions": [{"column": SATISFIED}],
    "round": "2026-Q4",
    "closes_at": date(2026, 11, 20),
    "time_format": "%m/%d/%y %H:%M:%S",
}


def read(
    place: Path | str,
    form: dict[str, Any],
    cursors: dict[str, Any] | None = None,
    timezone: str = "Europe/Berlin",
    people: People = PEOPLE,
) -> list[Item]:
    source = Survey.model_validate({"files": [{"files": str(place), **form}]})
    return list(
        collect(source, Resume(NOW, datetime(2025, 12, 1, tzinfo=UTC), cursors or {}), people, timezone)
    )


def scores(items: list[Item]) -> list[tuple[Any, ...]]:
    return sorted((r.question, r.score, r.scale_min, r.scale_max, r.team) for r in responses(items))


def test_a_row_of_google_forms_answers_each_of_its_questions(tmp_path: Path) -> None:
    items = read(written(tmp_path / "a.csv", GOOGLE), GOOGLE_FORM)
    assert malformed(items) == []
    assert scores(items) == [
        ("deploys", 1, 1, 3, "payments"),
        ("deploys", 2, 1, 3, None),
        ("deploys", 3, 1, 3, "payments"),
        ("satisfaction", 1, 1, 10, "payments"),
        ("satisfaction", 8, 1, 10, "payments"),
    ]
    jane = [r for r in responses(items) if r.respondent == PEOPLE.pseudonym("jane@acme.example")]
    assert {r.question for r in jane} == {"satisfaction", "deploys"}
    assert {(r.round, r.submitted_at, r.closes_at) for r in jane} == {
        ("2026-Q4", datetime(2026, 11, 6, 9, 15, 2, tzinfo=UTC), CLOSE)
    }
    times = {r.submitted_at for r in responses(items)}
    assert times == {
        datetime(2026, 11, 6, 9, 15, 2, tzinfo=UTC),
        datetime(2026, 11, 6, 20, 5, tzinfo=UTC),
        datetime(2026, 11, 6, 18, 30, tzinfo=UTC),
    }


def test_free_text_is_read_of_the_columns_that_are_named_and_of_no_other(tmp_path: Path) -> None:
    assert not [
        item for item in read(written(tmp_path / "a.csv", GOOGLE), GOOGLE_FORM) if isinstance(item, Comment)
    ]
    columns = GOOGLE_FORM["columns"] | {"comments": ["Anything else?"]}
    items = read(written(tmp_path / "a.csv", GOOGLE), GOOGLE_FORM | {"columns": columns})
    said = [item for item in items if isinstance(item, Comment)]
    assert [(one.round, one.question, one.text) for one in said] == [
        ("2026-Q4", "Anything else?", '<b>fine</b>, "really" so'),
        ("2026-Q4", "Anything else?", ""),
        ("2026-Q4", "Anything else?", ""),
    ]
    assert said[0].respondent == PEOPLE.respondent("jane@acme.example")
    columns = columns | {"comments": ["Anything else"]}
    with pytest.raises(
        SourceError, match=r'there is no column "Anything else"; did you mean "Anything else\?"'
    ):
        read(written(tmp_path / "a.csv", GOOGLE), GOOGLE_FORM | {"columns": columns})


def test_typeforms_times_are_utc_because_their_header_says_so(tmp_path: Path) -> None:
    items = read(written(tmp_path / "a.csv", TYPEFORM), TYPEFORM_FORM)
    assert [(r.submitted_at, r.score, r.respondent) for r in responses(items)] == [
        (datetime(2026, 11, 6, 0, 0, 30, tzinfo=UTC), 2, PEOPLE.pseudonym("8f0e1kq2v9yb7c3d")),
        (datetime(2026, 11, 6, 9, 15, 2, tzinfo=UTC), 4, PEOPLE.pseudonym("mjqlcfbw1jrm5xak")),
    ]


def test_microsofts_anonymous_people_are_several(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", MICROSOFT)
    found = responses(read(path, MICROSOFT_FORM))
    assert [(r.submitted_at, r.score) for r in found] == [
        (datetime(2026, 11, 6, 9, 15, 2, tzinfo=UTC), 4.5),
        (datetime(2026, 11, 6, 9, 15, 2, tzinfo=UTC), 2),
    ]
    assert len({r.respondent for r in found}) == 2
    later = MICROSOFT + "3;11/7/26 10:14:30;11/7/26 10:15:02;anonymous;;payments;1\r\n"
    again = responses(read(written(path, later), MICROSOFT_FORM))
    assert {r.respondent for r in found} < {r.respondent for r in again}
    # nor does a login that is kept tell what the row said
    kept = responses(read(path, MICROSOFT_FORM, people=People(b"key", keep_logins=True)))
    assert not any("26" in r.respondent.split()[0] or "payments" in r.respondent for r in kept)


def test_times_without_a_zone_are_meant_in_the_forms_own_else_the_organisations(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", MICROSOFT)
    ours = responses(read(path, MICROSOFT_FORM, timezone="Asia/Tokyo"))[0]
    assert (ours.submitted_at.hour, ours.closes_at.hour) == (1, 14)
    theirs = responses(read(path, MICROSOFT_FORM | {"timezone": "America/New_York"}))[0]
    assert (theirs.submitted_at.hour, theirs.closes_at) == (15, datetime(2026, 11, 21, 4, 59, 59, tzinfo=UTC))


def test_rounds_and_their_closes_can_be_columns_or_listed(tmp_path: Path) -> None:
    text = (
        "When,Round,Closes,Score\n2026-11-06 10:00,Q4,2026-11-20,4\n2026-08-06 10:00,Q3,2026-08-21T18:00+02:00,3\n"
        "2026-08-06 11:00,Q2,,3\n"
    )
    form = {"columns": {"submitted_at": "When", "round": "Round"}, "questions": [{"column": "Score"}]}
    path = written(tmp_path / "a.csv", text)
    listed = read(path, form | {"closes_at": {"Q4": date(2026, 11, 20), "Q3": "2026-08-21T18:00"}})
    in_columns = {**form, "columns": {**form["columns"], "closes_at": "Closes"}}  # type: ignore[dict-item]
    for items in (listed, read(path, in_columns)):
        assert [(r.round, r.closes_at) for r in responses(items)] == [
            ("Q3", datetime(2026, 8, 21, 16, tzinfo=UTC)),
            ("Q4", CLOSE),
        ]
        (bad,) = malformed(items)
        assert bad.subject == f"{path}:4"
    (bad,) = malformed(listed)
    assert bad.reason == 'closes_at: the round "Q2" has none; add it to sources.survey.files.closes_at'


def test_of_several_answers_by_one_person_the_last_in_time_stands(tmp_path: Path) -> None:
    rows = [("2026-11-21 08:00", 1), ("2026-11-07 08:00", 4), ("2026-11-06 08:00", 2)]
    text = "When,Who,Score\n" + "".join(f"{at},jane,{score}\n" for at, score in rows)
    form = {
        "columns": {"submitted_at": "When", "respondent": "Who"},
        "questions": [{"column": "Score"}],
        "round": "Q4",
        "closes_at": date(2026, 11, 20),
    }
    assert responses(read(written(tmp_path / "a.csv", text), form))[-1].score == 4


def test_a_row_that_does_not_fit_is_set_aside_without_the_person_or_free_text(tmp_path: Path) -> None:
    text = (
        GOOGLE.replace('"8"', '"11"').replace('"no"', '"perhaps"').replace("2026/11/07 12:00:00 AM", "soon")
    )
    items = read(written(tmp_path / "a.csv", text), GOOGLE_FORM)
    assert [(bad.subject.rpartition(":")[2], bad.reason) for bad in malformed(items)] == [
        ("2", f'{SATISFIED}: "11" is not a number from 1 to 10'),
        ("3", 'I can deploy whenever I want: "perhaps" is none of No, Sometimes, Yes'),
        (
            "4",
            'Timestamp: "soon GMT+5:30" is no time; say what it looks like by sources.survey.files.time_format',
        ),
    ]
    for bad in malformed(items):
        assert "acme.example" not in bad.raw
        assert "fine" not in bad.raw
    assert len(responses(items)) == 2


def test_a_format_may_have_a_zone(tmp_path: Path) -> None:
    told = MICROSOFT.replace("11/6/26 10:15:02", "11/6/26 10:15:02 -0500")
    form = {**MICROSOFT_FORM, "time_format": "%m/%d/%y %H:%M:%S %z"}
    found = responses(read(written(tmp_path / "a.csv", told), form))
    assert {one.submitted_at for one in found} == {datetime(2026, 11, 6, 15, 15, 2, tzinfo=UTC)}


def test_a_file_without_a_single_time_is_refused_with_the_formats_that_fit(tmp_path: Path) -> None:
    form = {key: value for key, value in MICROSOFT_FORM.items() if key != "time_format"}
    with pytest.raises(SourceError) as caught:
        read(written(tmp_path / "a.csv", MICROSOFT), form)
    assert (
        'a.csv: no row has a time in "Completion time" ("11/6/26 10:15:02"); '
        'set sources.survey.files.time_format, "%m/%d/%y %H:%M:%S"'
    ) in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Timestamp", "Time stamp", 'a.csv:1: there is no column "Timestamp"; did you mean "Time stamp"?'),
        ("Anything else?", "Your team", 'the column "Your team" is there twice'),
        ('"Timestamp"', '"Zeit"', 'there is no column "Timestamp"; there are Zeit, Email Address'),
    ],
)
def test_a_column_that_is_not_there_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(SourceError) as caught:
        read(written(tmp_path / "a.csv", GOOGLE.replace(old, new)), GOOGLE_FORM)
    assert said in str(caught.value)


def test_a_workbook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"PK\x03\x04\x14\x00")
    with pytest.raises(SourceError, match=r'a\.csv is a workbook or an archive; save it as "CSV UTF-8"'):
        read(tmp_path / "a.csv", MICROSOFT_FORM)


def test_a_changed_mapping_reads_the_same_file_and_address_again(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", GOOGLE)
    once = cursors_of(read(path, GOOGLE_FORM))
    assert responses(read(path, GOOGLE_FORM, once)) == []
    assert len(responses(read(path, GOOGLE_FORM | {"closes_at": date(2026, 11, 27)}, once))) == 5
    with Loopback(published(GOOGLE)) as server:
        once = cursors_of(read(f"{server.url}/form", GOOGLE_FORM))
        assert responses(read(f"{server.url}/form", GOOGLE_FORM, once)) == []
        assert len(responses(read(f"{server.url}/form", GOOGLE_FORM, once, timezone="UTC"))) == 5


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"columns": None}, "has questions without columns"),
        ({"questions": []}, "names no question"),
        ({"round": None}, "needs one round for all of it or a column of rounds"),
        ({"closes_at": None}, "needs either the day that its round closes or a column"),
        ({"closes_at": "soon"}, '"soon" is no day from 1970 to 2100; write it like 2026-11-20'),
        ({"time_format": "%H:%M"}, '"%H:%M" gives no day; write it like "%d/%m/%Y %H:%M:%S"'),
        ({"questions": [{"column": "a", "scale": [5, 5]}]}, "is the worst score and the best"),
        ({"questions": [{"column": "a", "answers": ["Yes", "yes"]}]}, "at least two different ones"),
    ],
)
def test_a_mapping_that_says_too_little_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Survey.model_validate({"files": [{"files": "a.csv", **GOOGLE_FORM, **changed}]})
    assert said in str(caught.value)


def test_a_file_of_another_form_hides_no_other(tmp_path: Path) -> None:
    written(tmp_path / "a.csv", "nothing\n")
    written(tmp_path / "b.csv", GOOGLE)
    found: list[Item] = []
    source = Survey.model_validate({"files": [{"files": str(tmp_path / "*.csv"), **GOOGLE_FORM}]})
    with pytest.raises(SourceError):
        found.extend(collect(source, Resume(NOW, NOW), PEOPLE))
    assert len(responses(found)) == 5


def test_letter_case_and_blanks_make_neither_another_person_nor_another_answer(tmp_path: Path) -> None:
    again = '"2026/11/07 10:15:02 AM GMT+1","Jane@Acme.example ","payments","3","YES ",""\n'
    items = read(written(tmp_path / "a.csv", GOOGLE + again), GOOGLE_FORM)
    assert malformed(items) == []
    jane = [r for r in responses(items) if r.respondent == PEOPLE.respondent("jane@acme.example")]
    assert [(r.question, r.score) for r in jane] == [
        ("satisfaction", 8),
        ("deploys", 3),
        ("satisfaction", 3),
        ("deploys", 3),
    ]
