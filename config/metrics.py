"""The declarations of `metrics.toml` as objects."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

Statistic = Literal["median", "mean", "rate", "share", "state"]


class Metric(BaseModel):
    """One metric's declaration; see the head of `metrics.toml` for each field."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    group: Literal["keys", "platform"] = "keys"
    name: str
    short: str
    names: tuple[str, ...]
    unit: Literal["seconds", "per day", "fraction", "points"]
    dimension: Literal["duration", "rate", "share", "score"]
    better: Literal["lower", "higher"]
    floor: int
    fact: str
    entity: tuple[str, ...]
    excluded: str
    input: str
    statistic: Statistic
    covered_by: str
    rule: str
    source: str

    @property
    def needs_incidents(self) -> bool:
        """Whether it is a rate of failures, which says nothing of deployments whose incidents nobody reads."""
        return self.fact == "deployments" and self.statistic == "share"


@cache
def metrics() -> dict[str, Metric]:
    """All metrics by id, in the order in which people are shown them."""
    declared = tomllib.loads(Path(__file__).with_name("metrics.toml").read_text(encoding="utf-8"))
    return {id: Metric(id=id, **fields) for id, fields in declared.items()}


@cache
def keys() -> dict[str, Metric]:
    """The metrics of delivery and of satisfaction by id: those that every organisation has, whatever its platform."""
    return {id: metric for id, metric in metrics().items() if metric.group == "keys"}


@cache
def platform_metrics() -> dict[str, Metric]:
    """The metrics of the platform that teams are given, by id."""
    return {id: metric for id, metric in metrics().items() if metric.group == "platform"}


def find(name: str) -> Metric | None:
    """The metric that a user calls `name` (id, short or any of its names, case ignored), or None."""
    return _by_name().get(name.strip().casefold())


@cache
def _by_name() -> dict[str, Metric]:
    return {
        known.casefold(): metric
        for metric in metrics().values()
        for known in (metric.id, metric.short, *metric.names)
    }
