"""A clock that was ahead, and is right again: what was put down meanwhile speaks of days that nobody has seen yet."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from warehouse.storage.instants import naive

if TYPE_CHECKING:
    from warehouse.storage.store import Warehouse

# servers and this machine need not agree to the minute
_AGREED = timedelta(hours=1)
# what others' clocks have put down
_TOLD_BY_OTHERS = """
select max(told_at)
from (
    select max(created_at) as told_at from pull_requests
    union all
    select max(opened_at) from incidents
    union all
    select max(coalesce(finished_at, started_at)) from deployments
    union all
    select max(pushed_at) from repositories
)
"""


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
    ((others,),) = connection.execute(_TOLD_BY_OTHERS).fetchall()
    if others is not None and others > ahead:
        return None
    ((last,),) = connection.execute(
        "select max(started_at) from runs where status = 'ok' and started_at <= ?", [naive(now)]
    ).fetchall()
    last = last or datetime(1970, 1, 1)
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
        connection.execute("update owners set from_at = ? where from_at > ?", [last, ahead])
        connection.execute("update components set gone_at = ? where gone_at > ?", [last, ahead])
        connection.execute("delete from alerts where found_at > ?", [ahead])
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
