"""The years that a day or an instant may be of: those before and after are what programs write for none."""

from datetime import UTC, datetime

FIRST_YEAR = 1970
LAST_YEAR = 2100
# the first day begins earlier in the east, and the last one ends later in the west
_EARLIEST = datetime(FIRST_YEAR - 1, 12, 31, tzinfo=UTC)
_LATEST = datetime(LAST_YEAR + 1, 1, 2, tzinfo=UTC)


def in_utc(at: datetime) -> datetime:
    """The instant in UTC; raises ValueError for one outside of these years anywhere, which a program wrote for none."""
    if not _EARLIEST <= at <= _LATEST:
        raise ValueError(f"lies outside of the years {FIRST_YEAR} to {LAST_YEAR}")
    return at.astimezone(UTC)
