"""Targets in words, `< 30 minutes`, `> 10/day`, `< 5%`, `> 4.5/5`, and for whom the configuration states them."""

import difflib
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from config.fields import Day, Section
from config.metrics import Metric, find, metrics
from config.names import same_key
from config.text.quoting import LONGEST_VALUE, quoted

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
# dimension -> unit as written -> factor that turns the number into the metric's own unit
_UNITS: dict[str, dict[str, float]] = {
    "duration": {"minute": 60, "minutes": 60, "hour": 3600, "hours": 3600, "day": 86400, "days": 86400},
    "rate": {"/day": 1, "/week": 1 / 7},
    "share": {"%": 0.01},
    "score": {"/5": 1},
}
_EXAMPLES = {"duration": "< 30 minutes", "rate": "> 10/day", "share": "< 5%", "score": "> 4.5/5"}
_TARGET = re.compile(r"\s*(<=|>=|<|>)\s*(\d+(?:\.\d+)?)\s*(\S.*?)\s*")


@dataclass(frozen=True)
class Target:
    """A limit on a metric's value; `limit` is in the metric's own unit, `text` as the user wrote it."""

    comparison: str
    limit: float
    text: str

    def met_by(self, value: float) -> bool:
        """Whether the unrounded `value` is on the right side of the limit."""
        return _COMPARISONS[self.comparison](value, self.limit)


@cache
def parse_target(text: str, metric: Metric) -> Target:
    """The target that `text` states for `metric`.

    Raises ValueError with a sentence that says what is wrong and an example that works.
    """
    example = f'write it like "{_EXAMPLES[metric.dimension]}"'
    found = _TARGET.fullmatch(text) if len(text) <= LONGEST_VALUE else None
    if not found:
        raise ValueError(f"{quoted(text)} is not a target; {example}")
    comparison, number, unit = found.groups()
    factors = _UNITS[metric.dimension]
    factor = factors.get(" ".join(unit.lower().split()))
    if factor is None:
        known = ", ".join(factors)
        raise ValueError(
            f"the unit {quoted(unit)} does not fit {metric.name}, which takes {known}; {example}"
        )
    # a percentage is divided, not multiplied: 5 * 0.01 is not the float 0.05 for every number
    limit = float(number) / 100 if unit == "%" else float(number) * factor
    return Target(comparison, limit, text)


def parse_size(text: str, metric: Metric) -> float:
    """A size in the metric's own unit, written as a target without its comparison: `2 hours`, `1/week`, `2%`, `0.3/5`.

    Raises ValueError with a sentence that says what is wrong and an example that works.
    """
    try:
        return parse_target(f"> {text}", metric).limit
    except ValueError:
        units = ", ".join(_UNITS[metric.dimension])
        example = _EXAMPLES[metric.dimension].split(maxsplit=1)[1]
        raise ValueError(
            f'{quoted(text)} is not a size of {metric.name}, which takes {units}; write it like "{example}"'
        ) from None


class Goal(Section):
    """The day `by` which a target is to be met, and the one from which on the way there is measured."""

    by: Day
    since: Day = Field(alias="from")

    @model_validator(mode="after")
    def _in_order(self) -> "Goal":
        if self.by <= self.since:
            raise ValueError(f'ends on {self.by}, not after it begins; write "by" as a day after "from"')
        return self


class TargetOverride(Section):
    """A target that holds for one team, group, system or service, with a goal of its own where it has one."""

    team: str | None = None
    group: str | None = None
    system: str | None = None
    service: str | None = None
    target: str
    goal: Goal | None = None

    @model_validator(mode="after")
    def _one_scope(self) -> "TargetOverride":
        if [self.team, self.group, self.system, self.service].count(None) != 3:
            raise ValueError("names one of team, group, system or service")
        return self

    @property
    def scope(self) -> tuple[str, str]:
        """(`team`, its name), and so on."""
        return next(
            (k, v) for k in ("team", "group", "system", "service") if (v := getattr(self, k)) is not None
        )


