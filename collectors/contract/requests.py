"""What somebody asked of the platform, whichever way it was asked."""

from typing import Literal

from collectors.contract.fields import Id, Instant, Record, Sha, Text, Whole


class Request(Record):
    """What somebody asked of the platform; `kind` is what the configuration calls it, or an import's own word.

    Of `source` `git` it is an entry of the file `path` that came with the commit `sha`, or is in the pull request
    `number`, and what became of it follows from that. A ticket tells its instants itself.
    """

    TABLE = "requests"
    KEY = ("source", "id")
    source: Text
    id: Id
    kind: Text
    name: str | None = None
    way: Literal["self-service", "ticket"] = "ticket"
    is_change: bool = False
    team: str | None = None
    environment: str | None = None
    repo: str | None = None
    path: str | None = None
    sha: Sha | None = None
    number: Whole | None = None
    opened_at: Instant
    merged_at: Instant | None = None
    ready_at: Instant | None = None
    withdrawn_at: Instant | None = None
    url: str | None = None
