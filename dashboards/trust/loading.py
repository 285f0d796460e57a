"""What the page of trust reads from the facts file, in one opening of it."""

from dataclasses import dataclass
from pathlib import Path

from config.settings import Settings
from dashboards.frame import view as periods
from dashboards.frame.view import Filters
from warehouse.metrics.periods import today
from warehouse.metrics.published_facts import open_facts
from warehouse.trust import runs_and_doubts
from warehouse.trust.coverage import ServiceCoverage, coverage
from warehouse.trust.coverage_weeks import CoverageWeek, coverage_weeks
from warehouse.trust.ownership import UnclearGroup, unclear_groups
from warehouse.trust.runs_and_doubts import Doubts, QuarantinedItem, RecordedRun, Undelivered
from warehouse.trust.silenced import SilencedSource, silenced_sources
from warehouse.trust.survey_teams import UnknownTeam, unknown_teams

# of a source so many runs are shown, and of coverage so many weeks
MOST_RUNS = 10


MOST_WEEKS = 12


@dataclass(frozen=True)
class Trust:
    """What the numbers of a view rest on; `whole` is of the narrowest restriction, `services` all that match.

    `weeks` is coverage by completed week, `runs` the last ones of each source, the newest first.
    """

    whole: ServiceCoverage | None
    services: tuple[ServiceCoverage, ...]
    set_aside: tuple[QuarantinedItem, ...]
    doubts: Doubts
    weeks: tuple[CoverageWeek, ...] = ()
    runs: tuple[RecordedRun, ...] = ()
    undelivered: tuple[Undelivered, ...] = ()
    silenced: tuple[SilencedSource, ...] = ()
    unknown_teams: tuple[UnknownTeam, ...] = ()
    unclear_groups: tuple[UnclearGroup, ...] = ()


def trust(warehouse: Path, settings: Settings, filters: Filters) -> Trust:
    """What the numbers of `filters` rest on."""
    with open_facts(warehouse) as facts:
        start, end = periods.view_days(filters, today(facts))
        scope, where = filters.scope, filters.where
        services = coverage(facts, settings, "service", start, end, where)
        of_scope = services if scope == "service" else coverage(facts, settings, scope, start, end, where)
        whole = (found for found in of_scope if scope == "organisation" or found.name == where[scope])
        return Trust(
            whole=next(whole, None),
            services=tuple(services),
            set_aside=runs_and_doubts.set_aside(facts) if not where else (),
            doubts=runs_and_doubts.doubts(facts, start, end, where),
            weeks=tuple(coverage_weeks(facts, *periods.history(filters, today(facts)), where)[-MOST_WEEKS:]),
            runs=runs_and_doubts.recent_runs(facts, MOST_RUNS),
            undelivered=runs_and_doubts.undelivered(facts) if not where else (),
            silenced=silenced_sources(facts, start, end, where),
            unknown_teams=unknown_teams(facts) if not where else (),
            unclear_groups=unclear_groups(facts) if not where else (),
        )
