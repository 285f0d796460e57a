"""Which definitions the numbers of a document follow."""

import hashlib
import re
from functools import cache
from importlib import metadata, resources
from pathlib import Path

MODELS = Path(__file__).parents[1] / "models"
_COMMENT = re.compile(rb"(?m)^\s*--.*\n")


@cache
def definitions() -> str:
    """The program's version and a hash of what defines the metrics: "0.1.0 (3f2a9c1b)"."""
    files = [
        resources.files("config").joinpath("metrics.toml").read_bytes(),
        # what a column means in words defines nothing
        *(
            _COMMENT.sub(b"", path.read_bytes())
            for path in sorted(MODELS.rglob("*.sql"), key=lambda path: path.name)
        ),
    ]
    return f"{metadata.version('sixkeys')} ({hashlib.sha256(b''.join(files)).hexdigest()[:8]})"
