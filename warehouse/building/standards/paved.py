"""Whether each service keeps to the paved road: what it is made of and runs on, against what the platform stands by.

Makes `paved_now` (a row per service and aspect on the last reading day) and `paved_days` (a row per service and reading
day). What nobody tells is unknown, and so is what was last told more than 90 days before.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from config.platform_team.paved_road import RoadChoice, choice_of
from config.settings import DEPLOYMENT_SOURCES, Settings
from warehouse.building.standards import paved_names as names
from warehouse.building.standards.paved_names import FoundName, named_by
from warehouse.storage.arrow_tables import create_table

_CHOICES = pa.schema([("aspect", pa.string()), ("choice", pa.string())])
_NOW = pa.schema(
    [
        ("service", pa.string()),
        ("aspect", pa.string()),
        ("on_road", pa.bool_()),
        ("found", pa.string()),
        ("allowed", pa.string()),
        ("reason", pa.string()),
    ]
)
_DAYS = pa.schema(
    [("service", pa.string()), ("day", pa.date32()), ("on_road", pa.bool_()), ("reason", pa.string())]
)
_TOLD_FOR = timedelta(days=90)
_SERVICES = """
select s.service, s.tags, c.depends_on, s.repo, r.language
from services as s
left join catalogue as c on c.name = s.service
left join source.repositories as r on r.repo = s.repo
where s.mapped
order by s.service
"""
_RESOURCES = (
    "select c.name, c.type, c.tags from source.components as c where c.kind = 'Resource' and c.gone_at is null"
    " order by c.name"
)
_DEPLOYED = """
select c.service, cast(local_time(c.at) as date), c.source, c.images
from candidates as c
where c.status = 'success' and c.at is not null and c.told_by is null and c.no_deployment_because is null
order by c.service, c.at, c.source, c.id
"""
_RUN_DAYS = "select distinct r.repo, cast(local_time(r.created_at) as date) from source.workflow_runs as r order by all"


@dataclass
class _Service:
    """What is told of a service; deployments and runs in the order of their days."""

    tags: Sequence[str]
    depends_on: Sequence[str] | None
    language: str | None
    deployed_on: list[date] = field(default_factory=list)
    deployed: list[tuple[str, Sequence[str]]] = field(default_factory=list)
    run_on: Sequence[date] = ()
    _kept: dict[str, Any] = field(default_factory=dict)

    def once(self, what: str, find: Callable[[], Any]) -> Any:
        """What `find` tells, which is the same on each day."""
        if what not in self._kept:
            self._kept[what] = find()
        return self._kept[what]

    def tagged(self, what: str, known: Mapping[str, str]) -> list[FoundName]:
        """What of the known names its tags tell."""
        found: list[FoundName] = self.once(f"{what} tags", lambda: named_by(self.tags, known, "tag"))
        return found

    def last_deployments(self, day: date) -> Iterator[tuple[str, Sequence[str]]]:
        """(source, images) of the deployments in the 90 days up to `day`, the last one first."""
        first, after = bisect_right(self.deployed_on, day - _TOLD_FOR), bisect_right(self.deployed_on, day)
        return (self.deployed[at] for at in range(after - 1, first - 1, -1))

    def has_run(self, day: date) -> bool:
        return bisect_left(self.run_on, day - _TOLD_FOR) < bisect_right(self.run_on, day)


@dataclass(frozen=True)
class _Told:
    """What was found of an aspect; where that is nothing, why. `None` for what a service need not have and has not."""

    found: Sequence[FoundName] = ()
    unknown: str = ""


_Resources = Mapping[str, tuple[str | None, Sequence[str]]]


def create_paved_choices(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """What the platform stands by (`paved_choices`): a row per aspect and choice, as texts that `choice_of` reads."""
    rows = [
        {"aspect": aspect, "choice": str(choice)}
        for aspect, choices in settings.paved_road.choices.items()
        for choice in choices
    ]
    create_table(connection, "paved_choices", pa.Table.from_pylist(rows, schema=_CHOICES))


def find_paved(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes `paved_now` and `paved_days`; both are empty where the platform says nothing of its road."""
    choices: dict[str, list[RoadChoice]] = defaultdict(list)
    for aspect, choice in connection.execute("select c.aspect, c.choice from paved_choices as c").fetchall():
        choices[aspect].append(choice_of(choice))
    judges = _judges(choices)
    days = [
        day for (day,) in connection.execute("select r.day from reading_days as r order by r.day").fetchall()
    ]
    now: list[dict[str, Any]] = []
    by_day: list[dict[str, Any]] = []
    if judges and days:
        resources = {
            name.casefold(): (kind, tags or ())
            for name, kind, tags in connection.execute(_RESOURCES).fetchall()
        }
        for name, service in _services(connection).items():
            for day in days:
                rows = [row for judge in judges if (row := judge(service, resources, day))]
                by_day.append({"service": name, "day": day, **_together(rows)})
            now += [{"service": name, **row} for row in rows]
    create_table(connection, "paved_now", pa.Table.from_pylist(now, schema=_NOW))
    create_table(connection, "paved_days", pa.Table.from_pylist(by_day, schema=_DAYS))


