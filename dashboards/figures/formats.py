"""Figures, changes, dates and statuses in the words and units that people say."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from config.metrics import metrics
from config.targets import parse_target
from config.text.legible import one_line
from warehouse.metrics.units import MISSING as MISSING
from warehouse.metrics.units import figure as figure
from warehouse.metrics.units import plural as plural


@dataclass(frozen=True)
class StatusWords:
    """A status of `sixkeys metrics` for people; the symbol tells it where colours do not."""

    symbol: str
    word: str
    meaning: str


_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d+)?")
_OF_UTC = re.compile(rf"(?P<told>{_INSTANT.pattern}(?: and {_INSTANT.pattern})?) UTC\b")
STATUSES = {
    "met": StatusWords("✓", "met", "The target is met."),
    "missed": StatusWords("✗", "missed", "The target is missed."),
    "insufficient": StatusWords("…", "too few", "Too few rows to say whether the target is met or missed."),
    "none": StatusWords("○", "none", "Covered, and nothing happened."),
    "no data": StatusWords("", "no data", "Not covered: nothing is known of this period."),
    "unwatched": StatusWords(
        "?",
        "unwatched",
        "Neither met nor missed: no incidents are read for more than a fifth of these deployments, so a failure might"
        " not be known. Connect what tells of incidents, and name its service in the catalogue.",
    ),
    "not applicable": StatusWords(
        "–",
        "not applicable",
        "Nothing here is deployed: libraries, archived repositories, deprecated components.",
    ),
    "withheld": StatusWords("", "withheld", "Withheld, so that nobody's answer can be worked out."),
    "value": StatusWords("", "no target", "No target holds here."),
}


def figure_against(metric: str, value: float | None, unit: str, target: str | None) -> str:
    """`figure` with as many digits as show on which side of the target in words the value is."""
    return figure(value, unit, _limit(metric, target) if target else None)


@cache
def _limit(metric: str, target: str) -> float:
    return parse_target(target, metrics()[metric]).limit


def exact(value: float | None, unit: str) -> str:
    """The value unrounded to nine digits, in the metric's own unit, as a tooltip shows it."""
    if value is None:
        return MISSING
    if unit == "fraction":
        return f"{value * 100:,.9g} %"
    return f"{value:,.9g} {unit}"


def percentiles(p75: float | None, p90: float | None, unit: str) -> str:
    """ "p75 2 h, p90 3 h", as far as they are known."""
    known = (("p75", p75), ("p90", p90))
    return ", ".join(f"{name} {figure(at, unit)}" for name, at in known if at is not None)


# what people call a row of a fact, and several, where the table is called otherwise
_ROWS_OF = {
    "repositories": ("repository", "repositories"),
    "recoveries": ("recovery", "recoveries"),
    "responses": ("respondent", "respondents"),
    "path_services": ("service", "services"),
    "path_deployments": ("deployment", "deployments"),
    "first_deployments": ("repository", "repositories"),
    "guarded_services": ("service", "services"),
    "paved_services": ("service", "services"),
}


def counted(n: int, fact: str) -> str:
    """How many rows of a fact table made a number: "1 deployment", "1,204 changes"."""
    one, many = _ROWS_OF.get(fact, (fact.removesuffix("s"), fact))
    return f"{n:,} {one if n == 1 else many}"


def moved_by(value: float | None, previous: float | None, unit: str) -> str:
    """How far `value` moved from `previous`: "↓ 22 %", "↑ 1.2 points" for shares and scores; "" if unknown."""
    if value is None or previous is None:
        return ""
    if unit in ("fraction", "points"):
        moved = (value - previous) * (100 if unit == "fraction" else 1)
        size = f"{abs(moved):.1f}"
        if float(size) == 0:
            return "→ unchanged"
        return f"{'↑' if moved > 0 else '↓'} {size} {'pp' if unit == 'fraction' else 'points'}"
    if previous == 0:
        return "→ unchanged" if value == 0 else "↑ from zero"
    percent = round((value / previous - 1) * 100)
    if percent == 0:
        return "→ unchanged"
    arrow = "↑" if percent > 0 else "↓"
    if percent >= 300:
        return f"{arrow} {value / previous:.1f} times"
    return f"{arrow} {abs(percent)} %"


def day(on: date) -> str:
    """ "9 Nov 2026"."""
    return f"{on.day} {on:%b %Y}"


def weekday(on: date) -> str:
    """ "Monday, 9 November", of a day near enough to need no year."""
    return f"{on:%A}, {on.day} {on:%B}"


