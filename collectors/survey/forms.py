"""A form's export as answers: the configuration says what its columns mean; a row answers one or more questions."""

import difflib
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from collectors.contract.items import Item, Malformed, SourceError, record_or_malformed
from collectors.contract.people import People
from collectors.contract.records import Comment, Response
from collectors.files.csv_table import CsvTable, plain
from collectors.survey.times import FirstNumber, day_order, parsed_time, unknown_zone
from config.survey import SurveyFiles, SurveyQuestion
from config.text.quoting import one_short_line
from config.years import in_utc

# what an export may be written like where nothing says so
_FORMATS = (
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
)
# Microsoft Forms writes this where it does not know
_NOBODY = ("", "anonymous")


def wanted_columns(form: SurveyFiles) -> list[str]:
    """The headers that `form` names."""
    columns = (
        form.columns.model_dump(exclude_none=True, exclude={"comments"}).values() if form.columns else ()
    )
    questions = [question.column for question in form.questions]
    return [plain(name) for name in (*columns, *questions, *_comments(form))]


def _comments(form: SurveyFiles) -> list[str]:
    return form.columns.comments if form.columns else []


def form_answers(
    table: CsvTable, form: SurveyFiles, timezone: str, people: People, is_quoted: bool = True
) -> list[Item]:
    """A response for each question that a row answers, or what is wrong with it; raises SourceError where all is.

    `timezone` holds where neither the form's own nor a time's zone does. The error quotes a cell if that `is_quoted`.
    """
    for name in wanted_columns(form):
        if table.columns.count(name) != 1:
            raise SourceError(f"{table.where}:1: {_wrong_column(name, table.columns)}")
    rows = [(line, [cell.strip() for cell in cells]) for line, cells in table.rows]
    at = table.columns.index(plain(form.columns.submitted_at)) if form.columns else 0
    order = day_order(cells[at] for _, cells in rows if len(cells) > at)
    reader = _FormReader(form, ZoneInfo(form.timezone or timezone), people, order)
    items: list[Item] = []
    times: list[str] = []
    for line, cells in rows:
        row = dict(zip(table.columns, cells, strict=False))
        try:
            items += reader.read(row, f"{table.where}:{line}")
        except _NoTime as error:
            times.append(error.cell)
            items.append(Malformed("responses", f"{table.where}:{line}", str(error), reader.raw(row)))
    if times and len(times) == len(rows):
        raise SourceError(f"{table.where}: {reader.no_time(times, is_quoted)}")
    return items


def _wrong_column(name: str, columns: list[str]) -> str:
    if name in columns:
        return f'the column "{name}" is there twice; rename one in the form'
    near = difflib.get_close_matches(name, columns, n=1, cutoff=0.6)
    return f'there is no column "{name}"; ' + (
        f'did you mean "{near[0]}"?' if near else f"there are {', '.join(columns) or 'none'}"
    )


class _NoTime(ValueError):
    """A cell that is no time."""

    def __init__(self, column: str, cell: str) -> None:
        zone = unknown_zone(cell)
        why = f", for {zone} is no zone that is known here" if zone else ""
        super().__init__(
            f'{column}: "{one_short_line(cell)}" is no time{why};'
            " say what it looks like by sources.survey.files.time_format"
        )
        self.cell = cell


