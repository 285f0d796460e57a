"""The special cases of the definitions, written down in weeks that the routines leave free; README.md lists them."""

from datetime import datetime

from sample_data.model import Person
from sample_data.plans import Change, ChangeEvent, Deploy, Incident, Plan, Pull, Push, Release, Review, Sync
from sample_data.staff import GITHUB, RENOVATE_USER, TEAMS, Staff
from sample_data.weeks import Weeks

HANNA, JONAS, MIRA, FELIX, SOFIA, EMRE, CLARA = TEAMS["storefront"]
PAUL, NADIA, TOM, INES = TEAMS["fulfilment"]
LENA, DAVID, AISHA, RUBEN, KATRIN = TEAMS["payments"]
OSKAR, PRIYA, MAX, YUKI, ELENA, BEN = TEAMS["platform"]
UPSTREAM = Staff("Alex Upstream", "alex@upstream.example", Person("alexupstream"))


def web_shop(weeks: Weeks) -> list[Plan]:
    """Two production environments, a rollback in both, a hotfix by label, a revert by SHA, a clock that is fast."""

    def t(text: str, week: int = 12) -> datetime:
        return weeks.at(week, text)

    def both(
        day: str, eu: tuple[str, str], us: tuple[str, str], what: str = "main", key: str = ""
    ) -> list[Plan]:
        return [
            Deploy(t(f"{day} {eu[0]}"), t(f"{day} {eu[1]}"), "production-eu", what, key=key or None),
            Deploy(t(f"{day} {us[0]}"), t(f"{day} {us[1]}"), "production-us", what),
        ]

    return [
        Pull(
            "Show stars in the list",
            CLARA,
            (Change(t("Mon 09:30"), "Show stars in the list", ("src/product_list.py",)),),
            t("Mon 09:40"),
            t("Mon 11:00"),
            reviews=(Review(EMRE, t("Mon 10:45")),),
            key="stars",
        ),
        *both("Mon", ("11:10", "11:18"), ("11:40", "11:48"), key="W1"),
        Pull(
            "Load the banner late",
            EMRE,
            (Change(t("Tue 08:50"), "Load the banner late", ("src/banner.py",)),),
            t("Tue 09:00"),
            t("Tue 10:00"),
            reviews=(Review(CLARA, t("Tue 09:55")),),
        ),
        *both("Tue", ("10:10", "10:18"), ("10:40", "10:48"), key="W2"),
        *both("Tue", ("11:30", "11:35"), ("11:40", "11:45"), what="W1", key="W3"),
        Pull(
            "Reserve the banner's room",
            EMRE,
            (Change(t("Wed 09:00"), "Reserve the banner's room", ("src/banner.py",)),),
            t("Wed 09:10"),
            t("Wed 09:40"),
            reviews=(Review(CLARA, t("Wed 09:30")),),
            labels=("hotfix",),
        ),
        *both("Wed", ("09:50", "09:58"), ("10:20", "10:28"), key="W4"),
        Pull(
            "Sort prices as numbers",
            SOFIA,
            (Change(t("Wed 16:00"), "Sort prices as numbers", ("src/prices.py",)),),
            t("Wed 12:30"),
            t("Wed 13:00"),
            reviews=(Review(FELIX, t("Wed 12:55")),),
        ),
        *both("Wed", ("13:10", "13:18"), ("13:40", "13:48"), key="W5"),
        Pull(
            'Revert "Show stars in the list"',
            CLARA,
            (Change(t("Thu 10:00"), 'Revert "Show stars in the list"'),),
            t("Thu 10:05"),
            t("Thu 10:20"),
            reviews=(Review(HANNA, t("Thu 10:15")),),
            branch="revert-stars",
            reverts="stars",
        ),
        *both("Thu", ("10:30", "10:38"), ("11:00", "11:08"), key="W6"),
        Pull(
            "Try a darker theme",
            MIRA,
            (Change(t("Thu 14:00", 25), "Try a darker theme", ("src/theme.py",)),),
            t("Thu 14:10", 25),
            is_draft=True,
            key="theme",
        ),
        Deploy(t("Thu 14:20", 25), t("Thu 14:27", 25), "staging", "head:theme"),
        Pull(
            "Replace the image library",
            FELIX,
            (Change(t("Fri 10:00"), "Replace the image library", ("src/images.py",)),),
            t("Fri 10:10"),
            closed=t("Fri 15:00"),
            key="images",
        ),
        Deploy(t("Fri 10:20"), t("Fri 10:28"), "staging", "head:images"),
        Pull(
            "Update lock files",
            RENOVATE_USER,
            (Change(t("Fri 05:00"), "Update lock files", ("package-lock.json",)),),
            t("Fri 05:01"),
            t("Fri 11:00"),
            merger=JONAS,
        ),
        *both("Fri", ("11:10", "11:18"), ("11:40", "11:48"), key="W7"),
    ]


