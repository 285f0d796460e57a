"""The 26 weeks of the sample organisation, and its office hours in Berlin."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
COUNT = 26
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_OPENS, _CLOSES = time(9), time(17, 30)


class Weeks:
    """26 full ISO weeks, numbered 0 to 25, that end on the Sunday before the week of `today`."""

    def __init__(self, today: date) -> None:
        monday = today - timedelta(days=today.weekday())
        self.first_day = monday - timedelta(weeks=COUNT)
        self.end = datetime.combine(monday, time(), ZONE).astimezone(UTC)

    def at(self, week: int, text: str) -> datetime:
        """The UTC instant of a local time such as `Mon 09:10` in a week; weeks before the first are negative."""
        day, clock = text.split()
        on = self.first_day + timedelta(weeks=week, days=_DAYS.index(day))
        return datetime.combine(on, time.fromisoformat(clock), ZONE).astimezone(UTC)

    def week_of(self, at: datetime) -> int:
        """The number of the week that `at` lies in."""
        return (at.astimezone(ZONE).date() - self.first_day).days // 7


def after_work(at: datetime, minutes: float) -> datetime:
    """The UTC instant once `minutes` of office time have passed since `at`, to the second."""
    local, left = at.astimezone(ZONE), timedelta(minutes=minutes)
    while True:
        opens = datetime.combine(local.date(), _OPENS, ZONE)
        closes = datetime.combine(local.date(), _CLOSES, ZONE)
        if local.weekday() < 5 and local < closes:
            start = max(local, opens)
            if left <= closes - start:
                return (start + left).astimezone(UTC).replace(microsecond=0)
            left -= closes - start
        local = datetime.combine(local.date() + timedelta(days=1), time(), ZONE)
