"""What is called a change: by how much each metric has to differ to matter."""

from typing import Annotated

from pydantic import AfterValidator

from config.fields import Section
from config.metrics import find, metrics
from config.targets import parse_size
from config.text.quoting import quoted

LEAST_SIZES = {
    "time_to_first_commit": "10 minutes",
    "deployment_frequency": "1/week",
    "lead_time": "1 hour",
    "change_failure_rate": "2%",
    "mttr": "10 minutes",
    "developer_satisfaction": "0.2/5",
    "failed_deployment_recovery_time": "10 minutes",
    "deployment_rework_rate": "2%",
}


def _sizes(told: dict[str, str]) -> dict[str, str]:
    """The least size of each metric by its id: those `told`, by any of its names, in the place of the default."""
    found: dict[str, str] = {}
    for name, text in told.items():
        metric = find(name)
        if metric is None:
            raise ValueError(f"{quoted(name)} is not a metric; known: {', '.join(metrics())}")
        if metric.id in found:
            raise ValueError(f"{quoted(name)} is told twice; keep one")
        parse_size(text, metric)
        found[metric.id] = text
    return LEAST_SIZES | found


class SignalSettings(Section):
    """What is called a change: by how much each metric has to differ to matter, `least`, by the metric's name."""

    least: Annotated[dict[str, str], AfterValidator(_sizes)] = LEAST_SIZES

    def least_of(self, metric: str) -> float:
        """By how much the metric of this id has to differ to matter, in its own unit."""
        return parse_size(self.least[metric], metrics()[metric])
