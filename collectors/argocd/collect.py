"""Deployments from Argo CD: https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs/ .

An application keeps its last ten successful full syncs, and of all others the last only, so every poll is kept. One
request lists all applications; a config revision that no poll has met costs one more, for the commit it names.
"""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from collectors.argocd.applications import about_application
from collectors.argocd.config_clones import ConfigClones
from collectors.argocd.managed_reading import Guarded, again_managed, read_managed
from collectors.argocd.references import References, ShaAndRepository
from collectors.argocd.shapes import distinct_instant, has_number, unreadable, wrong_identity
from collectors.argocd.sync import ConfigSource, config_of, images_of, referenced_commit
from collectors.contract.items import (
    Checkpoint,
    Item,
    Malformed,
    Resume,
    SetAside,
    SourceError,
    record_or_malformed,
)
from collectors.contract.records import Coverage, Deployment
from collectors.transport import cost
from collectors.transport.in_order import in_order
from collectors.transport.json_api import TIMEOUT_SECONDS, Api
from collectors.transport.json_values import as_instant, listing, mapping, text, without_keys
from config.sources import ArgoCD
from config.text.quoting import one_short_line
from config.text.references import require_resolved

_STATUS = {
    "Succeeded": "success",
    "Failed": "failure",
    "Error": "failure",
}
# what becomes of an operation that still went on at a poll and that no later one saw end
_UNFINISHED = {"Running": "failure", "Terminating": "cancelled"}
# where a sync tells of persons, which is not kept, in the quarantine neither
_PEOPLE = ("initiatedBy",)
_REVISION_LABEL = "org.opencontainers.image.revision"
# what is asked at once: each answer may cost Argo CD a fetch of the config repository
AT_ONCE = 4


def open_api(source: ArgoCD, timeout: float = TIMEOUT_SECONDS) -> Api:
    """A client of the instance `source`."""
    require_resolved(source)
    token = source.token.get_secret_value().strip()
    key = "sources.argocd.token"
    headers = {"Authorization": f"Bearer {token}"}
    return Api(f"argocd {source.name}", source.url, token, headers, key, timeout, AT_ONCE)


def try_connection(source: ArgoCD) -> Iterator[str | SourceError]:
    """Who the token belongs to and how many applications it sees, in words, or why not."""
    with open_api(source) as api:
        # answers 200 to everyone: the body says whether the token holds
        user = api.get("/api/v1/session/userinfo")
        if not user.get("loggedIn"):
            raise SourceError(f"{api.source}: {source.url} does not know the token: set sources.argocd.token")
        yield f"signed in as {text(user, 'username') or 'unknown'}"
        # what a token may not read is left out of the list, without an error
        if n := len(listing(api.get("/api/v1/applications", {"fields": "items.metadata.name"}), "items")):
            yield f"may read {n} {'application' if n == 1 else 'applications'}"
        else:
            yield SourceError(
                f"{api.source}: {source.url} shows the token no application: allow it"
                ' "p, ROLE, applications, get, */*, allow" in Argo CD\'s policy'
            )


