"""Delivery by processes that are killed or overlap: nothing arrives twice, and what nobody can know is told."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Request, Response

from config.settings import Reports, Settings
from dashboards.delivery.deliver import deliver
from dashboards.delivery.scorecard_parcels import scorecard_parcels
from tests.support.loopback import PATIENCE, Loopback
from tests.support.mail_server import email, mail_server
from tests.support.places import ROOT
from tests.support.small_scorecard import scorecard
from warehouse.scorecards.delivery_book import delivering

SCRIPT = """
import json, signal, sys
from config.settings import Reports, Settings
from dashboards.delivery.deliver import deliver
from dashboards.delivery.scorecard_parcels import scorecard_parcels
from warehouse.scorecards.delivery_book import delivering
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
given = json.load(open(sys.argv[1]))
settings = Settings(organization="acme", warehouse=given["warehouse"], reports=Reports(**given["reports"]))
with delivering(settings.warehouse):
    for done in deliver(settings, scorecard_parcels([given["content"]], settings), attempts=1):
        print(done.channel, done.error, flush=True)
"""
CONTENT = scorecard("payments")


class Deliverer:
    """Runs deliveries: in processes of their own, the running one of which `strike` sends a signal, and in this one."""

    def __init__(self, folder: Path, **reports: Any) -> None:
        told = {"directory": str(folder / "scorecards"), **reports}
        self.settings = Settings(organization="acme", warehouse=folder / "w.duckdb", reports=Reports(**told))
        self.given = folder / "given.json"
        self.given.write_text(
            json.dumps({"content": CONTENT, "warehouse": str(self.settings.warehouse), "reports": told})
        )
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(self.given)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self) -> tuple[int, str]:
        """(exit status, stdout) of a delivery in a process of its own."""
        self.process = self.start()
        out, err = self.process.communicate(timeout=PATIENCE)
        assert "Error" not in err, err
        assert "s3cret" not in err
        return self.process.returncode, out

    def run_here(self) -> list[tuple[str, str | None]]:
        """(channel, error) of what a delivery in this process tells."""
        with delivering(self.settings.warehouse):
            done = deliver(self.settings, scorecard_parcels([CONTENT], self.settings), attempts=1)
        return [(one.channel, one.error) for one in done]

    def strike(self, number: signal.Signals) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)


def posted(then: Callable[[], object]) -> tuple[Loopback, list[str]]:
    """A server that does `then` once it has the first post, and the ids of what came."""
    ids: list[str] = []

    def take(request: Request) -> Response:
        request.get_data()
        ids.append(request.headers.get("Webhook-Id", "none"))
        if len(ids) == 1:
            then()
        return Response("ok")

    return Loopback(take), ids


def reference(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return f"file:{folder / name}"


def test_a_kill_while_a_mail_is_handed_over_never_sends_it_twice(tmp_path: Path) -> None:
    struck: list[Deliverer] = []
    with mail_server(lambda server: struck[0].strike(signal.SIGKILL)) as (port, box):
        to = Deliverer(tmp_path, email=email(port).model_dump())
        struck.append(to)
        assert to.run()[0] == -signal.SIGKILL
        told = to.run_here()
        assert to.run_here() == []
    assert len(box.messages) == 1
    assert [channel for channel, _ in told] == ["email"] * 2, "one for each recipient"
    assert all(re.search(r"not known whether it arrived; .*--send --again", str(error)) for _, error in told)


def test_a_kill_while_slack_is_told_never_posts_it_twice(tmp_path: Path) -> None:
    struck: list[Deliverer] = []
    server, ids = posted(lambda: struck[0].strike(signal.SIGKILL))
    with server:
        to = Deliverer(tmp_path, slack_webhook=reference(tmp_path, "slack", f"{server.url}/s3cret"))
        struck.append(to)
        assert to.run()[0] == -signal.SIGKILL
        ((channel, told),) = to.run_here()
        assert to.run_here() == []
    assert len(ids) == 1
    assert channel == "slack"
    assert "not known whether it arrived" in str(told)
    assert "s3cret" not in str(told)


def test_a_kill_while_a_webhook_is_told_repeats_it_under_the_same_id(tmp_path: Path) -> None:
    struck: list[Deliverer] = []
    server, ids = posted(lambda: struck[0].strike(signal.SIGKILL))
    with server:
        hook = {"url": f"{server.url}/hook", "secret": reference(tmp_path, "secret", "k")}
        to = Deliverer(tmp_path, webhook=hook)
        struck.append(to)
        assert to.run()[0] == -signal.SIGKILL
        assert to.run_here() == [("webhook", None)]
        assert to.run_here() == []
    assert len(ids) == 2
    assert len(set(ids)) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.soak)])
def test_one_that_is_asked_to_stop_first_ends_what_it_hands_over(
    tmp_path: Path, number: signal.Signals
) -> None:
    struck: list[Deliverer] = []
    server, ids = posted(lambda: struck[0].strike(number))
    with server, mail_server() as (port, box):
        slack = reference(tmp_path, "slack", f"{server.url}/s3cret")
        to = Deliverer(tmp_path, slack_webhook=slack, email=email(port).model_dump())
        struck.append(to)
        status, _ = to.run()
        assert status in (-number, 1)
        assert box.messages == [], "it stopped after what it was at"
        assert to.run_here() == [("email", None)]
    assert len(ids) == len(box.messages) == 1


def test_of_two_at_once_one_sends_and_the_other_leaves_it_alone(tmp_path: Path) -> None:
    others: list[tuple[int, str]] = []
    both: list[Deliverer] = []

    def second() -> None:
        process = both[0].start()
        others.append((process.wait(PATIENCE), process.communicate()[1]))

    server, ids = posted(second)
    with server:
        to = Deliverer(tmp_path, slack_webhook=reference(tmp_path, "slack", f"{server.url}/s3cret"))
        both.append(to)
        status, told = to.run()
    assert (status, told) == (0, "directory None\nslack None\n")
    assert ids == ["none"]
    ((other, said),) = others
    assert other == 1
    assert "is delivering; what is due is left to it" in said
