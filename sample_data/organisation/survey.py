"""The developer survey: two closed rounds and one that still runs, as the CSV files that a survey tool would export.

Each answer is `platform/recommend`: satisfaction with the platform from 1 to 5, and whether one would recommend
working here from 0 to 10.
"""

import csv
import hashlib
import io
from datetime import datetime, timedelta

from sample_data.work.staff import TEAMS
from sample_data.work.weeks import Weeks

_COLUMNS = [
    "round",
    "respondent",
    "question",
    "team",
    "submitted_at",
    "closes_at",
    "score",
    "scale_min",
    "scale_max",
]
_SCALES = {"platform": (1, 5), "recommend": (0, 10)}

# the week whose Friday closes the round -> team -> one answer a person
ROUNDS: dict[int, dict[str, str]] = {
    6: {
        "storefront": "3/6 4/7 3/5 4/6 3/7 4/8 2/5",
        "fulfilment": "4/6 3/6 3/7 4/7",
        "payments": "4/8 4/7 5/8 4/8 4/9",
        "platform": "4/9 5/9 4/8 5/8 4/8 4/9",
    },
    19: {
        "storefront": "4/7 4/8 4/7 5/8 4/8 4/8 3/6",
        "fulfilment": "3/5 3/6 2/5 3/6",
        "payments": "4/8 5/8 4/8 5/9 4/8",
        "platform": "5/10 5/9 5/8 4/9 5/9 4/8",
    },
    29: {
        "storefront": "4/8 5/8",
        "fulfilment": "",
        "payments": "4/9",
        "platform": "5/9 5/10 4/8",
    },
}


def survey_files(weeks: Weeks) -> dict[str, str]:
    """The files of the rounds, by their path below the configuration's folder."""
    return {f"surveys/{_name(weeks, week)}.csv": _file(weeks, week) for week in ROUNDS}


def _name(weeks: Weeks, week: int) -> str:
    return f"{weeks.at(week, 'Fri 18:00'):%Y-%m}"


def _file(weeks: Weeks, week: int) -> str:
    closes = weeks.at(week, "Fri 18:00")
    opens = min(closes, weeks.at(25, "Fri 18:00")) - timedelta(days=4, hours=8)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    for team, answers in ROUNDS[week].items():
        for number, (answer, person) in enumerate(zip(answers.split(), TEAMS[team], strict=False)):
            respondent = hashlib.sha256(f"survey/{person.email}".encode()).hexdigest()[:10]
            submitted = opens + timedelta(hours=3 * number, minutes=7 * len(team))
            for (question, (least, most)), score in zip(_SCALES.items(), answer.split("/"), strict=True):
                row = [_name(weeks, week), respondent, question, team, _at(submitted), _at(closes)]
                table.writerow([*row, score, least, most])
    return text.getvalue()


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