def collect(
    source: ArgoCD,
    resume: Resume,
    timeout: float = TIMEOUT_SECONDS,
    clones: ConfigClones | None = None,
    guarded: Guarded | None = None,
) -> Iterator[Item]:
    """Each application's syncs since the last poll, oldest first, then its coverage; a checkpoint per application.

    An operation is told once it has ended. The cluster that the instance runs in is told by the instance's name. A
    cursor (subject: the application's uid) keeps the last history entry, how often the history was wiped, the
    coverage's start, what the revisions still in the history name, and the operation last seen. An unchanged instance
    costs one request. Of config repositories that are in `clones` Argo CD is not asked what a revision names. What the
    `guarded` applications run comes last, so that no sync is missed for it.
    """
    with open_api(source, timeout) as api:
        answer = api.get("/api/v1/applications")
        # null stands for an empty list
        if not isinstance(answer.get("items", ""), list | None):
            raise SourceError(
                f"{api.source}: {source.url} lists no applications; check that the url is Argo CD's"
            )
        references = References()
        items = answer.get("items") or []
        done = itertools.count(1)

        def read(item: Any) -> Iterator[Item]:
            uid, name = text(item, "metadata", "uid") or "", text(item, "metadata", "name") or ""
            if reason := wrong_identity(item):
                yield Malformed("deployments", one_short_line(name or "?"), reason, _raw(item))
            else:
                yield from _Application(api, source, resume, item, uid, name, references, clones).items()
            cost.current_meter().part(next(done), len(items), "applications")

        yield from in_order(read, items, AT_ONCE)
        yield Checkpoint("*", {"polled_at": resume.now.isoformat()})
        if guarded:
            yield from read_managed(api, source, resume, guarded, items, AT_ONCE)


def again(cursors: Mapping[str, Any], items: Iterable[SetAside]) -> dict[str, Any]:
    """The cursors with which those of `items` that Argo CD still shows are read anew; the rest is met by each poll."""
    items = list(items)
    moved = again_managed(cursors, items)
    for item in items:
        uid, _, number = (item.key or ("", ""))[1].partition("/")
        uid, _, wiped = uid.partition("~")
        cursor = mapping(moved.get(uid))
        if cursor and number.isdigit() and int(wiped or 0) == cursor.get("wiped", 0):
            moved[uid] = {**cursor, "pending": [*listing(cursor, "pending"), int(number)]}
        elif text(cursor, "operation", "started") == number:
            moved[uid] = {**cursor, "operation": {}}
    return moved


