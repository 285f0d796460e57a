"""The developer survey: two closed rounds and one that still runs, as the CSV files that a survey tool would export.

Each answer is `platform/recommend`: satisfaction with the platform from 1 to 5, and whether one would recommend
working here from 0 to 10. A form asked the same people what lies behind it, and what is missing.
"""

import csv
import hashlib
import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

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
        "storefront": "4/8 4/8 4/7 4/8 5/8 4/8 3/7",
        "fulfilment": "4/8 4/8 4/7 5/8",
        "payments": "4/8 4/8 5/8 4/8 4/9",
        "platform": "4/9 5/9 4/8 5/8 4/8 4/9",
    },
    19: {
        "storefront": "5/10 5/9 5/9 5/10 5/9 5/9 4/8",
        "fulfilment": "4/8 4/8 4/7 4/8",
        "payments": "5/9 5/10 4/8 5/10 5/9",
        "platform": "5/10 5/9 5/8 4/9 5/9 4/8",
    },
    29: {
        "storefront": "5/9 5/10",
        "fulfilment": "",
        "payments": "5/9",
        "platform": "5/9 5/10 4/8",
    },
}

# as above, `deploys/documentation` of the form: no, sometimes or yes, and 1 to 5
FORMS: dict[int, dict[str, str]] = {
    6: {
        "storefront": "N/3 S/4 N/3 S/3 S/4 N/4 N/2",
        "fulfilment": "N/3 N/2 S/3 N/3",
        "payments": "S/4 S/4 Y/4 S/3 S/4",
        "platform": "Y/3 Y/4 Y/3 Y/4 S/3 Y/4",
    },
    19: {
        "storefront": "S/3 Y/4 S/3 Y/3 Y/4 S/4 S/2",
        "fulfilment": "N/2 S/2 N/2 N/3",
        "payments": "S/4 Y/4 S/4 Y/4 S/4",
        "platform": "Y/3 Y/3 Y/3 Y/4 Y/3 Y/4",
    },
}
# by the person's place in the team
COMMENTS: dict[int, dict[str, dict[int, str]]] = {
    6: {
        "storefront": {0: "Deployments wait for the one free slot in the afternoon."},
        "platform": {2: "We answer the same questions again and again."},
    },
    19: {
        "storefront": {
            1: "Deploying by ourselves is a relief.",
            6: "I never know which page of the documentation is the current one.",
        },
        "fulfilment": {2: "Nobody asked us before the move to the new scanner."},
        "platform": {
            0: "More time for the paved road, please.",
            3: "The template for Python services is good now.",
        },
    },
}
_ANSWERS = {"N": "No", "S": "Sometimes", "Y": "Yes"}
_FORM_COLUMNS = [
    *("Timestamp", "Person", "Your team", "Round", "Closes"),
    *("I can deploy whenever I want", "I find what I need in the documentation", "What is missing?"),
]


def survey_files(weeks: Weeks) -> dict[str, str]:
    """The files of the rounds, by their path below the configuration's folder."""
    scores = {f"surveys/{_name(weeks, week)}.csv": _file(weeks, week) for week in ROUNDS}
    return scores | {f"forms/{_name(weeks, week)}.csv": _form(weeks, week) for week in FORMS}


def _name(weeks: Weeks, week: int) -> str:
    return f"{weeks.at(week, 'Fri 18:00'):%Y-%m}"


def _file(weeks: Weeks, week: int) -> str:
    closes = weeks.at(week, "Fri 18:00")
    rows = []
    for team, respondent, submitted, number in _people(weeks, week, ROUNDS):
        answer = ROUNDS[week][team].split()[number]
        for (question, (least, most)), score in zip(_SCALES.items(), answer.split("/"), strict=True):
            row = [_name(weeks, week), respondent, question, team, _at(submitted), _at(closes)]
            rows.append([*row, score, least, most])
    return _csv(_COLUMNS, rows)


def _form(weeks: Weeks, week: int) -> str:
    closes = _at(weeks.at(week, "Fri 18:00"))
    rows = []
    for team, respondent, submitted, number in _people(weeks, week, FORMS):
        deploys, documentation = FORMS[week][team].split()[number].split("/")
        said = COMMENTS[week].get(team, {}).get(number, "")
        about = [_at(submitted), respondent, team, _name(weeks, week), closes]
        rows.append([*about, _ANSWERS[deploys], documentation, said])
    return _csv(_FORM_COLUMNS, rows)


def _people(
    weeks: Weeks, week: int, rounds: dict[int, dict[str, str]]
) -> Iterator[tuple[str, str, datetime, int]]:
    """(team, what stands for the person, when they answered, their place in the team) of each who answered."""
    opens = min(weeks.at(week, "Fri 18:00"), weeks.at(25, "Fri 18:00")) - timedelta(days=4, hours=8)
    for team, answers in rounds[week].items():
        for number, person in enumerate(TEAMS[team][: len(answers.split())]):
            respondent = hashlib.sha256(f"survey/{person.email}".encode()).hexdigest()[:10]
            yield team, respondent, opens + timedelta(hours=3 * number, minutes=7 * len(team)), number


def _csv(columns: list[str], rows: list[list[Any]]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    table.writerows(rows)
    return text.getvalue()


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
