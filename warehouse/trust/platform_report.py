"""What `sixkeys check` tells of the platform team's documents."""

from config.platform_team.understood import understood_documents
from config.settings import Settings
from warehouse.trust.matching import MatchReport


def platform_report(settings: Settings) -> MatchReport | None:
    """What was understood of each document of the platform team and what is not used; None where there is none."""
    rows = [
        (place, understood.what, ", ".join(understood.unused) or None)
        for place, understood in understood_documents(settings)
    ]
    return (
        MatchReport("The platform's documents", ("where", "understood", "not used"), rows) if rows else None
    )
