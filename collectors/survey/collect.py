"""Survey answers from CSV files and addresses, and from the survey page.

A file's columns are those of the record `responses`, or the configuration says what they mean.
"""

import difflib
import glob
import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from collectors.contract.items import (
    Checkpoint,
    Item,
    Malformed,
    Resume,
    SetAside,
    SourceError,
    record_or_malformed,
)
from collectors.contract.people import People
from collectors.contract.records import Coverage, Response
from collectors.files.csv_table import CsvTable, read_table, text_of
from collectors.survey.forms import form_answers, wanted_columns
from collectors.survey.inbox import collect_inbox
from collectors.transport.json_api import TIMEOUT_SECONDS, Api, content_type, shown_address
from collectors.transport.json_values import as_instant, mapping, text
from config.errors import DataError
from config.survey import Survey, SurveyFiles
from config.text.quoting import one_short_line
from config.text.references import unresolved_references

_FIELDS = tuple(Response.model_fields)
_REQUIRED = [name for name, field in Response.model_fields.items() if field.is_required()]
_INSTANTS = ("submitted_at", "closes_at")


def collect(
    source: Survey | None,
    resume: Resume,
    people: People,
    timezone: str = "UTC",
    inbox: Path | None = None,
    timeout: float = TIMEOUT_SECONDS,
) -> Iterator[Item]:
    """The answers in every file and address that changed since it was last read, a checkpoint for each of them.

    `timezone` holds for a form's times without a zone, `inbox` is the folder of the survey page's answers. Of a
    respondent only `people`'s pseudonym is kept. The cursor (subject: path, or address without its query) is the
    content's hash, with an address's validators; that of `*` is the first answer's time, where the coverage starts.
    Raises SourceError, after the rest was read, for what is missing, cannot be read or has wrong columns.
    """
    wrong: list[str] = []
    from_at = as_instant(resume.cursors.get("*"), "from_at")
    read_to: datetime | None = None
    for item in _all(source, resume, people, timezone, inbox, timeout, wrong):
        if isinstance(item, Response):
            from_at = min(from_at or item.submitted_at, item.submitted_at)
            read_to = max(read_to or item.submitted_at, item.submitted_at)
        yield item
    if from_at:
        # what cannot be read may hold answers since
        until_at = max(from_at, read_to or from_at) if wrong else max(from_at, resume.now)
        yield Coverage(source="survey", subject="*", from_at=from_at, until_at=until_at)
        yield Checkpoint("*", {"from_at": from_at.isoformat()})
    if wrong:
        raise SourceError(f"survey: {'; '.join(wrong)}")


def again(cursors: Mapping[str, Any], items: Iterable[SetAside]) -> dict[str, Any]:
    """The cursors without those of the files, addresses and rounds of the survey page that hold `items`."""
    held = {item.subject.rpartition(":")[0] for item in items}
    held |= {f"inbox {Path(item.subject).stem.rpartition('.')[0]}" for item in items}
    return {subject: cursor for subject, cursor in cursors.items() if subject not in held}


def _all(
    source: Survey | None,
    resume: Resume,
    people: People,
    timezone: str,
    inbox: Path | None,
    timeout: float,
    wrong: list[str],
) -> Iterator[Item]:
    """What is new anywhere; what cannot be read is added to `wrong`: it must not hide the others' answers."""
    if inbox:
        try:
            yield from collect_inbox(inbox, resume, people)
        except SourceError as error:
            wrong.append(str(error).removeprefix("survey: "))
    if source is None:
        return
    for entry in source.files:
        if missing := next(unresolved_references(entry.files), None):
            wrong.append(str(missing))
            continue
        places = [entry.files] if _is_address(entry.files) else sorted(glob.glob(entry.files, recursive=True))
        if not places:
            wrong.append(f"no file matches {entry.files}; mend sources.survey.files")
        for place in places:
            before = mapping(resume.cursors.get(_subject(place)))
            try:
                meaning = _meaning(entry, timezone)
                content, state, came = _changed(place, before, meaning, source.redirects, timeout)
                items = _items(content, _subject(place), entry, timezone, people, came)
            except (SourceError, DataError) as error:
                wrong.append(str(error).removeprefix("survey: "))
                continue
            yield from items
            if state != before:
                yield Checkpoint(_subject(place), state)


def _meaning(entry: SurveyFiles, timezone: str) -> dict[str, str]:
    """What is kept of a mapping beside the content that was read by it: another one reads the same content anew."""
    if not entry.columns:
        return {}
    said = entry.model_dump_json(exclude={"files"}) + (entry.timezone or timezone)
    return {"meaning": hashlib.sha256(said.encode()).hexdigest()}


