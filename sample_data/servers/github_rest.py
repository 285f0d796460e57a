"""GitHub's REST API over a sample organisation: paging with `Link`, rate limit headers, GitHub's errors."""

import hmac
import json
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from sample_data.model import Organisation, PullRequest, Repository, WorkflowRun
from sample_data.servers import github_json as shape
from sample_data.servers.git_http import (
    read_changes,
    read_commits,
    read_file,
    read_files,
    read_merge_base,
    read_tags,
)

_LIMIT = 5000
_DOCUMENTATION = "https://docs.github.com/rest"

_ROUTES = Map(
    [
        Rule("/user", endpoint="user"),
        Rule("/rate_limit", endpoint="rate_limit"),
        Rule("/orgs/<owner>/repos", endpoint="repositories"),
        Rule("/users/<owner>/repos", endpoint="repositories"),
        Rule("/orgs/<owner>/properties/values", endpoint="properties"),
        *(
            Rule(f"/repos/<owner>/<name>{path}", endpoint=endpoint)
            for path, endpoint in (
                ("", "repository"),
                ("/commits", "commits"),
                ("/commits/<path:sha>", "commit"),
                ("/compare/<path:range>", "compare"),
                ("/git/trees/<path:sha>", "tree"),
                ("/tags", "tags"),
                ("/contents/<path:path>", "content"),
                ("/pulls", "pulls"),
                ("/pulls/<int:number>", "pull"),
                ("/pulls/<int:number>/commits", "pull_commits"),
                ("/pulls/<int:number>/reviews", "pull_reviews"),
                ("/issues", "issues"),
                ("/issues/<int:number>/events", "issue_events"),
                ("/deployments", "deployments"),
                ("/deployments/<int:id>", "deployment"),
                ("/deployments/<int:id>/statuses", "deployment_statuses"),
                ("/releases", "releases"),
                ("/actions/workflows", "workflows"),
                ("/actions/runs", "runs"),
                ("/actions/runs/<int:id>", "run"),
                ("/actions/runs/<int:id>/approvals", "approvals"),
                ("/actions/runs/<int:id>/attempts/<int:attempt>", "attempt"),
                ("/actions/runs/<int:id>/attempts/<int:attempt>/jobs", "jobs"),
            )
        ),
    ]
)


