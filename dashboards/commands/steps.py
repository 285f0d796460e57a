"""The steps that several commands take, with what they tell the user on the way.

Packages are imported inside, so that `sixkeys --help` answers at once.
"""

import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboards.commands.options import say

if TYPE_CHECKING:
    from config.settings import Settings
    from dashboards.delivery.deliver import Delivery
    from dashboards.delivery.parcels import Parcel
    from warehouse.building.steps import OpenEngine
    from warehouse.metrics.facts import Facts
    from warehouse.metrics.moved_numbers import PublishedNumbers
    from warehouse.metrics.values import Scope


def read_settings(config: Path, warehouse: Path | None) -> "Settings":
    """The settings in the file `config`, with another warehouse if one was named. Raises ConfigurationError."""
    from config.errors import ConfigurationError
    from config.settings import load_settings
    from config.text.legible import is_text

    settings = load_settings(config)
    if warehouse:
        settings = settings.model_copy(update={"warehouse": warehouse.resolve()})
    if not is_text(str(settings.warehouse)):
        raise ConfigurationError(
            f"{settings.warehouse}: the path is not UTF-8; rename the folder, or name another one"
        )
    return settings


@contextmanager
def opened_facts(settings: "Settings", asked: Mapping[str, str] | None = None) -> Iterator["Facts"]:
    """The published facts; says so where they are not the newest. Raises NoFacts.

    Where numbers are `asked` for, also which sources of theirs could not be read, and since when.
    """
    from warehouse.metrics.pooled import names_only
    from warehouse.metrics.published_facts import open_facts
    from warehouse.scorecards.caveats import unread

    with open_facts(settings.warehouse) as facts:
        if facts.warning:
            say(f"sixkeys: {facts.warning}")
        for sentence in [] if asked is None else unread(facts, settings, names_only(asked)):
            say(sentence)
        yield facts


def collect_all(
    settings: "Settings",
    source: str | None = None,
    since: date | None = None,
    now: datetime | None = None,
    replay: bool = False,
) -> bool:
    """Collects with its progress shown; whether any source failed."""
    from dashboards.commands import terminal
    from dashboards.commands.progress_display import shown_on
    from warehouse.pipeline import collect as collect_sources

    with shown_on(terminal.console(sys.stderr)) as progress:
        runs = collect_sources(settings, progress, source, since, now, replay)
    if replay and not runs:
        say("nothing is in the quarantine")
    return any(run.error for run in runs)


def build_facts(
    settings: "Settings",
    says_what_moved: bool = False,
    engine: "OpenEngine | None" = None,
    is_full: bool = False,
) -> None:
    """Builds the facts, on this machine unless another `engine` is given; all of them anew where `is_full`.

    Says which of the organisation's numbers move where other definitions made the ones before.
    """
    from warehouse.building.steps import on_this_machine
    from warehouse.metrics.definitions import definitions
    from warehouse.metrics.moved_numbers import is_of_other_definitions, published_numbers
    from warehouse.pipeline import build_and_export

    is_other = says_what_moved and is_of_other_definitions(settings.warehouse, definitions())
    before = published_numbers(settings) if is_other else None
    say(f"built {build_and_export(settings, datetime.now(UTC), engine or on_this_machine, is_full)}")
    if is_other:
        say("the definitions changed; CHANGELOG.md has each")
    if before:
        say_what_moved(settings, before)
    elif is_other:
        say("which numbers that moves cannot be told: the facts of before lack what is asked of facts today")


def build_for_this_version(settings: "Settings") -> None:
    """Builds the facts anew, as of when they were built, where another version of Sixkeys built them."""
    from config.errors import SixkeysError
    from warehouse.metrics.published_facts import NoFacts, OtherFacts, open_facts
    from warehouse.pipeline import build_and_export

    try:
        with open_facts(settings.warehouse):
            return
    except OtherFacts:
        with open_facts(settings.warehouse, any_version=True) as facts:
            as_of = facts.as_of
    except NoFacts:
        return
    say("the facts were built by another version of Sixkeys; building them anew")
    try:
        say(f"built {build_and_export(settings, as_of)}")
    except SixkeysError as error:  # the next collection builds as well
        say(f"sixkeys: {error}")