class _FormReader:
    """Reads the rows of one file."""

    def __init__(self, form: SurveyFiles, zone: ZoneInfo, people: People, order: FirstNumber | None) -> None:
        assert form.columns  # noqa: S101  told apart by the caller
        self._form = form
        self._columns = form.columns
        self._zone = zone
        self._order = order
        self._people = people
        self._nobodies: Counter[str] = Counter()

    def read(self, row: dict[str, str], where: str) -> Iterator[Item]:
        """The answers of `row`, an unanswered question left out; raises _NoTime."""
        submitted_at = self._time(self._columns.submitted_at, row)
        name = self._form.round or self._cell(row, self._columns.round)
        fields = {
            "round": name or None,
            "respondent": self._respondent(row),
            "team": self._cell(row, self._columns.team) or None,
            "submitted_at": submitted_at,
            "closes_at": self._closes_at(row, name),
        }
        for key in ("round", "closes_at"):
            if fields[key] is None:
                reason = f'{key}: the round "{name}" has none; add it to sources.survey.files.{key}'
                yield Malformed("responses", where, reason if name else f"{key}: is empty", self.raw(row))
                return
        for question in self._form.questions:
            cell = self._cell(row, question.column)
            if cell:
                yield self._answer(question, cell, fields, where, row)
        for column in self._columns.comments:
            about = {key: fields[key] for key in ("round", "respondent")}
            comment = {"question": plain(column), "text": self._cell(row, column)}
            yield record_or_malformed(Comment, where, about | comment, self.raw(row))

    def raw(self, row: dict[str, str]) -> str:
        """What is kept of a row that is set aside: nothing of the respondent, and no free text."""
        left_out = {plain(name) for name in (self._columns.respondent, *_comments(self._form)) if name}
        kept = {name: row.get(name, "")[:40] for name in wanted_columns(self._form) if name not in left_out}
        return json.dumps(kept)

    def no_time(self, cells: list[str], is_quoted: bool) -> str:
        """What to say of a file in which no row has a time: the formats that would fit all of them."""
        fitting = [f'"{known}"' for known in _FORMATS if all(parsed_time(cell, known) for cell in cells)]
        told = " or ".join(fitting) or 'such as "%d/%m/%Y %H:%M:%S"'
        column = plain(self._columns.submitted_at)
        quoted = f' ("{cells[0][:40]}")' if is_quoted else ""
        return f'no row has a time in "{column}"{quoted}; set sources.survey.files.time_format, {told}'

    def _cell(self, row: dict[str, str], column: str | None) -> str:
        return row.get(plain(column), "") if column else ""

    def _respondent(self, row: dict[str, str]) -> str | None:
        told = self._cell(row, self._columns.respondent)
        if told.lower() not in _NOBODY:
            return self._people.respondent(told)
        # the same row of a later export is the same nobody, whatever columns were added to the form
        row_of = json.dumps([row.get(plain(self._columns.submitted_at)), self._cell(row, self._columns.team)])
        self._nobodies[row_of] += 1
        return self._people.respondent(
            "nobody " + hashlib.sha256(f"{row_of} {self._nobodies[row_of]}".encode()).hexdigest()
        )

    def _answer(
        self, question: SurveyQuestion, cell: str, fields: dict[str, Any], where: str, row: dict[str, str]
    ) -> Item:
        worst, best = (1.0, float(len(question.answers))) if question.answers else question.scale
        least, most = min(worst, best), max(worst, best)
        score = _score(question, cell)
        if score is None or not least <= score <= most:
            known = ", ".join(question.answers) or f"a number from {least:g} to {most:g}"
            reason = f'{plain(question.column)}: "{cell[:40]}" is none of {known}'
            return Malformed(
                "responses",
                where,
                reason if question.answers else reason.replace("none of", "not"),
                self.raw(row),
            )
        if worst > best:
            score = worst + best - score
        answered = {"question": question.question, "score": score, "scale_min": least, "scale_max": most}
        return record_or_malformed(Response, where, fields | answered, self.raw(row))

    def _time(self, column: str, row: dict[str, str]) -> datetime:
        cell = self._cell(row, column)
        at = parsed_time(cell, self._form.time_format, self._order)
        if at is None:
            raise _NoTime(plain(column), cell)
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC if plain(column).endswith("(UTC)") else self._zone)
        try:
            return in_utc(at)
        except ValueError:
            raise _NoTime(plain(column), cell) from None

    def _closes_at(self, row: dict[str, str], name: str) -> datetime | None:
        if self._columns.closes_at:
            cell = self._cell(row, self._columns.closes_at)
            try:
                return self._end(date.fromisoformat(cell))
            except ValueError:
                return self._time(self._columns.closes_at, row)
        told = self._form.closes_at
        at = told.get(name) if isinstance(told, dict) else told
        return self._end(at) if at else None

    def _end(self, at: date | datetime) -> datetime:
        """The last second of a day, or the instant itself."""
        if not isinstance(at, datetime):
            at = datetime.combine(at, time(23, 59, 59))
        return in_utc(at if at.tzinfo else at.replace(tzinfo=self._zone))


def _score(question: SurveyQuestion, cell: str) -> float | None:
    if question.answers:
        words = [plain(answer).casefold() for answer in question.answers]
        return words.index(plain(cell).casefold()) + 1.0 if plain(cell).casefold() in words else None
    try:
        # a spreadsheet in a language with a decimal comma writes 4,5
        return float(re.sub(r"^(-?\d+),(\d+)$", r"\1.\2", cell))
    except ValueError:
        return None
