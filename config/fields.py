"""The types that settings are made of: secrets and text by reference, addresses, durations, schedules.

A validator raises ValueError with a sentence that says what is wrong and what works; never with a secret in it.
"""

import re
from contextlib import suppress
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainValidator,
    SecretStr,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from config.text.quoting import one_short_line, quoted
from config.text.references import REFERENCE, SecretReference, UnresolvedText, what_it_refers_to
from config.years import FIRST_YEAR, LAST_YEAR, in_utc

# a host by name or number, a port, a path; no user, no password, no blank and no control character
_HOST = r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?|\[[0-9A-Fa-f:.]{2,45}\]"
_ADDRESS = re.compile(rf"https?://(?:{_HOST})(?::([0-9]{{1,5}}))?(?:[/?#][^\s@\x00-\x1f\x7f-\x9f]*)?")
# a survey's address may hold a user or a key
_WEB_ADDRESS = re.compile(
    rf"https?://(?:[^\s/@]*@)?(?:{_HOST})(?::[0-9]{{1,5}})?(?:[/?#][^\s\x00-\x1f\x7f-\x9f]*)?"
)
# files beside those of the zones
_NO_ZONES = re.compile(r"localtime|posixrules|(?:posix|right)/.*", re.DOTALL)
_LONGEST_NAME, _LONGEST_PATH = 255, 1_000
_DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([mhd])\s*")
_MOST_MINUTES = 3653 * 1440
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


def _resolved(value: Any, info: ValidationInfo) -> Any:
    """`value` with what it refers to in its place."""
    return what_it_refers_to(value, _folder(info)) if isinstance(value, str) else value


def _later(value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """As `_resolved`; where what it refers to is not there, whoever uses it is told."""
    if isinstance(value, UnresolvedText):
        return value
    try:
        found = _resolved(value, info)
    except ValueError as error:
        missing = UnresolvedText(value)
        missing.why = str(error)
        return missing
    return handler(found)


def _folder(info: ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get("folder", Path())
    return folder


def _reference_only(at_least: int, value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, SecretStr):
        return value
    if not isinstance(value, str) or not (value.startswith("file:") or REFERENCE.search(value)):
        raise ValueError('a secret is written as "${ENV_NAME}" or "file:PATH", never in the file itself')
    return SecretReference(value, _folder(info), at_least)


def _secret(at_least: int = 1) -> BeforeValidator:
    return BeforeValidator(partial(_reference_only, at_least))


def _address(text: str) -> str:
    # what was found is not repeated: an address with a password in it is one of the cases
    found = _ADDRESS.fullmatch(text)
    if not found or int(found[1] or 0) > 65535:
        raise ValueError(
            'is not an address; write it like "https://git.acme.example", without user and password'
        )
    return text.rstrip("/")


def _path(path: Path) -> Path:
    if len(str(path)) > _LONGEST_PATH or any(len(part.encode()) > _LONGEST_NAME for part in path.parts):
        raise ValueError("is longer than a path may be; shorten it")
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError(f"{quoted(path)} begins with no user's home; mend the path") from None


def _files(text: str) -> str:
    # what was found is not repeated: it may hold a key
    if re.match(r"https?://", text) and not _WEB_ADDRESS.fullmatch(text):
        raise ValueError('is not an address; write it like "https://forms.acme.example/answers.csv"')
    return text


def _timezone(name: str) -> str:
    try:
        if _NO_ZONES.fullmatch(name):
            raise ValueError
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise ValueError(
            f'{quoted(name)} is not a time zone; write one like "Europe/Berlin" or "UTC"'
        ) from None
    return name


def _cron(text: str) -> str:
    """A crontab's five fields, weekdays by name: APScheduler counts them from Monday, crontab from Sunday."""
    from apscheduler.triggers.cron import (
        CronTrigger,
    )  # it takes longer to import than all other settings to read

    fields = text.split()
    if len(fields) == 5:
        fields[4] = re.sub(r"(?<![/\d])[0-7](?!\d)", lambda day: _WEEKDAYS[int(day[0])], fields[4])
    try:
        CronTrigger.from_crontab(" ".join(fields))
    except ValueError as error:
        raise ValueError(
            f'{quoted(text)} is not a schedule ({one_short_line(str(error))}); write it like "0 8 * * MON"'
        ) from None
    return " ".join(fields)


def _duration(value: Any) -> Any:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError(f'{quoted(value)} is not a duration; write it like "24h", "30m" or "2d"')
    minutes = float(found[1]) * {"m": 1, "h": 60, "d": 1440}[found[2]]
    if minutes > _MOST_MINUTES:
        raise ValueError(f'{quoted(value)} is longer than ten years; write it like "24h", "30m" or "2d"')
    return timedelta(minutes=minutes)


def _day(value: Any) -> date:
    # a number, which pydantic would take for seconds since 1970, is none
    if isinstance(value, str):
        with suppress(ValueError):
            value = date.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime) and FIRST_YEAR <= value.year <= LAST_YEAR:
        return value
    raise ValueError(
        f"{quoted(value)} is not a day from {FIRST_YEAR} to {LAST_YEAR}; write it like 2026-01-31"
    )


def _day_or_instant(value: Any) -> date | datetime:
    if isinstance(value, str) and len(value) > len("2026-01-31"):
        with suppress(ValueError):
            value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            with suppress(ValueError):
                return in_utc(value)
    else:
        with suppress(ValueError):
            return _day(value)
    raise ValueError(
        f"{quoted(value)} is no day and no instant from {FIRST_YEAR} to {LAST_YEAR}; write it like 2026-01-31, or with"
        ' a zone like "2026-01-31T18:00+01:00"'
    )


# what every page and number needs is looked up at once
Address = Annotated[str, AfterValidator(_address), BeforeValidator(_resolved)]
# what only a source, a delivery or the login needs, where it is used: see config/text/references.py
Later = WrapValidator(_later)
LaterText = Annotated[str, Later]
LaterAddress = Annotated[str, AfterValidator(_address), Later]
LaterFiles = Annotated[str, AfterValidator(_files), Later]
Secret = Annotated[SecretStr, _secret()]
SigningKey = Annotated[SecretStr, _secret(at_least=16)]
CookieKey = Annotated[SecretStr, _secret(at_least=32)]
Place = Annotated[Path, AfterValidator(_path)]
Timezone = Annotated[str, AfterValidator(_timezone)]
Cron = Annotated[str, AfterValidator(_cron)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Day = Annotated[date, BeforeValidator(_day)]
DayOrInstant = Annotated[date | datetime, PlainValidator(_day_or_instant)]


class Section(BaseModel):
    """The base of every part of the configuration: unknown keys are refused, nothing changes after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, content: Any) -> Any:
        # in YAML a heading with nothing below it, say with all of it commented out, is null
        return {} if content is None else content
