"""A published scorecard as parcels: files, and messages to those who are configured to get it."""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from config.settings import Settings
from dashboards.delivery import slack
from dashboards.delivery.parcels import Letter, Parcel, Send, delivery_id, parcels
from dashboards.delivery.posting import TIMEOUT, NotDelivered
from dashboards.delivery.subjects import scorecard_subject
from dashboards.scorecards.published_forms import published_forms
from warehouse.metrics.values import kept_name
from warehouse.scorecards.delivery_book import Message


def scorecard_parcels(
    scorecards: Iterable[Mapping[str, Any]], settings: Settings, timeout: float = TIMEOUT
) -> list[Parcel]:
    """What is sent of scorecards: each to the directory, and to whom its scope's is to go."""
    return [parcel for scorecard in scorecards for parcel in _of(scorecard, settings, timeout)]


def _of(scorecard: Mapping[str, Any], settings: Settings, timeout: float) -> Iterator[Parcel]:
    scope, name = scorecard["scope"], scorecard["name"]
    reports = settings.reports

    @cache
    def texts() -> Mapping[str, str]:
        return published_forms(settings.warehouse, scorecard)

    letter = Letter(
        message=Message("scorecard", scope, kept_name(scope, name), scorecard["week"]),
        organization=scorecard["organization"],
        subject=scorecard_subject(scorecard),
        text=lambda: texts()["txt"],
        html=lambda: texts()["html"],
        slack=lambda: slack.message(scorecard),
        data=lambda: scorecard,
    )
    yield _files(letter, scorecard, reports.directory, texts)
    key = "reports" if scope == "organisation" else f"reports.{scope}s.{name}"
    yield from parcels(letter, reports.recipients(scope, name), reports.email, key, timeout)


def _files(
    letter: Letter, scorecard: Mapping[str, Any], directory: Path, texts: Callable[[], Mapping[str, str]]
) -> Parcel:
    folder = directory / scorecard["week"]
    stem = file_stem(scorecard["scope"], scorecard["name"])

    def contents(id: str, to: Sequence[str]) -> dict[str, str]:
        return {str(folder / f"{stem}.{format}"): text for format, text in texts().items()}

    @contextmanager
    def ready(id: str) -> Iterator[Send]:
        files = contents(id, ())

        def write(_: Sequence[str]) -> Mapping[str, NotDelivered]:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                for name, text in files.items():
                    _replace(Path(name), text)
            except OSError as error:
                text = f"{error.filename or folder}: cannot be written ({error.strerror}); check reports.directory"
                raise NotDelivered(text, "failed") from None
            return {}

        yield write

    return Parcel(
        letter.message,
        "directory",
        delivery_id(letter, "directory"),
        (str(directory),),
        str(folder / stem),
        letter.subject,
        contents,
        ready,
    )


def _replace(path: Path, text: str) -> None:
    """Writes a file that is complete or not there at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def file_stem(scope: str, name: str) -> str:
    """A file's name without its ending, safe on any system and different for different names."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60]
    if plain != name:
        plain = f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}".lstrip("-")
    return f"{scope}-{plain}"
