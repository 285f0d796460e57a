"""Why a row counts, in words, and why rows were left out, grouped."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

Row = Mapping[str, Any]

# what is particular to one row of a reason: which incident it was merged into, between which instants
_PARTICULAR = re.compile(r"(?<=^merged into ).*|(?<=^shipped at an unknown time ).*")
_KINDS = {
    "deployment": "the first arrival of this revision in production",
    "roll-forward": "a return to a later revision",
    "configuration change": "a new configuration of the same revision",
    "rollback": "a rollback",
}


def rule(metric: str, row: Row) -> str:
    """The rule that made a row count in `metric`, or how its input came about; empty for a row that is left out."""
    if row["excluded_because"] is not None:
        return ""
    match metric:
        case "deployment_frequency":
            return _KINDS.get(row["kind"], str(row["kind"]))
        case "change_failure_rate":
            return (
                f"failed by {row['failed_by']}: {row['failed_evidence']}"
                if row["failed"]
                else "no evidence of failure"
            )
        case "deployment_rework_rate":
            return f"rework: {row['rework_because']}" if row["rework"] else "no rework"
        case "lead_time":
            return f"authored until deployment {row['deployment_id']}, the first that contains it"
        case "mttr":
            return "opened until resolved"
        case "failed_deployment_recovery_time":
            return f"finished until {row['recovered_by']}"
        case "time_to_first_commit":
            return f"created until {row['first_commit_sha'][:10]}, a person's first commit"
    return f"{row['n']} respondents whose mean is this score"


def left_out(rows: Iterable[Row]) -> dict[str, int]:
    """How many rows were left out for which reason, the most frequent first."""
    reasons = (row["excluded_because"] for row in rows)
    counted = Counter(_PARTICULAR.sub("…", reason) for reason in reasons if reason is not None)
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))
