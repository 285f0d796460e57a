"""Records that an organisation seldom has, for engines that may read them differently."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from collectors.contract.records import (
    Comment,
    Commit,
    Component,
    Coverage,
    Deployment,
    Event,
    Incident,
    PullRequest,
    Record,
    Repository,
    Response,
)

AT = datetime(2026, 11, 3, 12, tzinfo=UTC)
# quotes, what is a pattern somewhere, letters whose lower case depends, ends of lines, and 100,000 letters
TEXTS = (
    "'\"`\\ %_ .*[a-z]{2}$ #;-- /* \t",
    "İSTANBUL ΟΔΟΣ ẞ ǅ",
    "\u00a0",
    ' Revert "Revert "a" (#7)" (#8)\r',
    "🙂 é e\u0301 \u2028 \u0085 \ufeff",
    "x" * 100_000,
)


def odd_records() -> Iterator[Record]:
    """One service for each of TEXTS with all that a text may name, and one of a name alone, without a repository."""
    yield Deployment(
        source="import", id="1", service="of no repository", environment="production", status="success",
        finished_at=AT,
    )  # fmt: skip
    for kind in ("deployments", "incidents", "responses"):
        yield Coverage(source=f"import {kind}", subject="*", from_at=AT - timedelta(days=9), until_at=AT)
    for number, text in enumerate(TEXTS):
        about = {"service": text, "repo": f"odd/{number}"}
        yield Component(
            name=text, owner=text, system=text, lifecycle=text, type=text, tags=(text,), repo=about["repo"]
        )
        yield Repository(repo=about["repo"], created_at=AT - timedelta(days=9))
        parents: tuple[str, ...] = ()
        for n, sha in enumerate((f"{number + 1:040x}", f"{number + 101:040x}", None)):
            at = AT + timedelta(hours=n)
            if sha:
                yield Commit(
                    repo=about["repo"], sha=sha, parents=parents, authored_at=at, committed_at=at, subject=text,
                    assisted_by=text, paths=(text,),
                )  # fmt: skip
                parents = (sha,)
            yield Deployment(
                source="import", id=f"{number}/{n}{text[:9]}", environment=text if n else "production", unit=text,
                sha=sha, status="success", finished_at=at, **about,
            )  # fmt: skip
        yield PullRequest(
            repo=about["repo"], number=number + 1, title=text, created_at=AT, merged_at=AT,
            merge_sha=f"{number + 1:040x}", labels=(text,), base_branch=text,
        )  # fmt: skip
        yield Incident(
            source="import", id=f"{number}", service=text, title=f'{text} {number + 1:040x}', urgency=text,
            priority=text, status=text, opened_at=AT + timedelta(minutes=number), url=f"https://{text[:50]}",
        )  # fmt: skip
        yield Event(id=f"{number}", at=AT, title=text, kind="other", scope=f"service {text.strip() or 'x'}")
        for person in range(6):
            who = {"round": "2026-11", "respondent": f"{number}-{person}"}
            yield Response(
                **who, question=text[:200], team=text, submitted_at=AT, closes_at=AT, score=person % 5 + 1
            )
            yield Comment(**who, question=text[:200], text=text)
