"""What ended unexpectedly, kept for who mends it: a few hundred tracebacks at most, without secrets."""

import logging
import traceback
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler

from config.settings import Settings
from config.text.quoting import in_short
from warehouse.loading.redaction import redact
from warehouse.storage.outside_errors import told_plainly

_MOST_BYTES = 500_000


def unforeseen(settings: Settings, error: Exception, what: str, run_id: str) -> str:
    """What ended `what` in one line for people, without secrets.

    Where the program is to blame for it, its traceback is kept in `NAME.faults.log` and the line says where.
    """
    outside = told_plainly(error)
    told = outside or f"{type(error).__name__}: {' '.join(str(error).split())}"
    kept = "" if outside else f" (a fault of Sixkeys; {_keep(settings, what, run_id)})"
    return f"{what}: {in_short(redact(settings, told))}{kept}"


def _keep(settings: Settings, what: str, run_id: str) -> str:
    path = settings.warehouse.with_name(f"{settings.warehouse.stem}.faults.log")
    told = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, run {run_id}, {what}\n{traceback.format_exc()}"
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
