"""A clock that was ahead, and is right again: what was put down meanwhile speaks of days that nobody has seen yet."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from warehouse.storage.instants import naive

if TYPE_CHECKING:
    from warehouse.storage.store import Warehouse

# servers and this machine need not agree to the minute
_AGREED = timedelta(hours=1)
# what others' clocks have put down; one row that is wrong, or imported, says nothing of this clock
_TOLD_BY_OTHERS = """
select created_at as told_at from pull_requests
union all
select opened_at from incidents where source in ('pagerduty', 'github_issues')
union all
select coalesce(finished_at, started_at) from deployments where source in ('argocd', 'deployments', 'releases')
union all
select pushed_at from repositories
"""
_OF_OTHERS = (
    f"select told_at from ({_TOLD_BY_OTHERS}) where told_at <= ? order by told_at desc limit 1 offset ?"
)
_WRONG_ROWS = 5


def put_right(warehouse: "Warehouse", now: datetime) -> datetime | None:
    """Takes back what was put down of days after `now`; since when all is read again, None where nothing was.

    Coverage ends with the last run before the clock went wrong, and what is covered no longer is read again. Where
    other machines have seen days after `now`, it is this clock that is behind, and nothing is taken back.
    """
    connection = warehouse.connection
    ahead = naive(now + _AGREED)
    ((furthest,),) = connection.execute(
        "select max(until_at) from coverage where source not like 'import %'"
    ).fetchall()
    if furthest is None or furthest <= ahead:
        return None
    others = connection.execute(_OF_OTHERS, [datetime.max, _WRONG_ROWS]).fetchall()
    if others and others[0][0] > ahead:
        return None
    ((last,),) = connection.execute(
        "select max(started_at) from runs where status = 'ok' and started_at <= ?", [naive(now)]
    ).fetchall()
    if last is None:  # the first run of all was ahead: what had happened then had been
        known = connection.execute(_OF_OTHERS, [naive(now), 0]).fetchall()
        last = known[0][0] if known else naive(now)
    with warehouse.transaction():
        connection.execute(
            "delete from coverage where until_at > ? and from_at >= ? and source not like 'import %'",
            [ahead, last],
        )
        connection.execute(
            "update coverage set until_at = ? where until_at > ? and source not like 'import %'",
            [last, ahead],
        )
        # those of what a source listed last say nothing of time
        connection.execute("delete from cursors where subject not like '% seen'")
        connection.execute("delete from runs where started_at > ?", [ahead])
        for table in ("owners", "memberships"):
            connection.execute(f"update {table} set from_at = ? where from_at > ?", [last, ahead])
        connection.execute("delete from managed_objects where from_at > ? and source = 'argocd'", [ahead])
        connection.execute("update components set gone_at = ? where gone_at > ?", [last, ahead])
        connection.execute("delete from alerts where found_at > ?", [ahead])
        connection.execute("update about set first_built_at = null where first_built_at > ?", [ahead])
        _take_back_weeks(warehouse, now)
        if connection.execute("select 1 from duckdb_tables() where table_name = 'round_answers'").fetchall():
            connection.execute("delete from round_answers where closes_at > ?", [ahead])
    return last


def _take_back_weeks(warehouse: "Warehouse", now: datetime) -> None:
    """Scorecards of weeks that are not over, and what was put down of their delivery."""
    connection = warehouse.connection
    weeks = connection.execute("select week from scorecards union select week from deliveries").fetchall()
    tomorrow = (now + timedelta(days=1)).date()
    for (week,) in weeks:
        if week and date.fromisoformat(f"{week}-7") > tomorrow:
            for table in ("scorecards", "scorecard_rows", "scorecard_forms", "deliveries"):
                connection.execute(f"delete from {table} where week = ?", [week])