def say_what_moved(settings: "Settings", before: "PublishedNumbers") -> None:
    """Tells which of the organisation's numbers are not what they were `before`, with the reasons."""
    from config.metrics import metrics
    from dashboards.figures import formats
    from warehouse.metrics.moved_numbers import moved_since, published_numbers

    after = published_numbers(settings, (before.start, before.end))
    found = moved_since(before, after) if after else []
    for one in found:
        was, now = (
            f"{formats.figure(value.value, value.unit)} ({formats.counted(value.n, metrics()[value.metric].fact)},"
            f" {formats.STATUSES[value.status].word})"
            for value in (one.before, one.after)
        )
        why = "; ".join(f"{n:+,} {reason}" for reason, n in one.reasons.items())
        say(f"{metrics()[one.before.metric].name}: {was} -> {now}{f'; left out: {why}' if why else ''}")
    if not found:
        say("none of the organisation's numbers moves")


def make_scorecards(
    settings: "Settings",
    week: str | None = None,
    of: "tuple[Scope, str] | None" = None,
    publish: bool = True,
    send: bool = True,
    again: bool = False,
    tell: Callable[[str], None] = say,
) -> tuple[list[dict[str, Any]], bool]:
    """The scorecard `of` a scope and name, or those of all, published and delivered if wanted; whether one failed.

    What is published is written to the directory too. One that fails is not among them, and costs no other. What
    was delivered to whom goes to `tell`.
    """
    from dashboards.delivery.deliver import deliver
    from warehouse.scorecards.content import scorecard, scorecards
    from warehouse.scorecards.delivery_book import delivering

    failures: list[str] = []
    with delivering(settings.warehouse) if send or publish else nullcontext():
        with opened_facts(settings) as facts:
            found = [scorecard(facts, settings, week, *of)] if of else scorecards(facts, settings, week)
            if publish:
                found = _published(facts, settings, found, failures)
        parcels = _scorecard_parcels(settings, found, failures) if send or publish else []
        parcels = [one for one in parcels if send or one.channel == "directory"]
        failed = _told(deliver(settings, parcels, by_hand=True, again=again), tell) if parcels else False
    return found, failed or bool(failures)


def say_first_delivery(facts: "Facts", settings: "Settings") -> None:
    """Announces the first scorecard that leaves by itself, as long as none has."""
    from dashboards.scorecards.content import announcement
    from warehouse.scorecards.due_weeks import first_delivery

    if first := first_delivery(facts, settings.schedule.scorecard):
        say(announcement(first))


def deliver_due(settings: "Settings", now: datetime) -> bool:
    """Delivers the scorecards that are due and alerts, each once; whether anything failed, which costs nothing else."""
    from dashboards.delivery.alert_parcels import alert_parcels
    from dashboards.delivery.deliver import deliver
    from warehouse.scorecards.alerts import evaluate
    from warehouse.scorecards.delivery_book import DeliveryInProgress, delivering

    failures: list[str] = []
    parcels: list[Parcel] = []
    try:
        with delivering(settings.warehouse):
            with opened_facts(settings) as facts:
                with _by_itself(settings, "scorecards", failures):
                    parcels += _due_parcels(facts, settings, now, failures)
                if settings.reports.alerts:
                    with _by_itself(settings, "alerts", failures):
                        for alert in evaluate(facts, settings):
                            with _by_itself(settings, f"alert of {alert.scope} {alert.name}", failures):
                                parcels += alert_parcels([alert], settings)
            return _told(deliver(settings, parcels)) or bool(failures)
    except DeliveryInProgress as busy:
        say(f"sixkeys: {busy}")
        return False


