"""Deployments from Argo CD: https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs/ .

An application keeps its last ten successful full syncs, and of all others the last only, so every poll is kept. One
request lists all applications; a config revision that no poll has met costs one more, for the commit it names.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

from collectors.argocd_sync import config_of, images_of, referenced_commit
from collectors.http import Api
from collectors.records import Coverage, Deployment
from collectors.shapes import listing, mapping, text
from collectors.stream import Checkpoint, Item, Malformed, Resume, SourceError, record_or_malformed
from config.settings import ArgoCD

_STATUS = {
    "Succeeded": "success",
    "Failed": "failure",
    "Error": "failure",
    "Running": "running",
    "Terminating": "cancelled",
}
# (config repository, revision) -> (sha, repository) that it names
References = dict[tuple[str | None, str], tuple[str | None, str | None]]


def open_api(source: ArgoCD) -> Api:
    """A client of the instance `source`."""
    token = source.token.get_secret_value().strip()
    key = "sources.argocd.token"
    return Api(f"argocd {source.name}", source.url, token, {"Authorization": f"Bearer {token}"}, key)


def try_connection(source: ArgoCD) -> str:
    """Who the token belongs to, in words; raises SourceError where it opens nothing."""
    with open_api(source) as api:
        # answers 200 to everyone: the body says whether the token holds
        user = api.get("/api/v1/session/userinfo")
    if not user.get("loggedIn"):
        raise SourceError(f"{api.source}: {source.url} does not know the token: set sources.argocd.token")
    return f"signed in as {text(user, 'username') or 'unknown'}"


def collect(source: ArgoCD, resume: Resume) -> Iterator[Item]:
    """Each application's syncs since the last poll, oldest first, then its coverage; a checkpoint per application.

    A cursor (subject: the application's uid) keeps the last history id, the coverage's start, what the revisions still
    in the history name, and the operation last seen. An unchanged instance costs one request.
    """
    with open_api(source) as api:
        answer = api.get("/api/v1/applications")
        if not isinstance(answer.get("items"), list | None):
            raise SourceError(
                f"{api.source}: {source.url} lists no applications; check that the url is Argo CD's"
            )
        references: References = {}
        for item in answer.get("items") or []:
            uid, name = text(item, "metadata", "uid"), text(item, "metadata", "name")
            if uid and name:
                application = _Application(api, source, resume, item, uid, name, references)
                yield from application.items()
            else:
                yield Malformed(
                    "deployments", name or "?", "an application without metadata.uid or name", _raw(item)
                )
        yield Checkpoint("*", {"polled_at": resume.now.isoformat()})


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
    ) -> None:
        self.api, self.item, self.uid, self.name = api, item, uid, name
        self.now = resume.now
        self.before = mapping(resume.cursors.get(uid))
        self.references = references
        self.spec = mapping(item, "spec")
        self.namespace = text(item, "metadata", "namespace") or "argocd"
        self.url = f"{source.url.rstrip('/')}/applications/{self.namespace}/{name}"
        self.operation = mapping(item, "status", "operationState")
        history = [
            entry for entry in listing(item, "status", "history") if isinstance(mapping(entry).get("id"), int)
        ]
        self.history: list[dict[str, Any]] = sorted(history, key=lambda entry: entry["id"])

    def items(self) -> Iterator[Item]:
        """What is new, the coverage, and a checkpoint where anything is."""
        after = dict(self.before)
        yield from self._unreadable()
        yield from self._syncs(after)
        yield from self._operation(after)
        from_at = self._covered_from()
        if from_at:
            after["from_at"] = from_at
            fields = {"source": "argocd", "subject": self.name, "from_at": from_at, "until_at": self.now}
            yield record_or_malformed(Coverage, self.name, fields, fields)
        if after != self.before:
            yield Checkpoint(self.uid, after)

    def _unreadable(self) -> Iterator[Malformed]:
        for entry in listing(self.item, "status", "history"):
            if not isinstance(mapping(entry).get("id"), int):
                yield Malformed("deployments", self.name, "history: an entry without an id", _raw(entry))

    @property
    def _last(self) -> int:
        """The last history id that was collected; -1 before the first, since Argo CD counts from 0."""
        last = self.before.get("last", -1)
        # a history that was wiped counts from the start again
        return last if not self.history or self.history[-1]["id"] >= last else -1

    def _covered_from(self) -> str | None:
        """Since when no sync is missing: unchanged, or the oldest entry kept where ids before it were lost."""
        known = text(self.before, "from_at")
        if not self.history:
            created = text(self.item, "metadata", "creationTimestamp")
            # without a history limit there is no history, and nothing can be said of successful syncs
            return known or (created if self.spec.get("revisionHistoryLimit") != 0 else None)
        gap = self.history[0]["id"] > self._last + 1 or self.before.get("last", -1) > self.history[-1]["id"]
        return known if known and not gap else text(self.history[0], "deployedAt") or known

    def _syncs(self, after: dict[str, Any]) -> Iterator[Item]:
        pending = listing(self.before, "pending")
        named = mapping(self.before, "revisions")
        unanswered = []
        for entry in self.history:
            if entry["id"] <= self._last and entry["id"] not in pending:
                continue
            config = config_of(entry)
            sha = repo = None
            if config.is_git and config.revision:
                if config.revision not in named and (config.repo, config.revision) not in self.references:
                    found = self._ask(config.revision, config.index, entry["id"])
                    if found is None:
                        unanswered.append(entry["id"])
                    else:
                        self.references[config.repo, config.revision] = found
                known = named.get(config.revision) or self.references.get(
                    (config.repo, config.revision), (None, None)
                )
                sha, repo = known
                if entry["id"] not in unanswered:
                    named = {**named, config.revision: [sha, repo]}
            result = mapping(self.operation, "syncResult") if self._made(entry) else {}
            fields = self._common() | {
                "id": f"{self.uid}/{entry['id']}",
                "status": "success",
                "started_at": entry.get("deployStartedAt"),
                "finished_at": entry.get("deployedAt"),
                "config_repo": config.repo,
                "config_sha": config.revision,
                "sha": sha,
                "sha_method": "trailer" if sha else None,
                "repo": repo,
                "images": images_of({**entry, "resources": listing(result, "resources")}),
            }
            if text(entry, "deployedAt"):
                yield record_or_malformed(Deployment, self.name, fields, entry)
            else:
                yield Malformed("deployments", self.name, "deployedAt: is missing", _raw(entry))
        kept = {config_of(entry).revision for entry in self.history}
        if self.history:
            after["last"] = self.history[-1]["id"]
        after["revisions"] = {revision: named[revision] for revision in named if revision in kept}
        after["pending"] = unanswered

    def _ask(self, revision: str, index: int | None, entry_id: int) -> tuple[str | None, str | None] | None:
        """What a revision's metadata names; None where Argo CD could not say now, so that it is asked again."""
        of_several = {"sourceIndex": index, "versionId": entry_id} if index is not None else {}
        response = self.api.send(
            f"/api/v1/applications/{quote(self.name, safe='')}/revisions/{revision}/metadata",
            {
                "appNamespace": self.namespace,
                "project": text(self.spec, "project") or "default",
                **of_several,
            },
            accept=(403, 404, 500),
        )
        if response.status_code == 500:
            return None
        return referenced_commit(self.api.content(response)) if response.is_success else (None, None)

    def _operation(self, after: dict[str, Any]) -> Iterator[Item]:
        """The last operation, unless it reached the history; and one that ran at the last poll and never did."""
        started, phase = text(self.operation, "startedAt"), text(self.operation, "phase")
        before = mapping(self.before, "operation")
        if before.get("started") == started and before.get("phase") == phase:
            return
        running = mapping(before, "running")
        if running and before.get("started") != started and not self._in_history(text(before, "started")):
            yield Deployment(**{**running, "status": "failure"})
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
            "status": _STATUS.get(phase or "", phase),
            "started_at": started,
            "finished_at": self.operation.get("finishedAt"),
            "config_repo": config.repo,
            "config_sha": config.revision,
            "images": images_of(made_from),
        }
        record = record_or_malformed(Deployment, self.name, fields, self.operation)
        if isinstance(record, Deployment) and record.status == "running":
            after["operation"]["running"] = record.model_dump(mode="json")
        yield record

    def _made(self, entry: dict[str, Any]) -> bool:
        return _same_instant(text(entry, "deployStartedAt"), text(self.operation, "startedAt"))

    def _in_history(self, started: str | None) -> bool:
        return any(_same_instant(text(entry, "deployStartedAt"), started) for entry in self.history)

    def _common(self) -> dict[str, Any]:
        labels = mapping(self.item, "metadata", "labels")
        return {
            "source": "argocd",
            "application": self.name,
            "project": text(self.spec, "project"),
            "labels": {key: value for key, value in labels.items() if isinstance(value, str)},
            "cluster": text(self.spec, "destination", "name") or text(self.spec, "destination", "server"),
            "namespace": text(self.spec, "destination", "namespace"),
            "url": self.url,
        }


def _same_instant(one: str | None, other: str | None) -> bool:
    try:
        return bool(one and other) and datetime.fromisoformat(one or "") == datetime.fromisoformat(
            other or ""
        )
    except ValueError:
        return one == other


def _raw(value: Any) -> str:
    return json.dumps(value, default=str, sort_keys=True)
