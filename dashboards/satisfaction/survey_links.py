"""Links to the survey page: signed, so that nobody can make one up, and without anything about who holds it."""

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from collectors.survey.inbox import Answer
from config.errors import ConfigurationError, SixkeysError
from config.settings import Settings
from config.text.quoting import quoted
from dashboards.server.launch import local_address
from warehouse.trust.survey_teams import known_team, near_names

PATH = "survey"
LONGEST_COMMENT = 2000
# it becomes part of a file's name
_ROUND = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class BadLink(SixkeysError):
    """A token that was not signed by our key: cut off, changed, or from before the key was."""


class RoundClosed(SixkeysError):
    """An answer after the round's close."""


@dataclass(frozen=True)
class SurveyLink:
    """What a token says: a random number, and the round, the team and the close (UTC) that an answer is for."""

    number: str
    round: str
    team: str
    closes_at: datetime


def survey_links(
    settings: Settings,
    round: str,
    team: str,
    last_day: date,
    count: int,
    now: datetime,
    catalogue: Sequence[str] = (),
) -> Iterator[str]:
    """`count` addresses of the survey page, one for each person, open until the end of `last_day`.

    Raises ConfigurationError where the configuration has no key, the round's name is none, the day is over, or neither
    the `catalogue` (its teams; none if it was not read) nor the configuration knows the team.
    """
    key = signing_key(settings)
    if not _ROUND.fullmatch(round):
        raise ConfigurationError(
            f'"{round}" cannot name a round: use letters, digits, "-", "_" and ".", such as 2026-Q4'
        )
    if not team.strip():
        raise ConfigurationError("a link is for a team: name it as the catalogue does")
    if catalogue:
        team = _known(team, catalogue, settings)
    closes_at = datetime.combine(last_day, time(23, 59, 59), ZoneInfo(settings.timezone)).astimezone(UTC)
    if closes_at <= now:
        raise ConfigurationError(f"{last_day} is over: name the last day on which answers are taken")
    page = settings.survey_page
    dashboard = settings.dashboard
    base = (page and page.url) or dashboard.url or local_address(dashboard.host, dashboard.port)
    for _ in range(count):
        link = SurveyLink(secrets.token_urlsafe(12), round, team.strip(), closes_at)
        yield f"{base}/{PATH}?token={sign(link, key)}"


def _known(team: str, catalogue: Sequence[str], settings: Settings) -> str:
    """The team as the catalogue writes it; raises ConfigurationError with the names that come near."""
    found = known_team(team.strip(), catalogue, settings.survey)
    if found is None:
        near = near_names(team, catalogue)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(catalogue[:12])}"
        raise ConfigurationError(
            f"no catalogue knows the team {quoted(team)}; {hint} (survey.teams may say which is meant)"
        )
    return found


def signing_key(settings: Settings) -> bytes:
    """The configured key; raises ConfigurationError where there is none."""
    if settings.survey_page is None:
        raise ConfigurationError(
            'the survey page has no key: add survey_page: {key: "${SURVEY_KEY}"} to the configuration'
        )
    return settings.survey_page.key.get_secret_value().encode()


def sign(link: SurveyLink, key: bytes) -> str:
    """The token of `link`: what it says, readable, and the signature."""
    said = [link.number, link.round, link.team, int(link.closes_at.timestamp())]
    text = _encoded(json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode())
    return f"{text}.{_signature(text, key)}"


def opened(token: str, key: bytes, now: datetime) -> SurveyLink:
    """The link of `token`; raises BadLink where the key has not signed it, RoundClosed after its close."""
    text, _, signature = token.partition(".")
    # compared as text: of several writings of the same bytes only ours is good
    if not hmac.compare_digest(signature.encode(), _signature(text, key).encode()):
        raise BadLink("this link is not complete, or it was changed")
    number, round, team, closes = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    link = SurveyLink(number, round, team, datetime.fromtimestamp(closes, UTC))
    if now >= link.closes_at:
        raise RoundClosed(f"the round {link.round} has closed")
    return link


def answer_id(link: SurveyLink, key: bytes) -> str:
    """What an answer given with `link` is filed under: who sees a link, say in a log, cannot tell its answer."""
    return hmac.new(key, f"sixkeys survey answer {link.number}".encode(), hashlib.sha256).hexdigest()[:24]


def answer(link: SurveyLink, key: bytes, score: int, comment: str, now: datetime) -> Answer:
    """What is kept of an answer given with `link`."""
    id = answer_id(link, key)
    return Answer(id, link.round, link.team, link.closes_at, now, score, comment.strip()[:LONGEST_COMMENT])


def _signature(text: str, key: bytes) -> str:
    return _encoded(hmac.new(key, f"sixkeys survey link {text}".encode(), hashlib.sha256).digest())


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