def _items(
    content: bytes | None, where: str, entry: SurveyFiles, timezone: str, people: People, came: str
) -> list[Item]:
    """The answers in `content`; of several by one respondent, the last before the close comes last and stands.

    `came` says what an address answered, of which no error quotes anything: it may be something else than answers.
    """
    if content is None:
        return []
    table = read_table(text_of(content, where), where, wanted_columns(entry) if entry.columns else _FIELDS)
    for name in (wanted_columns(entry) if entry.columns else _REQUIRED) if came else ():
        if name not in table.columns:
            raise SourceError(
                f'{where}: what came ({came}) has no column "{name}"; check that this is the address of the CSV file'
            )
    if entry.columns:
        items = form_answers(table, entry, timezone, people, is_quoted=not came)
    else:
        items = list(_answers(table, people))
    answers = [item for item in items if isinstance(item, Response)]
    answers.sort(key=lambda answer: (answer.submitted_at <= answer.closes_at, answer.submitted_at))
    return [*(item for item in items if not isinstance(item, Response)), *answers]


def _is_address(place: str) -> bool:
    return re.match(r"https?://", place) is not None


def _subject(place: str) -> str:
    """`place` as it may be stored and shown: an address's query can hold a key, so a hash stands for it."""
    if not _is_address(place):
        return place
    shown = shown_address(place)
    return shown if shown == place else f"{shown}#{hashlib.sha256(place.encode()).hexdigest()[:8]}"


def _changed(
    place: str, before: dict[str, Any], meaning: dict[str, str], redirects: Collection[str], timeout: float
) -> tuple[bytes | None, dict[str, Any], str]:
    """What is at `place`, None where it was read before with the same meaning; the cursor that says so; what came."""
    if meaning != {key: before[key] for key in ("meaning",) if key in before}:
        before = {}
    if _is_address(place):
        content, state, came = _fetched(place, before, redirects, timeout)
    else:
        try:
            content, state, came = Path(place).read_bytes(), {}, ""
        except OSError as error:
            raise SourceError(f"{place} cannot be read: {error.strerror}") from None
    if content is None:
        return None, before, came
    state = {**state, **meaning, "sha256": hashlib.sha256(content).hexdigest()}
    return (None if state["sha256"] == before.get("sha256") else content), state, came


def _fetched(
    address: str, before: dict[str, Any], redirects: Collection[str], timeout: float
) -> tuple[bytes | None, dict[str, Any], str]:
    """What `address` holds, with its validators and in words; None where it says that nothing has changed."""
    asked = {"If-None-Match": text(before, "etag"), "If-Modified-Since": text(before, "modified")}
    advice = "configure the address that is meant, or name that host in sources.survey.redirects"
    with Api("survey", address, timeout=timeout, leads_to=redirects, leads_to_advice=advice) as api:
        response = api.send(
            address, accept=(304,), headers={key: value for key, value in asked.items() if value}
        )
    came = f"{content_type(response)}, {len(response.content):,} bytes"
    if response.status_code == 304:
        return None, before, came
    if "html" in response.headers.get("content-type", ""):
        raise SourceError(
            f"{_subject(address)} answered with a page in place of CSV; is it published to everyone?"
        )
    validators = {"etag": response.headers.get("etag"), "modified": response.headers.get("last-modified")}
    return response.content, {key: value for key, value in validators.items() if value}, came


def _answers(table: CsvTable, people: People) -> Iterator[Item]:
    """A response, or what was wrong with it, for each row; raises SourceError where the file itself is wrong."""
    _check(table.columns, table.where)
    for line, cells in table.rows:
        yield _answer(dict(zip(table.columns, cells, strict=False)), f"{table.where}:{line}", people)


def _check(columns: list[str], where: str) -> None:
    missing = [name for name in _FIELDS if name not in columns]
    for name in columns:
        near = difflib.get_close_matches(name, missing, n=1, cutoff=0.75) if name not in _FIELDS else []
        if near:
            raise SourceError(f'{where}:1: unknown column "{name}"; did you mean "{near[0]}"?')
    for name in _REQUIRED:
        if name in missing:
            raise SourceError(
                f'{where}:1: the column "{name}" is missing; add it to {", ".join(columns) or "the file"}'
            )


def _answer(row: dict[str, str], where: str, people: People) -> Item:
    fields: dict[str, Any] = {key: row[key].strip() for key in _FIELDS if row.get(key, "").strip()}
    if "respondent" in fields:
        fields["respondent"] = people.respondent(fields["respondent"])
    raw = dict(fields)
    for key in _INSTANTS:
        if key in fields and not as_instant(fields, key):
            reason = f'"{one_short_line(fields[key])}" is no instant with a zone; write it like 2026-11-16T09:30:00Z'
            return Malformed("responses", where, f"{key}: {reason}", json.dumps(raw))
    response = record_or_malformed(Response, where, fields, raw)
    if isinstance(response, Response) and not response.scale_min <= response.score <= response.scale_max:
        reason = f"score: {response.score:g} is not between {response.scale_min:g} and {response.scale_max:g}"
        return Malformed("responses", where, reason, json.dumps(raw))
    return response
