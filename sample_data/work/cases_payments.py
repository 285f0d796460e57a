"""Special cases of the definitions in the services of payments, in weeks that their routines leave free."""

from sample_data.work.plans import Change, ChangeEvent, Deploy, Incident, Plan, Pull, Push, Review, Sync
from sample_data.work.staff import TEAMS
from sample_data.work.weeks import Weeks

LENA, DAVID, AISHA, RUBEN, KATRIN = TEAMS["payments"]


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
    """One linked by hand, one over before its deployment had finished, one that nothing explains."""
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
            "lock",
            "PLEDGER",
            "Bookings wait for a lock",
            t(17, "Wed 10:43"),
            t(17, "Wed 10:51"),
            acknowledged=t(17, "Wed 10:44"),
            priority="P2",
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


def fraud_scoring(weeks: Weeks) -> list[Plan]:
    """A change of configuration alone, a sync of what runs already, and a last change that nobody scanned."""
    t = weeks.at
    title = "Trust gift cards less"
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
        Pull(
            title,
            AISHA,
            (Change(t(25, "Thu 11:00"), title, ("scoring/thresholds.py",)),),
            t(25, "Thu 11:10"),
            t(25, "Fri 09:10"),
            "merge",
            reviews=(Review(RUBEN, t(25, "Fri 09:05")),),
        ),
        Sync(t(25, "Fri 09:30"), t(25, "Fri 09:31:10"), t(25, "Fri 09:32:04"), "fraud-scoring"),
    ]
