"""Special cases of the definitions in the services of the shop, in weeks that their routines leave free."""

from datetime import datetime

from sample_data.work.plans import Change, Deploy, Incident, Plan, Pull, Push, Review
from sample_data.work.staff import RENOVATE_USER, TEAMS, Staff
from sample_data.work.weeks import Weeks

HANNA, JONAS, MIRA, FELIX, SOFIA, EMRE, CLARA = TEAMS["storefront"]
PAUL, NADIA, TOM, INES = TEAMS["fulfilment"]


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
    """Deployments that change one service, both, or none of the monorepo, and one whose incident is still open."""

    def one(title: str, author: Staff, reviewer: Staff, day: str, *paths: str, week: int = 18) -> list[Plan]:
        def t(text: str) -> datetime:
            return weeks.at(week, text)

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
        *one("Count stock twice", TOM, NADIA, "Thu", "inventory/src/counts.py", week=25),
    ]


def fulfilment_incidents(weeks: Weeks) -> list[Incident]:
    """One that is still open at the end."""
    t = weeks.at
    at = t(25, "Fri 10:10")
    return [
        Incident("still-open", "PFULFIL", "Stock counts differ", at, None, t(25, "Fri 10:21"), priority="P3")
    ]


def reviews(weeks: Weeks) -> list[Plan]:
    """The first days of what is no service yet."""
    t = weeks.at
    return [
        Push(t(23, "Wed 15:39"), CLARA, "Ask who bought it", ("src/ask.py", "README.md")),
        Push(t(23, "Thu 10:30"), CLARA, "Count the stars", ("src/stars.py",)),
    ]


def search(weeks: Weeks) -> list[Plan]:
    """Work that began on a laptop, minutes before the repository was there."""
    t = weeks.at
    return [
        Push(t(1, "Mon 10:06"), JONAS, "Add the index", ("internal/index.py",), authored=t(1, "Mon 09:40")),
        Push(t(1, "Tue 11:20"), CLARA, "Add the query parser", ("internal/query.py", "README.md")),
    ]
