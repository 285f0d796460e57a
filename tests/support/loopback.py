"""A real server on loopback in front of one API, which can be told to fail first, and one that takes what is posted."""

import base64
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import SecretStr
from werkzeug import Request, Response
from werkzeug.serving import WSGIRequestHandler, make_server

from config.settings import Webhook

# how long a test waits for what has to come, be the machine as busy as it is
PATIENCE = 300.0
SECRET = "whsec_" + base64.b64encode(b"a key of the receiver").decode()
Api = Callable[[Request], Response]
Fault = Response | Callable[[dict[str, Any], Any], Iterable[bytes]]


class _QuietHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing."""


class Loopback:
    """A context manager that serves `api` at `url`; `requests` lists the paths with queries as they came.

    `faults` are answered first, one a request, to requests whose path contains `fault_path`. It speaks HTTPS by `tls`.
    """

    def __init__(
        self,
        api: Api,
        faults: Iterable[Fault] = (),
        fault_path: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._api = api
        self._faults = list(faults)
        self._fault_path = fault_path
        self.requests: list[str] = []
        self._server = make_server(
            "127.0.0.1", 0, self._serve, threaded=True, request_handler=_QuietHandler, ssl_context=tls
        )
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._server.server_port}"
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


_TAKEN: list[socket.socket] = []


def closed_address() -> str:
    """An address on loopback where nothing listens, nor will while the tests run."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    _TAKEN.append(taken)
    return f"http://127.0.0.1:{taken.getsockname()[1]}"


class Receiver(Loopback):
    """A server that takes what is posted and keeps it as `bodies`, after the `faults`.

    It stays `silent` to as many of them as that says until the context ends.
    """

    def __init__(self, *faults: Any, silent: int = 0) -> None:
        super().__init__(self._take, faults)
        self.bodies: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.silent = silent
        self._ended = threading.Event()
        self._came = threading.Semaphore(0)

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        super().__exit__(*error)

    def come(self, number: int) -> list[Any]:
        """The next so many of what is posted, once they are there."""
        for _ in range(number):
            assert self._came.acquire(timeout=PATIENCE)
        return self.bodies[-number:]

    def _take(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        self.bodies.append(request.get_data())
        self._came.release()
        if self.silent:
            self.silent -= 1
            self._ended.wait(PATIENCE)
        return Response("ok")


def webhook(server: Loopback, secret: str = SECRET) -> Webhook:
    return Webhook(url=f"{server.url}/hook/t0ken", secret=SecretStr(secret))


def broken_off(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """A fault: the connection ends without an answer."""
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError
