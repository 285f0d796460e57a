"""How many requests of a source are under way at once: some, and never more than its limits allow."""

import shutil
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Request, Response

from collectors.argocd.collect import AT_ONCE as ARGOCD_AT_ONCE
from collectors.contract.items import Item, Resume
from collectors.contract.records import Incident
from collectors.git.collect import CLONES_AT_ONCE
from collectors.github.rate_limit import REST_AT_ONCE
from collectors.pagerduty.change_events import collect_changes
from collectors.pagerduty.lists import AT_ONCE as PAGERDUTY_AT_ONCE
from collectors.transport.cost import Meter, metered
from config.settings import Settings, load_settings
from sample_data.model import ArgoCD, Organisation
from sample_data.organisation.scale import build_large, large_settings
from sample_data.servers.faults import App
from sample_data.servers.server import SampleServer
from tests.support.argocd_instance import SHAS, application, entry
from warehouse.loading.configured import sources
from warehouse.pipeline import collect

WAIT_SECONDS = 60.0


class Gate:
    """In front of a server: requests of one kind wait until as many as may be are under way; `most` is how many.

    The first `alone` of them pass at once.
    """

    def __init__(self, path: str, expected: int, alone: int = 0) -> None:
        self._path, self._expected, self._alone = path, expected, alone
        self._under_way = self._come = self.most = 0
        self._changed = threading.Condition()

    def __call__(self, app: App) -> App:
        """`app`, behind the gate."""

        def gated(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            if self._path not in Request(environ).path:
                return app(environ, start_response)
            with self._changed:
                self._under_way += 1
                self._come += 1
                is_alone = self._come <= self._alone
                self.most = max(self.most, self._under_way)
                self._changed.notify_all()
                self._changed.wait_for(lambda: is_alone or self.most >= self._expected, WAIT_SECONDS)
            try:
                return app(environ, start_response)
            finally:
                with self._changed:
                    self._under_way -= 1

        return gated


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    made = build_large(tmp_path_factory.mktemp("large") / "repositories", 8, 24, 8, 12)
    # two applications of each of six config revisions
    made.argocd = ArgoCD([application([entry(1, SHAS[n % 6])], f"web-{n}", f"u{n}") for n in range(12)], {})
    for incident in made.pagerduty.incidents:
        made.pagerduty.change_events[incident["id"]] = [{"id": "E1"}]
    return made


@pytest.fixture(scope="module")
def listed(large: Organisation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse that has the repositories of `large`."""
    with SampleServer(large) as server:
        config = large_settings(large, server.url, tmp_path_factory.mktemp("listed"), server.token)
        settings = load_settings(config)
        collect(settings, only="github", now=large.now)
    return settings.warehouse


def changes(settings: Settings, resume: Resume, read: Iterable[Item]) -> list[Item]:
    """What PagerDuty relates to all incidents that were `read`."""
    assert settings.sources.pagerduty
    incidents = [item for item in read if isinstance(item, Incident)]
    return list(collect_changes(settings.sources.pagerduty, resume, incidents))


@pytest.mark.parametrize(
    ("source", "path", "at_once", "change"),
    [
        ("git", "/info/refs", CLONES_AT_ONCE, lambda text: text),
        ("git", "/commits", REST_AT_ONCE, lambda text: text.replace("token: ", "clone: false, token: ", 1)),
        ("github", "/pulls", REST_AT_ONCE, lambda text: text.replace("token: ", "graphql: false, token: ", 1)),
        ("github", "/actions/runs", REST_AT_ONCE, lambda text: f"{text}deployments: {{workflows: [deploy.yml]}}\n"),
        ("github", "/graphql", 1, lambda text: text),
        ("pagerduty", "/related_change_events", PAGERDUTY_AT_ONCE, lambda text: text),
        ("argocd", "/revisions/", ARGOCD_AT_ONCE, lambda text: text),
    ],
)  # fmt: skip
def test_as_many_requests_are_under_way_as_the_source_allows(
    large: Organisation,
    listed: Path,
    tmp_path: Path,
    source: str,
    path: str,
    at_once: int,
    change: Callable[[str], str],
) -> None:
    # the first incident is asked for by itself: whether the account has change events at all
    gate = Gate(path, at_once, alone=1 if source == "pagerduty" else 0)
    shutil.copy(listed, tmp_path)
    with SampleServer(large, around=gate) as server:
        config = large_settings(large, server.url, tmp_path, server.token)
        config.write_text(change(config.read_text()))
        (reading,) = (
            found for found in sources(load_settings(config)) if found.name.partition(":")[0] == source
        )
        resume = Resume(large.now, large.now - timedelta(days=365))
        with metered(Meter()):
            items = list(reading.collect(resume))
            if source == "pagerduty":
                items += changes(load_settings(config), resume, items)
    assert items
    assert gate.most == at_once
    if source == "argocd":
        assert server.requests["argocd"] == 1 + 6, "the list, and each revision once"


def test_a_rate_limit_that_one_meets_is_waited_out_by_all_and_said_once(
    large: Organisation, tmp_path: Path
) -> None:
    refused = [Response("{}", 429, {"Retry-After": "1"})]
    lock = threading.Lock()

    def once(app: App) -> App:
        def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            with lock:
                due = refused.pop() if "/related" in Request(environ).path and refused else None
            return (due or app)(environ, start_response)

        return answer

    told: list[str] = []
    resume = Resume(large.now, large.now - timedelta(days=365))
    with SampleServer(large, around=once) as server:
        settings = load_settings(large_settings(large, server.url, tmp_path, server.token))
        (reading,) = (found for found in sources(settings) if found.name == "pagerduty")
        with metered(Meter(on_wait=told.append)) as meter:
            items = changes(settings, resume, reading.collect(resume))
    assert len([item for item in items if isinstance(item, Incident)]) == 12
    assert told == ["waiting 1 s for pagerduty's rate limit"]
    assert meter.failed_requests == 1
