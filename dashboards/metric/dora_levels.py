"""The levels that DORA published, for one metric at a time; never summed up as one badge."""

from typing import NamedTuple


class Level(NamedTuple):
    """A group of respondents that DORA found, and what they answered for the metric."""

    name: str
    answer: str


YEAR = 2024
DORA_SOURCE = "DORA, Accelerate State of DevOps Report 2024, software delivery performance levels"
# the groups are clusters of answers to a survey, not limits: that of 2024's "medium" failed less often than its "high"
_ANSWERS = {
    "lead_time": (
        "less than one day",
        "between one day and one week",
        "between one week and one month",
        "between one month and six months",
    ),
    "deployment_frequency": (
        "on demand, multiple deployments a day",
        "between once a day and once a week",
        "between once a week and once a month",
        "between once a month and once every six months",
    ),
    "change_failure_rate": ("5 %", "20 %", "10 %", "40 %"),
    "failed_deployment_recovery_time": (
        "less than one hour",
        "less than one day",
        "less than one day",
        "between one week and one month",
    ),
}


def levels(metric: str) -> tuple[Level, ...]:
    """The four levels, elite first; empty for a metric that DORA published none of."""
    names = ("elite", "high", "medium", "low")
    return tuple(Level(name, answer) for name, answer in zip(names, _ANSWERS.get(metric, ()), strict=False))
