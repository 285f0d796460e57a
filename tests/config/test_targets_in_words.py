"""Targets in words."""

from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from config.metrics import find, metrics
from config.settings import MetricTarget, Settings, TargetOverride
from config.targets import parse_target

# a user's own, taken exactly as written
WRITTEN = """\
metrics:
  - name: "Time to First Commit (TTFC)"
    description: "Time from repo creation to first commit"
    target: "< 30 minutes"
  - name: "Deployment Frequency"
    description: "How often deployments occur"
    target: "> 10/day"
  - name: "Lead Time for Changes"
    description: "Time from commit to production"
    target: "< 1 hour"
  - name: "Change Failure Rate"
    description: "% of deployments causing failures"
    target: "< 5%"
  - name: "MTTR"
    description: "Time to recover from failures"
    target: "< 30 minutes"
  - name: "Developer Satisfaction (DSAT)"
    description: "Platform satisfaction score"
    target: "> 4.5/5"
"""
LIMITS = {
    "time_to_first_commit": ("<", 1800),
    "deployment_frequency": (">", 10),
    "lead_time": ("<", 3600),
    "change_failure_rate": ("<", 0.05),
    "mttr": ("<", 1800),
    "developer_satisfaction": (">", 4.5),
}
UNITS = {
    "lead_time": {"minute": 60, "minutes": 60, "hour": 3600, "hours": 3600, "day": 86400, "days": 86400},
    "deployment_frequency": {"/day": 1, "/week": Decimal(1) / 7},
    "change_failure_rate": {"%": Decimal("0.01")},
    "developer_satisfaction": {"/5": 1},
}


def test_the_users_own_metrics_are_accepted_exactly_as_written() -> None:
    settings = Settings.model_validate({"organization": "acme", **yaml.safe_load(WRITTEN)})
    for metric, (comparison, limit) in LIMITS.items():
        target = settings.target(metric)
        assert target is not None
        assert (target.comparison, target.limit) == (comparison, limit)
    assert settings.metrics == Settings(organization="acme").metrics, "they are the default too"


def test_they_may_be_called_by_their_plain_names_on_one_line() -> None:
    plain = (
        "Time to First Commit",
        "Deployment Frequency",
        "Lead Time for Changes",
        "Change Failure Rate",
        "MTTR",
    )
    asked = Settings.model_validate(
        {
            "organization": "acme",
            "metrics": [
                {"name": name, "target": text}
                for name, text in zip(
                    [*plain, "Developer Satisfaction"],
                    ["< 30 minutes", "> 10/day", "< 1 hour", "< 5%", "< 30 minutes", "> 4.5/5"],
                    strict=True,
                )
            ],
        }
    )
    assert {m: (t.comparison, t.limit) for m in metrics() if (t := asked.target(m))} == LIMITS


LEVELS = ("service", "team", "system", "organisation")
NAMES = {"service": "checkout", "team": "payments", "system": "shop"}
ABOVE = [("team", "payments"), ("system", "shop")]


@given(
    own=st.sets(st.sampled_from(LEVELS[:-1])),
    of_all=st.sets(st.sampled_from(LEVELS[:-1])),
    asked=st.sampled_from(LEVELS),
)
def test_the_nearest_target_holds_and_one_of_its_own_before_that_of_its_level(
    own: set[str], of_all: set[str], asked: str
) -> None:
    hours = {level: 2 + at for at, level in enumerate(LEVELS)}
    entry = MetricTarget(
        name="Lead Time",
        target="< 5 hours",
        overrides=[
            TargetOverride(**{level: NAMES[level].upper(), "target": f"< {hours[level]}0 hours"})
            for level in own
        ],
        **{f"{level}_target": f"< {hours[level]} hours" for level in of_all},
    )
    settings = Settings(organization="acme", metrics=[entry])
    above = [one for one in ABOVE if LEVELS.index(one[0]) > LEVELS.index(asked)]
    held = settings.target("lead_time", asked, NAMES.get(asked, ""), above)
    for level in LEVELS[LEVELS.index(asked) :]:
        if level in own:
            expected = (f"< {hours[level]}0 hours", level, NAMES[level].upper())
            break
        if level in of_all or level == "organisation":
            expected = (f"< {hours[level]} hours", level, None)
            break
    assert held is not None
    assert (held.text, held.scope, held.name) == expected


def test_a_frequency_is_not_inherited_and_people_are_asked_by_team() -> None:
    rate = MetricTarget(
        name="DF",
        target="> 10/day",
        team_target="> 1/week",
        overrides=[TargetOverride(system="shop", target="> 2/day")],
    )
    settings = Settings(organization="acme", metrics=[rate, MetricTarget(name="DSAT", target="> 4.5/5")])

    def text(metric: str, scope: str, name: str) -> str | None:
        held = settings.target(metric, scope, name, ABOVE)
        return held.text if held else None

    assert text("deployment_frequency", "organisation", "") == "> 10/day"
    assert text("deployment_frequency", "system", "shop") == "> 2/day"
    assert text("deployment_frequency", "system", "data") is None
    assert text("deployment_frequency", "team", "payments") == "> 1/week"
    assert text("deployment_frequency", "service", "checkout") is None
    assert text("developer_satisfaction", "team", "payments") == "> 4.5/5"
    assert text("developer_satisfaction", "system", "shop") is None
    assert text("developer_satisfaction", "service", "checkout") is None


