"""The demo's folder: made anew each time, and never in place of somebody's own files."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.errors import ConfigurationError

MARKER = ".sixkeys-demo"


@contextmanager
def demo_folder(folder: Path) -> Iterator[Path]:
    """`folder`, empty but for its marker, held while the context lasts; an earlier demo's is replaced.

    Raises ConfigurationError where it holds anything else, or a demo that still runs.
    """
    marker = folder / MARKER
    if folder.exists() and not marker.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(
            f"{folder}: is there already and is not a demo's; name another with --folder"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = marker.open("a")
    except OSError as error:
        raise ConfigurationError(
            f"{folder}: cannot be written: {error.strerror}; name another with --folder"
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                f"{folder}: a demo is running in it; end that one, or name another with --folder"
            ) from None
        for entry in folder.iterdir():
            if entry == marker:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        yield folder
