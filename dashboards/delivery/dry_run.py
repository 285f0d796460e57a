"""What would be sent, to whom, without sending it."""

from collections.abc import Sequence
from typing import Any

from config.settings import Settings
from dashboards.delivery.deliver import wanted
from dashboards.delivery.parcels import Parcel


def planned(settings: Settings, parcels: Sequence[Parcel], again: bool = False) -> list[dict[str, Any]]:
    """Each message that would be sent now: about whom, how, to whom, subject, bytes, and content by name."""
    return [
        {
            "scope": parcel.message.scope,
            "name": parcel.message.name or settings.organization,
            "week": parcel.message.week,
            "channel": parcel.channel,
            "to": parcel.shown(targets),
            "subject": parcel.subject,
            "bytes": sum(len(text.encode()) for text in contents.values()),
            "contents": contents,
        }
        for parcel, targets in wanted(settings, parcels, again)
        for contents in [dict(parcel.contents(parcel.id, targets))]
    ]
