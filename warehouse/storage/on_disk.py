"""What has to be on the disk, and not in the system's memory alone, before it is relied on."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Returns once the content of a file, or the names in a folder, are on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
