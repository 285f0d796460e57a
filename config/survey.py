"""Where survey answers come from: files with their columns, and the survey page of our own."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, field_validator, model_validator

from config.fields import Address, LaterFiles, Section, SigningKey, Timezone
from config.names import same_key
from config.text.quoting import LONGEST_VALUE, quoted
from config.years import FIRST_YEAR, LAST_YEAR

# what is asked where nothing says so
SATISFACTION = "satisfaction"


def _closing(value: Any) -> date | datetime | dict[str, date | datetime]:
    """A day or an instant, or one for each round."""
    if isinstance(value, dict):
        return {str(name): _moment(at) for name, at in value.items()}
    return _moment(value)


def _moment(value: Any) -> date | datetime:
    if isinstance(value, str):
        with suppress(ValueError):
            value = date.fromisoformat(value) if len(value) <= 10 else datetime.fromisoformat(value)
    if isinstance(value, date) and FIRST_YEAR <= value.year <= LAST_YEAR:
        return value
    raise ValueError(
        f"{quoted(value)} is no day from {FIRST_YEAR} to {LAST_YEAR}; write it like 2026-11-20, or with a time like"
        ' "2026-11-20T18:00", or for several rounds {"2026-Q4": 2026-11-20}'
    )


# a day closes at its end
Closing = Annotated[Any, PlainValidator(_closing)]


class SurveyColumns(Section):
    """The headers of a form's export that hold what is not a question's answer."""

    submitted_at: str
    respondent: str | None = None
    team: str | None = None
    round: str | None = None
    closes_at: str | None = None
    comments: list[str] = []


class SurveyQuestion(Section):
    """A column that holds the answers to a question: numbers on `scale`, or `answers` in words, worst first.

    A scale may run downwards, as `[6, 1]` of school marks.
    """

    column: str
    question: str = SATISFACTION
    scale: list[Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]] = [1, 5]
    answers: list[str] = []

    @field_validator("scale")
    @classmethod
    def _from_worst_to_best(cls, scale: list[float]) -> list[float]:
        if len(scale) != 2 or scale[0] == scale[1]:
            raise ValueError("is the worst score and the best; write it like [1, 10]")
        return scale

    @field_validator("answers")
    @classmethod
    def _several(cls, answers: list[str]) -> list[str]:
        if answers and len({answer.casefold() for answer in answers}) < max(2, len(answers)):
            raise ValueError('are at least two different ones, worst first; write them like ["no", "yes"]')
        return answers


class SurveyFiles(Section):
    """CSV files by glob, or an http(s) address; without `columns` the columns are those of the record `responses`."""

    # an address may hold a key
    files: LaterFiles = Field(repr=False)
    columns: SurveyColumns | None = None
    questions: list[SurveyQuestion] = []
    round: str | None = None
    closes_at: Closing | None = None
    time_format: str | None = None
    timezone: Timezone | None = None

    @field_validator("time_format")
    @classmethod
    def _whole(cls, format: str | None) -> str | None:
        some = datetime(2026, 11, 30, 17, 15, tzinfo=UTC)  # of a zone, for a format that has one
        try:
            whole = format is None or (
                len(format) <= LONGEST_VALUE
                and datetime.strptime(some.strftime(format), format).date() == some.date()
            )
        except (ValueError, re.error):  # a directive that comes twice is an error of the pattern
            whole = False
        if not whole:
            raise ValueError(f'{quoted(format)} gives no day; write it like "%d/%m/%Y %H:%M:%S"')
        return format

    @model_validator(mode="after")
    def _complete(self) -> "SurveyFiles":
        given = [
            name
            for name in ("questions", "round", "closes_at", "time_format", "timezone")
            if getattr(self, name)
        ]
        if self.columns is None:
            if given:
                raise ValueError(
                    f'has {given[0]} without columns; add columns: {{submitted_at: "Timestamp"}}'
                )
            return self
        if not self.questions:
            raise ValueError(
                'names no question; add questions: [{column: "How satisfied are you?", scale: [1, 5]}]'
            )
        if (self.round is None) == (self.columns.round is None):
            raise ValueError('needs one round for all of it or a column of rounds; write round: "2026-Q4"')
        if (self.closes_at is None) == (self.columns.closes_at is None):
            raise ValueError(
                "needs either the day that its round closes or a column; write closes_at: 2026-11-20"
            )
        return self


class Survey(Section):
    """Survey answers: an entry is a glob or an address, or a mapping that says what the columns mean.

    `redirects` are globs of the hosts that an address may send on to beside its own.
    """

    # where the sheets that Google publishes lie
    redirects: list[str] = ["*.googleusercontent.com"]

    files: list[
        Annotated[
            SurveyFiles, BeforeValidator(lambda value: {"files": value} if isinstance(value, str) else value)
        ]
    ] = Field(min_length=1)


class SurveyMeaning(Section):
    """What answers mean, wherever they come from: the questions that are satisfaction, and the team of each text.

    All other questions are drivers. `teams` is by what answers say; a name that stands for itself needs no catalogue.
    """

    satisfaction: list[str] = Field(default=[SATISFACTION], min_length=1)
    teams: dict[str, str] = {}

    @field_validator("teams")
    @classmethod
    def _one_team_each(cls, teams: dict[str, str]) -> dict[str, str]:
        seen: dict[str, str] = {}
        for told, team in teams.items():
            if not told.strip() or not team.strip():
                raise ValueError('has an empty name; write it like {"Payment squad": payments}')
            other = seen.setdefault(same_key(told), told)
            if other != told:
                raise ValueError(f"{quoted(other)} and {quoted(told)} are the same name; keep one of them")
        return {told: team.strip() for told, team in teams.items()}

    def is_satisfaction(self, question: str) -> bool:
        """Whether `question` counts, letter case aside."""
        return question.strip().casefold() in {one.strip().casefold() for one in self.satisfaction}

    def team(self, told: str) -> str:
        """The team that an answer's `told` means."""
        return {same_key(one): team for one, team in self.teams.items()}.get(same_key(told), told)

    @property
    def own_teams(self) -> list[str]:
        """Those that stand for themselves: known, whatever the catalogue says."""
        return [team for told, team in self.teams.items() if same_key(told) == same_key(team)]


class SurveyPage(Section):
    """The survey page of the dashboard: the key that signs its links, where people reach it, and what it asks."""

    key: SigningKey
    url: Address | None = None
    question: str = Field(default="How satisfied are you with our platform?", min_length=1)
