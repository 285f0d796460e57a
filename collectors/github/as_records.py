"""GitHub's answers as records, where GraphQL and REST meet: rules about drafts, reviews, reverts and statuses."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from collectors.contract.items import Malformed, record_or_malformed
from collectors.contract.people import People
from collectors.contract.records import Deployment, Record, Repository
from collectors.transport.json_values import as_instant

_REVERTS = re.compile(r"^[^\S\n]*Reverts\s+([\w.-]+/[\w.-]+)?#(\d{1,18})\b", re.IGNORECASE | re.MULTILINE)
# as git and GitHub write it: `Co-authored-by: Anna <anna@acme.example>`
_CO_AUTHORS = re.compile(r"^Co-authored-by:([^<\n]*)<([^>\n]*)>[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_FULL_NAME = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}", re.ASCII)
_NOREPLY = re.compile(r"(?:\d+\+)?([^@+]+)@users\.noreply\.", re.IGNORECASE)


@dataclass(frozen=True)
class ListMark:
    """What the listing tells of one kind of items: `text` changes when something of it did and is empty without any.

    `newest` is when the list's first item came into it, where that is told.
    """

    text: str
    total: int
    newest: datetime | None = None


@dataclass(frozen=True)
class Listed:
    """A repository as the listing has it; a kind (`pull_requests`, …) without a mark has to be asked for.

    `asks_catalog`: so has its descriptor, whose text `catalog` is otherwise.
    """

    record: Repository
    marks: dict[str, ListMark] = field(default_factory=dict)
    catalog: str | None = None
    asks_catalog: bool = False


@dataclass(frozen=True)
class AskedItems:
    """A page of a repository's items of one kind, newest first: from the cursor `after` on (None: from the top).

    Items before `floor` are not wanted; `expected` is how many are to come, where somebody knows.
    """

    repo: str
    after: str | None
    floor: datetime
    expected: int | None = None


@dataclass(frozen=True)
class Read:
    """An item of a list: its record, what the list is ordered by, and the id by which it can be read again."""

    record: Record | Malformed
    at: datetime | None
    id: str = ""


@dataclass(frozen=True)
class ItemsPage:
    """Items newest first, and from where to go on (None: that was the last); not `is_read`: the list was not given."""

    reads: list[Read | Malformed]
    after: str | None
    is_read: bool = True


@dataclass(frozen=True)
class Account:
    """Who did something: a bot's login ends in `[bot]` here, whichever API told it. No login: the account is gone.

    `agent` is the coding agent that it is, which is no bot; else None.
    """

    login: str | None
    is_bot: bool
    agent: str | None = None

    @classmethod
    def of(cls, login: str | None, type_name: str | None, people: People) -> "Account":
        """The account as GraphQL (`dependabot`, `Bot`) or REST (`dependabot[bot]`, `Bot`) writes it."""
        if login and type_name == "Bot" and not login.endswith("[bot]"):
            login = f"{login}[bot]"
        return cls(login, people.is_bot(login, api_type=type_name), people.agent(login))


def full_name(told: Any) -> str | None:
    """`owner/name`, which becomes a part of addresses; None where it cannot be one."""
    return told if isinstance(told, str) and _FULL_NAME.fullmatch(told) else None


def noreply_login(email: str | None) -> str | None:
    """The login in an address that GitHub gives to who hides theirs, such as `123+anna@users.noreply.github.com`."""
    found = _NOREPLY.match(email or "")
    return found[1] if found else None


def git_author(name: str | None, email: str | None, login: str | None, people: People) -> Account:
    """The author of a commit; without an account the login in a noreply address, else the address itself."""
    login = login or noreply_login(email)
    return Account(login or email, people.is_bot(login, name, email), people.agent(login, name, email))


def assisted_by(author: Account, message: str | None, people: People) -> str | None:
    """The coding agent that wrote a commit or, by a trailer of its message, helped; None where none is told."""
    helpers = (
        people.agent(noreply_login(email), name.strip(), email)
        for name, email in _CO_AUTHORS.findall(message or "")
    )
    return author.agent or next(filter(None, helpers), None)


def written_by(author: Account, message: str | None, people: People) -> dict[str, Any]:
    """The fields of a pull request's own commit that tell who wrote it and under which title."""
    return {
        "is_bot": author.is_bot,
        "assisted_by": assisted_by(author, message, people),
        "subject": title_of(message),
    }


def reverted_numbers(repo: str, body: str | None) -> dict[str, Any]:
    """The fields that say which pull requests of the same repository one reverts.

    Those after GitHub's `Reverts owner/name#12` or `Reverts #12`.
    """
    found = _REVERTS.finditer(body or "")
    numbers = [int(one[2]) for one in found if not one[1] or one[1].lower() == repo.lower()]
    numbers = list(dict.fromkeys(numbers))
    return {"reverts": numbers[0] if numbers else None, "also_reverts": numbers[1:]}


def title_of(message: str | None) -> str | None:
    """The first line of a commit's message."""
    return message.strip().partition("\n")[0].strip() if message is not None else None


