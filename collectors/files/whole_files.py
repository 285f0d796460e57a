"""Small files that the dashboard keeps of what people tell it: each is there as a whole or not at all."""

import json
import os
import secrets
from pathlib import Path
from typing import Any


def put_json(path: Path, content: Any) -> None:
    """Writes `content` to `path`, in place of what was there, for nobody else of this machine to read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{secrets.token_hex(4)}.tmp")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