def _due_parcels(facts: "Facts", settings: "Settings", now: datetime, failures: list[str]) -> "list[Parcel]":
    """The parcels of the last complete week's scorecards, once they are due and there is something to tell.

    Those of a week that had ended before the first build stay here: nobody has looked at anything yet.
    """
    from warehouse.metrics.periods import iso_week, midnight
    from warehouse.scorecards.content import scorecards
    from warehouse.scorecards.due_weeks import due, first_week
    from warehouse.scorecards.published import frozen

    monday = due(settings.schedule.scorecard, settings.timezone, now)
    if monday is None:
        return []
    week = iso_week(monday)
    if monday < first_week(facts):
        say(f"{week} had ended before the first build, so it is not sent by itself")
        say_first_delivery(facts, settings)
        return []
    if facts.as_of < midnight(facts, monday + timedelta(days=7)):
        say(f"{week} had not ended at the last collection; it is sent after the next")
        return []
    found = scorecards(facts, settings, week)
    if not frozen(settings.warehouse, week):
        if unread := _unread(facts, found):
            say(
                f"{week} has no number, since the last reading of {unread} failed; it is sent"
                ' once it was read, or by "sixkeys scorecard --send"'
            )
            return []
        _tell_unmatched(settings, found)
    return _scorecard_parcels(settings, _published(facts, settings, found, failures), failures)


@contextmanager
def _by_itself(settings: "Settings", what: str, failures: list[str]) -> Iterator[None]:
    """Lets `what` fail without anything else: it is told in a line, and is among the `failures`."""
    from config.errors import SixkeysError
    from warehouse.loading.fault_log import unforeseen
    from warehouse.loading.redaction import redact
    from warehouse.storage.older_scorecards import UnreadableScorecard

    try:
        yield
    except Exception as error:
        told = str(error)
        if not isinstance(error, SixkeysError):
            told = unforeseen(settings, error, what, uuid.uuid4().hex)
        elif not isinstance(error, UnreadableScorecard):
            raise  # it is of the warehouse or of the whole week, and so of the others too
        say(f"sixkeys: {' '.join(redact(settings, told).split())}")
        failures.append(what)


def _tell_unmatched(settings: "Settings", found: "Sequence[dict[str, Any]]") -> None:
    known = {(one["scope"], one["name"]) for one in found}
    for scope, name in settings.reports.named():
        if (scope, name) not in known:
            say(
                f'sixkeys: reports.{scope}s names "{name}", and no {scope} of that name has a scorecard this week;'
                " check the name"
            )


def _unread(facts: "Facts", found: "Sequence[dict[str, Any]]") -> str:
    """The sources whose last run failed, where nothing of the week was read; empty otherwise."""
    from warehouse.metrics.units import listed
    from warehouse.trust.runs_and_doubts import last_runs

    (organisation,) = [one for one in found if one["scope"] == "organisation"]
    failed = [run.source for run in last_runs(facts) if run.status == "failed"]
    is_empty = all(metric["status"] == "no data" for metric in organisation["metrics"])
    return listed(failed) if is_empty and failed else ""


def _published(
    facts: "Facts", settings: "Settings", found: "Sequence[dict[str, Any]]", failures: list[str]
) -> list[dict[str, Any]]:
    """The scorecards of one week, frozen where they were not yet; those that cannot be are among the `failures`."""
    from dashboards.scorecards.published_forms import made
    from warehouse.scorecards.published import frozen, kept_as, publish

    known = frozen(settings.warehouse, found[0]["week"])
    published = []
    for one in found:
        with _by_itself(settings, _whose(one), failures):
            published.append(known.get(kept_as(one)) or publish(facts, settings, one, made))
    return published


def _scorecard_parcels(
    settings: "Settings", found: "Sequence[dict[str, Any]]", failures: list[str]
) -> "list[Parcel]":
    from dashboards.delivery.scorecard_parcels import scorecard_parcels

    parcels: list[Parcel] = []
    for one in found:
        with _by_itself(settings, _whose(one), failures):
            parcels += scorecard_parcels([one], settings)
    return parcels


def _whose(one: "dict[str, Any]") -> str:
    return f"scorecard of {one['scope']} {one['name']}, {one['week']}"


def _told(deliveries: "Sequence[Delivery]", tell: Callable[[str], None] = say) -> bool:
    """Tells of each that it was delivered, and says why not; whether one failed."""
    for delivery in deliveries:
        (say if delivery.error else tell)(str(delivery))
    return any(delivery.error for delivery in deliveries)


def run_dashboard(config: Path, warehouse: Path | None, host: str, port: int) -> None:
    """Runs the dashboard and prints its address; returns when somebody stops it."""
    from dashboards.server import process as service

    with service.running_process(config, warehouse, host, port) as (address, process):
        print(f"The dashboard is at {address} (Ctrl-C ends it)", flush=True)
        service.until_stopped(process)
