"""A scorecard's content for tests of its forms and its delivery."""

from typing import Any

from config.metrics import metrics
from config.settings import Settings

HOSTILE = "<script>alert(1)</script> **x** [y](http://evil.example) | <!channel> :tada:"
VALUES = {
    "time_to_first_commit": (1200.0, 3, "met"),
    "deployment_frequency": (4.5, 31, "missed"),
    "lead_time": (11520.0, 96, "missed"),
    "change_failure_rate": (0.0504, 31, "missed"),
    "mttr": (None, 0, "none"),
    "developer_satisfaction": (None, 4, "withheld"),
    "failed_deployment_recovery_time": (900.0, 1, "value"),
    "deployment_rework_rate": (0.25, 4, "insufficient"),
}


def scorecard(*below: str, scope: str = "organisation", name: str = "acme") -> dict[str, Any]:
    """Week 46 of 2026 as `warehouse.scorecard` makes it, by default the organisation's above the teams `below`."""
    return {
        "organization": "acme",
        "scope": scope,
        "name": name,
        "week": "2026-W46",
        "week_start": "2026-11-09",
        "week_end": "2026-11-16",
        "timezone": "Europe/Berlin",
        "as_of": "2026-11-16T07:00:00+00:00",
        "metrics": [_metric(metric, *VALUES[metric]) for metric in metrics()],
        "attainment": {"met": 1, "judged": 4},
        "sentences": [{"text": "checkout failed once and was rolled back after 15 min."}, {"text": HOSTILE}],
        "caveats": ["2 incidents belong to no service."],
        "restatements": [],
        "below": [_below(team) for team in below],
    }


def _below(team: str) -> dict[str, Any]:
    shown = ("metric", "name", "value", "unit", "n", "target", "status")
    metric = [{key: _metric(id, *VALUES[id])[key] for key in shown} for id in metrics()]
    return {"scope": "team", "name": team, "metrics": metric, "attainment": {"met": 1, "judged": 4}}


def _metric(id: str, value: float | None, n: int, status: str) -> dict[str, Any]:
    declared, target = metrics()[id], Settings(organization="acme").target(id)
    previous = None if value is None else value * 1.25
    weeks = [
        {"week": f"2026-W{week}", "value": previous if week % 5 else None, "n": n, "status": status}
        for week in range(35, 46)
    ]
    return {
        "metric": id,
        "name": declared.name,
        "value": value,
        "unit": declared.unit,
        "target": target.text if target else None,
        "status": status,
        "n": n,
        "partial": False,
        "p75": value * 2 if value and declared.unit == "seconds" else None,
        "p90": value * 3 if value and declared.unit == "seconds" else None,
        "previous": previous,
        "previous_n": n,
        "history": [*weeks, {"week": "2026-W46", "value": value, "n": n, "status": status}],
    }