def web_shop_incidents(weeks: Weeks) -> list[Incident]:
    """One that the rollback ended, one merged into it, and a low one."""
    t = weeks.at
    main = Incident(
        "web-shop-banner",
        "PWEBSHP",
        "Pages jump while loading",
        t(12, "Tue 10:50"),
        t(12, "Tue 11:50"),
        acknowledged=t(12, "Tue 10:55"),
        priority="P2",
    )
    merged = Incident(
        "web-shop-banner-again",
        "PWEBSHP",
        "Customers report jumping pages",
        t(12, "Tue 10:57"),
        t(12, "Tue 11:02"),
        merged_into="web-shop-banner",
    )
    low = Incident(
        "web-shop-cert",
        "PWEBSHP",
        "Certificate ends in 20 days",
        t(9, "Wed 08:00"),
        t(9, "Thu 16:00"),
        urgency="low",
    )
    return [main, merged, low]


def fulfilment(weeks: Weeks) -> list[Plan]:
    """Deployments that change one service, both, or none of the monorepo."""

    def t(text: str) -> datetime:
        return weeks.at(18, text)

    def one(title: str, author: Staff, reviewer: Staff, day: str, *paths: str) -> list[Plan]:
        return [
            Pull(
                title,
                author,
                (Change(t(f"{day} 09:00"), title, paths),),
                t(f"{day} 09:20"),
                t(f"{day} 11:00"),
                reviews=(Review(reviewer, t(f"{day} 10:50")),),
            ),
            Deploy(t(f"{day} 11:10"), t(f"{day} 11:30")),
        ]

    both = ("delivery/src/routes.py", "inventory/src/stock.py")
    return [
        *one("Take parcels from the nearest stock", PAUL, NADIA, "Mon", *both),
        *one("Count returns", TOM, INES, "Tue", "inventory/src/counts.py"),
        *one("Say how to add a carrier", NADIA, PAUL, "Wed", "docs/carriers.md"),
        *one("Print labels in colour", INES, TOM, "Thu", "delivery/src/labels.py"),
    ]


def fulfilment_incidents(weeks: Weeks) -> list[Incident]:
    """One that is still open at the end."""
    t = weeks.at
    at = t(25, "Fri 14:30")
    return [
        Incident("still-open", "PFULFIL", "Stock counts differ", at, None, t(25, "Fri 14:41"), priority="P3")
    ]


def payments_api(weeks: Weeks) -> list[Plan]:
    """A hotfix by its branch, a revert that only its pull request's text and message name, one that waits."""
    t = weeks.at
    return [
        Pull(
            "Charge fees per payout",
            DAVID,
            (
                Change(t(15, "Mon 09:00"), "Charge fees per payout", ("src/payouts.py",)),
                Change(t(15, "Mon 13:00"), "Cover fees", ("src/test_payouts.py",)),
            ),
            t(15, "Mon 13:10"),
            t(15, "Tue 10:00"),
            "merge",
            reviews=(Review(LENA, t(15, "Tue 09:40")),),
            key="fees",
        ),
        Deploy(t(15, "Tue 14:00"), t(15, "Tue 14:12"), key="P1"),
        Pull(
            "Round refunds to cents",
            AISHA,
            (Change(t(15, "Wed 09:10"), "Round refunds to cents", ("src/refunds.py",)),),
            t(15, "Wed 09:15"),
            t(15, "Wed 09:35"),
            "merge",
            reviews=(Review(RUBEN, t(15, "Wed 09:30")),),
            branch="hotfix/refund-rounding",
        ),
        Deploy(t(15, "Wed 09:40"), t(15, "Wed 09:52"), key="P2"),
        Pull(
            'Revert "Charge fees per payout"',
            DAVID,
            (Change(t(15, "Thu 09:00"), 'Revert "Charge fees per payout"'),),
            t(15, "Thu 09:02"),
            t(15, "Thu 09:30"),
            "merge",
            reviews=(Review(KATRIN, t(15, "Thu 09:25")),),
            branch="revert-fees",
            reverts="fees",
        ),
        Deploy(t(15, "Thu 09:40"), t(15, "Thu 09:52"), key="P3"),
        Pull(
            "Check the IBAN's country",
            RUBEN,
            (Change(t(16, "Mon 09:00"), "Check the IBAN's country", ("src/iban.py",)),),
            t(16, "Mon 09:20"),
            t(16, "Mon 10:40"),
            "merge",
            reviews=(Review(AISHA, t(16, "Mon 10:30")),),
        ),
        Deploy(t(16, "Mon 11:00"), t(16, "Mon 11:12"), key="P4"),
        # of the reviewers that the environment asks for, none has answered yet
        Deploy(t(25, "Fri 16:50"), t(25, "Fri 16:50"), outcome="waiting"),
    ]


