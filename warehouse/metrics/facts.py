"""An open facts file, as every function that reads of it takes it. Opening one is the work of `published_facts.py`."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Facts:
    """An open facts file. `as_of` is the build's instant in UTC; `warning` says that an older file stands in."""

    connection: "duckdb.DuckDBPyConnection"
    path: Path
    as_of: datetime
    timezone: str
    organization: str
    warning: str | None = None
