"""The twelve services of acme, how their teams work, and the repositories that are no service's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sample_data.work import cases_payments, cases_platform, cases_shop, checkout, requests
from sample_data.work.plans import Incident, Plan
from sample_data.work.routine import Routine
from sample_data.work.staff import TEAMS
from sample_data.work.weeks import Weeks

# repository -> PagerDuty's service; the two services of `fulfilment` share one
PAGERDUTY = {
    "web-shop": "PWEBSHP",
    "checkout": checkout.PAGERDUTY,
    "search": "PSEARCH",
    "fulfilment": "PFULFIL",
    "payments-api": "PPAYAPI",
    "ledger": "PLEDGER",
    "fraud-scoring": "PFRAUDS",
    "identity": "PIDENTT",
    "notifications": "PNOTIFY",
    "legacy-cron": "PLEGACY",
}
NOT_MAPPED = "PNETWRK"
SERVICE_NAMES = {identity: repo for repo, identity in PAGERDUTY.items()} | {NOT_MAPPED: "Office network"}

Plans = Callable[[Weeks], list[Plan]]


@dataclass(frozen=True)
class Declared:
    """A repository: when it was created (week and local time), its routine, and its plans written by hand."""

    name: str
    created: tuple[int, str]
    language: str | None = "Python"
    routine: Routine | None = None
    by_hand: Sequence[Plans] = ()
    incidents: Callable[[Weeks], list[Incident]] | None = None
    is_fork: bool = False
    mirror_url: str | None = None
    template: str | None = None
    topics: tuple[str, ...] = ()


def _routine(repo: str, team: str, topics: str, pulls: tuple[float, float], **others: object) -> Routine:
    made = Routine(repo, TEAMS[team], topics.split(), pulls, pagerduty=PAGERDUTY.get(repo))
    return Routine(**(vars(made) | others))


_FULFILMENT = (
    "delivery/src/routes delivery/src/carriers delivery/src/labels delivery/src/tracking "
    "inventory/src/stock inventory/src/reservations inventory/src/suppliers inventory/src/counts docs/handbook"
)

REPOSITORIES: tuple[Declared, ...] = (
    Declared(
        "web-shop",
        (-130, "Mon 09:30"),
        "TypeScript",
        _routine(
            "web-shop",
            "storefront",
            "src/banner src/product_list src/cart src/prices src/reviews src/images src/account src/consent",
            (2.6, 4.2),
            coding=(300, 170),
            review=(260, 90),
            environments=(("production-eu", 0), ("production-us", 30)),
            deploy=9,
            failing=(0.24, 0.03),
            outage=(80, 25),
            quiet=frozenset({12}),
        ),
        (cases_shop.web_shop,),
        cases_shop.web_shop_incidents,
        topics=("shop", "frontend"),
    ),
    Declared("checkout", (21, "Mon 09:00"), by_hand=(checkout.plans,), incidents=checkout.incidents),
    Declared(
        "search",
        (1, "Mon 10:00"),
        "Go",
        _routine(
            "search",
            "storefront",
            "internal/index internal/query internal/ranking internal/synonyms internal/facets",
            (1.2, 2.0),
            coding=(420, 300),
            review=(200, 120),
            cadence="twice",
            applications=(("search-eu", 0), ("search-us", 25)),
            github_too=False,
            failing=(0.12, 0.1),
            outage=(50, 40),
            start=2,
        ),
        (cases_shop.search,),
    ),
    Declared(
        "fulfilment",
        (-90, "Wed 11:00"),
        "Java",
        _routine(
            "fulfilment",
            "fulfilment",
            _FULFILMENT,
            (2.8, 2.4),
            methods=("squash", "merge"),
            coding=(500, 620),
            review=(420, 700),
            cadence="twice",
            deploy=17,
            failing=(0.14, 0.3),
            outage=(90, 150),
            quiet=frozenset({18}),
            reviewed=0.7,
        ),
        (cases_shop.fulfilment,),
        cases_shop.fulfilment_incidents,
        topics=("monorepo",),
    ),
    Declared(
        "payments-api",
        (-150, "Thu 14:00"),
        "Kotlin",
        _routine(
            "payments-api",
            "payments",
            "src/refunds src/payouts src/cards src/iban src/limits src/currencies src/webhooks",
            (1.8, 2.4),
            methods=("merge",),
            coding=(600, 420),
            review=(500, 300),
            cadence="daily",
            deploy=12,
            failing=(0.05, 0.02),
            outage=(45, 25),
            quiet=frozenset({15, 16}),
        ),
        (cases_payments.payments_api,),
        cases_payments.payments_api_incidents,
        topics=("pci",),
    ),
    Declared(
        "ledger",
        (4, "Tue 10:00"),
        "Kotlin",
        _routine(
            "ledger",
            "payments",
            "src/accounts src/bookings src/closing src/exports src/audit",
            (1.2, 1.6),
            methods=("rebase",),
            coding=(480, 420),
            review=(360, 240),
            cadence="weekly",
            deploy=14,
            failing=(0.06, 0.04),
            outage=(70, 40),
            start=5,
            quiet=frozenset({17, 19}),
        ),
        (cases_payments.ledger,),
        cases_payments.ledger_incidents,
        topics=("pci",),
    ),
    Declared(
        "fraud-scoring",
        (-60, "Mon 13:00"),
        "Python",
        _routine(
            "fraud-scoring",
            "payments",
            "scoring/model scoring/features scoring/rules scoring/thresholds",
            (1.0, 1.4),
            methods=("merge",),
            coding=(700, 520),
            review=(300, 260),
            cadence="weekly",
            applications=(("fraud-scoring-staging", 0), ("fraud-scoring", 20)),
            environments=(("production", 24),),
            deploy=1.5,
            failing=(0.08, 0.08),
            outage=(60, 45),
        ),
        (cases_payments.fraud_scoring,),
    ),
    Declared(
        "identity",
        (-110, "Tue 09:00"),
        "Go",
        _routine(
            "identity",
            "platform",
            "internal/login internal/tokens internal/sessions internal/roles internal/audit internal/mail",
            (3.0, 7.0),
            methods=("rebase",),
            coding=(90, 14),
            review=(150, 11),
            deploy=5,
            failing=(0.2, 0.02),
            outage=(40, 12),
            anew=13,
            quiet=frozenset({20}),
        ),
        (cases_platform.identity,),
        topics=("platform",),
    ),
    Declared(
        "notifications",
        (2, "Tue 13:00"),
        "Python",
        _routine(
            "notifications",
            "platform",
            "notify/mail notify/push notify/templates notify/throttle",
            (0.9, 1.3),
            methods=("rebase", "squash"),
            coding=(160, 120),
            review=(90, 60),
            cadence="weekly",
            applications=(("notifications", 0),),
            github_too=False,
            failing=(0.1, 0.06),
            outage=(30, 22),
            start=3,
        ),
        (cases_platform.notifications,),
        template="acme-templates/python-service",
    ),
    Declared(
        "acme-cli",
        (6, "Wed 10:00"),
        "Go",
        _routine(
            "acme-cli",
            "platform",
            "cmd/login cmd/deploy cmd/logs cmd/secrets",
            (0.9, 1.2),
            coding=(200, 160),
            review=(90, 60),
            cadence="fortnightly",
            releases=True,
            start=7,
        ),
        (cases_platform.acme_cli,),
        topics=("golden-path",),
    ),
    Declared(
        "legacy-cron",
        (-200, "Fri 16:00"),
        "Shell",
        _routine(
            "legacy-cron",
            "fulfilment",
            "jobs/invoices jobs/reminders jobs/cleanup",
            (0.5, 0.4),
            coding=(60, 60),
            review=(300, 300),
            cadence="fortnightly",
            deploy=3,
            failing=(0.1, 0.1),
            outage=(120, 120),
            reviewed=0.3,
            bots=0,
        ),
    ),
    Declared(
        "terraform-provider-dns", (8, "Wed 15:00"), "Go", by_hand=(cases_platform.upstream,), is_fork=True
    ),
    Declared(
        "public-suffix-list",
        (9, "Thu 11:00"),
        None,
        by_hand=(cases_platform.upstream,),
        mirror_url="https://git.example/public-suffix-list.git",
    ),
    Declared("loyalty", (24, "Wed 10:00"), None),
    Declared("reviews", (23, "Wed 15:20"), "TypeScript", by_hand=(cases_shop.reviews,), topics=("shop",)),
    Declared(requests.REPOSITORY, (-40, "Mon 10:30"), "HCL", by_hand=(requests.plans,)),
)
