"""What goes wrong outside of the program while it reads and writes its files: a full disk, a lock, a damaged file."""

import re

import duckdb

_OUTSIDE = re.compile(
    "Could not|No space left|Permission denied|File too large|Corrupt database|checksum|Out of Memory|fatal error"
)
_WHERE = re.compile(
    r"(Could not .*|No space .*|Corrupt .*|Out of Memory.*|.*database has been invalidated.*)", re.S
)


def told_plainly(error: BaseException) -> str | None:
    """`error` in one line with what to do, where the system or a file is to blame for it; None where the program is."""
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror or error}; check the disk's space and the permissions"
    if isinstance(error, MemoryError):
        return "the memory is full; give it more, or fewer other programs"
    if isinstance(error, duckdb.Error) and _OUTSIDE.search(str(error)):
        found = _WHERE.search(str(error))
        said = " ".join((found[0] if found else str(error)).split())
        return f"{said[:300]}; check the disk's space, the permissions and the file"
    return None
