"""The subject of each message, as a mail program shows it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from warehouse.metrics.attainment import standing


def scorecard_subject(scorecard: Mapping[str, Any]) -> str:
    """Whose scorecard, the result, and of which week: "acme: 3 of 5 targets met, week of 16 Nov".

    A team's and a system's say which it is, since one may have the other's name: "payments (team): …".
    """
    monday = date.fromisoformat(scorecard["week_start"])
    result = standing(scorecard["metrics"]).short
    of = "" if scorecard["scope"] == "organisation" else f" ({scorecard['scope']})"
    return f"{scorecard['name']}{of}: {result}, week of {monday.day} {monday:%b}"


def alert_subject(organization: str, headline: str) -> str:
    """What was crossed, behind the organisation's name."""
    return f"{organization}: {headline}"
