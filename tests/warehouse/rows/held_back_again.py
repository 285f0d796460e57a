"""Who holds a missed number and what it would be otherwise, worked out in Python from the rows, one by one."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from statistics import fmean, median
from typing import Any

from config.metrics import keys, metrics
from config.settings import Settings
from config.targets import Target
from warehouse.metrics.facts import Facts
from warehouse.metrics.values import Value
from warehouse.rows.holding_back import CAPS
from warehouse.rows.stages import DIRECT, STAGES

Row = dict[str, Any]


@dataclass(frozen=True)
class Tables:
    """The facts of an organisation as lists of rows."""

    settings: Settings
    facts: Facts
    tables: dict[str, list[Row]]

    def rows(self, fact: str, where: dict[str, str], start: date, end: date, reason: str) -> list[Row]:
        return [
            row
            for row in self.tables[fact]
            if row[reason] is None
            and row["day"] is not None
            and start <= row["day"] < end
            and all(row[key] == name for key, name in where.items())
        ]


def read(facts: Facts) -> dict[str, list[Row]]:
    found = {}
    for fact in {metric.fact for metric in keys().values()} | {"covered_days", "without_deployments"}:
        result = facts.connection.execute(f"from {fact}")
        columns = [column[0] for column in result.description]
        found[fact] = [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
    return found


# the holders' amounts, their part, the number otherwise; None: nothing is to be said
Again = tuple[list[float], float | None, float | None] | None


def enough_to_hold_half(amounts: list[float]) -> int:
    """How many of the largest come to half of all, five at most."""
    total, held = sum(amounts), 0.0
    for at, amount in enumerate(amounts[:5], start=1):
        held += amount
        if held >= total / 2 - 1e-6:
            return at
    return min(5, len(amounts))


def first_arrivals(of: Tables, where: dict[str, str], start: date, end: date) -> list[Row]:
    """Of each pull request, and of each commit without one, what the first service it reached has in these days."""
    rows = of.rows("changes", where, date(1970, 1, 1), end, "excluded_because")
    by_item: dict[tuple, list[Row]] = defaultdict(list)
    for row in rows:
        pull = row["pull_request"]
        by_item[(row["repo"], pull) if pull is not None else (row["repo"], row["sha"], "")].append(row)
    found = []
    for item, changes in by_item.items():
        if min(row["day"] for row in changes) < start:
            continue
        if len(item) == 3:
            first = min(changes, key=lambda row: (row["at"], row["service"]))
            seconds = min(row["lead_time_seconds"] for row in changes)
            found.append({"stage": DIRECT, "service": first["service"], "seconds": seconds})
            continue
        by_service: dict[str, Row] = {}
        for row in sorted(changes, key=lambda row: (row["at"], row["sha"])):
            by_service.setdefault(row["service"], row)
        first = min(by_service.values(), key=lambda row: (row["at"], row["service"]))
        for name, (column, _) in STAGES.items():
            known = [row[column] for row in by_service.values() if row[column] is not None]
            if known:
                found.append({"stage": name, "service": first["service"], "seconds": min(known)})
    return found


def lead_time_again(of: Tables, value: Value, where: dict[str, str], target: Target) -> Again:
    spent = first_arrivals(of, where, value.period_start, value.period_end)
    by_stage: dict[str, list[Row]] = defaultdict(list)
    for one in spent:
        by_stage[one["stage"]].append(one)
    name = max(by_stage, key=lambda stage: sum(one["seconds"] for one in by_stage[stage]), default=None)
    if name is None or len(by_stage[name]) < 5:
        return None
    by_service: Counter = Counter()
    for one in by_stage[name]:
        by_service[one["service"]] += one["seconds"]
    amounts = sorted(by_service.values(), reverse=True)
    most = enough_to_hold_half(amounts)
    if most == len(amounts):
        amounts = sorted((one["seconds"] for one in by_stage[name]), reverse=True)
        most = enough_to_hold_half(amounts)
    rows = of.rows("changes", where, value.period_start, value.period_end, "excluded_because")
    overlaps = [overlap(row, name) for row in rows]
    known = sorted(one for one in overlaps if one is not None)
    least = known[ceil(len(known) / 4) - 1]
    kept = [cap for cap in CAPS if cap >= least]
    medians = {
        cap: median(
            row["lead_time_seconds"] - max(0, (own or 0) - cap)
            for row, own in zip(rows, overlaps, strict=True)
        )
        for cap in kept
    }
    meeting = [cap for cap in kept if target.met_by(medians[cap])]
    cap = max(meeting) if meeting else kept[0]
    return amounts[:most], sum(amounts[:most]) / sum(amounts), medians[cap]


def overlap(row: Row, stage: str) -> float | None:
    """The seconds that the change itself was in the stage: both as stretches of time before production."""
    lead = row["lead_time_seconds"]
    if stage == DIRECT:
        return lead if row["pull_request"] is None else None
    names = list(STAGES)
    if row["deploy_seconds"] is None or row[STAGES[stage][0]] is None:
        return None
    until = -sum(row[STAGES[later][0]] or 0 for later in names[names.index(stage) + 1 :])
    since = until - row[STAGES[stage][0]]
    return max(0.0, until - max(since, -lead))


def longest_again(fact: str, column: str) -> Callable[..., Again]:
    def again(of: Tables, value: Value, where: dict[str, str], target: Target) -> Again:
        metric = metrics()[value.metric]
        rows = of.rows(fact, where, value.period_start, value.period_end, metric.excluded)
        entities: dict[tuple, float] = {}
        for row in rows:
            key = tuple(row[name] for name in metric.entity)
            entities[key] = max(row[column], entities.get(key, 0.0))
        amounts = sorted(entities.values(), reverse=True)
        if len(amounts) < 5 or not sum(amounts):
            return None
        most = min(enough_to_hold_half(amounts), len(amounts) // 2)
        middle = median if metric.statistic == "median" else fmean
        return amounts[:most], sum(amounts[:most]) / sum(amounts), middle(amounts[most:])

    return again


def share_again(of: Tables, value: Value, where: dict[str, str], target: Target) -> Again:
    metric = metrics()[value.metric]
    rows = of.rows("deployments", where, value.period_start, value.period_end, metric.excluded)
    because = "failed_by" if metric.input == "failed" else "rework_because"
    by_key: dict[tuple, list[Row]] = defaultdict(list)
    for row in rows:
        by_key[row["source"], row["id"]].append(row)
    entities = []
    for same in by_key.values():
        failing = [row for row in same if row[metric.input]]
        service = min(row["service"] for row in failing or same)
        kinds = [row[because] for row in same if row[because]]
        kind = " ".join(min(kinds).split()[:2]) if failing and min(kinds).startswith("resolved") else None
        entities.append((service, bool(failing), kind or (min(kinds) if kinds else None)))
    failed = sum(one[1] for one in entities)
    if failed < 5:
        return None
    rate = failed / len(entities)

    def excess(service: str) -> float:
        own = [one for one in entities if one[0] == service]
        return sum(one[1] for one in own) - rate * len(own)

    services = sorted({one[0] for one in entities})
    chosen: list[str] = []
    for service in sorted((one for one in services if excess(one) > 1e-12), key=lambda one: -excess(one)):
        rest = [one for one in entities if one[0] not in (*chosen, service)]
        if len(rest) < metric.floor or len(chosen) == 5:
            continue
        chosen.append(service)
        if target.met_by(sum(one[1] for one in rest) / len(rest)):
            break
    if chosen:
        held = [float(sum(one[1] for one in entities if one[0] == service)) for service in chosen]
        rest = [one[1] for one in entities if one[0] not in chosen]
        return held, sum(held) / failed, sum(rest) / len(rest)
    kinds = Counter(one[2] for one in entities if one[1])
    most = max(kinds.values())
    return ([most], most / failed, (failed - most) / len(entities)) if most < failed else None


def rate_again(of: Tables, value: Value, where: dict[str, str], target: Target) -> Again:
    start, end = value.period_start, value.period_end
    rows = of.rows("deployments", where, start, end, "rate_excluded_because")
    if len({(row["source"], row["id"]) for row in rows}) < 5:
        return None
    covered = [
        row for row in of.tables["covered_days"]
        if row["fact"] == "deployments" and start <= row["day"] < end
        and all(row[key] == name for key, name in where.items())
    ]  # fmt: skip
    days = len({row["day"] for row in covered})
    never = {row["service"] for row in of.tables["without_deployments"]}
    own_days = Counter(service for service, _ in {(row["service"], row["day"]) for row in covered})
    counted = Counter(row["service"] for row in rows)
    of_services = [
        (counted[service], n)
        for service, n in own_days.items()
        if service is not None and service not in never and n >= days / 2
    ]
    if len(of_services) < 3:
        by_week: dict[date, set] = defaultdict(set)
        for row in rows:
            same = min(one["day"] for one in rows if (one["source"], one["id"]) == (row["source"], row["id"]))
            by_week[same - timedelta(days=same.weekday())].add((row["source"], row["id"]))
        read_days = {row["day"] for row in covered}
        mondays = {day - timedelta(days=day.weekday()) for day in read_days}
        whole = [m for m in mondays if all(m + timedelta(days=n) in read_days for n in range(7))]
        of_services = [(len(by_week[monday]), 7) for monday in whole]
        if len(of_services) < 4:
            return None
    rates = [n / own for n, own in of_services if n]
    if not rates:
        return None
    usual = median(rates)
    lacking = sorted((usual * own - n, n) for n, own in of_services if n < usual * own)
    if not lacking:
        return None
    would_be = value.value + sum(lack for lack, _ in lacking) / days
    # of those that lack as much the order is that of their names
    return [n for _, n in sorted(lacking, key=lambda one: -one[0])], None, would_be


def score_again(of: Tables, value: Value, where: dict[str, str], target: Target) -> Again:
    if set(where) - {"team"}:
        return None
    rows = [row for row in of.tables["responses"] if row["excluded_because"] is None]
    closed = {row["round"]: row["at"] for row in rows if row["day"] < value.period_end}
    last = max(closed, key=lambda name: closed[name])
    rows = [row for row in rows if row["round"] == last and where.get("team") in (None, row["team"])]
    mean = fmean(row["score"] for row in rows)
    by_team: dict[str, list[Row]] = defaultdict(list)
    for row in [] if where else rows:
        by_team[row["team"]].append(row)
    published = {
        team: [row["score"] for row in own]
        for team, own in by_team.items()
        if team is not None and len(own) >= 5 and not any(row["is_pooled"] for row in own)
    }
    low = sorted(
        (team for team, own in published.items() if mean - fmean(own) >= 0.1),
        key=lambda team: (sum(score - mean for score in published[team]), team),
    )
    chosen: list[str] = []
    for team in low:
        rest = [row["score"] for row in rows if row["team"] not in (*chosen, team)]
        if len(rest) < 5:
            continue
        chosen.append(team)
        if target.met_by(fmean(rest)):
            break
    if chosen:
        rest = [row["score"] for row in rows if row["team"] not in chosen]
        return [fmean(published[team]) for team in chosen], 1 - len(rest) / len(rows), fmean(rest)
    scores = [row["score"] for row in rows]
    under = sum(score < 4 for score in scores)
    return ([4.0], under / len(scores), fmean(max(4.0, one) for one in scores)) if under else None


AGAIN: dict[str, Callable[..., Again]] = {
    "lead_time": lead_time_again,
    "time_to_first_commit": longest_again("repositories", "time_to_first_commit_seconds"),
    "mttr": longest_again("incidents", "open_seconds"),
    "failed_deployment_recovery_time": longest_again("recoveries", "recovery_seconds"),
    "change_failure_rate": share_again,
    "deployment_rework_rate": share_again,
    "deployment_frequency": rate_again,
    "developer_satisfaction": score_again,
}