def days(first: date, after: date) -> str:
    """The days from `first` to the one before `after`: "13 Oct – 9 Nov 2026"."""
    last = after - timedelta(days=1)
    if last <= first:
        return day(first)
    if first.year != last.year:
        return f"{day(first)} – {day(last)}"
    if first.month != last.month:
        return f"{first.day} {first:%b} – {day(last)}"
    return f"{first.day} – {day(last)}"


def week(monday: date) -> str:
    """The ISO week that begins on `monday`: "2026-W46"."""
    year, number, _ = monday.isocalendar()
    return f"{year}-W{number:02d}"


def of_past_week(monday: date) -> str:
    """Of when a number is that is not of the days shown: "the last known, of 2026-W46, 9 – 15 Nov 2026"."""
    return f"the last known, of {week(monday)}, {days(monday, monday + timedelta(days=7))}"


def instant(at: datetime, timezone: str) -> str:
    """An aware instant in the zone's local time: "Mon 16 Nov 2026, 09:00 CET"."""
    local = at.astimezone(ZoneInfo(timezone))
    return f"{local:%a} {day(local.date())}, {local:%H:%M %Z}"


def moment(at: datetime | None, timezone: str) -> str:
    """An instant (naive: UTC) as a table shows it in the zone's local time: "16 Nov 2026, 09:00"; "–" for None."""
    if at is None:
        return MISSING
    local = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(ZoneInfo(timezone))
    return f"{day(local.date())}, {local:%H:%M}"


def local_times(told: str, timezone: str) -> str:
    """A reason from the facts, which tells instants in UTC, in the zone's local time: "opened 2026-11-20 10:10"."""

    def local(found: re.Match[str]) -> str:
        at = datetime.fromisoformat(found[0]).replace(tzinfo=UTC)
        return f"{at.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M}"

    return _OF_UTC.sub(lambda found: _INSTANT.sub(local, found["told"]), told) if " UTC" in told else told


def spoken(at: datetime, now: datetime, timezone: str) -> str:
    """An aware instant as people say it at `now`: "this morning 09:12", "yesterday 18:04", "Friday 18:04".

    What ended with a day is said by that: "yesterday".
    """
    local, days_ago = _on_the_clock(at, now, timezone)
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return spoken_since(at - timedelta(seconds=1), now, timezone)
    if days_ago <= 0:
        named = "today" if local.hour < 5 else "this morning" if local.hour < 12 else "this afternoon"
        return f"{'this evening' if local.hour >= 18 else named} {local:%H:%M}"
    if days_ago < 7:
        return f"{'yesterday' if days_ago == 1 else f'{local:%A}'} {local:%H:%M}"
    return moment(at, timezone)


def spoken_since(at: datetime, now: datetime, timezone: str) -> str:
    """The same after "since", without what nobody needs to know: "09:12", "yesterday", "Friday", "16 Oct 2026"."""
    local, days_ago = _on_the_clock(at, now, timezone)
    if days_ago <= 0:
        return f"{local:%H:%M}"
    if days_ago < 7:
        return "yesterday" if days_ago == 1 else f"{local:%A}"
    return day(local.date())


def _on_the_clock(at: datetime, now: datetime, timezone: str) -> tuple[datetime, int]:
    """(the instant in the zone's local time, how many days ago that is)."""
    local = at.astimezone(ZoneInfo(timezone))
    return local, (now.astimezone(ZoneInfo(timezone)).date() - local.date()).days


def share(part: int, whole: int) -> str:
    """ "96 %", never rounded up to all or down to none; "–" of nothing."""
    if not whole:
        return MISSING
    percent = 100 * part / whole
    if part in (0, whole):
        return f"{percent:.0f} %"
    return f"{min(99.9, max(0.1, percent)):.1f}".removesuffix(".0") + " %"


def file_name(parts: Iterable[str], first: date, after: date, ending: str) -> str:
    """A file name of letters, digits and hyphens: `acme-mttr-2026-10-19-2026-11-15.csv`."""
    plain = (
        "".join(c if c.isalnum() or c == "_" else "-" for c in part).strip("-").lower() for part in parts
    )
    named = "-".join(part[:60] for part in plain if part)
    return f"{named}-{first}-{after - timedelta(days=1)}.{ending}"


def plain_markdown(text: str) -> str:
    """Text from data on one line, so that Markdown shows it as it is: no markup, directive, link or mention."""
    text = re.sub(r"([\\`*_{}\[\]<>#|~$&@!]|:(?=[a-zA-Z+/]))", r"\\\1", one_line(text))
    text = re.sub(r"(?i)\bwww\.", r"www\\.", text)
    text = re.sub(r"^([-+=])", r"\\\1", text)
    return re.sub(r"^(\d+)([.)])(?=\s|$)", r"\1\\\2", text)
