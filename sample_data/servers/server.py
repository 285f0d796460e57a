"""A server on loopback that speaks the sources' APIs and serves a sample organisation.

GitHub as Enterprise Server lays it out (REST below `/api/v3`, GraphQL at `/api/graphql`, git by smart HTTP at
`/<owner>/<name>.git`), Argo CD below `/argocd`, PagerDuty below `/pagerduty`, Backstage below `/backstage`. One token
opens all of them.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug import Request, Response
from werkzeug.serving import WSGIRequestHandler, make_server

from sample_data.model import Organisation
from sample_data.servers.argocd_api import ArgoCDApi
from sample_data.servers.backstage_api import BackstageApi
from sample_data.servers.git_http import GitHttp
from sample_data.servers.github_graphql import GitHubGraphQL
from sample_data.servers.github_rest import GitHubRest
from sample_data.servers.pagerduty_api import PagerDutyApi

Api = Callable[[Request], Response]
App = Callable[[dict[str, Any], Any], Iterable[bytes]]


class _QuietHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept, as the real services keep them
    disable_nagle_algorithm = True  # headers and body are two writes: without this each answer waits 40 ms

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing: what was asked is in the server's own `log`."""


class SampleServer:
    """A context manager that serves `organisation` at `url` until it is left.

    `requests` counts requests by source (`github rest`, `github graphql`, `git`, `argocd`, `pagerduty`, `backstage`);
    `log` lists them as (source, method, path with query) in order of arrival; `points` are those of GitHub's rate limit
    that the GraphQL queries used. `around` may put something between the network and the APIs, such as faults.Faulty.
    """

    def __init__(
        self,
        organisation: Organisation,
        port: int = 0,
        token: str = "sample-token",  # noqa: S107
        around: Callable[[App], App] = lambda app: app,
    ) -> None:
        self.organisation = organisation
        self.token = token
        self.requests: Counter[str] = Counter()
        self.log: list[tuple[str, str, str]] = []
        self._lock = threading.Lock()
        self._graphql = GitHubGraphQL(organisation, token)
        self._apis: tuple[tuple[str, str, Api], ...] = (
            ("github rest", "/api/v3", GitHubRest(organisation, token)),
            ("github graphql", "/api/graphql", self._graphql),
            ("argocd", "/argocd", ArgoCDApi(organisation, token)),
            ("pagerduty", "/pagerduty", PagerDutyApi(organisation, token)),
            ("backstage", "/backstage", BackstageApi(organisation, token)),
            ("git", "", GitHttp(organisation, token)),
        )
        self._server = make_server(
            "127.0.0.1", port, around(self._serve), threaded=True, request_handler=_QuietHandler
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """The server's address without a slash at its end; GitHub's is this plus `/api/v3`."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def points(self) -> int:
        """What the GraphQL queries so far cost."""
        return self._graphql.points

    def __enter__(self) -> "SampleServer":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()  # the thread closes the socket as it ends

    def _serve(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        asked = Request(environ)
        source, prefix, api = next(
            entry for entry in self._apis if asked.path == entry[1] or asked.path.startswith(f"{entry[1]}/")
        )
        with self._lock:
            self.requests[source] += 1
            self.log.append((source, asked.method, asked.full_path.removesuffix("?")))
        below = {
            **environ,
            "SCRIPT_NAME": environ.get("SCRIPT_NAME", "") + prefix,
            "PATH_INFO": asked.path.removeprefix(prefix) or "/",
        }
        request = Request(below)
        request.get_data()  # an unread body would be taken for the next request of a kept connection
        return api(request)(below, start_response)
