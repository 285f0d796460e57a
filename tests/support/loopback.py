"""A real server on loopback in front of one API, which can be told to fail first."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug import Request, Response
from werkzeug.serving import WSGIRequestHandler, make_server

Api = Callable[[Request], Response]
Fault = Response | Callable[[dict[str, Any], Any], Iterable[bytes]]


class _QuietHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing."""


class Loopback:
    """A context manager that serves `api` at `url`; `requests` lists the paths with queries as they came.

    `faults` are answered first, one a request, to requests whose path contains `fault_path`.
    """

    def __init__(self, api: Api, faults: Iterable[Fault] = (), fault_path: str = "") -> None:
        self._api = api
        self._faults = list(faults)
        self._fault_path = fault_path
        self.requests: list[str] = []
        self._server = make_server("127.0.0.1", 0, self._serve, threaded=True, request_handler=_QuietHandler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> "Loopback":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _serve(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        self.requests.append(request.full_path.removesuffix("?"))
        if self._faults and self._fault_path in request.path:
            return self._faults.pop(0)(environ, start_response)
        return self._api(request)(environ, start_response)


def closed_address() -> str:
    """An address on loopback where nothing listens."""
    server = make_server("127.0.0.1", 0, lambda environ, start_response: [])
    server.server_close()
    return f"http://127.0.0.1:{server.server_port}"