def test_a_goal_goes_with_every_target_of_its_metric_but_those_with_their_own() -> None:
    entry = MetricTarget.model_validate(
        {
            "name": "MTTR",
            "target": "< 1 hour",
            "goal": {"by": "2027-06-30", "from": "2026-12-01"},
            "overrides": [
                {"team": "payments", "target": "< 2 hours"},
                {"team": "risk", "target": "< 2 hours", "goal": {"by": "2028-01-01", "from": "2026-12-01"}},
            ],
        }
    )
    settings = Settings(organization="acme", metrics=[entry])
    ends = {}
    for name in ("payments", "risk", "other"):
        held = settings.target("mttr", "team", name)
        assert held is not None
        assert held.goal is not None
        ends[name] = f"{held.goal.by}"
    assert ends == {"payments": "2027-06-30", "risk": "2028-01-01", "other": "2027-06-30"}


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"goal": {"by": "2026-12-01", "from": "2026-12-01"}}, 'write "by" as a day after "from"'),
        ({"goal": {"by": "2026-12-01"}}, "Field required"),
        ({"team_target": "< 5%"}, 'the unit "%" does not fit Developer Satisfaction'),
        ({"service_target": "> 4/5"}, "people are asked by team"),
        ({"system_target": "> 4/5"}, "people are asked by team"),
    ],
)
def test_a_level_or_goal_that_cannot_be_is_refused(keys: dict, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        MetricTarget.model_validate({"name": "DSAT", "target": "> 4.5/5", **keys})


@given(
    number=st.decimals(min_value=0, max_value=100_000, places=2, allow_nan=False),
    comparison=st.sampled_from(["<", "<=", ">", ">="]),
    unit=st.sampled_from([(metric, unit) for metric, units in UNITS.items() for unit in units]),
    space=st.sampled_from(["", " ", "  "]),
)
def test_every_number_in_every_unit_is_understood(
    number: Decimal, comparison: str, unit: tuple[str, str], space: str
) -> None:
    metric, name = unit
    target = parse_target(f"{comparison}{space}{number}{space}{name}", metrics()[metric])
    assert target.comparison == comparison
    assert target.limit == pytest.approx(float(number * UNITS[metric][name]), rel=1e-15, abs=0)


@given(percent=st.decimals(min_value=0, max_value=100, places=1))
def test_a_percentage_is_the_nearest_float_so_that_equal_means_equal(percent: Decimal) -> None:
    target = parse_target(f"<= {percent}%", metrics()["change_failure_rate"])
    assert target.met_by(float(percent) / 100)


@pytest.mark.parametrize(
    ("comparison", "below", "at", "above"),
    [
        ("<", True, False, False),
        ("<=", True, True, False),
        (">", False, False, True),
        (">=", False, True, True),
    ],
)
def test_the_limit_itself_is_on_the_side_that_the_comparison_says(
    comparison: str, below: bool, at: bool, above: bool
) -> None:
    target = parse_target(f"{comparison} 30 minutes", metrics()["mttr"])
    assert (target.met_by(1799.999), target.met_by(1800), target.met_by(1800.001)) == (below, at, above)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "30 minutes",
        "= 30 minutes",
        "=< 3 hours",
        "< minutes",
        "< -5 minutes",
        "< 30",
        "fast",
        "< 1e3 hours",
    ],
)
def test_what_is_no_target_is_refused_with_an_example_that_works(text: str) -> None:
    metric = metrics()["mttr"]
    with pytest.raises(ValueError, match='write it like "< 30 minutes"') as refused:
        parse_target(text, metric)
    example = str(refused.value).split('write it like "')[1].rstrip('"')
    parse_target(example, metric)


@given(
    dimension=st.sampled_from(sorted(UNITS)),
    unit=st.sampled_from(
        sorted({unit for units in UNITS.values() for unit in units} | {"seconds", "weeks", "/10"})
    ),
)
def test_a_unit_fits_its_own_kind_of_metric_only(dimension: str, unit: str) -> None:
    metric = metrics()[dimension]
    if unit in UNITS[dimension]:
        parse_target(f"< 3 {unit}", metric)
    else:
        with pytest.raises(ValueError, match="does not fit"):
            parse_target(f"< 3 {unit}", metric)


def test_every_name_of_a_metric_finds_it() -> None:
    for metric in metrics().values():
        for name in (metric.id, metric.short, *metric.names, *(name.upper() for name in metric.names)):
            assert find(f" {name} ") is metric
    assert find("velocity") is None
