"""What the applications of Argo CD run, as far as guardrails ask for it.

An application is read where its sync changed since it was read last, once a day at most, and once a week in any case:
a request each. An unchanged one costs nothing.
"""

import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from collectors.argocd.applications import AboutApplication, about_application
from collectors.argocd.reduction import reduced
from collectors.argocd.shapes import wrong_identity
from collectors.contract.items import (
    Checkpoint,
    Item,
    Malformed,
    Resume,
    SetAside,
    SourceError,
    key_of_fields,
    record_or_malformed,
)
from collectors.contract.managed_objects import ManagedObject
from collectors.contract.records import Coverage
from collectors.transport import cost
from collectors.transport.in_order import in_order
from collectors.transport.json_api import Api
from collectors.transport.json_values import as_instant, mapping, read_json, text
from config.sources import ArgoCD

# what is read daily may be read a little earlier than the day before
_A_DAY, _A_WEEK = timedelta(hours=20), timedelta(days=7)
# an answer that is none may hold anything: it is not quoted, so none is left to those who would
_ANY_REFUSAL = range(300, 600)
# what refuses one application refuses all
_OF_ALL = {
    401: "the token is wrong or expired: set sources.argocd.token",
    429: "the rate limit is used up: run it again later or less often",
    **dict.fromkeys((502, 503, 504), "try again later"),
}
_ObjectKey = tuple[str, str, str]


@dataclass(frozen=True)
class Guarded:
    """Whose objects are read: those of which `is_production` says so (of name, project, cluster, namespace).

    `stored` gives what was read last of each application, by its unit.
    """

    is_production: Callable[..., bool]
    stored: Callable[[], Mapping[str, Sequence[ManagedObject]]]


def read_managed(
    api: Api, source: ArgoCD, resume: Resume, guarded: Guarded, items: Iterable[Any], at_once: int
) -> Iterator[Item]:
    """Objects that are new, changed or gone, and what is known of each application; a checkpoint where one is read."""
    due: list[_Managed] = []
    for item in items:
        if wrong_identity(item):
            continue
        about = about_application(source, item)
        if not guarded.is_production(about.name, about.project, about.cluster, about.namespace):
            continue
        one = _Managed(api, about, resume, _of_sync(item))
        if one.is_due():
            due.append(one)
        else:
            yield from one.as_before()
    stored = guarded.stored() if due else {}
    done = itertools.count(1)

    def read(one: _Managed) -> Iterator[Item]:
        yield from one.items(stored.get(one.about.unit, ()))
        cost.current_meter().part(next(done), len(due), "applications' objects")

    yield from in_order(read, due, at_once)


def again_managed(cursors: Mapping[str, Any], items: Iterable[SetAside]) -> dict[str, Any]:
    """The cursors with which the applications of which an object was set aside are read anew."""
    moved = dict(cursors)
    for item in items:
        if item.kind in (ManagedObject.TABLE, Coverage.TABLE) and item.key:
            subject = _subject(item.key[1])
            moved[subject] = {**mapping(moved.get(subject)), "asked_at": None}
    return moved


def _subject(unit: str) -> str:
    return f"objects {unit}"


def _of_sync(item: Any) -> str:
    """What changes with whatever an application is compared to, and with how it compares."""
    told = json.dumps(mapping(item, "status", "sync"), sort_keys=True, default=str)
    return hashlib.sha256(told.encode(errors="replace")).hexdigest()[:16]


