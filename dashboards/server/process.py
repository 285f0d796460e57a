"""Runs the dashboard beside this process until somebody stops it."""

import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from config.errors import SixkeysError
from dashboards.server import launch

STOP_SECONDS = 5.0
_MORE_PORTS = 2


@contextmanager
def running_process(
    settings_path: Path, warehouse: Path | None, host: str, port: int
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """(address, process) of a dashboard that answers; it is ended with the context. Raises SixkeysError.

    Port 0 stands for any that is free.
    """
    url, process = _answering(settings_path, warehouse, host, port)
    try:
        yield url, process
    finally:
        _end(process)


def _answering(
    settings_path: Path, warehouse: Path | None, host: str, wanted: int
) -> tuple[str, subprocess.Popen[bytes]]:
    # a port that was free may be taken before the dashboard listens at it; where any will do, another one is tried
    for tries_left in range(0 if wanted else _MORE_PORTS, -1, -1):
        port = wanted or free_port(host, 0)
        require_free(host, port)
        process = subprocess.Popen(
            launch.command(settings_path, warehouse, host, port),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        url = launch.local_address(host, port)
        try:
            launch.wait_until_up(url, process)
            return url, process
        except SixkeysError:
            _end(process)
            if not tries_left:
                raise
        except BaseException:
            _end(process)
            raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def until_stopped(process: subprocess.Popen[bytes]) -> None:
    """Returns when the user or the system asks to stop; raises SixkeysError if the dashboard ends before that."""
    with suppress(KeyboardInterrupt):
        status = process.wait()
        raise SixkeysError(f"the dashboard ended by itself with status {status}; see its messages above")


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """While the context lasts, SIGTERM and SIGHUP interrupt like Ctrl-C does, in the background of a script too."""
    before: dict[int, Callable[..., object] | int | None] = {}
    number: int
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        nohup = number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN
        if not nohup:
            before[number] = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def free_port(host: str, wanted: int) -> int:
    """`wanted` where it is free, else a port that is; 0 wants any."""
    if wanted:
        with suppress(SixkeysError):
            require_free(host, wanted)
            return wanted
    with socket.socket(_family(host)) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def require_free(host: str, port: int) -> None:
    """Raises SixkeysError where something else listens, which could be taken for our dashboard."""
    with socket.socket(_family(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SixkeysError(
                f"dashboard: cannot listen at {host}:{port} ({error.strerror}); end what is there, "
                "or set another port under dashboard in the configuration"
            ) from None


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
