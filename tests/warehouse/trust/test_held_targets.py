"""Which target holds where, as `sixkeys check` explains it."""

from typing import Any

import duckdb

from config.settings import Settings
from warehouse.trust.held_targets import target_rows

TEAMS, EACH = 60, 5


def rows(*metrics: dict[str, Any], owned: bool = True) -> list[tuple[str, ...]]:
    """What is told of 300 services of 60 teams in six systems, or before anything was collected."""
    settings = Settings.model_validate({"organization": "acme", "metrics": list(metrics)})
    if not owned:
        return target_rows(settings)
    with duckdb.connect() as connection:
        connection.execute(
            "create table services as select 's' || i as service, 't' || i % 60 as team, 'y' || i % 6 as system,"
            " cast(null as timestamp) as gone_at from range(300) as r(i)"
        )
        connection.execute("create table groups (name varchar, team varchar)")
        connection.execute("create table hierarchy (name varchar, parent varchar)")
        return target_rows(settings, connection)


def test_each_metric_tells_which_target_holds_for_how_many_and_from_where() -> None:
    assert rows(
        {"name": "Deployment Frequency", "target": "> 10/day", "team_target": "> 1/week"},
        {
            "name": "Lead Time for Changes",
            "target": "< 1 hour",
            "goal": {"by": "2027-06-30", "from": "2026-12-01"},
            "overrides": [{"team": "T7", "target": "< 2 days"}, {"service": "s3", "target": "< 3 days"}],
        },
        {"name": "MTTR", "target": "< 30 minutes"},
        {"name": "DSAT", "target": "> 4.5/5"},
    ) == [
        ("Deployment Frequency", "the organisation", "> 10/day", "", ""),
        ("", "systems and services", "none", "all", "a frequency is not inherited"),
        ("", "teams", "> 1/week", "all 60", "team_target"),
        ("Lead Time for Changes", "the organisation", "< 1 hour, by 2027-06-30", "", ""),
        ("", "systems", "< 1 hour, by 2027-06-30", "all", "the organisation"),
        ("", "teams", "< 1 hour, by 2027-06-30", "59 of 60", "the organisation"),
        ("", "teams", "< 2 days, by 2027-06-30", "1 of 60: t7", "overrides"),
        ("", "services", "< 1 hour, by 2027-06-30", "294 of 300", "the organisation"),
        ("", "services", "< 2 days, by 2027-06-30", "5 of 300", "its team, by overrides"),
        ("", "services", "< 3 days, by 2027-06-30", "1 of 300: s3", "overrides"),
        ("Mean Time to Recovery", "the organisation", "< 30 minutes", "", ""),
        ("", "systems, teams and services", "< 30 minutes", "all", "the organisation"),
        ("Developer Satisfaction", "the organisation", "> 4.5/5", "", ""),
        ("", "teams", "> 4.5/5", "all", "the organisation"),
    ]


def test_many_different_targets_of_a_level_are_told_by_their_number() -> None:
    overrides = [{"team": f"t{at}", "target": f"< {at + 2} hours"} for at in range(40)]
    found = [
        one
        for one in rows({"name": "MTTR", "target": "< 1 hour", "overrides": overrides})
        if one[1] == "teams"
    ]
    assert len(found) == 5
    assert found[0][2:] == ("< 1 hour", "20 of 60", "the organisation")
    assert found[-1][2:4] == ("37 others", "37 of 60")


def test_before_anything_is_collected_it_tells_what_is_stated() -> None:
    metric = {"name": "MTTR", "target": "< 30 minutes", "overrides": [{"team": "pay", "target": "< 1 hour"}]}
    assert rows(metric, owned=False) == [
        ("Mean Time to Recovery", "the organisation", "< 30 minutes", "", ""),
        ("", "systems and services", "< 30 minutes", "all", "the organisation"),
        ("", "teams", "< 1 hour", "pay", "overrides"),
        ("", "teams", "< 30 minutes", "what has none of its own", "the organisation"),
    ]
