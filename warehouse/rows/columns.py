"""What each column of an export means: the words at the head of the model that makes its table.

`python -m warehouse.rows.columns > docs/exports.md` writes them where people look.
"""

import re
from functools import cache
from typing import NamedTuple

from warehouse.metrics.definitions import MODELS

TABLES = (
    "services",
    "deployments",
    "changes",
    "incidents",
    "recoveries",
    "repositories",
    "events",
    "path_services",
)
_SAID = re.compile(r"^-- (grain|column \w+): (.+)$", re.MULTILINE)
_METRICS = {
    "grain": "one metric of one scope in one week",
    "metric": "the metric by its name in commands, such as lead_time",
    "scope": "organisation, system, group, team or service",
    "name": "the name of the organisation, system, group, team or service",
    "period_start": "the first day of the week",
    "period_end": "the first day after it",
    "value": "the number in its unit, unrounded; empty where there is none",
    "unit": "seconds, per day, fraction (of 1) or points",
    "n": "how many rows it was computed from",
    "target": "the target that holds for the scope, in words; empty without one",
    "status": "met, missed, insufficient, none, no data, withheld, value (no target), unwatched or not applicable",
    "partial": "whether the week was still running",
    "p75": "the 75th percentile, of what is a median",
    "p90": "the 90th percentile, of what is a median",
    "provisional": "whether an incident may still raise the rate, since its window has not passed",
    "watched": "of a rate of failures, the share of its deployments whose incidents are read",
    "remark": "what to know of the survey rounds behind the number; empty where there is nothing",
}
_SATISFACTION = {
    "grain": "one score of one published group in one closed survey round; never a person's answers",
    "round": "the survey round",
    "closed_on": "the local day on which it closed",
    "scope": "organisation or team",
    "name": "the name of the organisation or team",
    "status": "value, or withheld where so few answered that one could be told",
    "score": "the score, 1 to 5; empty of a group that is withheld",
    "n": "how many respondents gave that score; of a group that is withheld, how many there are",
}


class DescribedColumn(NamedTuple):
    """A column of a file of an export, and what it means."""

    file: str
    column: str
    meaning: str


@cache
def described_columns() -> tuple[DescribedColumn, ...]:
    """Every column of every file of an export, in their order."""
    return tuple(
        DescribedColumn(table, column, meaning)
        for table, said in _tables().items()
        for column, meaning in said.items()
        if column != "grain"
    )


def _tables() -> dict[str, dict[str, str]]:
    """Of each file its columns with their meaning, and as `grain` what a row is."""
    of_models = {
        table: {
            what.removeprefix("column "): words
            for what, words in _SAID.findall((MODELS / "facts" / f"{table}.sql").read_text(encoding="utf-8"))
        }
        for table in TABLES
    }
    return {"metrics": _METRICS, **of_models, "satisfaction": _SATISFACTION}


def exports_page() -> str:
    """The page docs/exports.md."""
    parts = [
        "# The exports",
        "",
        "What [`sixkeys export`](commands.md#sixkeys-export) and"
        " [`reports.export`](configuration.md#exports-after-each-build) write: a file for each\nof these tables, and"
        " `columns.csv` with what is told here. Instants are UTC, days are those of the organisation's `timezone`.\n",
        "`python -m warehouse.rows.columns > docs/exports.md` writes this page, from the heads of the models in"
        " `warehouse/models/facts`.",
    ]
    for table, said in _tables().items():
        parts += ["", f"## `{table}`", "", f"A row is {said['grain']}.", "", "| column | |", "|---|---|"]
        parts += [f"| `{column}` | {meaning} |" for column, meaning in said.items() if column != "grain"]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    print(exports_page(), end="")
