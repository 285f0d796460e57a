"""How often a change is called one where nothing changed, and how often one that happened is found.

    python -m benchmarks.signals [--weeks 40] [--starts 6] [--seed 1]

An organisation of 60 teams and 300 services is made up, in which nothing changes but by chance: services deploy at
rates that differ a hundredfold; the changes of a deployment resemble each other, as do a service's and a team's weeks;
some changes lay about for long. Each of its weeks is asked for its signals, by the product's own functions on real
facts. Then the lead time of one team at a time becomes longer, or its deployments fewer, and it is counted how often a
signal says so within one and within four weeks. All is drawn from a seed.
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from collectors.contract.records import Component, Coverage, Record, Repository, Response
from config.settings import Settings, load_settings
from warehouse.building.build import build
from warehouse.metrics.facts import Facts
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.values import Scope
from warehouse.signals.judging import Judged
from warehouse.signals.verdicts import all_judged, among, judged_numbers
from warehouse.storage.store import open_warehouse

# by metric, scope and name
Numbers = dict[tuple[str, str, str], Judged]
NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
TEAMS, OF_TEAM, SYSTEMS = 60, 5, 12
BEFORE = 15
# how a lead time comes about: the spread of logarithms between services, deployments, changes, and a team's weeks
SERVICE_SPREAD, DEPLOYMENT_SPREAD, CHANGE_SPREAD, WEEK_SPREAD = 0.6, 0.5, 0.85, 0.1
LAY_ABOUT, LAID_ABOUT = 0.03, 8.0
# a week's deployments vary by more than chance: of a team and of each of its services
TEAM_WEEKS, SERVICE_WEEKS = 0.15, 0.2
CONFIG = "organization: acme\ntimezone: Europe/Berlin\nwarehouse: warehouse.duckdb\n"


@dataclass(frozen=True)
class Case:
    """What happens to one team: its lead times are so many times as long, or its deployments so large a part.

    It is found where the first of the `metrics` says so, which are all that it changes.
    """

    name: str
    lead_time: float = 1.0
    deployments: float = 1.0
    metrics: tuple[str, ...] = ("lead_time",)


CASES = (
    Case("lead time 1.5 times as long", lead_time=1.5),
    Case("lead time twice as long", lead_time=2.0),
    Case("lead time 3 times as long", lead_time=3.0),
    Case(
        "half of the deployments",
        deployments=0.5,
        metrics=("deployment_frequency", "lead_time", "change_failure_rate", "deployment_rework_rate"),
    ),
)
# changes a week of the team
SIZES: tuple[tuple[int, int | None], ...] = ((10, 30), (30, 45), (45, None), (30, None))


def made_up(folder: Path, weeks: int, random: np.random.Generator) -> Settings:
    """Writes `sixkeys.yaml` and published facts of `weeks` weeks, and as many before as a verdict needs."""
    (folder / "sixkeys.yaml").write_text(CONFIG, encoding="utf-8")
    settings = load_settings(folder / "sixkeys.yaml")
    first = NOW.date() - timedelta(weeks=weeks + BEFORE)
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert([*_records(first, random)])
    deployments, changes, incidents = _rows(first, weeks + BEFORE, random)
    with duckdb.connect(str(build(settings, NOW))) as connection:
        connection.execute("delete from repositories where day < ?", [first])
        for table, rows in (("deployments", deployments), ("changes", changes), ("incidents", incidents)):
            connection.register("made", rows)
            connection.execute(f"insert into {table} by name select * from made order by day")
        connection.execute(
            "insert into recoveries by name select d.source, d.id, d.service, d.team, d.system, d.day, d.at,"
            " d.is_shared, i.open_seconds as recovery_seconds from deployments as d"
            " inner join incidents as i on i.blames_id = d.id order by d.day"
        )
    return settings


def _records(first: date, random: np.random.Generator) -> Iterator[Record]:
    begin = datetime.combine(first, datetime.min.time(), UTC)
    kinds = ("deployments", "incidents", "repositories", "responses")
    for kind in kinds:
        yield Coverage(source=f"import {kind}", subject="*", from_at=begin, until_at=NOW)
    for number in range(TEAMS * OF_TEAM):
        service, team = f"service-{number:03}", number // OF_TEAM
        yield Repository(repo=f"acme/{service}", created_at=begin)
        yield Component(
            name=service, owner=f"team-{team:02}", system=f"system-{team % SYSTEMS}", repo=f"acme/{service}"
        )
        for kind in kinds[:2]:
            yield Coverage(source=f"import {kind}", subject=service, from_at=begin, until_at=NOW)
    for quarter in range((NOW.date() - first).days // 91):
        closes = NOW - timedelta(days=91 * quarter + 3)
        for person in range(TEAMS * 8):
            yield Response(
                round=f"{closes:%Y-%m-%d}",
                respondent=f"person-{person}",
                question="satisfaction",
                team=f"team-{person % TEAMS:02}",
                submitted_at=closes - timedelta(days=2),
                closes_at=closes,
                score=float(random.choice([1, 2, 3, 4, 5], p=[0.03, 0.09, 0.23, 0.42, 0.23])),
            )


def _rows(
    first: date, weeks: int, random: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Deployments, changes and incidents; deployments on workdays only, of some services a hundred times as many."""
    services = TEAMS * OF_TEAM
    number = np.arange(services)
    rate = np.exp(random.normal(np.log(2.2), 1.0, services)).clip(0.2, 25)
    usual = np.exp(random.normal(np.log(16 * 3600), SERVICE_SPREAD, services))
    fails = random.beta(2, 28, services)
    team_weeks = _around_one(TEAM_WEEKS, (TEAMS, weeks), random)[number // OF_TEAM]
    drawn = random.poisson(rate[:, None] * team_weeks * _around_one(SERVICE_WEEKS, (services, weeks), random))
    of, week = (np.repeat(index.ravel(), drawn.ravel()) for index in np.indices((services, weeks)))
    day = week * 7 + random.integers(0, 5, len(of))
    deployments = _named(of, first, day)
    deployments["id"] = [f"main/{i}" for i in range(len(of))]
    failed = random.random(len(of)) < fails[of]
    deployments["failed"] = failed.astype(int)
    deployments["rework"] = (random.random(len(of)) < 0.04).astype(int)
    deployments["is_watched"] = True

    each = random.geometric(1 / 2.5, len(of))
    at = np.repeat(np.arange(len(of)), each)
    changes = deployments.iloc[at][["service", "team", "system", "repo", "day", "at", "is_shared"]].copy()
    changes["sha"] = [f"{i:040x}" for i in range(len(at))]
    changes["deployment_id"] = deployments["id"].to_numpy()[at]
    weekly = random.normal(0, WEEK_SPREAD, (TEAMS, weeks))[of[at] // OF_TEAM, week[at]]
    by_deployment = random.normal(0, DEPLOYMENT_SPREAD, len(of))[at]
    own = random.normal(0, CHANGE_SPREAD, len(at))
    laid = np.where(random.random(len(at)) < LAY_ABOUT, LAID_ABOUT, 1.0)
    changes["lead_time_seconds"] = usual[of[at]] * np.exp(weekly + by_deployment + own) * laid

    alone = random.poisson(0.1, (services, weeks))
    more, more_week = (np.repeat(index.ravel(), alone.ravel()) for index in np.indices((services, weeks)))
    broken = _named(more, first, more_week * 7 + random.integers(0, 7, len(more)))
    incidents = pd.concat([deployments[failed][[*broken.columns]], broken], ignore_index=True)
    incidents["blames_id"] = [*deployments["id"][failed], *[None] * len(more)]
    incidents["id"] = [f"Q{i}" for i in range(len(incidents))]
    incidents["open_seconds"] = np.exp(random.normal(np.log(2700), 1.1, len(incidents)))
    return deployments, changes, incidents.drop(columns="repo")


def _around_one(spread: float, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    return random.gamma(1 / spread**2, spread**2, shape)


def _named(of: np.ndarray, first: date, day: np.ndarray) -> pd.DataFrame:
    days = pd.Timestamp(first) + pd.to_timedelta(day, unit="D")
    return pd.DataFrame(
        {
            "source": "argocd",
            "service": [f"service-{number:03}" for number in of],
            "team": [f"team-{number // OF_TEAM:02}" for number in of],
            "system": [f"system-{number // OF_TEAM % SYSTEMS}" for number in of],
            "repo": [f"acme/service-{number:03}" for number in of],
            "day": days.date,
            "at": days + pd.Timedelta(hours=12),
            "is_shared": False,
        }
    )


def mondays(weeks: int) -> list[date]:
    """The weeks that are asked for, oldest first."""
    return [NOW.date() - timedelta(weeks=back) for back in range(weeks, 0, -1)]


@contextmanager
def changed(facts: Facts, case: Case, monday: date) -> Iterator[None]:
    """The facts with the case happening to every team from `monday` on, and without it again afterwards."""
    facts.connection.execute("begin")
    facts.connection.execute(
        f"update changes set lead_time_seconds = lead_time_seconds * {case.lead_time} where day >= ?",
        [monday],
    )
    # the same ones each time
    for table, id in (("deployments", "id"), ("changes", "deployment_id")):
        gone = f"hash({id}) % 1000 >= {1000 * case.deployments}"
        facts.connection.execute(f"delete from {table} where day >= ? and {gone}", [monday])
    yield
    facts.connection.execute("rollback")


def found_after(
    facts: Facts, settings: Settings, case: Case, monday: date, calm: Mapping[date, Numbers]
) -> dict[str, int]:
    """By team in which week from `monday` on the case is found first, of four; what is not found is not there.

    It happens to one team at a time: the numbers of all others, and of what is above them, are those of `calm` weeks.
    """
    scopes: tuple[Scope, ...] = ("team", "service")
    found: dict[str, int] = {}
    with changed(facts, case, monday):
        for week in range(4):
            first = monday + timedelta(weeks=week)
            days = first, first + timedelta(weeks=1)
            of_team: dict[str, Numbers] = {}
            for by in scopes:
                for one in judged_numbers(facts, by, *days, metrics=case.metrics).values():
                    of_team.setdefault(_team(one), {})[one.metric, one.scope, one.name] = one
            for team in of_team.keys() - found.keys():
                numbers = calm[first] | of_team[team]
                for signal in among(numbers.values(), settings).found:
                    judged = signal.judged
                    is_it = (judged.metric, judged.scope, judged.name) == (case.metrics[0], "team", team)
                    if is_it and signal.is_better is False:
                        found[team] = week + 1
    return found


def _team(one: Judged) -> str:
    if one.scope == "team":
        return one.name
    return f"team-{int(one.name.rpartition('-')[2]) // OF_TEAM:02}"


def main() -> None:
    """Measures, and prints both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--weeks", type=int, default=40)
    parser.add_argument("--starts", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    console = Console(width=110)
    with tempfile.TemporaryDirectory() as folder:
        settings = made_up(Path(folder), asked.weeks, np.random.default_rng(asked.seed))
        with open_facts(settings.warehouse) as published:
            path, opened = published.path, published
        with duckdb.connect(str(path)) as connection:
            facts = Facts(connection, path, opened.as_of, opened.timezone, opened.organization)
            started = time.process_time()
            calm = {monday: _numbers(facts, monday) for monday in mondays(asked.weeks)}
            took = (time.process_time() - started) / asked.weeks
            console.print(_where_nothing_changed(calm, settings, took))
            starts = [*calm][: asked.weeks - 3][:: max(1, (asked.weeks - 3) // asked.starts)]
            console.print(_where_something_did(facts, settings, calm, starts[: asked.starts]))


def _numbers(facts: Facts, monday: date) -> Numbers:
    judged = all_judged(facts, monday, monday + timedelta(weeks=1))
    return {(one.metric, one.scope, one.name): one for one in judged}


def _where_nothing_changed(calm: Mapping[date, Numbers], settings: Settings, took: float) -> Table:
    found, weeks = [among(numbers.values(), settings) for numbers in calm.values()], len(calm)
    by_metric = Counter(one.judged.metric for week in found for one in week.found)
    table = Table(title=f"{weeks} weeks in which nothing changed ({took:.2f} s of processor time each)")
    for heading in ("judged a week", "signals a week", "weeks with any", "by metric"):
        table.add_column(heading)
    table.add_row(
        f"{sum(week.judged for week in found) / weeks:,.0f}",
        f"{sum(len(week.found) for week in found) / weeks:.2f}",
        f"{sum(bool(week.found) for week in found)} of {weeks}",
        ", ".join(f"{metric} {n}" for metric, n in by_metric.most_common()),
    )
    return table


def _where_something_did(
    facts: Facts, settings: Settings, calm: Mapping[date, Numbers], starts: Sequence[date]
) -> Table:
    table = Table(title="One team changes: found in its first week, within four")
    for heading in ("what", "the team's changes a week", "cases", "first week", "within four"):
        table.add_column(heading)
    sizes = _teams_by_size(facts)
    for case in CASES:
        after = [found_after(facts, settings, case, monday, calm) for monday in starts]
        for low, high in SIZES:
            teams = [team for team, size in sizes.items() if low <= size < (high or size + 1)]
            weeks = [found.get(team) for found in after for team in teams]
            shares = [
                sum(week is not None and week <= most for week in weeks) / max(1, len(weeks))
                for most in (1, 4)
            ]
            size = f"{low} to {high - 1}" if high else f"{low} or more"
            table.add_row(case.name, size, str(len(weeks)), *(f"{share:.0%}" for share in shares))
    return table


def _teams_by_size(facts: Facts) -> dict[str, float]:
    """Each team's changes a week."""
    sql = "select team, count(*) / ((max(day) - min(day) + 1) / 7.0) from changes group by team order by team"
    return dict(facts.connection.execute(sql).fetchall())


if __name__ == "__main__":
    main()