class _Managed:
    """One application, beside what the last reading left in its cursor."""

    def __init__(self, api: Api, about: AboutApplication, resume: Resume, sync: str) -> None:
        self.api, self.about, self.now, self.sync = api, about, resume.now, sync
        self.before = mapping(resume.cursors.get(_subject(about.unit)))

    def is_due(self) -> bool:
        """Whether it is to be asked for now."""
        asked_at = as_instant(self.before, "asked_at")
        if asked_at is None or self.now - asked_at >= _A_WEEK:
            return True
        return self.now - asked_at >= _A_DAY and not self._is_known()

    def as_before(self) -> Iterator[Item]:
        """What is known without asking: it runs what it ran when it was read, while its sync is the same."""
        if self._is_known():
            yield self._coverage(text(self.before, "from_at"))

    def items(self, stored: Sequence[ManagedObject]) -> Iterator[Item]:
        """What is not as it was `stored`, and what is known from now on."""
        found = self._asked()
        if isinstance(found, str):
            raw, key = json.dumps({"application": self.about.unit}), {"subject": self.about.unit}
            known_by = key_of_fields(Coverage, {"source": ManagedObject.TABLE, **key})
            yield Malformed(Coverage.TABLE, self.about.name, found, raw, known_by)
            yield self._checkpoint({})
            return
        before = {_key(one): one for one in stored if not one.is_gone}
        met: set[_ObjectKey] = set()
        for item in found:
            if (told := reduced(item)) is None:
                continue
            fields, reason = self._common(self.now) | told[0], told[1]
            record = record_or_malformed(ManagedObject, self.about.name, fields, {})
            if isinstance(record, ManagedObject) and _key(record) not in met:
                met.add(_key(record))
                was = before.get(_key(record))
                if was is None or _content(record) != _content(was):
                    yield record
            if reason or isinstance(record, Malformed):
                yield self._set_aside(fields, reason or "cannot be read")
        for kind, namespace, name in sorted(before.keys() - met):
            gone: dict[str, Any] = {"kind": kind, "namespace": namespace, "name": name, "is_gone": True}
            yield ManagedObject(**self._common(self.now), **gone)
        from_at = text(self.before, "from_at") or self.now.isoformat()
        yield self._coverage(from_at)
        yield self._checkpoint({"from_at": from_at})

    def _is_known(self) -> bool:
        return self.before.get("sync") == self.sync and text(self.before, "from_at") is not None

    def _asked(self) -> list[Any] | str:
        """The application's objects as Argo CD tells them, or why it does not."""
        path = f"/api/v1/applications/{quote(self.about.name, safe='')}/managed-resources"
        response = self.api.send(path, self.about.asked_by, accept=_ANY_REFUSAL)
        if advice := _OF_ALL.get(response.status_code):
            raise SourceError(f"{self.api.source}: {path} answered {response.status_code}; {advice}")
        if not response.is_success:
            advice = "; give the token `get` on applications" if response.status_code == 403 else ""
            return f"what it runs is unknown until it can be read: Argo CD answered {response.status_code}{advice}"
        try:
            answer = read_json(response.content.decode("utf-8-sig"))
        except ValueError:
            return "what it runs is unknown until it can be read: Argo CD answered with no JSON"
        items = answer.get("items") if isinstance(answer, dict) else answer
        if not (isinstance(answer, dict) and isinstance(items, list | None)):
            return "what it runs is unknown until it can be read: Argo CD answered with no list of objects"
        return items or []

    def _common(self, at: datetime) -> dict[str, Any]:
        return {
            "source": "argocd",
            "application": self.about.unit,
            "cluster": self.about.cluster,
            "from_at": at,
            "url": self.about.url,
        }

    def _set_aside(self, fields: dict[str, Any], reason: str) -> Malformed:
        named = {key: fields[key] for key in ("application", "kind", "namespace", "name")}
        key = key_of_fields(ManagedObject, fields)
        return Malformed(ManagedObject.TABLE, self.about.name, reason, json.dumps(named), key)

    def _coverage(self, from_at: str | None) -> Item:
        fields = {
            "source": ManagedObject.TABLE,
            "subject": self.about.unit,
            "from_at": from_at,
            "until_at": self.now,
        }
        return record_or_malformed(Coverage, self.about.name, fields, fields)

    def _checkpoint(self, more: dict[str, Any]) -> Checkpoint:
        cursor = {"asked_at": self.now.isoformat(), "sync": self.sync, **more}
        return Checkpoint(_subject(self.about.unit), cursor)


def _key(one: ManagedObject) -> _ObjectKey:
    return one.kind, one.namespace, one.name


def _content(one: ManagedObject) -> dict[str, Any]:
    """All of it but since when, and where Argo CD's pages are."""
    return one.model_dump(exclude={"from_at", "url"})
