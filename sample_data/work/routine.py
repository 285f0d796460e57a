"""Ordinary working weeks of a service: pull requests, deployments and what breaks, from a fixed seed."""

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import log
from random import Random

from sample_data.work.plans import (
    MAIN,
    PREVIOUS,
    Change,
    Deploy,
    Incident,
    Method,
    Plan,
    Pull,
    Push,
    Release,
    Review,
    Sync,
)
from sample_data.work.staff import CLAUDE, COPILOT, CURSOR, DEPENDABOT, RENOVATE, REVIEW_BOT, Staff
from sample_data.work.weeks import COUNT, Weeks, after_work

_VERBS = (
    "Add",
    "Speed up",
    "Simplify",
    "Handle missing",
    "Validate",
    "Log",
    "Split",
    "Cache",
    "Retry",
    "Document",
)
_LIBRARIES = ("httpx", "pydantic", "sqlalchemy", "boto3", "orjson", "structlog", "uvicorn", "grpcio")
_TROUBLES = (
    "Error rate above 5 %",
    "Latency above 2 s",
    "Queue is not drained",
    "Requests answered with 500",
)


@dataclass(frozen=True)
class Routine:
    """How a service's team works. Pairs are the value in week 0 and in week 25, or those before and since the week in
    which the team works `anew`; times are medians in minutes of office time, `outage` of clock time. `failing` is the
    share of deployments that break something."""

    repo: str
    authors: Sequence[Staff]
    topics: Sequence[str]
    pulls: tuple[float, float]
    methods: Sequence[Method] = ("squash",)
    coding: tuple[float, float] = (240, 240)
    review: tuple[float, float] = (180, 180)
    cadence: str = "merge"
    environments: Sequence[tuple[str, float]] = (("production", 0),)
    deploy: float = 6
    failing: tuple[float, float] = (0.1, 0.1)
    outage: tuple[float, float] = (60, 60)
    pagerduty: str | None = None
    bots: float = 0.1
    reviewed: float = 0.9
    start: int = 0
    anew: int | None = None
    quiet: frozenset[int] = frozenset()
    applications: Sequence[tuple[str, float]] = ()
    github_too: bool = True
    releases: bool = False


