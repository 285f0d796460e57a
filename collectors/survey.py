"""Survey answers from CSV files and addresses; the columns are those of the record `responses`."""

import csv
import difflib
import glob
import hashlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from collectors.http import Api, shown_address
from collectors.people import People
from collectors.records import Coverage, Response
from collectors.shapes import instant, mapping, text
from collectors.stream import Checkpoint, Item, Malformed, Resume, SourceError, record_or_malformed
from config.sources import Survey

_FIELDS = tuple(Response.model_fields)
# what is asked where there is no such column
_QUESTION = "satisfaction"
_REQUIRED = [
    name for name, field in Response.model_fields.items() if field.is_required() and name != "question"
]
_INSTANTS = ("submitted_at", "closes_at")


def collect(source: Survey, resume: Resume, people: People) -> Iterator[Item]:
    """The answers in every file and address that changed since it was last read, a checkpoint for each of them.

    Of a respondent only `people`'s pseudonym is kept. The cursor (subject: path, or address without its query) is the
    content's hash, with an address's validators; that of `*` is the first answer's time, where the coverage starts.
    Raises SourceError, after the rest was read, for what is missing, cannot be read or has wrong columns.
    """
    wrong: list[str] = []
    from_at = instant(resume.cursors.get("*"), "from_at")
    for pattern in source.files:
        places = [pattern] if _is_address(pattern) else sorted(glob.glob(pattern, recursive=True))
        if not places:
            wrong.append(f"no file matches {pattern}; mend sources.survey.files")
        for place in places:
            before = mapping(resume.cursors.get(_subject(place)))
            try:
                items, state = _changed(place, before, people)
            except SourceError as error:
                # a file with a mistake must not hide the others' answers
                wrong.append(str(error).removeprefix("survey: "))
                continue
            yield from items
            submitted = [item.submitted_at for item in items if isinstance(item, Response)]
            from_at = min([*submitted, *([from_at] if from_at else [])], default=None)
            if state != before:
                yield Checkpoint(_subject(place), state)
    if from_at:
        yield Coverage(source="survey", subject="*", from_at=from_at, until_at=max(resume.now, from_at))
        yield Checkpoint("*", {"from_at": from_at.isoformat()})
    if wrong:
        raise SourceError(f"survey: {'; '.join(wrong)}")


def _is_address(place: str) -> bool:
    return re.match(r"https?://", place) is not None


def _subject(place: str) -> str:
    """`place` as it may be stored and shown: an address's query can hold a key, so a hash stands for it."""
    if not _is_address(place):
        return place
    shown = shown_address(place)
    return shown if shown == place else f"{shown}#{hashlib.sha256(place.encode()).hexdigest()[:8]}"


def _changed(place: str, before: dict[str, Any], people: People) -> tuple[list[Item], dict[str, Any]]:
    """The answers at `place` with its new cursor; no answers where it is as it was before."""
    state: dict[str, Any] = {}
    if _is_address(place):
        content, state = _fetched(place, before)
    else:
        try:
            content = Path(place).read_bytes()
        except OSError as error:
            raise SourceError(f"{place} cannot be read: {error.strerror}") from None
    if content is None:
        return [], before
    state["sha256"] = hashlib.sha256(content).hexdigest()
    if state["sha256"] == before.get("sha256"):
        return [], state
    return list(_answers(content, _subject(place), people)), state


def _fetched(address: str, before: dict[str, Any]) -> tuple[bytes | None, dict[str, Any]]:
    """What `address` holds with its validators; None where it says that nothing has changed."""
    asked = {"If-None-Match": text(before, "etag"), "If-Modified-Since": text(before, "modified")}
    with Api("survey", address) as api:
        response = api.send(
            address, accept=(304,), headers={key: value for key, value in asked.items() if value}
        )
    if response.status_code == 304:
        return None, before
    if "html" in response.headers.get("content-type", ""):
        raise SourceError(
            f"{_subject(address)} answered with a page in place of CSV; is it published to everyone?"
        )
    validators = {"etag": response.headers.get("etag"), "modified": response.headers.get("last-modified")}
    return response.content, {key: value for key, value in validators.items() if value}


def _answers(content: bytes, where: str, people: People) -> Iterator[Item]:
    """A response, or what was wrong with it, for each row; raises SourceError where the file itself is wrong."""
    try:
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SourceError(f"{where} is not UTF-8 text; save it as CSV UTF-8") from None
    header = decoded.partition("\n")[0]
    reader = csv.reader(
        io.StringIO(decoded, newline=""), delimiter=";" if header.count(";") > header.count(",") else ","
    )
    try:
        columns = [name.strip() for name in next(reader, [])]
        _check(columns, where)
        line = reader.line_num + 1
        for cells in reader:
            if any(cells):
                yield _answer(dict(zip(columns, cells, strict=False)), f"{where}:{line}", people)
            line = reader.line_num + 1
    except csv.Error as error:
        raise SourceError(f"{where}:{reader.line_num}: is not CSV: {error}") from None


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
        fields["respondent"] = people.pseudonym(fields["respondent"])
    raw = dict(fields)
    for key in _INSTANTS:
        if key in fields and not instant(fields, key):
            reason = f'"{fields[key]}" is no instant with a zone; write it like 2026-11-16T09:30:00Z'
            return Malformed("responses", where, f"{key}: {reason}", json.dumps(raw))
    response = record_or_malformed(Response, where, {"question": _QUESTION, **fields}, raw)
    if isinstance(response, Response) and not response.scale_min <= response.score <= response.scale_max:
        reason = f"score: {response.score:g} is not between {response.scale_min:g} and {response.scale_max:g}"
        return Malformed("responses", where, reason, json.dumps(raw))
    return response
