"""The types that settings are made of: secrets and text by reference, addresses, durations, schedules.

A validator raises ValueError with a sentence that says what is wrong and what works; never with a secret in it.
"""

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    SecretStr,
    ValidationInfo,
    model_validator,
)

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


def resolve(value: Any, info: ValidationInfo) -> Any:
    """`value` with `${NAME}` taken from the environment and `file:PATH` from a file beside the configuration."""
    if not isinstance(value, str):
        return value
    if value.startswith("file:"):
        path = (info.context or {}).get("folder", Path()) / Path(value.removeprefix("file:")).expanduser()
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ValueError(
                f"cannot read the file {path} ({error.strerror}); create it or mend the path"
            ) from None
        except UnicodeDecodeError:
            raise ValueError(f"the file {path} is not UTF-8 text; mend the path") from None

    def from_environment(found: re.Match[str]) -> str:
        name = found[1]
        if not os.environ.get(name):
            raise ValueError(f"the environment variable {name} is not set; set it, or remove the key")
        return os.environ[name]

    return REFERENCE.sub(from_environment, value)


def _reference_only(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, SecretStr):
        return value
    if not isinstance(value, str) or not (value.startswith("file:") or REFERENCE.search(value)):
        raise ValueError('a secret is written as "${ENV_NAME}" or "file:PATH", never in the file itself')
    secret = resolve(value, info)
    if not secret:
        raise ValueError("the secret is empty; put it into what the key refers to")
    return secret


def _address(text: str) -> str:
    # what was found is not repeated: an address with a password in it is one of the cases
    if not re.fullmatch(r"https?://[^\s@/]+(/[^\s@]*)?", text):
        raise ValueError(
            'is not an address; write it like "https://git.acme.example", without user and password'
        )
    return text.rstrip("/")


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise ValueError(f'"{name}" is not a time zone; write one like "Europe/Berlin" or "UTC"') from None
    return name


def _cron(text: str) -> str:
    """A crontab's five fields, weekdays by name: APScheduler counts them from Monday, crontab from Sunday."""
    fields = text.split()
    if len(fields) == 5:
        fields[4] = re.sub(r"(?<![/\d])[0-7](?!\d)", lambda day: _WEEKDAYS[int(day[0])], fields[4])
    try:
        CronTrigger.from_crontab(" ".join(fields))
    except ValueError as error:
        raise ValueError(f'"{text}" is not a schedule ({error}); write it like "0 8 * * MON"') from None
    return " ".join(fields)


def _duration(value: Any) -> Any:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([mhd])\s*", value) if isinstance(value, str) else None
    if not found:
        raise ValueError(f'"{value}" is not a duration; write it like "24h", "30m" or "2d"')
    return timedelta(minutes=float(found[1]) * {"m": 1, "h": 60, "d": 1440}[found[2]])


Plain = Annotated[str, BeforeValidator(resolve)]
Secret = Annotated[SecretStr, BeforeValidator(_reference_only)]
Address = Annotated[str, AfterValidator(_address), BeforeValidator(resolve)]
Timezone = Annotated[str, AfterValidator(_timezone)]
Cron = Annotated[str, AfterValidator(_cron)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]


class Section(BaseModel):
    """The base of every part of the configuration: unknown keys are refused, nothing changes after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, content: Any) -> Any:
        # in YAML a heading with nothing below it, say with all of it commented out, is null
        return {} if content is None else content