def _services(connection: duckdb.DuckDBPyConnection) -> dict[str, _Service]:
    run_days: dict[str, list[date]] = defaultdict(list)
    for repo, day in connection.execute(_RUN_DAYS).fetchall():
        run_days[repo].append(day)
    found = {
        name: _Service(tags or (), depends_on, language, run_on=run_days.get(repo, ()))
        for name, tags, depends_on, repo, language in connection.execute(_SERVICES).fetchall()
    }
    for name, day, source, images in connection.execute(_DEPLOYED).fetchall():
        if name in found:
            found[name].deployed_on.append(day)
            found[name].deployed.append((source, images or ()))
    return found


def _together(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Whether a service keeps to the road in all of the aspects: one that is off decides, then one that is unknown."""
    off = [row for row in rows if row["on_road"] is False]
    unknown = [row["aspect"] for row in rows if row["on_road"] is None]
    if off:
        return {"on_road": False, "reason": "; ".join(f"{row['aspect']}: {row['reason']}" for row in off)}
    if unknown:
        return {"on_road": None, "reason": f"unknown: {', '.join(unknown)}"}
    return {"on_road": True, "reason": "; ".join(f"{row['aspect']}: {row['found']}" for row in rows)}


_Judge = Callable[[_Service, _Resources, date], dict[str, Any] | None]


def _judges(choices: Mapping[str, Sequence[RoadChoice]]) -> list[_Judge]:
    """By each aspect of which the platform says something, what judges a service on a day."""
    stores = [
        choice for aspect, some in choices.items() if aspect.startswith("databases.") for choice in some
    ]
    caches = [choice for choice in stores if names.plain_name(choice.name) in names.CACHES]
    caches += [choice for choice in choices.get("databases.cache", ()) if choice not in caches]
    told: list[tuple[str, Sequence[RoadChoice], Mapping[str, str], Callable[..., _Told | None]]] = [
        ("runtime", choices.get("runtime", ()), names.RUNTIMES, _runtime),
        ("database", [choice for choice in stores if choice not in caches], names.DATABASES, _databases),
        ("cache", caches, names.CACHES, _caches),
        ("base image", choices.get("base image", ()), names.BASES, _bases),
        ("registry", choices.get("registry", ()), names.REGISTRIES, _registries),
        ("ci", choices.get("ci", ()), names.CI_TOOLS, _ci),
        ("deployment", choices.get("deployment", ()), names.DEPLOYERS, _deployers),
    ]
    return [_judge(*one) for one in told if one[1]]


def _judge(
    aspect: str, choices: Sequence[RoadChoice], known: Mapping[str, str], look: Callable[..., _Told | None]
) -> _Judge:
    allowed = ", ".join(map(str, choices))

    def judge(service: _Service, resources: _Resources, day: date) -> dict[str, Any] | None:
        told = look(service, resources, day)
        if told is None:
            return None
        row = {"aspect": aspect, "allowed": allowed, "found": ", ".join(map(str, told.found)) or None}
        off = [one for one in told.found if not names.is_on(one, choices, known)]
        if off:
            return {**row, "on_road": False, "reason": f"{', '.join(map(str, off))} is none of {allowed}"}
        if told.unknown or not told.found:
            return {**row, "on_road": None, "reason": told.unknown}
        return {**row, "on_road": True, "reason": f"{row['found']} is one of {allowed}"}

    return judge


def _runtime(service: _Service, _: _Resources, __: date) -> _Told:
    if by_tag := service.tagged("runtime", names.RUNTIMES):
        return _Told(by_tag)
    language = names.plain_name(service.language or "")
    if not language or language in names.NO_RUNTIMES:
        return _Told(unknown="neither a tag nor the language of its repository tells what it runs on")
    # a language that nobody thought of is one, too
    return _Told(
        [FoundName(names.RUNTIMES.get(language, service.language or ""), None, "language of its repository")]
    )


def _databases(service: _Service, resources: _Resources, _: date) -> _Told | None:
    found: _Told | None = service.once("databases", lambda: _stores(service, resources, names.DATABASES))
    return found


def _caches(service: _Service, resources: _Resources, _: date) -> _Told | None:
    found: _Told | None = service.once("caches", lambda: _stores(service, resources, names.CACHES))
    return found


def _stores(service: _Service, resources: _Resources, known: Mapping[str, str]) -> _Told | None:
    """What a service keeps data in. Where its tags or dependencies tell of any, it has no other."""
    every = {**names.DATABASES, **names.CACHES}
    by_tag = named_by(service.tags, every, "tag")
    if service.depends_on is None and not by_tag:
        return _Told(unknown="no tag names one, and spec.dependsOn in the catalogue is not there")
    found, nameless = [*by_tag], []
    for name in _depended(service.depends_on or ()):
        kind, tags = resources.get(name.casefold(), (None, ()))
        words = ([*tags], [kind or ""], name.rpartition("/")[2].split("-"))
        engines = next(filter(None, (named_by(told, every, name) for told in words)), [])
        found += engines
        is_store = "database" in (kind or "").lower() or "cache" in (kind or "").lower()
        if is_store and not engines and ("cache" in (kind or "").lower()) == (known is names.CACHES):
            nameless.append(name)
    own = [one for one in found if names.plain_name(one.name) in known]
    if nameless:
        return _Told(own, f"nothing tells what {', '.join(nameless)} is; a tag such as postgresql-15 does")
    return _Told(own) if own else None


def _depended(references: Iterable[str]) -> Iterator[str]:
    """The names of the resources among references such as `resource:default/orders-db`."""
    for reference in references:
        kind, colon, name = reference.partition(":")
        if colon and kind.lower() == "resource":
            yield name[len("default/") :] if name.lower().startswith("default/") else name


def _images(service: _Service, day: date) -> Sequence[str]:
    return next((images for _, images in service.last_deployments(day) if images), ())


def _bases(service: _Service, _: _Resources, day: date) -> _Told:
    if by_tag := service.tagged("base image", names.BASES):
        return _Told(by_tag)
    words = (
        word
        for image in _images(service, day)
        for part in image.split("@")[0].split("/")
        for word in _words(part)
    )
    found = named_by(words, names.BASES, "image")
    return _Told(found, "" if found else "neither a tag nor an image names the base of its images")


def _words(part: str) -> list[str]:
    return part.replace(":", "-").replace("_", "-").split("-")


def _registries(service: _Service, _: _Resources, day: date) -> _Told:
    found = dict.fromkeys(
        FoundName(names.registry_of(image), None, "image") for image in _images(service, day)
    )
    return _Told([*found], "" if found else "no deployment of the 90 days before tells its images")


def _ci(service: _Service, _: _Resources, day: date) -> _Told:
    if by_tag := service.tagged("ci", names.CI_TOOLS):
        return _Told(by_tag)
    if service.has_run(day):
        return _Told([FoundName("GitHub Actions", None, "workflow run")])
    return _Told(unknown="no tag names a tool, and no workflow run of the 90 days before was read")


def _deployers(service: _Service, _: _Resources, day: date) -> _Told:
    source = next((source for source, _ in service.last_deployments(day)), None)
    if source:
        return _Told([FoundName(DEPLOYMENT_SOURCES.get(source, source), None, "last deployment")])
    return _Told(unknown="it was not deployed to production in the 90 days before")