def first_review(author: str | None, reviews: Iterable[tuple[Account, datetime | None]]) -> datetime | None:
    """When a person other than `author` first submitted a review; reviews are (who, submitted at: None if pending)."""
    return min(
        (
            at
            for who, at in reviews
            if at and not who.is_bot and not who.agent and (who.login is None or who.login != author)
        ),
        default=None,
    )


def without_people(raw: Any, people: People) -> Any:
    """An item as it came, for the quarantine: accounts by their pseudonym, no name, no address, no free text."""
    if isinstance(raw, list):
        return [without_people(item, people) for item in raw]
    if not isinstance(raw, dict):
        return raw
    if "login" in raw:
        login = raw["login"] if isinstance(raw["login"], str) else None
        return {"login": people.pseudonym(login), "type": raw.get("type") or raw.get("__typename")}
    if "email" in raw:
        return {
            key: without_people(value, people) for key, value in raw.items() if key not in ("email", "name")
        }
    return {key: without_people(value, people) for key, value in raw.items() if key != "body"}


@dataclass(frozen=True)
class StatusEntry:
    """An entry of a deployment's history; `state` in capitals."""

    state: str
    at: datetime | None
    log_url: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a deployment; a `status` that no record takes is a state of GitHub's that is not known here."""

    status: str
    finished_at: datetime | None = None
    log_url: str | None = None
    began_at: datetime | None = None  # the first status `IN_PROGRESS`: before, it waited


_UNDER_WAY = ("PENDING", "QUEUED", "IN_PROGRESS", "WAITING", "ACTIVE")


def outcome(state: str | None, statuses: Iterable[StatusEntry]) -> Outcome:
    """The first success, else the last failure, else whether it was given up.

    A deployment's own `state` says nothing of its success: an old one is INACTIVE although it succeeded. One of which
    nothing but that is told did succeed, at a time that is not known: only what was live is replaced.
    """
    history = sorted((s for s in statuses if s.at), key=lambda s: s.at or datetime.min)
    log_url = next((s.log_url for s in reversed(history) if s.log_url), None)
    began_at = next((s.at for s in history if s.state == "IN_PROGRESS"), None)
    for status in history:
        if status.state == "SUCCESS":
            return Outcome("success", status.at, status.log_url or log_url, began_at)
    failures = [s for s in history if s.state in ("ERROR", "FAILURE")]
    if failures:
        return Outcome("failure", failures[-1].at, failures[-1].log_url or log_url, began_at)
    told = {s.state for s in history} or {state or "PENDING"}
    if told == {"INACTIVE"}:
        return Outcome("success", None, log_url)
    if "INACTIVE" in (history[-1].state if history else None, state) or state in ("ABANDONED", "DESTROYED"):
        return Outcome("cancelled", history[-1].at if history else None, log_url, began_at)
    unknown = next((one for one in sorted(told) if one not in _UNDER_WAY), None)
    return Outcome(unknown or "running", None, log_url, began_at)


def record_of(
    kind: type[Record], subject: str, fields: dict[str, Any], raw: Any, people: People
) -> Record | Malformed:
    """As record_or_malformed, with nobody's name in what is set aside."""
    made = record_or_malformed(kind, subject, fields, None)
    # taking the names out costs as much as all the rest, so only where it is needed
    return (
        record_or_malformed(kind, subject, fields, without_people(raw, people))
        if isinstance(made, Malformed)
        else made
    )


def deployment(
    repo: str, url: str, raw: Any, people: People, statuses: Iterable[StatusEntry], **fields: Any
) -> Record | Malformed:
    """A deployment object's record; `url` is the repository's page, `fields` what both APIs give under other names.

    Its address is the log's of the status that decided (usually the workflow run), else the environment's page.
    """
    found = outcome(fields.pop("state"), statuses)
    page = (
        f"{url}/deployments/{quote(str(fields.get('environment') or ''), safe='', errors='replace')}".rstrip(
            "/"
        )
    )
    return record_of(
        Deployment,
        repo,
        {
            **fields,
            "source": "deployments",
            "repo": repo,
            "sha_method": "deployment",
            "status": found.status,
            "started_at": found.began_at or fields["started_at"],
            "finished_at": found.finished_at,
            "url": found.log_url if found.log_url and found.log_url.startswith("http") else page,
        },
        raw,
        people,
    )


def release(repo: str, raw: Any, people: People, **fields: Any) -> Record | Malformed:
    """A published release's record: done the moment it is published."""
    return record_of(
        Deployment,
        repo,
        {
            **fields,
            "source": "releases",
            "repo": repo,
            "sha_method": "release",
            "status": "success",
            "finished_at": fields["started_at"],
        },
        raw,
        people,
    )


def as_read(record: Record | Malformed, raw: Any, ordered_by: str, id: str = "") -> Read:
    """A list's item with the instant that the list is ordered by, at the key `ordered_by` of the item as it came."""
    return Read(record, as_instant(raw, ordered_by), id)
