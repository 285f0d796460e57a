"""Why a row counts, in words, and why rows were left out, grouped."""

from collections.abc import Mapping
from typing import Any

FactRow = Mapping[str, Any]

# what is particular to one row of a reason: which incident it was merged into, between which instants, of what a copy
_PARTICULAR = ("merged into ", "shipped at an unknown time ", "the same change as ")
# SQL for the reason of a row `r` without what is particular to it, as `in_common` gives it
IN_COMMON_SQL = (
    "case "
    + " ".join(f"when starts_with(r.reason, '{begin}') then '{begin}…'" for begin in _PARTICULAR)
    + " else r.reason end"
)
_KINDS = {
    "deployment": "the first arrival of this revision in production",
    "roll-forward": "a return to a later revision",
    "configuration change": "a new configuration of the same revision",
    "rollback": "a rollback",
}


def rule(metric: str, row: FactRow) -> str:
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
            arrived = f"authored until deployment {row['deployment_id']}, the first that contains it"
            return "; ".join(filter(None, (arrived, same_in_words(row))))
        case "mttr":
            return "; ".join(filter(None, ("opened until resolved", causes_in_words(row))))
        case "failed_deployment_recovery_time":
            return f"finished until {row['recovered_by']}"
        case "time_to_first_commit":
            return f"created until {row['first_commit_sha'][:10]}, a person's first commit"
        case "golden_path_adoption":
            return f"follows {row['path']}" if row["on_path"] else "follows no golden path"
    return f"{row['n']} respondents whose mean is this score"


def same_in_words(change: FactRow) -> str:
    """ "the same change as 1a2b3c4: cherry-picked" where a commit is one of several of a change; else empty."""
    return (
        f"the same change as {change['same_as'][:7]}: {change['same_because']}" if change["same_as"] else ""
    )


def causes_in_words(incident: FactRow) -> str:
    """ "caused by one of a, b" where several services could be the cause; else empty."""
    services = incident["possible_causes"]
    return f"caused by one of {services}" if services else ""


def in_common(reason: str) -> str:
    """What the reason shares with those of other rows: "merged into …"."""
    return next((f"{begin}…" for begin in _PARTICULAR if reason.startswith(begin)), reason)
