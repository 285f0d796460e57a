"""The years that a day or an instant may be of: those before and after are what programs write for none."""

from datetime import UTC, datetime

FIRST_YEAR = 1970
LAST_YEAR = 2100


def in_utc(at: datetime) -> datetime:
    """The instant in UTC; raises ValueError for one outside of these years, which a program wrote for none."""
    try:
        found = at.astimezone(UTC)
    except OverflowError:
        found = None
    if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise ValueError(f"lies outside of the years {FIRST_YEAR} to {LAST_YEAR}")
    return found
