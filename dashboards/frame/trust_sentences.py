"""What stands against the numbers, in sentences that the overview and the pages of trust, teams and services share."""

from dashboards.figures.formats import plural
from warehouse.metrics.units import listed
from warehouse.trust.runs_and_doubts import Doubts


def trust_sentences(found: Doubts) -> list[str]:
    """One for each thing to know before relying on the numbers, the gravest first; empty where there is none.

    Sources that could not be read are told above every page.
    """
    said = []
    if found.gaps:
        lost = f", with {plural(found.lost_entries, 'entry', 'entries')} known to be lost"
        said.append(
            f"{plural(found.gaps, 'stretch', 'stretches')} of time in which a source was not read"
            + (lost if found.lost_entries else "")
        )
    if found.of_nobody:
        count = found.of_nobody
        belongs = "belongs" if count == 1 else "belong"
        counts = "counts" if count == 1 else "count"
        said.append(
            f"{plural(count, 'incident')} {belongs} to no single service, team or system"
            f" and {counts} for the organisation only"
        )
    if found.unmapped:
        is_in = "is" if found.unmapped == 1 else "are"
        said.append(f"{plural(found.unmapped, 'name')} with data {is_in} in no catalogue")
    if found.not_asked:
        rounds = "rounds" if len(found.not_asked) > 1 else "round"
        said.append(
            f"survey {rounds} {listed([*found.not_asked])} asked no question that counts as satisfaction"
            ' ("sixkeys check" says what to write)'
        )
    if found.unknown_teams:
        are = "is" if found.unknown_teams == 1 else "are"
        said.append(f"{plural(found.unknown_teams, 'team')} of survey answers {are} in no catalogue")
    if found.quarantined:
        were = "was" if found.quarantined == 1 else "were"
        said.append(f"{plural(found.quarantined, 'item')} could not be read and {were} set aside")
    return said