def payments_api_incidents(weeks: Weeks) -> list[Incident]:
    """One that PagerDuty relates to a deployment two days earlier."""
    t = weeks.at
    related = ChangeEvent(
        t(16, "Mon 11:12"), "Deployed payments-api", "related_service", "payments-api", "P4"
    )
    return [
        Incident(
            "iban",
            "PPAYAPI",
            "Payouts to San Marino refused",
            t(16, "Wed 14:00"),
            t(16, "Wed 14:24"),
            acknowledged=t(16, "Wed 14:03"),
            priority="P2",
            change_events=(related,),
        )
    ]


def ledger(weeks: Weeks) -> list[Plan]:
    """History that was imported years later, two deployments of which a person blames the first, an error."""
    t = weeks.at
    imported: list[Plan] = [
        Push(t(4, "Tue 10:05"), KATRIN, message, (path,), authored=t(before, "Wed 11:00"), committer=KATRIN)
        for before, message, path in (
            (-260, "Begin the ledger", "README.md"),
            (-255, "Add accounts", "src/accounts.py"),
            (-201, "Add bookings", "src/bookings.py"),
            (-150, "Add closing", "src/closing.py"),
            (-83, "Add exports", "src/exports.py"),
        )
    ]

    def one(title: str, day: str, path: str) -> Pull:
        return Pull(
            title,
            LENA,
            (Change(t(17, f"{day} 08:50"), title, (path,)),),
            t(17, f"{day} 09:00"),
            t(17, f"{day} 10:00"),
            "rebase",
            reviews=(Review(KATRIN, t(17, f"{day} 09:50")),),
        )

    return [
        *imported,
        one("Close the month at night", "Mon", "src/closing.py"),
        Deploy(t(17, "Mon 10:10"), t(17, "Mon 10:24"), key="L1"),
        one("Export bookings by day", "Tue", "src/exports.py"),
        Deploy(t(17, "Tue 10:10"), t(17, "Tue 10:24"), key="L2"),
        one("Keep audit trails longer", "Wed", "src/audit.py"),
        Deploy(t(17, "Wed 10:10"), t(17, "Wed 10:19"), outcome="error"),
        Deploy(t(17, "Wed 10:40"), t(17, "Wed 10:54"), key="L3"),
    ]


def ledger_incidents(weeks: Weeks) -> list[Incident]:
    """One linked by hand, one that nothing explains."""
    t = weeks.at
    recent = ChangeEvent(t(17, "Wed 10:54"), "Deployed ledger", "most_recent", "ledger", "L3")
    return [
        Incident(
            "closing",
            "PLEDGER",
            "The month was not closed",
            t(17, "Tue 15:00"),
            t(17, "Tue 15:50"),
            acknowledged=t(17, "Tue 15:04"),
            priority="P1",
            link="L1",
            link_reason="The nightly job of Monday's deployment was the cause",
        ),
        Incident(
            "disk",
            "PLEDGER",
            "Database disk is full",
            t(19, "Thu 11:00"),
            t(19, "Thu 11:35"),
            acknowledged=t(19, "Thu 11:10"),
            priority="P1",
            change_events=(recent,),
        ),
    ]


def search(weeks: Weeks) -> list[Plan]:
    """Work that began on a laptop, minutes before the repository was there."""
    t = weeks.at
    return [
        Push(t(1, "Mon 10:06"), JONAS, "Add the index", ("internal/index.py",), authored=t(1, "Mon 09:40")),
        Push(t(1, "Tue 11:20"), CLARA, "Add the query parser", ("internal/query.py", "README.md")),
    ]


def identity(weeks: Weeks) -> list[Plan]:
    """A rollback, then forward again to the same revision."""

    def t(text: str) -> datetime:
        return weeks.at(20, text)

    def one(title: str, day: str, path: str) -> Pull:
        return Pull(
            title,
            YUKI,
            (Change(t(f"{day} 09:00"), title, (path,)),),
            t(f"{day} 09:05"),
            t(f"{day} 09:20"),
            "rebase",
            reviews=(Review(PRIYA, t(f"{day} 09:15")),),
        )

    return [
        one("Rotate signing keys", "Mon", "internal/tokens.py"),
        Deploy(t("Mon 09:24"), t("Mon 09:29"), key="A"),
        one("Shorten sessions", "Tue", "internal/sessions.py"),
        Deploy(t("Tue 09:24"), t("Tue 09:29"), key="B"),
        Deploy(t("Tue 10:30"), t("Tue 10:34"), what="A", key="back"),
        Deploy(t("Tue 14:00"), t("Tue 14:05"), what="B", key="forward"),
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


def fraud_scoring(weeks: Weeks) -> list[Plan]:
    """A change of configuration alone, and a sync of what runs already."""
    t = weeks.at
    return [
        Sync(
            t(22, "Mon 09:30"),
            t(22, "Mon 09:31:10"),
            t(22, "Mon 09:31:58"),
            "fraud-scoring",
            "live",
            config="Raise the memory limit of fraud-scoring",
        ),
        Sync(
            t(23, "Mon 09:30"),
            t(23, "Mon 09:31:10"),
            t(23, "Mon 09:31:41"),
            "fraud-scoring",
            "live",
            resync=True,
        ),
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
