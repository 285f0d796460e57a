"""Files as they are on the disk: what has to be there before it is relied on, how old one is, and how SQL names one."""

import os
import time
from datetime import timedelta
from pathlib import Path


def sync(path: Path) -> None:
    """Returns once the content of a file, or the names in a folder, are on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def age(path: Path) -> timedelta:
    """For how long a file has been as it is; no time at all where another process has removed it meanwhile."""
    try:
        return timedelta(seconds=time.time() - path.stat().st_mtime)
    except FileNotFoundError:
        return timedelta(0)


def quoted_path(path: Path | str) -> str:
    """A path within a text of SQL."""
    return str(path).replace("'", "''")
