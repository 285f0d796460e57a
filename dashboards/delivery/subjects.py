"""The subject of each message, as a mail program shows it."""

from collections.abc import Mapping
from typing import Any

from dashboards.scorecards.rendering import title


def scorecard_subject(scorecard: Mapping[str, Any]) -> str:
    """Whose scorecard and of which week."""
    return f"{title(scorecard)}: delivery scorecard, week {scorecard['week']}"


def alert_subject(organization: str, headline: str) -> str:
    """What was crossed, behind the organisation's name."""
    return f"{organization}: {headline}"