class Working:
    """Makes the plans of a routine; `plans` and `incidents` are the result of `run`."""

    def __init__(self, routine: Routine, weeks: Weeks) -> None:
        self.routine, self.weeks = routine, weeks
        self.random = Random(f"acme/{routine.repo}")
        # by themselves, so that who helps moves nothing else
        self.helping = Random(f"acme/{routine.repo}/agents")
        self.plans: list[Plan] = []
        self.incidents: list[Incident] = []
        self._free = weeks.at(routine.start, "Mon 00:00")
        self._shipped = self._free
        self._merged: list[datetime] = []
        self._deployed = self._deployments = 0

    def run(self) -> "Working":
        """Makes all weeks but the quiet ones."""
        weeks = [week for week in range(self.routine.start, COUNT) if week not in self.routine.quiet]
        for week in weeks:
            count = int(self._now(self.routine.pulls, week) + self.random.random())
            for pull in (self._pull(week) for _ in range(count)):
                self._keep(pull)
        for at in self._slots(weeks):
            self._ship(at)
        return self

    def _keep(self, pull: Pull) -> None:
        """Takes a pull request over; one that would land after the end stays open."""
        merged = pull.merged or self.weeks.end
        if self.weeks.week_of(merged) in self.routine.quiet:
            return
        late = merged > self.weeks.end - timedelta(hours=4)
        self.plans.append(self._left_open(pull) if late else pull)
        if not late:
            insort(self._merged, merged)

    def _slots(self, weeks: Sequence[int]) -> list[datetime]:
        """When the team would deploy, in order."""
        if self.routine.cadence == "merge":
            return [at + timedelta(minutes=self._minutes(4)) for at in self._merged]
        days = {"daily": ("Mon", "Tue", "Wed", "Thu"), "twice": ("Tue", "Thu"), "weekly": ("Wed",)}
        days["fortnightly"] = ("Fri",)
        every = 2 if self.routine.cadence == "fortnightly" else 1
        times = [
            self.weeks.at(week, f"{day} 14:00")
            for week in weeks[::every]
            for day in days[self.routine.cadence]
        ]
        return [at + timedelta(minutes=self._minutes(20)) for at in times]

    def _now(self, pair: tuple[float, float], week: int) -> float:
        first, last = pair
        if self.routine.anew is not None:
            return first if week < self.routine.anew else last
        return first + (last - first) * week / (COUNT - 1)

    def _minutes(self, median: float) -> float:
        return self.random.lognormvariate(log(median), 0.55)

    def _left_open(self, pull: Pull) -> Pull:
        reviews = tuple(review for review in pull.reviews if review.at < self.weeks.end)
        commits = tuple(change for change in pull.commits if change.at <= pull.opened) or pull.commits[:1]
        return replace(pull, merged=None, reviews=reviews, commits=commits, labels=("waiting",), ready=None)

    def _pull(self, week: int, hotfix_at: datetime | None = None) -> Pull:
        chance, routine = self.random, self.routine
        topic, verb = chance.choice(routine.topics), chance.choice(_VERBS)
        author = chance.choice(routine.authors)
        minute = chance.randrange(60)
        begin = self.weeks.at(
            week, f"{chance.choice(('Mon', 'Tue', 'Wed', 'Thu'))} {chance.randint(9, 15):02}:{minute:02}"
        )
        title, coding = f"{verb} {topic.rpartition('/')[2].replace('_', ' ')}", routine.coding
        labels: tuple[str, ...] = ()
        commits: tuple[Change, ...]
        bot = hotfix_at is None and chance.random() < routine.bots
        if bot:
            author = chance.choice((DEPENDABOT, RENOVATE))
            title = f"Bump {chance.choice(_LIBRARIES)} to {week + 1}.{chance.randrange(20)}"
            commits = (Change(begin, title, ("requirements.txt",)),)
            opened, labels = begin + timedelta(seconds=20), ("dependencies",)
        else:
            if hotfix_at:
                begin, coding, labels = hotfix_at, (20, 12), ("hotfix",)
                title = f"Mend {topic.rpartition('/')[2].replace('_', ' ')}"
            commits = self._commits(week, begin, title, topic, coding)
            opened = after_work(commits[-1].at, 3)
        draft = not bot and not hotfix_at and chance.random() < 0.15
        ready = after_work(opened, self._minutes(60)) if draft else None
        wait = self._minutes(self._now(routine.review, week)) * (0.1 if hotfix_at else 1)
        reviewers = [person for person in routine.authors if person != author]
        reviews: tuple[Review, ...] = ()
        if reviewers and chance.random() < routine.reviewed:
            reviews = (Review(chance.choice(reviewers), after_work(ready or opened, wait * 0.7)),)
            if chance.random() < 0.2:
                first = Review(REVIEW_BOT, (ready or opened) + timedelta(minutes=2), "COMMENTED")
                reviews = (first, *reviews)
        merged = after_work(max([ready or opened, *(review.at for review in reviews)]), max(1.0, wait * 0.3))
        pull = Pull(
            title,
            author,
            commits,
            opened,
            merged,
            chance.choice(routine.methods),
            reviews=reviews,
            ready=ready,
            labels=labels,
        )
        return pull if bot or hotfix_at else self._with_agents(week, pull)

    def _with_agents(self, week: int, pull: Pull) -> Pull:
        """From the sixth week on ever more pull requests are helped with, and some are an agent's own."""
        chance = self.helping
        if chance.random() >= 0.5 * (week - 5) / (COUNT - 6):
            return pull
        if chance.random() < 0.2:
            own = tuple(replace(each, author=COPILOT, helped_by=pull.author) for each in pull.commits)
            return replace(pull, author=COPILOT, merger=pull.author, commits=own)
        helper = chance.choice((CLAUDE, CLAUDE, CURSOR))
        helped = tuple(
            replace(each, helped_by=helper) if chance.random() < 0.7 else each for each in pull.commits
        )
        return replace(pull, commits=helped)

    def _commits(
        self, week: int, begin: datetime, title: str, topic: str, coding: tuple[float, float]
    ) -> tuple[Change, ...]:
        count = self.random.choice((1, 2, 2, 3))
        changes, at = [], begin
        folder, _, name = topic.rpartition("/")
        for position in range(count):
            test = position == count - 1 and count > 1
            path = f"{folder}/test_{name}.py" if test else f"{topic}.py"
            message = (
                f"Cover {name.replace('_', ' ')}"
                if test
                else title
                if position == 0
                else f"{title}: next part"
            )
            changes.append(Change(at, message, (path,)))
            at = after_work(at, max(1.0, self._minutes(self._now(coding, week)) / count))
        return tuple(changes)

    def _ship(self, at: datetime, hotfix: bool = False) -> None:
        """Deploys main's tip if it is new; sometimes it breaks, and is rolled back or mended."""
        at = max(at, self._free + timedelta(minutes=1))
        week = self.weeks.week_of(at)
        if week in self.routine.quiet or at > self.weeks.end - timedelta(hours=3):
            return
        if bisect_right(self._merged, at) == bisect_right(self._merged, self._shipped):
            return
        self._shipped = at
        if self.routine.releases:
            tag = f"v1.{self._deployed}.0"
            self.plans.append(Release(at.replace(microsecond=0), tag, self.routine.authors[0]))
            self._free = at
        else:
            self._free = self._to_production(at)
        self._deployed += 1
        breaks = self.random.random() < self._now(self.routine.failing, week)
        if breaks and not hotfix and self._deployed > 2 and self.routine.pagerduty:
            self._break(week, self._free)

    def _break(self, week: int, finished: datetime) -> None:
        """An incident, ended by a rollback, by a hotfix, or by itself."""
        opened = finished + timedelta(minutes=self._minutes(25))
        resolved = opened + timedelta(minutes=self._minutes(self._now(self.routine.outage, week)))
        way = self.random.random()
        if way < 0.4 and not self.routine.releases:
            self._free = self._to_production(opened + (resolved - opened) * 0.8, PREVIOUS)
            resolved = max(resolved, self._free + timedelta(minutes=2))
        elif way < 0.75 and after_work(opened, 90) - opened < timedelta(hours=2):
            pull = self._pull(week, after_work(opened, 5))
            if pull.merged and pull.merged < self.weeks.end - timedelta(hours=8):
                self._keep(pull)
                self._ship(pull.merged + timedelta(minutes=2), hotfix=True)
                resolved = max(resolved, self._free + timedelta(minutes=self._minutes(6)))
        if resolved < self.weeks.end:
            self._open_incident(opened, resolved)

    def _open_incident(self, opened: datetime, resolved: datetime) -> None:
        opened, resolved = opened.replace(microsecond=0), resolved.replace(microsecond=0)
        self.incidents.append(
            Incident(
                f"{self.routine.repo}-{len(self.incidents) + 1}",
                self.routine.pagerduty or "",
                self.random.choice(_TROUBLES),
                opened,
                resolved,
                acknowledged=opened + (resolved - opened) * 0.1,
                priority=self.random.choice(("P1", "P2", "P2", "P3")),
            )
        )

    def _to_production(self, at: datetime, what: str = MAIN) -> datetime:
        """Deploys everywhere, one place after the other, what the first of them gets; returns the last finish."""
        at = at.replace(microsecond=0)
        finished = at
        self._deployments += 1
        first: str | None = f"deployment {self._deployments}"
        for application, delay in self.routine.applications:
            commit = at + timedelta(minutes=delay)
            started = commit + timedelta(seconds=75)
            finished = started + timedelta(seconds=self.random.randint(35, 150))
            self.plans.append(Sync(commit, started, finished, application, what, key=first))
            what, first = first or what, None
        if self.routine.applications and not self.routine.github_too:
            return finished
        for environment, delay in self.routine.environments:
            start = at + timedelta(minutes=delay)
            finished = start + timedelta(
                seconds=int(60 * self.routine.deploy * self.random.uniform(0.8, 1.4))
            )
            self.plans.append(Deploy(start, finished, environment, what, key=first))
            what, first = first or what, None
        return finished


def history_before(
    repo: str, authors: Sequence[Staff], topics: Sequence[str], weeks: Weeks, created: datetime
) -> list[Plan]:
    """The commits that a repository created before the 26 weeks has from then."""
    chance = Random(f"before/{repo}")
    ago = -weeks.week_of(created)
    first = created + timedelta(minutes=chance.randint(5, 90))
    pushes: list[Plan] = [Push(first, authors[0], "Begin", ("README.md",))]
    for position, topic in enumerate(topics):
        week = -ago + 1 + position * (ago - 2) // max(1, len(topics))
        at = weeks.at(week, f"Tue {chance.randint(9, 16):02}:{chance.randrange(60):02}")
        name = topic.rpartition("/")[2].replace("_", " ")
        pushes.append(Push(at, chance.choice(authors), f"Add {name}", (f"{topic}.py",)))
    return pushes
