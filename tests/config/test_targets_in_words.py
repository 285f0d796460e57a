"""Targets in words."""

from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from config.metrics import find, metrics
from config.settings import Settings
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
        for name in (metric.id, *metric.names, *(name.upper() for name in metric.names)):
            assert find(f" {name} ") is metric
    assert find("velocity") is None
