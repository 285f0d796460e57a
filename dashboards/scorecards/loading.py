"""What the archive page reads from the facts file, in one opening of it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from dashboards.frame.view import Filters
from dashboards.scorecards.content import shown_scorecard
from dashboards.scorecards.published_forms import made
from warehouse.metrics.published_facts import open_facts
from warehouse.scorecards import archive as published
from warehouse.scorecards.archive import ArchivedScorecard, Restated


@dataclass(frozen=True)
class Archive:
    """All published scorecards, the one that a view asks for by form, and what was said later of its numbers."""

    entries: tuple[ArchivedScorecard, ...]
    entry: ArchivedScorecard | None = None
    forms: dict[str, str] = field(default_factory=dict)
    restated: tuple[Restated, ...] = ()


def archive(warehouse: Path, filters: Filters, teams: Collection[str] | None = None) -> Archive:
    """The archive, opened at the scorecard of `filters`; with `teams` their own alone, since it tells of rows."""
    with open_facts(warehouse) as facts:
        entries = tuple(
            entry
            for entry in published.archived_scorecards(facts)
            if teams is None or (entry.scope == "team" and entry.name in teams)
        )
        entry = shown_scorecard(entries, filters)
        if entry is None:
            return Archive(entries)
        of = (entry.scope, entry.name, entry.week)
        # before forms were kept, none were
        forms = published.archived_forms(facts, *of) or made(published.archived_content(facts, *of))
        return Archive(entries, entry, forms, published.restated_since(facts, *of))
