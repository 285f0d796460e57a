"""Special cases of the definitions in the platform's services, and other people's history in a fork and a mirror."""

from datetime import datetime

from sample_data.model import Person
from sample_data.work.plans import Change, Deploy, Plan, Pull, Push, Release, Review, Sync
from sample_data.work.staff import GITHUB, TEAMS, Staff
from sample_data.work.weeks import Weeks

OSKAR, PRIYA, MAX, YUKI, ELENA, BEN = TEAMS["platform"]
UPSTREAM = Staff("Alex Upstream", "alex@upstream.example", Person("alexupstream"))


def identity(weeks: Weeks) -> list[Plan]:
    """A rollback, then forward again to the same revision; a revert that is shipped with what it reverts."""

    def t(text: str) -> datetime:
        return weeks.at(20, text)

    def one(title: str, day: str, path: str, key: str | None = None) -> Pull:
        return Pull(
            title,
            YUKI,
            (Change(t(f"{day} 09:00"), title, (path,)),),
            t(f"{day} 09:05"),
            t(f"{day} 09:20"),
            "rebase",
            reviews=(Review(PRIYA, t(f"{day} 09:15")),),
            key=key,
        )

    return [
        one("Rotate signing keys", "Mon", "internal/tokens.py"),
        Deploy(t("Mon 09:24"), t("Mon 09:29"), key="A"),
        one("Shorten sessions", "Tue", "internal/sessions.py"),
        Deploy(t("Tue 09:24"), t("Tue 09:29"), key="B"),
        Deploy(t("Tue 10:30"), t("Tue 10:34"), what="A", key="back"),
        Deploy(t("Tue 14:00"), t("Tue 14:05"), what="B", key="forward"),
        one("Try longer cookies", "Wed", "internal/login.py", key="cookies"),
        Pull(
            'Revert "Try longer cookies"',
            YUKI,
            (Change(t("Wed 09:40"), 'Revert "Try longer cookies"'),),
            t("Wed 09:41"),
            t("Wed 09:50"),
            "rebase",
            reviews=(Review(MAX, t("Wed 09:48")),),
            reverts="cookies",
        ),
        Deploy(t("Wed 10:00"), t("Wed 10:05")),
    ]


def notifications(weeks: Weeks) -> list[Plan]:
    """A copy of a template, and a sync that failed."""
    t = weeks.at
    failed = Sync(
        t(25, "Fri 15:00"), t(25, "Fri 15:01:20"), t(25, "Fri 15:06:31"), "notifications", succeeded=False
    )
    return [
        Push(
            t(2, "Tue 13:00:40"),
            PRIYA,
            "Initial commit",
            ("README.md", "notify/mail.py", "pyproject.toml"),
            committer=GITHUB,
        ),
        Push(t(2, "Tue 14:45"), PRIYA, "Name the service", ("pyproject.toml",)),
        failed,
    ]


def acme_cli(weeks: Weeks) -> list[Plan]:
    """The first commits of a repository made by hand, and a release that is still a draft."""
    t = weeks.at
    return [
        Push(t(6, "Wed 10:41"), OSKAR, "Add the login command", ("cmd/login.py",)),
        Push(t(6, "Wed 15:30"), OSKAR, "Add the deploy command", ("cmd/deploy.py", "README.md")),
        Release(t(25, "Fri 16:00"), "v2.0.0", OSKAR, is_draft=True),
    ]


def upstream(weeks: Weeks) -> list[Plan]:
    """What a fork and a mirror hold: other people's history."""
    t = weeks.at
    return [
        Push(t(-180, "Mon 12:00"), UPSTREAM, "Begin", ("README.md",)),
        Push(t(-120, "Tue 12:00"), UPSTREAM, "Add tests", ("tests.py",)),
        Push(t(-3, "Wed 12:00"), UPSTREAM, "Release 3.2", ("CHANGELOG.md",)),
    ]
