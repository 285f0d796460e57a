"""`acme/checkout` from its creation on, written down: README.md works the numbers out from these rows by hand.

Times are local (Berlin), in weeks 21 to 25. No row comes from a generator.
"""

from sample_data.work.plans import Change, ChangeEvent, Deploy, Incident, Plan, Pull, Push, Review
from sample_data.work.staff import CLAUDE, CURSOR, DEPENDABOT, GITHUB, REVIEW_BOT, TEAMS
from sample_data.work.weeks import Weeks

HANNA, JONAS, MIRA, FELIX, SOFIA, *_ = TEAMS["storefront"]
PAGERDUTY = "PCHKOUT"


def plans(weeks: Weeks) -> list[Plan]:
    """What happened in the repository."""
    t = weeks.at
    return [
        # week 21: the repository begins; the first deployment is the baseline
        Push(t(21, "Mon 09:00:02"), HANNA, "Initial commit", ("README.md",), committer=GITHUB),
        Push(t(21, "Mon 09:24"), HANNA, "Add the service skeleton", ("src/app.py", "pyproject.toml")),
        Push(t(21, "Mon 14:10"), JONAS, "Add the cart total", ("src/total.py",)),
        Deploy(t(21, "Tue 10:00"), t(21, "Tue 10:06"), key="D1"),
        Pull(
            "Charge shipping once per order",
            MIRA,
            (
                Change(t(21, "Wed 09:10"), "Charge shipping once", ("src/shipping.py",)),
                Change(t(21, "Wed 10:40"), "Cover free shipping", ("tests/test_shipping.py",)),
            ),
            opened=t(21, "Wed 10:45"),
            reviews=(Review(HANNA, t(21, "Wed 11:20")),),
            merged=t(21, "Wed 11:30"),
        ),
        Deploy(t(21, "Wed 11:32"), t(21, "Wed 11:38"), key="D2"),
        # week 22: a rebased pull request, then a deployment that breaks, its rollback and a hotfix
        Pull(
            "Keep the voucher when the cart changes",
            FELIX,
            (
                Change(t(22, "Tue 09:00"), "Keep the voucher in the session", ("src/voucher.py",)),
                Change(t(22, "Tue 09:30"), "Cover vouchers on a changed cart", ("tests/test_voucher.py",)),
            ),
            opened=t(22, "Tue 09:35"),
            reviews=(Review(MIRA, t(22, "Tue 10:05")),),
            merged=t(22, "Tue 10:15"),
            method="rebase",
        ),
        Deploy(t(22, "Tue 10:17"), t(22, "Tue 10:23"), key="D3"),
        Pull(
            "Round prices per line",
            SOFIA,
            (Change(t(22, "Thu 09:15"), "Round prices per line", ("src/total.py",)),),
            opened=t(22, "Thu 09:20"),
            reviews=(Review(JONAS, t(22, "Thu 09:50")),),
            merged=t(22, "Thu 09:55"),
            key="rounding",
        ),
        Deploy(t(22, "Thu 09:57"), t(22, "Thu 10:03"), key="D4"),
        Deploy(t(22, "Thu 10:40"), t(22, "Thu 10:45"), what="D3", key="D5"),
        Pull(
            "Round the total, not the lines",
            SOFIA,
            (Change(t(22, "Thu 11:30"), "Round the total, not the lines", ("src/total.py",)),),
            opened=t(22, "Thu 11:35"),
            reviews=(Review(HANNA, t(22, "Thu 11:50")),),
            merged=t(22, "Thu 12:00"),
            labels=("hotfix",),
        ),
        Deploy(t(22, "Thu 12:02"), t(22, "Thu 12:08"), key="D6"),
        # week 23: a draft made ready, a bot's pull request, and the same revision deployed again
        Pull(
            "Offer payment by invoice",
            HANNA,
            (
                Change(t(23, "Mon 10:00"), "Add the invoice option", ("src/invoice.py",)),
                Change(t(23, "Mon 15:30"), "Check the customer's limit", ("src/limits.py",)),
                Change(t(23, "Tue 09:40"), "Cover the invoice option", ("tests/test_invoice.py",)),
            ),
            opened=t(23, "Mon 10:05"),
            ready=t(23, "Tue 09:45"),
            reviews=(
                Review(REVIEW_BOT, t(23, "Tue 09:47"), "COMMENTED"),
                Review(FELIX, t(23, "Tue 10:30")),
            ),
            merged=t(23, "Tue 10:40"),
        ),
        Deploy(t(23, "Tue 10:42"), t(23, "Tue 10:48"), key="D7"),
        Pull(
            "Bump httpx from 0.27 to 0.28",
            DEPENDABOT,
            (Change(t(23, "Wed 06:00"), "Bump httpx from 0.27 to 0.28", ("requirements.txt",)),),
            opened=t(23, "Wed 06:00:30"),
            reviews=(Review(JONAS, t(23, "Wed 09:20")),),
            merged=t(23, "Wed 09:30"),
            labels=("dependencies",),
            branch="dependabot/pip/httpx-0.28",
        ),
        Deploy(t(23, "Wed 09:32"), t(23, "Wed 09:38"), key="D8"),
        Deploy(t(23, "Wed 14:00"), t(23, "Wed 14:06"), key="D9"),
        # week 24: a merge commit, a self merge, an attempt that failed, and a deployment that breaks
        Pull(
            "Show the delivery date",
            JONAS,
            (
                Change(t(24, "Tue 09:00"), "Ask delivery for the date", ("src/delivery_date.py",)),
                Change(t(24, "Tue 11:00"), "Show the delivery date", ("src/app.py",)),
            ),
            opened=t(24, "Tue 11:10"),
            reviews=(Review(SOFIA, t(24, "Tue 13:00")),),
            merged=t(24, "Tue 13:10"),
            method="merge",
        ),
        Deploy(t(24, "Tue 13:12"), t(24, "Tue 13:18"), key="D10"),
        Pull(
            "Correct a typing error in the receipt",
            MIRA,
            (Change(t(24, "Wed 09:05"), "Correct a typing error in the receipt", ("src/receipt.py",)),),
            opened=t(24, "Wed 09:06"),
            merged=t(24, "Wed 09:10"),
        ),
        Deploy(t(24, "Wed 09:12"), t(24, "Wed 09:18"), key="D11"),
        Pull(
            "Cache the tax rates",
            FELIX,
            (Change(t(24, "Thu 10:00"), "Cache the tax rates", ("src/tax.py",)),),
            opened=t(24, "Thu 10:05"),
            reviews=(Review(HANNA, t(24, "Thu 10:25")),),
            merged=t(24, "Thu 10:30"),
        ),
        Deploy(t(24, "Thu 10:32"), t(24, "Thu 10:36"), outcome="failure"),
        Deploy(t(24, "Thu 10:44"), t(24, "Thu 10:50"), key="D12"),
        Pull(
            "Drop cached tax rates at midnight",
            FELIX,
            (Change(t(24, "Thu 14:00"), "Drop cached tax rates at midnight", ("src/tax.py",)),),
            opened=t(24, "Thu 14:02"),
            reviews=(Review(HANNA, t(24, "Thu 14:08")),),
            merged=t(24, "Thu 14:10"),
        ),
        Deploy(t(24, "Thu 14:12"), t(24, "Thu 14:18"), key="D13"),
        # week 25: the week that README.md works out for deployment frequency and lead time
        Pull(
            "Let guests check out",
            MIRA,
            (
                Change(t(25, "Mon 09:10"), "Let guests check out", ("src/guest.py",)),
                Change(t(25, "Mon 10:00"), "Cover guests", ("tests/test_guest.py",), helped_by=CLAUDE),
            ),
            opened=t(25, "Mon 10:05"),
            reviews=(Review(FELIX, t(25, "Mon 10:20")),),
            merged=t(25, "Mon 10:30"),
        ),
        Deploy(t(25, "Mon 10:33"), t(25, "Mon 10:38"), environment="staging"),
        Deploy(t(25, "Mon 10:40"), t(25, "Mon 10:46"), key="D14"),
        Pull(
            "Say why a payment was refused",
            JONAS,
            (
                Change(t(25, "Tue 09:30"), "Pass the reason on", ("src/payment.py",), helped_by=CLAUDE),
                Change(t(25, "Tue 10:10"), "Say why a payment was refused", ("src/app.py",)),
            ),
            opened=t(25, "Tue 10:15"),
            reviews=(Review(MIRA, t(25, "Tue 10:35")),),
            merged=t(25, "Tue 10:40"),
            method="rebase",
        ),
        Deploy(t(25, "Tue 10:42"), t(25, "Tue 10:48"), key="D15"),
        Pull(
            "Bump pydantic from 2.11 to 2.12",
            DEPENDABOT,
            (Change(t(25, "Wed 06:00"), "Bump pydantic from 2.11 to 2.12", ("requirements.txt",)),),
            opened=t(25, "Wed 06:00:30"),
            reviews=(Review(SOFIA, t(25, "Wed 09:02")),),
            merged=t(25, "Wed 09:05"),
            labels=("dependencies",),
            branch="dependabot/pip/pydantic-2.12",
        ),
        Pull(
            "Send the order in parts",
            HANNA,
            (
                Change(
                    t(25, "Wed 09:20"), "Split the order by warehouse", ("src/parts.py",), helped_by=CURSOR
                ),
                Change(t(25, "Wed 10:50"), "Send the order in parts", ("src/order.py",), helped_by=CURSOR),
            ),
            opened=t(25, "Wed 10:55"),
            reviews=(Review(SOFIA, t(25, "Wed 11:10")),),
            merged=t(25, "Wed 11:20"),
            key="parts",
        ),
        Deploy(t(25, "Wed 11:22"), t(25, "Wed 11:28"), key="D16"),
        Deploy(t(25, "Thu 09:00"), t(25, "Thu 09:03"), outcome="cancelled"),
        Pull(
            'Revert "Send the order in parts"',
            HANNA,
            (Change(t(25, "Thu 09:20"), 'Revert "Send the order in parts"'),),
            opened=t(25, "Thu 09:22"),
            reviews=(Review(JONAS, t(25, "Thu 09:30")),),
            merged=t(25, "Thu 09:32"),
            reverts="parts",
        ),
        Deploy(t(25, "Thu 09:34"), t(25, "Thu 09:40"), key="D17"),
        Pull(
            "Remember the last address",
            SOFIA,
            (
                Change(t(25, "Thu 15:00"), "Remember the last address", ("src/address.py",)),
                Change(
                    t(25, "Fri 09:10"), "Merge branch 'main' into remember-the-last-address", merges_main=True
                ),
                Change(
                    t(25, "Fri 10:00"), "Cover the last address", ("tests/test_address.py",), helped_by=CLAUDE
                ),
            ),
            opened=t(25, "Thu 15:05"),
            reviews=(Review(HANNA, t(25, "Fri 10:30")),),
            merged=t(25, "Fri 10:40"),
        ),
        Deploy(t(25, "Fri 10:42"), t(25, "Fri 10:48"), key="D18"),
    ]