class _Application:
    """One application as a poll shows it, beside what the last poll left in its cursor."""

    def __init__(
        self,
        api: Api,
        source: ArgoCD,
        resume: Resume,
        item: dict[str, Any],
        uid: str,
        name: str,
        references: References,
        clones: ConfigClones | None,
    ) -> None:
        self.api, self.item, self.uid, self.name = api, item, uid, name
        self.now = resume.now
        self.before = mapping(resume.cursors.get(uid))
        self.references = references
        self.refused: str | None = None  # why Argo CD did not say what a revision names
        self.clones = clones
        self.spec = mapping(item, "spec")
        self.about = about_application(source, item)
        self.operation = mapping(item, "status", "operationState")
        history = [entry for entry in listing(item, "status", "history") if has_number(entry)]
        self.history: list[dict[str, Any]] = sorted(history, key=lambda entry: entry["id"])
        is_wiped = self._is_wiped()
        self.wiped = int(self.before.get("wiped", 0)) + is_wiped
        # Argo CD counts from 0
        self.last = -1 if is_wiped else self.before.get("last", -1)
        self.has_gap = bool(self.history) and (is_wiped or self.history[0]["id"] > self.last + 1)

    def items(self) -> Iterator[Item]:
        """What is new, the coverage, and a checkpoint where anything is."""
        after = dict(self.before)
        yield from self._unreadable()
        yield from self._syncs(after)
        yield from self._operation(after)
        from_at = self._covered_from()
        if from_at:
            after["from_at"] = from_at
            fields = {
                "source": "argocd",
                "subject": self.about.unit,
                "from_at": from_at,
                "until_at": self.now,
            }
            yield record_or_malformed(Coverage, self.name, fields, fields)
        if after != self.before:
            yield Checkpoint(self.uid, after)

    def _unreadable(self) -> Iterator[Malformed]:
        for reason, part in unreadable(self.item):
            yield Malformed("deployments", self.name, reason, _raw(part))

    def _is_wiped(self) -> bool:
        """Whether the history began anew since the last poll: it ends before, or has another entry of the last id."""
        last = self.before.get("last", -1)
        if not self.history or last == -1:
            return False
        same = next((entry for entry in self.history if entry["id"] == last), None)
        last_at, at = as_instant(self.before, "last_at"), as_instant(same, "deployedAt")
        return self.history[-1]["id"] < last or bool(last_at and at and at != last_at)

    def _id(self, entry: dict[str, Any]) -> str:
        """The entry's id, which a history that was wiped uses again."""
        return f"{self.uid}{f'~{self.wiped}' if self.wiped else ''}/{entry['id']}"

    def _covered_from(self) -> str | None:
        """Since when no sync is missing: unchanged, or the oldest entry kept where ids before it were lost."""
        known = text(self.before, "from_at")
        if not self.history:
            created = as_instant(self.item, "metadata", "creationTimestamp")
            # where no history is kept, nothing can be said of successful syncs
            return known or (
                created.isoformat() if created and self.spec.get("revisionHistoryLimit") != 0 else None
            )
        if known and not self.has_gap:
            return known
        return min(
            (at.isoformat() for e in self.history if (at := as_instant(e, "deployedAt"))), default=known
        )

    def _syncs(self, after: dict[str, Any]) -> Iterator[Item]:
        again = [] if self.wiped > self.before.get("wiped", 0) else listing(self.before, "pending")
        fresh = [e for e in self.history if e["id"] > self.last or e["id"] in again]
        named, pending = dict(mapping(self.before, "revisions")), []
        for entry in fresh:
            config = config_of(entry)
            revision = config.revision or ""
            commit = named.get(revision) or self._referenced(config, entry["id"])
            ran = self._ran(entry)
            is_named = commit is None or commit[0] or ran
            set_by_config = () if is_named or self.clones is None else self.clones.images(config)
            if commit is None or set_by_config is None:
                pending.append(entry["id"])
            if commit and config.is_git:
                named[revision] = commit
            yield self._sync(entry, config, commit or (None, None), ran, set_by_config or ())
            if commit is None and self.refused:
                key = json.dumps(["argocd", self._id(entry)])
                reason = f"its commit is unknown until it can be read: {self.refused}"
                yield Malformed("deployments", self.name, reason, json.dumps({"revision": revision}), key)
        if self.history:
            after["last"] = self.history[-1]["id"]
            after["last_at"] = text(self.history[-1], "deployedAt")
            after["wiped"] = self.wiped
        kept = {config_of(entry).revision for entry in self.history}
        after["revisions"] = {revision: list(named[revision]) for revision in named if revision in kept}
        after["pending"] = pending

    def _ran(self, entry: dict[str, Any]) -> tuple[str, ...]:
        """The images of the sync, where the entry or the last operation tells of them."""
        made = (
            self.operation
            if distinct_instant(entry, "deployStartedAt") == distinct_instant(self.operation, "startedAt")
            else {}
        )
        return images_of({**entry, "resources": listing(made, "syncResult", "resources")})

    def _sync(
        self,
        entry: dict[str, Any],
        config: ConfigSource,
        commit: ShaAndRepository,
        ran: tuple[str, ...],
        set_by_config: tuple[str, ...],
    ) -> Item:
        if not as_instant(entry, "deployedAt"):
            reason = "deployedAt: is missing, or no instant"
            key = json.dumps(["argocd", self._id(entry)])
            return Malformed("deployments", self.name, reason, _raw(entry), key)
        sha, repo = commit
        fields = self._common() | {
            "id": self._id(entry),
            "status": "success",
            "started_at": entry.get("deployStartedAt"),
            "finished_at": entry.get("deployedAt"),
            "config_repo": config.repo,
            "config_sha": config.revision,
            "sha": sha,
            "sha_method": "trailer" if sha else "config" if set_by_config else None,
            "repo": repo,
            "images": ran or set_by_config,
        }
        if entry is not self.history[-1]:
            # the label is what the application carries now: an earlier sync deployed another commit
            fields["labels"] = without_keys(fields["labels"], (_REVISION_LABEL,))
        return record_or_malformed(Deployment, self.name, fields, without_keys(entry, _PEOPLE))

    def _referenced(self, config: ConfigSource, entry_id: int) -> ShaAndRepository | None:
        """The commit that a config revision names; None where Argo CD could not say now, so that it is asked again.

        One refusal an application and poll is enough: what refuses one refuses all, as a rule.
        """
        if not config.is_git or not config.revision:
            return None, None
        if self.refused:
            return None
        return self.references.get((config.repo, config.revision), lambda: self._ask(config, entry_id))

    def _ask(self, config: ConfigSource, entry_id: int) -> ShaAndRepository | None:
        message = self.clones.message(config) if self.clones else None
        if message is not None:
            return referenced_commit({"message": message})
        of_several = {"sourceIndex": config.index, "versionId": entry_id} if config.index is not None else {}
        response = self.api.send(
            f"/api/v1/applications/{quote(self.name, safe='')}/revisions/{config.revision}/metadata",
            {**self.about.asked_by, **of_several},
            accept=(403, 404, 500),
        )
        if not response.is_success:
            # 500 is what Argo CD answers where it could not fetch just now
            answered = f"{response.url.path} answered {response.status_code}"
            advice = "; give the token `get` on applications" if response.status_code == 403 else ""
            self.refused = answered + advice if response.status_code != 500 else None
            return None
        return referenced_commit(self.api.content(response))

    def _operation(self, after: dict[str, Any]) -> Iterator[Item]:
        """The last operation if it has ended, unless it reached the history; and one that ran and never did."""
        started_at, phase = as_instant(self.operation, "startedAt"), text(self.operation, "phase")
        # an id is the same however its instant is written
        started = (
            started_at.isoformat().replace("+00:00", "Z") if started_at else text(self.operation, "startedAt")
        )
        before = mapping(self.before, "operation")
        if before.get("started") == started and before.get("phase") == phase:
            return
        unfinished = mapping(before, "unfinished")
        is_over = before.get("started") != started and not self._in_history(text(before, "started"))
        # where entries were lost, it may have been one of them
        if unfinished and is_over and not self.has_gap:
            yield Deployment(**unfinished)
        after["operation"] = {"started": started, "phase": phase}
        sync = mapping(self.operation, "operation", "sync")
        partial = listing(sync, "resources") or sync.get("dryRun")
        if not started or not sync or partial or self._in_history(started):
            return
        own = {key: self.spec.get(key) for key in ("source", "sources")}
        made_from = mapping(self.operation, "syncResult") or {**own, **{k: v for k, v in sync.items() if v}}
        config = config_of(made_from)
        fields = self._common() | {
            "id": f"{self.uid}/{started}",
            "status": {**_STATUS, **_UNFINISHED}.get(phase or "", phase),
            "started_at": started,
            "finished_at": self.operation.get("finishedAt"),
            "config_repo": config.repo,
            "config_sha": config.revision,
            "images": images_of(made_from),
        }
        record = record_or_malformed(Deployment, self.name, fields, without_keys(self.operation, _PEOPLE))
        if isinstance(record, Deployment) and phase in _UNFINISHED:
            after["operation"]["unfinished"] = record.model_dump(mode="json")
        else:
            yield record

    def _in_history(self, started: str | None) -> bool:
        start = distinct_instant({"at": started}, "at")
        return any(distinct_instant(entry, "deployStartedAt") == start for entry in self.history)

    def _common(self) -> dict[str, Any]:
        labels = mapping(self.item, "metadata", "labels")
        return {
            "source": "argocd",
            "application": self.name,
            "unit": self.about.unit,
            "project": self.about.project,
            "labels": {key: value for key, value in labels.items() if isinstance(value, str)},
            "cluster": self.about.cluster,
            "namespace": self.about.namespace,
            "url": self.about.url,
        }


def _raw(value: Any) -> str:
    return json.dumps(without_keys(value, _PEOPLE), default=str, sort_keys=True)
