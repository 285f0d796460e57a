"""What ended unexpectedly, kept for who mends it: a few hundred tracebacks at most, without secrets."""

import logging
import traceback
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler

from config.settings import Settings
from warehouse.loading.redaction import redact

_MOST_BYTES = 500_000


def keep_fault(settings: Settings, run_id: str, source: str) -> str:
    """Writes where the program failed just now to `NAME.faults.log`; how to find it there."""
    path = settings.warehouse.with_name(f"{settings.warehouse.stem}.faults.log")
    told = (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, run {run_id}, source {source}\n{traceback.format_exc()}"
    )
    try:
        # the one before is kept beside it
        handler = RotatingFileHandler(path, maxBytes=_MOST_BYTES, backupCount=1, encoding="utf-8")
        try:
            handler.emit(logging.makeLogRecord({"msg": redact(settings, told)}))
        finally:
            handler.close()
    except OSError as error:
        return f"where it was could not be kept: {error.strerror}"
    return f"see run {run_id[:8]} in {path.name}"