def incidents(weeks: Weeks) -> list[Incident]:
    """What was paged for the service; all by the window but the last two."""
    t = weeks.at
    recent = ChangeEvent(t(22, "Thu 10:03"), "Deployed checkout", "most_recent", "checkout", "D4")
    return [
        Incident(
            "I1",
            PAGERDUTY,
            "Wrong totals in the cart",
            t(22, "Thu 10:28"),
            t(22, "Thu 10:58"),
            acknowledged=t(22, "Thu 10:31"),
            priority="P2",
            change_events=(recent,),
        ),
        Incident(
            "I2",
            PAGERDUTY,
            "Tax rates are out of date",
            t(24, "Thu 13:50"),
            t(24, "Thu 14:40"),
            acknowledged=t(24, "Thu 13:54"),
            priority="P2",
        ),
        Incident(
            "I3",
            PAGERDUTY,
            "Payment provider times out",
            t(25, "Fri 15:00"),
            t(25, "Fri 15:22"),
            acknowledged=t(25, "Fri 15:02"),
            priority="P1",
            link="none",
            link_reason="The provider had an outage; their status page says so",
        ),
        Incident(
            "I4",
            PAGERDUTY,
            "Disk three quarters full",
            t(25, "Sat 08:00"),
            t(25, "Sat 11:00"),
            urgency="low",
        ),
    ]