@dataclass(frozen=True)
class HeldTarget(Target):
    """A target that holds somewhere, and where it is stated: for a `scope`, all of it or the one called `name`."""

    scope: str
    name: str | None
    goal: Goal | None


class MetricTarget(Section):
    """A metric as the user names and describes it, with its targets in words.

    `target` is the organisation's; the other levels have theirs, and `overrides` are of one team, group, system or
    service.
    """

    name: str
    description: str = ""
    target: str
    team_target: str | None = None
    group_target: str | None = None
    system_target: str | None = None
    service_target: str | None = None
    goal: Goal | None = None
    overrides: list[TargetOverride] = []

    @model_validator(mode="after")
    def _parses(self) -> "MetricTarget":
        metric = find(self.name)
        if metric is None:
            known = [m.names[0] for m in metrics().values()]
            near = difflib.get_close_matches(self.name[:LONGEST_VALUE], known, n=1, cutoff=0.3)
            meant = (near or known)[0]
            raise _mistake(("name",), f'{quoted(self.name)} is not a metric; did you mean "{meant}"?')
        for location, text in self._texts().items():
            try:
                parse_target(text, metric)
            except ValueError as error:
                raise _mistake(location, str(error)) from None
            if metric.fact == "responses" and location[0] in ("system_target", "service_target"):
                raise _mistake(location, "people are asked by team, so there is no such number; remove it")
        return self

    def _texts(self) -> dict[tuple[str | int, ...], str]:
        keys = ("target", "team_target", "group_target", "system_target", "service_target")
        found: dict[tuple[str | int, ...], str] = {
            (key,): text for key in keys if (text := getattr(self, key))
        }
        return found | {("overrides", i, "target"): one.target for i, one in enumerate(self.overrides)}

    def stated(self, scope: str, name: str | None = None) -> HeldTarget | None:
        """The target that is stated for what of a level is called `name`, else for all of the level."""
        metric = find(self.name)
        if metric is None:
            return None
        if name is not None:
            for one in self.overrides:
                if one.scope[0] == scope and same_key(one.scope[1]) == same_key(name):
                    return _held(parse_target(one.target, metric), *one.scope, one.goal or self.goal)
        text = self.target if scope == "organisation" else getattr(self, f"{scope}_target")
        return _held(parse_target(text, metric), scope, None, self.goal) if text else None

    def holding(
        self, scope: str, name: str | None, above: Sequence[tuple[str, str]] = ()
    ) -> HeldTarget | None:
        """The target that holds for a scope: its own, else the nearest that is stated `above` it, nearest first.

        A frequency is not inherited, and people are asked by team.
        """
        metric = find(self.name)
        if metric is None or (metric.fact == "responses" and scope in ("system", "service")):
            return None
        chain: list[tuple[str, str | None]] = [(scope, name)]
        if metric.dimension != "rate":
            chain += [*above, ("organisation", None)]
        return next((found for one in chain if (found := self.stated(*one)) is not None), None)


def _held(target: Target, scope: str, name: str | None, goal: Goal | None) -> HeldTarget:
    return HeldTarget(target.comparison, target.limit, target.text, scope, name, goal)


def _mistake(location: tuple[str | int, ...], sentence: str) -> ValidationError:
    # a ValueError would name the entry only, not the key in it
    wrong = PydanticCustomError("target", "{sentence}", {"sentence": sentence})
    details = InitErrorDetails(type=wrong, loc=location, input=None)
    return ValidationError.from_exception_data("MetricTarget", [details])


DEFAULT_TARGETS = [
    MetricTarget(name=name, description=description, target=target)
    for name, description, target in (
        ("Time to First Commit (TTFC)", "Time from repo creation to first commit", "< 30 minutes"),
        ("Deployment Frequency", "How often deployments occur", "> 10/day"),
        ("Lead Time for Changes", "Time from commit to production", "< 1 hour"),
        ("Change Failure Rate", "% of deployments causing failures", "< 5%"),
        ("MTTR", "Time to recover from failures", "< 30 minutes"),
        ("Developer Satisfaction (DSAT)", "Platform satisfaction score", "> 4.5/5"),
    )
]


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
