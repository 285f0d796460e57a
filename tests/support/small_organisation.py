"""A small organisation's facts for tests of pages: three teams, six services, fourteen weeks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from collectors.contract.records import (
    Comment,
    Commit,
    Component,
    Coverage,
    Deployment,
    Event,
    Incident,
    Record,
    Repository,
    Response,
)
from config.settings import Settings
from warehouse.building.build import build
from warehouse.storage.instants import naive
from warehouse.storage.store import open_warehouse

NOW = datetime(2026, 11, 16, 8, tzinfo=UTC)  # a Monday
FIRST = NOW - timedelta(weeks=14)
# service: (team, system, deployments a week, hours from commit to deployment, every n-th deployment fails)
SERVICES = {
    "checkout": ("payments", "shop", 20, 0.6, 9),
    "billing": ("payments", "shop", 6, 5, 5),
    "search": ("discovery", "shop", 12, 30, 40),
    "ingest": ("platform", "data", 3, 90, 7),
    "legacy-reports": (None, None, 1, 200, 50),
}
HOSTILE = "<img src=x onerror=alert(1)> **bold** :red[x]"
# what a person of each team wrote in each round; that of platform, which has four people, is nobody's to read
COMMENT = f"{HOSTILE} <script>document.title='x'</script> [a](https://evil.example) https://evil.example\n\u202elast\x1b[31m"
# not among its records
STILL_OPEN = Incident(
    source="import", id="open", service="checkout", title=HOSTILE, urgency="high", priority="P1",
    status="triggered", opened_at=NOW - timedelta(days=2), url="https://pagerduty.example/incidents/1",
)  # fmt: skip


def write(
    folder: Path, failing: bool = True, now: datetime = NOW, extra: tuple[Record, ...] = ()
) -> Settings:
    """Stores the organisation in `folder`, builds its facts, writes `sixkeys.yaml`; the settings."""
    (folder / "sixkeys.yaml").write_text("organization: acme\ntimezone: Europe/Berlin\n", encoding="utf-8")
    settings = Settings(organization="acme", timezone="Europe/Berlin", warehouse=folder / "warehouse.duckdb")
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert([*_records(), *extra])
        reason = "answered 503 <b>later</b>" if failing else None
        for source, hours, error in (
            ("github", 1, "has recovered"),
            ("github", 0, None),
            ("pagerduty", 0, reason),
        ):
            at = naive(now - timedelta(hours=hours))
            run = [f"r{hours}", source, at, at, "failed" if error else "ok", error]
            warehouse.connection.execute(
                "insert into runs (run_id, source, started_at, finished_at, status, error, items, quarantined, counts)"
                " values (?, ?, ?, ?, ?, ?, 10, 0, '{}')",
                run,
            )
    build(settings, now)
    return settings


def _records() -> Iterator[Record]:
    yield Event(
        id="freeze", at=NOW - timedelta(days=6), until=NOW - timedelta(days=4), title=HOSTILE, kind="freeze",
        url="https://status.example/1",
    )  # fmt: skip
    yield Event(
        id="path", at=NOW - timedelta(weeks=6, days=5), title="The golden path", kind="golden path",
        scope="team Payments", url="javascript:alert(1)",
    )  # fmt: skip
    yield Event(
        id="other",
        at=NOW - timedelta(weeks=4),
        title="legacy-reports goes",
        scope="service ingest",
        resets=True,
    )
    for source in ("import deployments", "import incidents", "import repositories", "import responses"):
        yield Coverage(source=source, subject="*", from_at=FIRST, until_at=NOW)
    yield Component(
        name=HOSTILE, owner="payments", system="shop", repo="acme/hostile", pagerduty_services=("P-hostile",)
    )
    for number, (service, (team, system, a_week, hours, fails)) in enumerate(SERVICES.items()):
        repo = f"acme/{service}"
        created = FIRST if number % 2 else NOW - timedelta(days=20, hours=number)
        yield Repository(repo=repo, created_at=created)
        if team:
            yield Component(name=service, owner=team, system=system, repo=repo)
        for source in ("import deployments", "import incidents"):
            yield Coverage(source=source, subject=service, from_at=FIRST, until_at=NOW)
        yield from _history(service, repo, a_week, hours, fails)
    for team, size in (("payments", 7), ("discovery", 6), ("platform", 4)):
        for person in range(size):
            for closes, lift in ((NOW - timedelta(weeks=9), 0), (NOW - timedelta(days=10), 1)):
                about = {"round": f"{closes:%Y-%m}", "respondent": f"{team}-{person}"}
                for question, score in (("satisfaction", min(5, 3 + lift + person % 2)), ("<b>docs</b>", 2)):
                    yield Response(
                        **about,
                        question=question,
                        team=team,
                        submitted_at=closes - timedelta(days=2),
                        closes_at=closes,
                        score=score,
                    )
                if person == 1:
                    yield Comment(**about, question=HOSTILE, text=f"{team}: {COMMENT}")
    yield Incident(
        source="import",
        id="nobody",
        opened_at=NOW - timedelta(days=4),
        resolved_at=NOW - timedelta(days=3),
        urgency="high",
    )


def _history(service: str, repo: str, a_week: int, hours: float, fails: int) -> Iterator[Record]:
    parent: tuple[str, ...] = ()
    step = timedelta(weeks=1) / a_week
    at, number = FIRST + step / 2, 0
    while at < NOW - timedelta(hours=6):
        number += 1
        lead = timedelta(hours=hours * (1 + 0.4 * ((number * 7) % 5 - 2) / 2))
        sha = f"{abs(hash_of(service)) % 0xFFFF:04x}{number:036x}"
        yield Commit(
            repo=repo,
            sha=sha,
            parents=parent,
            authored_at=at - lead,
            committed_at=at - lead,
            subject=f"change {number}" if number % 3 else HOSTILE,
        )
        yield Deployment(
            source="import", id=f"{service}-{number}", repo=repo, service=service, environment="production", sha=sha,
            status="success", started_at=at - timedelta(minutes=4), finished_at=at,
        )  # fmt: skip
        if number % fails == 0:
            opened = at + timedelta(minutes=9)
            yield Incident(
                source="import", id=f"i-{service}-{number}", service=service, title=HOSTILE, urgency="high",
                opened_at=opened, resolved_at=opened + timedelta(minutes=12 + number % 50),
            )  # fmt: skip
        parent, at = (sha,), at + step


def built_before(warehouse: Path, at: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
    """Has the warehouse know, from its next build on, that it was first built long ago: what is due leaves."""
    with open_warehouse(warehouse) as opened:
        opened.connection.execute("update about set first_built_at = ?", [naive(at)])


def hash_of(text: str) -> int:
    """A number that is the same in every process."""
    return int.from_bytes(text.encode(), "big")
