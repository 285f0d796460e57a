"""What collecting a large organisation costs: requests and GitHub's points by kind, and time beside the floor.

    python -m benchmarks.collect [REPOSITORIES PULL_REQUESTS DEPLOYMENTS INCIDENTS]

The sample server serves the organisation and counts; its answers are then replayed from memory by a process of its own,
so that what is timed is the collector and not the server. The floor is a bare client that fetches the same bytes, one
after the other.
"""

import json
import multiprocessing
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from io import BytesIO
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx
from graphql import GraphQLSchema, build_schema, parse
from rich.console import Console
from rich.table import Table
from werkzeug import Request, Response
from werkzeug.serving import WSGIRequestHandler, make_server

from config.settings import load_settings
from sample_data.model import Organisation
from sample_data.organisation.scale import build_large, large_settings
from sample_data.servers.github_graphql import schema_text
from sample_data.servers.github_points import cost_of
from sample_data.servers.server import App, SampleServer
from warehouse.loading.runs import Run
from warehouse.pipeline import collect
from warehouse.progress import Silent

SIZES = (200, 8000, 4000, 1000)
_OPERATIONS = {
    "Repositories": "github: repositories",
    "PullRequests": "github: pull requests",
    "Deployments": "github: deployments",
    "Releases": "github: releases",
}


@dataclass(frozen=True)
class Exchange:
    """A request with its body, and the answer to it; `source` is PagerDuty and so on, by the path."""

    source: str
    method: str
    path: str
    asked: bytes
    status: int
    content_type: str | None
    answer: bytes


class Recorder:
    """Stands between the sample server and its network and keeps what passes."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self._lock = threading.Lock()

    def __call__(self, app: App) -> App:
        """`app`, recorded."""

        def recorded(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            request = Request(environ)
            asked = request.get_data()
            environ["wsgi.input"] = BytesIO(asked)
            response = Response.from_app(app, environ, buffered=True)
            path = request.full_path.removesuffix("?")
            answer = response.get_data()
            with self._lock:
                self.exchanges.append(
                    Exchange(
                        _source(path),
                        request.method,
                        path,
                        asked,
                        response.status_code,
                        response.content_type,
                        answer,
                    )
                )
            return response(environ, start_response)

        return recorded


def _source(path: str) -> str:
    first = path.split("/")[1]
    return {"api": "github", "argocd": "argocd", "pagerduty": "pagerduty"}.get(first, "git")


class Clock(Silent):
    """The seconds that each source took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def start(self, source: str) -> None:
        """Starts the source's time."""
        self.seconds[source] = -time.perf_counter()

    def finish(self, source: str, summary: str, failed: bool) -> None:
        """Ends it."""
        self.seconds[source] += time.perf_counter()


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing."""


def replay(exchanges: Sequence[Exchange], ready: Connection) -> None:
    """Serves recorded answers on loopback until the other end of `ready` closes; sends the port first."""
    answers = {(e.method, e.path, e.asked): e for e in exchanges}
    unknown: list[str] = []

    @Request.application
    def serve(request: Request) -> Response:
        path = request.full_path.removesuffix("?")
        found = answers.get((request.method, path, request.get_data()))
        if found is None:
            unknown.append(path)
            return Response(status=404)
        return Response(found.answer, found.status, content_type=found.content_type)

    server = make_server("127.0.0.1", 0, serve, threaded=True, request_handler=_Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ready.send(server.server_port)
    ready.recv()
    ready.send(unknown)


def run(config: Path, now: datetime) -> tuple[list[Run], dict[str, float]]:
    """Collects; the runs, and the seconds that each source took. Ends the program where one failed."""
    clock = Clock()
    runs = collect(load_settings(config), clock, now=now)
    failed = [str(each.error) for each in runs if each.error]
    if failed:
        sys.exit("\n".join(failed))
    return runs, clock.seconds


def fetch(url: str, exchanges: Iterable[Exchange]) -> float:
    """The seconds in which a bare client gets the same answers."""
    with httpx.Client(base_url=url, timeout=60) as client:
        started = time.perf_counter()
        for each in exchanges:
            answer = client.request(each.method, each.path, content=each.asked)
            if len(answer.content) != len(each.answer):
                sys.exit(f"{each.path}: {len(answer.content)} bytes came in place of {len(each.answer)}")
        return time.perf_counter() - started


def kind_of(exchange: Exchange) -> str:
    """What a request was for."""
    if exchange.source == "pagerduty":
        return "pagerduty: " + exchange.path.partition("?")[0].rpartition("/")[2].replace("_", " ")
    operation = re.search(rb"query (\w+)", exchange.asked)
    if exchange.source != "github" or not operation:
        return exchange.source
    return _OPERATIONS.get(operation[1].decode(), "github: rest of cut lists, and again")


def points_of(exchange: Exchange) -> int:
    """What a query cost by GitHub's formula; 0 of what is none."""
    if not exchange.path.endswith("/graphql"):
        return 0
    asked = json.loads(exchange.asked)
    return cost_of(_schema(), parse(asked["query"]), asked.get("variables")).points


