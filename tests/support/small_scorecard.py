"""A scorecard's content for tests of its forms and its delivery."""

from typing import Any

from config.metrics import keys, metrics
from config.settings import Settings
from warehouse.storage.older_scorecards import CONTENT_VERSION

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
TARGETS = {metric: Settings(organization="acme").target(metric) for metric in keys()}
SENTENCES: list[tuple[dict[str, str], ...]] = [
    (
        {"text": "Lead Time for Changes", "metric": "lead_time"},
        {"text": " got worse: 3.2 h against 1.6 h in the 12 weeks before."},
    ),
    (
        {"text": "1 of 31 deployments failed: "},
        {"text": "checkout on Friday", "url": "https://github.com/acme/checkout/deployments/1?a=1&b=(2)"},
        {"text": " ("},
        {"text": HOSTILE, "url": "javascript:alert(1)"},
        {"text": ", recovered after 15 minutes)."},
    ),
    ({"text": "Lead Time of payments", "metric": "lead_time", "scope": "team", "name": HOSTILE},),
]
HELD_BACK: tuple[dict[str, str], ...] = (
    {"text": "Lead Time for Changes", "metric": "lead_time", "order": "highest"},
    {"text": " (3.2 h, target < 1 hour): 1 of 4 services holds 62 % of the wait: "},
    {"text": HOSTILE, "metric": "lead_time", "scope": "service", "name": HOSTILE, "order": "highest"},
    {"text": ". Deployed within 8 hours of the merge, as 40 % already are, the median would be 2.1 h."},
)
HOURS: tuple[dict[str, str], ...] = (
    {"text": "71 % of all 2,340 hours to production", "metric": "lead_time", "order": "highest"},
    {"text": " are the wait for deployment (mean 29 h, median 2 h); 29 % the writing."},
)
PLATFORM: list[tuple[dict[str, str], ...]] = [
    (
        {"text": "Golden Path Conformance", "metric": "golden_path_conformance"},
        {"text": " 62 %: the target > 90% is missed."},
    ),
    ({"text": "Missed most: the step Scan, last by "}, {"text": HOSTILE, "url": "javascript:alert(1)"}),
]
STAGE = {
    "name": "Deploy", "seconds": 8424000.0, "share": 0.71, "n": 80, "mean": 105300.0, "median": 7200.0, "p90": 9e5,
}  # fmt: skip


def scorecard(*below: str, scope: str = "organisation", name: str = "acme") -> dict[str, Any]:
    """Week 46 of 2026 as `warehouse.scorecard` makes it, by default the organisation's above the teams `below`."""
    return {
        "version": CONTENT_VERSION,
        "organization": "acme",
        "scope": scope,
        "name": name,
        "week": "2026-W46",
        "week_start": "2026-11-09",
        "week_end": "2026-11-16",
        "timezone": "Europe/Berlin",
        "as_of": "2026-11-16T07:00:00+00:00",
        "definitions": "0.1.0 (0123abcd)",
        "dashboard": "https://sixkeys.acme.example",
        "metrics": [_metric(metric, *VALUES[metric]) for metric in keys()],
        "attainment": {"met": 1, "judged": 4},
        "holding_back": [{"metric": "lead_time", **_sentence(*HELD_BACK)}],
        "hours": {**_sentence(*HOURS), "stages": [STAGE]},
        "sentences": [_sentence(*parts) for parts in SENTENCES],
        "platform": [_sentence(*parts) for parts in PLATFORM],
        "events": [
            {
                "id": "e1",
                "title": HOSTILE,
                "kind": "freeze",
                "scope": "team",
                "name": HOSTILE,
                "resets": True,
                "url": "javascript:alert(1)",
                "first_day": "2026-11-10",
                "last_day": "2026-11-12",
            }
        ],
        "caveats": ["2 incidents belong to no service."],
        "restatements": [
            {
                "metric": "change_failure_rate",
                "name": metrics()["change_failure_rate"].name,
                "unit": "fraction",
                "week": "2026-W45",
                "old": {"value": 0.05, "n": 20},
                "new": {"value": 0.1, "n": 20},
                "why": [
                    {"text": f"deployment {HOSTILE} failed", "url": "https://github.com/acme/checkout"},
                    {"text": "and 12 more"},
                ],
            }
        ],
        "below": [_below(team) for team in below],
    }


def _sentence(*parts: dict[str, str]) -> dict[str, Any]:
    return {"text": "".join(part["text"] for part in parts), "parts": [dict(part) for part in parts]}


def _below(team: str) -> dict[str, Any]:
    shown = ("metric", "name", "short", "value", "unit", "n", "counts", "target", "status")
    told = [_metric(metric, *VALUES[metric]) for metric in keys()]
    metric = [{key: of[key] for key in shown} for of in told]
    return {"scope": "team", "name": team, "metrics": metric, "attainment": {"met": 1, "judged": 4}}


def _metric(id: str, value: float | None, n: int, status: str) -> dict[str, Any]:
    declared, target = metrics()[id], TARGETS[id]
    previous = None if value is None else value * 1.25
    weeks = [
        {"week": f"2026-W{week}", "value": previous if week % 5 else None, "n": n, "status": status}
        for week in range(35, 46)
    ]
    return {
        "metric": id,
        "name": declared.name,
        "short": declared.short,
        "value": value,
        "unit": declared.unit,
        "target": target.text if target else None,
        "status": status,
        "n": n,
        "counts": declared.fact,
        "limit": target.limit if target else None,
        "floor": declared.floor,
        "rule": declared.rule,
        "partial": False,
        "provisional": False,
        "p75": value * 2 if value and declared.unit == "seconds" else None,
        "p90": value * 3 if value and declared.unit == "seconds" else None,
        "previous": previous,
        "previous_n": n,
        "usual": None
        if value is None
        else {"centre": value * 2, "lower": value, "upper": value * 3, "n": 12},
        "change": {
            "kind": "signal" if id == "lead_time" else "normal",
            "direction": "up" if id == "lead_time" else None,
            "is_better": False if id == "lead_time" else None,
            "reason": "3.2 h against 1.6 h in the 12 weeks before" if id == "lead_time" else "",
        },
        "attainment": {"met": 3, "judged": 12, "missed_since": "2026-10-05", "or_before": False},
        "history": [*weeks, {"week": "2026-W46", "value": value, "n": n, "status": status}],
        "last_known": None,
    }