class _Refusal(Exception):
    """An answer that is an error: its status and GitHub's message."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message


class GitHubRest:
    """What is below `/api/v3`."""

    def __init__(self, organisation: Organisation, token: str) -> None:
        self._organisation = organisation
        self._token = token
        self._used = 0

    def __call__(self, request: Request) -> Response:
        try:
            given = request.headers.get("Authorization", "").partition(" ")[2]
            if not hmac.compare_digest(given.encode(), self._token.encode()):
                raise _Refusal(401, "Bad credentials")
            endpoint, arguments = _ROUTES.bind("", path_info=request.path).match(method=request.method)
            self._used = self._used % _LIMIT + 1
            answer = getattr(self, f"_{endpoint}")(_Asked(request), **arguments)
        except _Refusal as refusal:
            answer = _refused(refusal.status, refusal.message)
        except HTTPException:
            answer = _refused(404, "Not Found")
        reset = int(self._organisation.now.timestamp()) // 3600 * 3600 + 3600
        answer.headers["X-RateLimit-Limit"] = str(_LIMIT)
        answer.headers["X-RateLimit-Remaining"] = str(_LIMIT - self._used)
        answer.headers["X-RateLimit-Used"] = str(self._used)
        answer.headers["X-RateLimit-Reset"] = str(reset)
        answer.headers["X-RateLimit-Resource"] = "core"
        return answer

    def _find(self, owner: str, name: str) -> Repository:
        wanted = f"{owner}/{name}".lower()
        found = next((r for r in self._organisation.repositories if r.full_name.lower() == wanted), None)
        if found is None:
            raise _Refusal(404, "Not Found")
        return found

    def _user(self, asked: "_Asked") -> Response:
        return _json({"login": "sixkeys", "id": 1, "type": "User"})

    def _rate_limit(self, asked: "_Asked") -> Response:
        core = {"limit": _LIMIT, "used": self._used, "remaining": _LIMIT - self._used, "reset": 0}
        return _json({"resources": {"core": core, "graphql": core}, "rate": core})

    def _repositories(self, asked: "_Asked", owner: str) -> Response:
        owned = [r for r in self._organisation.repositories if r.owner.lower() == owner.lower()]
        if not owned and owner.lower() != self._organisation.name.lower():
            raise _Refusal(404, "Not Found")
        # newest first unless asked otherwise; by name ascending unless asked otherwise
        if asked.get("sort", "created") == "full_name":
            owned.sort(key=lambda r: r.full_name, reverse=asked.get("direction", "asc") == "desc")
        else:
            owned.sort(key=lambda r: (r.created_at, r.id), reverse=asked.get("direction", "desc") == "desc")
        return asked.page(owned, lambda r: shape.repository(r, asked.api, asked.root))

    def _properties(self, asked: "_Asked", owner: str) -> Response:
        owned = [r for r in self._organisation.repositories if r.owner.lower() == owner.lower()]
        if not owned:
            raise _Refusal(404, "Not Found")
        return asked.page(owned, shape.properties)

    def _repository(self, asked: "_Asked", owner: str, name: str) -> Response:
        found = self._find(owner, name)
        template = found.template and {"full_name": found.template}
        return _json({**shape.repository(found, asked.api, asked.root), "template_repository": template})

    def _commits(self, asked: "_Asked", owner: str, name: str) -> Response:
        repository = self._find(owner, name)
        if repository.git_dir is None:
            raise _Refusal(409, "Git Repository is empty.")
        branch, within = asked.get("sha", repository.default_branch), asked.get("path", None)
        commits = read_commits(repository.git_dir, branch, limit=-1, within=within)
        since, until = asked.instant("since"), asked.instant("until")
        kept = [
            c
            for c in commits
            if (since is None or c.committed_at >= since) and (until is None or c.committed_at <= until)
        ]
        return asked.page(kept, shape.commit)

    def _commit(self, asked: "_Asked", owner: str, name: str, sha: str) -> Response:
        repository = self._find(owner, name)
        commits = read_commits(repository.git_dir, sha) if repository.git_dir else []
        if repository.git_dir is None or not commits:
            raise _Refusal(422, f"No commit found for SHA: {sha}")
        return _json({**shape.commit(commits[0]), "files": read_changes(repository.git_dir, sha)[:300]})

    def _compare(self, asked: "_Asked", owner: str, name: str, range: str) -> Response:
        """The commits of the second revision that the first has not, oldest first."""
        repository = self._find(owner, name)
        base, _, head = range.partition("...")
        git_dir = repository.git_dir
        if git_dir is None or not all(read_commits(git_dir, revision) for revision in (base, head)):
            raise _Refusal(404, "Not Found")
        ahead = read_commits(git_dir, head, limit=-1, without=base)[::-1]
        merge_base = read_merge_base(git_dir, base, head)
        about = {
            "status": "ahead" if merge_base == read_commits(git_dir, base)[0].sha else "diverged",
            "merge_base_commit": {"sha": merge_base},
            "files": read_changes(git_dir, head, merge_base)[:300],
            "total_commits": len(ahead),
        }
        return asked.page(ahead, shape.commit, lambda page: {**about, "commits": page})

    def _tree(self, asked: "_Asked", owner: str, name: str, sha: str) -> Response:
        repository = self._find(owner, name)
        paths = read_files(repository.git_dir, sha) if repository.git_dir else []
        return _json({"tree": [{"path": path, "type": "blob"} for path in paths]})

    def _tags(self, asked: "_Asked", owner: str, name: str) -> Response:
        repository = self._find(owner, name)
        tags = read_tags(repository.git_dir) if repository.git_dir else {}
        return asked.page([{"name": tag, "commit": {"sha": sha}} for tag, sha in tags.items()], dict)

    def _content(self, asked: "_Asked", owner: str, name: str, path: str) -> Response:
        repository = self._find(owner, name)
        content = repository.catalog_info if path == "catalog-info.yaml" else None
        if (ref := asked.get("ref", None)) and repository.git_dir:
            content = read_file(repository.git_dir, ref, path)
        if content is None:
            raise _Refusal(404, "Not Found")
        return _json(shape.content(path, content))

    def _pulls(self, asked: "_Asked", owner: str, name: str) -> Response:
        repository = self._find(owner, name)
        state = asked.get("state", "open")
        pulls = [
            p
            for p in repository.pull_requests
            if state in ("all", "closed" if p.closed_at or p.merged_at else "open")
        ]
        sort = asked.get("sort", "created")
        descending = asked.get("direction", "desc" if sort == "created" else "asc") == "desc"
        pulls.sort(
            key=lambda p: (p.updated_at if sort == "updated" else p.created_at, p.number), reverse=descending
        )
        return asked.page(pulls, lambda p: shape.pull_request(p, repository, asked.api, asked.root))

    def _find_pull(self, owner: str, name: str, number: int) -> PullRequest:
        found = next((p for p in self._find(owner, name).pull_requests if p.number == number), None)
        if found is None:
            raise _Refusal(404, "Not Found")
        return found

    def _pull(self, asked: "_Asked", owner: str, name: str, number: int) -> Response:
        pull = self._find_pull(owner, name, number)
        return _json(shape.pull_request(pull, self._find(owner, name), asked.api, asked.root))

    def _pull_commits(self, asked: "_Asked", owner: str, name: str, number: int) -> Response:
        # GitHub lists no more than 250 here
        return asked.page(self._find_pull(owner, name, number).commits[:250], shape.pull_commit)

    def _pull_reviews(self, asked: "_Asked", owner: str, name: str, number: int) -> Response:
        return asked.page(self._find_pull(owner, name, number).reviews, shape.review)

    def _issue_events(self, asked: "_Asked", owner: str, name: str, number: int) -> Response:
        pull = self._find_pull(owner, name, number)
        return asked.page([pull] if pull.ready_at else [], shape.ready_event)

    def _deployments(self, asked: "_Asked", owner: str, name: str) -> Response:
        repository = self._find(owner, name)
        environment = asked.get("environment", None)
        kept = [d for d in repository.deployments if environment in (None, d.environment)]
        kept.sort(key=lambda d: (d.created_at, d.id), reverse=True)
        return asked.page(kept, lambda d: shape.deployment(d, repository, asked.api))

    def _deployment(self, asked: "_Asked", owner: str, name: str, id: int) -> Response:
        repository = self._find(owner, name)
        found = next((d for d in repository.deployments if d.id == id), None)
        if found is None:
            raise _Refusal(404, "Not Found")
        return _json(shape.deployment(found, repository, asked.api))

    def _deployment_statuses(self, asked: "_Asked", owner: str, name: str, id: int) -> Response:
        found = next((d for d in self._find(owner, name).deployments if d.id == id), None)
        if found is None:
            raise _Refusal(404, "Not Found")
        return asked.page(found.statuses[::-1], shape.deployment_status)

    def _releases(self, asked: "_Asked", owner: str, name: str) -> Response:
        repository = self._find(owner, name)
        newest_first = sorted(repository.releases, key=lambda r: (r.created_at, r.id), reverse=True)
        return asked.page(newest_first, lambda r: shape.release(r, repository, asked.root))

    def _issues(self, asked: "_Asked", owner: str, name: str) -> Response:
        repository = self._find(owner, name)
        if not repository.has_issues:
            raise _Refusal(410, "Issues has been disabled in this repository.")
        return asked.page(repository.issues, lambda issue: {"number": issue.number, "title": issue.title})

    def _workflows(self, asked: "_Asked", owner: str, name: str) -> Response:
        files = sorted({(run.path, run.name) for run in self._find(owner, name).workflow_runs})
        return asked.page(
            files,
            lambda file: {"path": file[0], "name": file[1], "state": "active"},
            wrap=lambda page: {"total_count": len(files), "workflows": page},
        )

    def _runs(self, asked: "_Asked", owner: str, name: str) -> Response:
        repository = self._find(owner, name)
        last: dict[int, WorkflowRun] = {}
        for run in sorted(repository.workflow_runs, key=lambda r: r.attempt):
            last[run.id] = run
        low, high = asked.window("created")
        kept = [r for r in last.values() if low <= r.created_at <= high]
        kept.sort(key=lambda r: (r.created_at, r.id), reverse=True)
        # a search by a window reaches no further than 1,000 results
        reachable = kept[:1000] if asked.get("created", None) else kept
        return asked.page(
            reachable,
            lambda r: shape.workflow_run(r, repository, asked.api, asked.root),
            wrap=lambda runs: {"total_count": len(kept), "workflow_runs": runs},
        )

    def _find_attempts(self, owner: str, name: str, id: int) -> list[WorkflowRun]:
        attempts = [r for r in self._find(owner, name).workflow_runs if r.id == id]
        if not attempts:
            raise _Refusal(404, "Not Found")
        return sorted(attempts, key=lambda r: r.attempt)

    def _run(self, asked: "_Asked", owner: str, name: str, id: int) -> Response:
        run = self._find_attempts(owner, name, id)[-1]
        return _json(shape.workflow_run(run, self._find(owner, name), asked.api, asked.root))

    def _find_attempt(self, owner: str, name: str, id: int, attempt: int) -> WorkflowRun:
        found = next((r for r in self._find_attempts(owner, name, id) if r.attempt == attempt), None)
        if found is None:
            raise _Refusal(404, "Not Found")
        return found

    def _attempt(self, asked: "_Asked", owner: str, name: str, id: int, attempt: int) -> Response:
        run = self._find_attempt(owner, name, id, attempt)
        return _json(shape.workflow_run(run, self._find(owner, name), asked.api, asked.root))

    def _jobs(self, asked: "_Asked", owner: str, name: str, id: int, attempt: int) -> Response:
        run, repository = self._find_attempt(owner, name, id, attempt), self._find(owner, name)
        return asked.page(
            run.jobs,
            lambda job: shape.job(job, run, repository, asked.root),
            wrap=lambda page: {"total_count": len(run.jobs), "jobs": page},
        )

    def _approvals(self, asked: "_Asked", owner: str, name: str, id: int) -> Response:
        approvals = self._find_attempts(owner, name, id)[-1].approvals
        return _json([shape.approval(*one) for one in approvals])


class _Asked:
    """A request's parameters as GitHub reads them."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.root = request.host_url.rstrip("/")
        self.api = self.root + request.root_path.rstrip("/")

    def get(self, name: str, default: Any) -> Any:
        return self._request.args.get(name) or default

    def instant(self, name: str) -> datetime | None:
        text = self.get(name, None)
        return _instant(text) if text else None

    def window(self, name: str) -> tuple[datetime, datetime]:
        """The bounds of a search such as `2025-01-01T00:00:00Z..2025-02-01T00:00:00Z` or `>=…`, both included."""
        text = self.get(name, "")
        low, high = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
        if ".." in text:
            first, second = text.split("..")
            return (low if first == "*" else _instant(first)), (high if second == "*" else _instant(second))
        if text.startswith(">="):
            return _instant(text[2:]), high
        if text.startswith("<="):
            return low, _instant(text[2:])
        return (_instant(text), _instant(text)) if text else (low, high)

    def page(
        self,
        items: Sequence[Any],
        write: Callable[[Any], Any],
        wrap: Callable[[list[Any]], Any] = lambda page: page,
    ) -> Response:
        """The page asked for (`per_page` up to 100, 30 by default), with a `Link` header where there are more."""
        size = min(100, max(1, self._request.args.get("per_page", 30, int)))
        number = max(1, self._request.args.get("page", 1, int))
        last = max(1, math.ceil(len(items) / size))
        answer = _json(wrap([write(item) for item in items[(number - 1) * size : number * size]]))
        links = [("prev", number - 1), ("first", 1)] if number > 1 else []
        links += [("next", number + 1), ("last", last)] if number < last else []
        if links:
            answer.headers["Link"] = ", ".join(f'<{self._address(to)}>; rel="{rel}"' for rel, to in links)
        return answer

    def _address(self, page: int) -> str:
        arguments = self._request.args.copy()
        arguments["page"] = str(page)
        return f"{self.api}{self._request.path}?{urlencode(list(arguments.items(multi=True)))}"


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise _Refusal(422, "Validation Failed") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _refused(status: int, message: str) -> Response:
    return _json({"message": message, "documentation_url": _DOCUMENTATION, "status": str(status)}, status)


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status=status, mimetype="application/json")
