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
from warehouse.scorecards.due_weeks import FirstDelivery, first_delivery


@dataclass(frozen=True)
class Archive:
    """All published scorecards, the one that a view asks for by form, and what was said later of its numbers.

    `first` is what leaves first by itself, as long as that is still to come.
    """

    entries: tuple[ArchivedScorecard, ...]
    first: FirstDelivery | None
    entry: ArchivedScorecard | None = None
    forms: dict[str, str] = field(default_factory=dict)
    restated: tuple[Restated, ...] = ()


def archive(warehouse: Path, cron: str, filters: Filters, teams: Collection[str] | None = None) -> Archive:
    """The archive, opened at the scorecard of `filters`; with `teams` their own alone, since it tells of rows.

    `cron` is when scorecards leave by themselves.
    """
    with open_facts(warehouse) as facts:
        first = first_delivery(facts, cron)
        entries = tuple(
            entry
            for entry in published.archived_scorecards(facts)
            if teams is None or (entry.scope == "team" and entry.name in teams)
        )
        entry = shown_scorecard(entries, filters)
        if entry is None:
            return Archive(entries, first)
        of = (entry.scope, entry.name, entry.week)
        # before forms were kept, none were
        forms = published.archived_forms(facts, *of) or made(published.archived_content(facts, *of))
        return Archive(entries, first, entry, forms, published.restated_since(facts, *of))