@cache
def _schema() -> GraphQLSchema:
    return build_schema(schema_text())


def requests_table(organisation: Organisation, first: Sequence[Exchange], later: Sequence[Exchange]) -> Table:
    """Requests, points and bytes by kind, and per 1,000 items where the kind has some."""
    repositories = organisation.repositories
    items = {
        "github: repositories": len(repositories),
        "github: pull requests": sum(len(r.pull_requests) for r in repositories),
        "github: deployments": sum(len(r.deployments) for r in repositories),
        "git": len(repositories),
        "pagerduty: incidents": len(organisation.pagerduty.incidents),
    }
    table = Table(
        "requests for",
        "items",
        "first run",
        "per 1,000",
        "points",
        "per 1,000",
        "MB",
        "nothing new",
        "points",
    )
    for column in table.columns[1:]:
        column.justify = "right"
    kinds = {kind_of(exchange): None for exchange in (*first, *later)}
    for kind in [*sorted(kinds), ""]:
        of_first, of_later = (
            [e for e in exchanges if kind in (kind_of(e), "")] for exchanges in (first, later)
        )
        n, points = items.get(kind), sum(map(points_of, of_first))
        table.add_row(
            kind or "all",
            f"{n:,}" if n else "",
            f"{len(of_first):,}",
            f"{len(of_first) / n * 1000:,.1f}" if n else "",
            f"{points:,}",
            f"{points / n * 1000:,.1f}" if n and points else "",
            f"{sum(len(e.answer) for e in of_first) / 1e6:,.1f}",
            f"{len(of_later):,}",
            f"{sum(map(points_of, of_later)):,}",
        )
    return table


def times_table(seconds: dict[str, float], floors: dict[str, float]) -> Table:
    """Seconds of each source, and of the bare client."""
    table = Table("source", "seconds", "bare client", "times the floor")
    for source, took in seconds.items():
        floor = floors.get(source.partition(":")[0])
        table.add_row(
            source,
            f"{took:,.1f}",
            f"{floor:,.2f}" if floor else "",
            f"{took / floor:,.1f}" if floor else "",
        )
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def main(sizes: Sequence[int]) -> None:
    """Prints both tables."""
    console = Console(width=110)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = time.perf_counter()
        organisation = build_large(folder / "repositories", *sizes)
        console.print(f"organisation made in {time.perf_counter() - started:,.1f} s")
        recorder = Recorder()
        with SampleServer(organisation, around=recorder) as server:
            config = large_settings(organisation, server.url, folder / "counted", server.token)
            run(config, organisation.now)
            first = recorder.exchanges[:]
            run(config, organisation.now)
        later = recorder.exchanges[len(first) :]
        console.print(requests_table(organisation, first, later))
        here, there = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=replay, args=[first, there], daemon=True
        )
        process.start()
        url = f"http://127.0.0.1:{here.recv()}"
        config = large_settings(organisation, url, folder / "timed", "sample-token")
        _, seconds = run(config, organisation.now)
        by_source: dict[str, list[Exchange]] = {}
        for each in first:
            by_source.setdefault(each.source, []).append(each)
        floors = {source: fetch(url, exchanges) for source, exchanges in by_source.items()}
        console.print(times_table(seconds, floors))
        here.send(None)
        unknown = here.recv()
        if unknown:
            console.print(f"{len(unknown)} requests were not among the recorded ones, the first {unknown[0]}")
        process.join()


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or SIZES)
