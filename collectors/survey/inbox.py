"""Answers given on the survey page: one file each in the folder `inbox`, where the page puts them.

A file is JSON with `round`, `team`, `closes_at`, `submitted_at`, `score` and `comment`; its name is the round and the
random id of the link that it was given with.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from collectors.contract.items import Checkpoint, Item, Malformed, Resume, SourceError, record_or_malformed
from collectors.contract.people import People
from collectors.contract.records import Comment, Response
from collectors.files.whole_files import put_json
from collectors.transport.json_values import mapping

# what is asked beside the score
COMMENT = "What should we know?"
LEAST, MOST = 1, 5


@dataclass(frozen=True)
class Answer:
    """What somebody answered; `id` is the link's. All instants are aware."""

    id: str
    round: str
    team: str
    closes_at: datetime
    submitted_at: datetime
    score: int
    comment: str = ""


def inbox(warehouse: Path) -> Path:
    """The folder of the answers that belong to `warehouse`."""
    return warehouse.parent / "inbox"


def answer_path(folder: Path, round: str, id: str) -> Path:
    """The one file that holds the answer given with a link."""
    return folder / f"{round}.{id}.json"


def put(folder: Path, answer: Answer) -> None:
    """Writes `answer` whole or not at all, in place of an earlier one that was given with the same link."""
    # the hour is enough to know what came in time; the second could be found in a proxy's log beside an address
    hour = answer.submitted_at.replace(minute=0, second=0, microsecond=0)
    content = {
        "round": answer.round,
        "team": answer.team,
        "closes_at": answer.closes_at.isoformat(),
        "submitted_at": hour.isoformat(),
        "score": answer.score,
        "comment": answer.comment,
    }
    put_json(answer_path(folder, answer.round, answer.id), content)


def collect_inbox(folder: Path, resume: Resume, people: People) -> Iterator[Item]:
    """The answers of each round in which one came or changed since `resume`'s cursors, with a checkpoint for it."""
    rounds: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.json")):
        rounds.setdefault(path.stem.rpartition(".")[0], []).append(path)
    for name, paths in rounds.items():
        subject = f"inbox {name}"
        # taken before anything is read: what changes meanwhile is read again the next time
        state = {"sha256": _listing(paths)}
        if state != mapping(resume.cursors.get(subject)):
            for path in paths:
                yield from _answer(path, people)
            yield Checkpoint(subject, state)


def _listing(paths: list[Path]) -> str:
    found = ((path.name, path.stat()) for path in paths)
    told = [[name, stat.st_ctime_ns, stat.st_mtime_ns, stat.st_size] for name, stat in found]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _answer(path: Path, people: People) -> Iterator[Item]:
    """The score and the comment of one file, or what is wrong with it."""
    try:
        content: dict[str, Any] = mapping(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SourceError(f"survey: {path} cannot be read: {error.strerror}") from None
    except ValueError:
        yield Malformed("responses", str(path), "is not JSON", "")
        return
    fields = {key: content.get(key) for key in ("round", "team", "closes_at", "submitted_at", "score")}
    respondent = people.respondent(hashlib.sha256(path.stem.encode()).hexdigest())
    scale = {"scale_min": LEAST, "scale_max": MOST}
    found = record_or_malformed(Response, str(path), {**fields, "respondent": respondent, **scale}, fields)
    yield found
    if isinstance(found, Response):
        said = content.get("comment")
        text = said if isinstance(said, str) else ""
        yield Comment(round=found.round, respondent=respondent, question=COMMENT, text=text)
