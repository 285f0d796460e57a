"""Where the time of a change goes: the stages of its pull request on the way to production."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from warehouse.metrics.facts import Facts
from warehouse.metrics.values import narrowing

# as a person calls it: (column of `changes`, from what until what)
STAGES = {
    "Coding": ("coding_seconds", "first commit until opened or ready for review"),
    "Pickup": ("pickup_seconds", "until the first review by another person"),
    "Review": ("review_seconds", "first review until merged"),
    "Deploy": ("deploy_seconds", "merged until in production"),
}


@dataclass(frozen=True)
class Stage:
    """A stage's median and p90 in seconds over `n` pull requests; one in which it did not happen is not among them."""

    name: str
    meaning: str
    median: float | None
    p90: float | None
    n: int


def stages(facts: Facts, where: Mapping[str, str], start: date, end: date) -> list[Stage]:
    """The four stages in their order, over the pull requests of the changes that count; empty where there are none."""
    columns = [column for column, _ in STAGES.values()]
    counted = ", ".join(f"quantile_cont(p.{column}, [0.5, 0.9]), count(p.{column})" for column in columns)
    sql = f"select {counted} from ({delivered_pulls(where)}) as p"
    found = facts.connection.execute(sql, {**where, "start": start, "end": end}).fetchall()[0]
    known = [
        Stage(name, meaning, median, p90, found[2 * at + 1])
        for at, (name, (_, meaning)) in enumerate(STAGES.items())
        for median, p90 in [found[2 * at] or (None, None)]
    ]
    return known if any(stage.n for stage in known) else []


def delivered_pulls(where: Mapping[str, str]) -> str:
    """SQL for the stages of each pull request that arrived from `$start` to before `$end`, narrowed to `where`."""
    columns = [column for column, _ in STAGES.values()]
    of = f"pull_deliveries as f where f.day < $end{narrowing(where)}"
    # a pull request's own stages are the same in each service; it is in production once the first one is, which is why
    # its day is sought among all of them
    return (
        f"select {', '.join(f'f.{column}' for column in columns)} from {of} and not f.is_shared and f.day >= $start"
        f" union all select {', '.join(f'min(f.{column}) as {column}' for column in columns)} from {of}"
        " and f.is_shared group by f.repo, f.pull_request having min(f.day) >= $start"
    )
