"""Times as exports of forms write them: in any language, with 12 or 24 hours, the day or the month first."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Literal

FirstNumber = Literal["day", "month"]

_TIME = re.compile(
    r"(?P<first>\d{1,4})(?P<joint>[/.-])\s?(?P<second>\d{1,2})[/.-]\s?(?P<third>\d{1,4})\.?,?\s+"
    r"(?P<before>[^\d\s]+\s+)?(?P<hour>\d{1,2})[:.](?P<minute>\d\d)(?:[:.](?P<sec>\d\d))?(?P<rest>.*)",
    re.DOTALL,
)
# the halves of a day as the languages of Unicode's CLDR write them, without dots and blanks
_MORNING = {
    "am",
    "vorm",
    "fm",
    "ap",
    "de",
    "dop",
    "дп",
    "öö",
    "πμ",
    "damanhã",
    "sa",
    "午前",
    "上午",
    "오전",
    "ص",
}
_AFTERNOON = {
    "pm",
    "nachm",
    "em",
    "ip",
    "du",
    "odp",
    "пп",
    "ös",
    "μμ",
    "datarde",
    "danoite",
    "ch",
    "午後",
    "下午",
}
_AFTERNOON |= {"오후", "م"}
# abbreviations that mean one zone only: IST may be India's, Ireland's or Israel's
_HOURS: dict[str, float] = {
    "GMT": 0,
    "UTC": 0,
    "WET": 0,
    "Z": 0,
    "BST": 1,
    "WEST": 1,
    "WESZ": 1,
    "WEZ": 0,
    "CET": 1,
    "MEZ": 1,
    "HNEC": 1,
    "CEST": 2,
    "MESZ": 2,
    "HAEC": 2,
    "SAST": 2,
    "EET": 2,
    "OEZ": 2,
    "HNEE": 2,
    "EEST": 3,
    "OESZ": 3,
    "HAEE": 3,
    "MSK": 3,
    "TRT": 3,
    "JST": 9,
    "KST": 9,
    "HKT": 8,
    "SGT": 8,
    "AWST": 8,
    "ACST": 9.5,
    "ACDT": 10.5,
    "AEST": 10,
    "AEDT": 11,
    "NZST": 12,
    "NZDT": 13,
    "BRT": -3,
    "ART": -3,
    "COT": -5,
    "PET": -5,
    "NST": -3.5,
    "NDT": -2.5,
    "AST": -4,
    "ADT": -3,
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
    "AKST": -9,
    "AKDT": -8,
    "HST": -10,
}
_OFFSET = re.compile(r"(?:GMT|UTC)?([+\-−])(\d{1,2})(?::?(\d\d))?")


def parsed_time(cell: str, format: str | None = None, order: FirstNumber | None = None) -> datetime | None:
    """The time in `cell`, naive where it says no zone; None where it is none, or nobody knows which number is the day.

    `format` is that of `strptime`; `order` says which of two numbers before the year comes first.
    """
    try:
        if format:
            return datetime.strptime(cell, format)
        found = _TIME.fullmatch(cell.strip())
        return _of(found, order) if found else datetime.fromisoformat(cell)
    except (ValueError, OverflowError):
        return None


def day_order(cells: Iterable[str]) -> FirstNumber | None:
    """Whether the day or the month comes first in a file's times; None where all of them could be read either way."""
    told: set[FirstNumber] = set()
    for found in filter(None, (_TIME.fullmatch(cell.strip()) for cell in cells)):
        if len(found["first"]) < 3:
            if int(found["first"]) > 12 or found["joint"] == ".":
                told.add("day")
            elif int(found["second"]) > 12:
                told.add("month")
    return told.pop() if len(told) == 1 else None


def unknown_zone(cell: str) -> str | None:
    """What stands where a time has its zone and is none that is known here."""
    found = _TIME.fullmatch(cell.strip())
    words = found["rest"].split() if found else []
    return (
        words[-1]
        if words and _zone(words[-1]) is None and _half(found["rest"] if found else "") is None
        else None
    )


def _of(found: re.Match[str], order: FirstNumber | None) -> datetime:
    numbers = [int(found[name]) for name in ("first", "second", "third")]
    if len(found["first"]) == 4:
        year, month, day = numbers
    else:
        if order is None:
            raise ValueError("the day or the month may come first")
        day, month = numbers[:2] if order == "day" else (numbers[1], numbers[0])
        year = numbers[2] + (2000 if len(found["third"]) <= 2 else 0)
    words = found["rest"].split()
    zone = _zone(words[-1]) if words else None
    half = _half(" ".join(words[:-1]) if zone is not None else found["rest"]) or _half(found["before"] or "")
    if (zone is None and words and half is None) or (zone is not None and len(words) > 1 and half is None):
        raise ValueError("something that is neither a half of the day nor a zone")
    hour = int(found["hour"])
    if half == "afternoon" and hour < 12:
        hour += 12
    if half == "morning" and hour == 12:
        hour = 0
    return datetime(
        year,
        month,
        day,
        hour,
        int(found["minute"]),
        int(found["sec"] or 0),
        tzinfo=timezone(zone) if zone is not None else None,
    )


def _zone(word: str) -> timedelta | None:
    if word in _HOURS:
        return timedelta(hours=_HOURS[word])
    if offset := _OFFSET.fullmatch(word):
        size = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return size if offset[1] == "+" else -size
    return None


def _half(text: str) -> Literal["morning", "afternoon"] | None:
    word = re.sub(r"[\s.]", "", text).casefold()
    return "morning" if word in _MORNING else "afternoon" if word in _AFTERNOON else None
