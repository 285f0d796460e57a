"""What acme's teams ask of the platform: namespaces and databases, by files in the repository `infrastructure`."""

from dataclasses import dataclass, field
from datetime import datetime

from sample_data.work.plans import Change, Plan, Pull, Push, Review
from sample_data.work.staff import TEAMS, Staff
from sample_data.work.weeks import Weeks

REPOSITORY = "infrastructure"
ELENA, BEN = TEAMS["platform"][4:]


@dataclass(frozen=True)
class Asked:
    """A pull request for one entry; `tried` is what was made of it once it was merged: when it ended, and if well.

    Instants are a week's local ones. One without `merged` is open, or was `closed`.
    """

    kind: str  # namespace or database
    name: str
    team: str
    week: int
    opened: str
    merged: str | None = None
    tried: tuple[tuple[str, bool], ...] = ()
    closed: str | None = None
    changes: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What stands for its commit."""
        return f"{self.kind} {self.name} {self.week} {self.opened}"

    @property
    def files(self) -> dict[str, str]:
        """The file that it writes."""
        if self.kind == "namespace":
            return {f"namespaces/{self.name}.yaml": _namespace(self.name, self.team, **self.changes)}
        return {f"terraform/{self.team}/{self.name}.tf": _database(self.name, self.team, **self.changes)}

    @property
    def author(self) -> Staff:
        return TEAMS[self.team][self.week % len(TEAMS[self.team])]


# the numbers of README.md are worked out of these
ASKED = (
    Asked("namespace", "notifications", "platform", 2, "Tue 14:00", "Tue 14:20", (("Tue 14:26", True),)),
    Asked("database", "ledger-db", "payments", 4, "Thu 09:00", "Thu 10:30", (("Thu 10:52", True),)),
    # a review that took until the next day
    Asked("namespace", "scoring-batch", "payments", 8, "Wed 09:00", "Thu 11:00", (("Thu 11:06", True),)),
    Asked("namespace", "playground", "storefront", 10, "Mon 16:00", closed="Tue 09:30"),
    Asked("namespace", "labels", "fulfilment", 12, "Mon 13:00", "Mon 13:30", (("Mon 13:36", True),)),
    Asked("database", "mail-queue", "platform", 15, "Tue 11:00", "Tue 11:20", (("Tue 11:41", True),)),
    # more of what is there
    Asked(
        "namespace",
        "scoring-batch",
        "payments",
        18,
        "Tue 10:00",
        "Tue 10:15",
        (("Tue 10:21", True),),
        changes={"cpu": "20"},
    ),
    Asked("namespace", "checkout", "storefront", 21, "Mon 09:10", "Mon 09:32", (("Mon 09:40", True),)),
    # the first run failed, and so did nothing
    Asked(
        "database",
        "checkout-db",
        "storefront",
        21,
        "Mon 09:30",
        "Mon 10:00",
        (("Mon 10:18", False), ("Mon 11:02", True)),
    ),
    # the first sync failed; that of the request after it brought both
    Asked("namespace", "reviews", "storefront", 23, "Wed 14:00", "Wed 14:20", (("Wed 14:26", False),)),
    Asked(
        "namespace",
        "reviews",
        "storefront",
        23,
        "Wed 15:00",
        "Wed 15:10",
        (("Wed 15:16", True),),
        changes={"cpu": "8"},
    ),
    Asked("namespace", "returns", "fulfilment", 25, "Thu 15:00", "Thu 15:30", (("Thu 15:36", False),)),
    Asked("namespace", "loyalty", "storefront", 25, "Fri 11:00"),
    Asked("database", "parcels-db", "fulfilment", 25, "Fri 15:00", "Fri 15:40"),
)
# tickets of the time before, and of what no file can be asked for: id, kind, name, team, week, opened, ready
_TICKETS = (
    ("OPS-101", "Namespace", "search", "storefront", 1, "Tue 10:00", (2, "Thu 16:00")),
    ("OPS-117", "Database", "inventory-db", "fulfilment", 3, "Mon 09:00", (4, "Wed 12:00")),
    ("OPS-126", "Database", "payouts-db", "payments", 9, "Thu 11:00", (10, "Tue 15:00")),
    ("OPS-140", "Namespace", "carriers", "fulfilment", 19, "Wed 10:00", (20, "Wed 10:00")),
    ("OPS-158", "Database", "tracking-db", "fulfilment", 25, "Wed 10:00", None),
)


def plans(weeks: Weeks) -> list[Plan]:
    """What happened in the repository."""
    begun = Push(
        weeks.at(-40, "Mon 11:00"),
        ELENA,
        "Begin",
        (),
        files={
            "README.md": "# Ask here for namespaces and databases\n",
            "modules/database/main.tf": "# the database\n",
        },
    )
    return [begun, *(_pull(asked, weeks) for asked in ASKED)]


def _pull(asked: Asked, weeks: Weeks) -> Pull:
    def t(text: str | None) -> datetime | None:
        return weeks.at(asked.week, text) if text else None

    opened, merged = weeks.at(asked.week, asked.opened), t(asked.merged)
    title = f"{'Change' if asked.changes else 'Ask for'} {asked.kind} {asked.name}"
    return Pull(
        title,
        asked.author,
        (Change(opened, title, files=asked.files),),
        opened,
        merged,
        "squash",
        reviews=(Review(BEN, merged),) if merged else (),
        closed=t(asked.closed),
        key=asked.key,
    )


def _namespace(name: str, team: str, cpu: str = "10") -> str:
    return (
        f"apiVersion: platform.acme.example/v1\nkind: NamespaceRequest\nmetadata:\n  name: {name}\n"
        f'spec:\n  team: {team}\n  quota:\n    requests.cpu: "{cpu}"\n    requests.memory: 20Gi\n'
        '    limits.cpu: "20"\n    limits.memory: 40Gi\n'
        "  networkPolicies:\n    defaultDeny: true\n    allowIngress:\n      - fromNamespace: ingress-nginx\n"
    )


def _database(name: str, team: str) -> str:
    return (
        f'module "{name}" {{\n  source = "../../modules/database"\n\n  engine         = "postgres"\n'
        '  engine_version = "15"\n  instance_class = "db.t3.medium"\n\n  tags = {\n    Environment = "production"\n'
        f'    Team        = "{team}"\n    Platform    = "acme"\n  }}\n}}\n'
    )


def tickets(weeks: Weeks) -> str:
    """The tickets as their tool exports them: CSV of the record `requests`."""
    lines = ["source,id,kind,name,team,opened_at,ready_at,url"]
    for id, kind, name, team, week, opened, ready in _TICKETS:
        done = weeks.at(*ready).isoformat() if ready else ""
        url = f"https://tickets.acme.example/{id}"
        lines.append(f"tickets,{id},{kind},{name},{team},{weeks.at(week, opened).isoformat()},{done},{url}")
    return "\n".join(lines) + "\n"
