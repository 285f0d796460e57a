"""What guardrails cost of Argo CD: requests, megabytes and seconds for so many applications, on four days.

`python -m benchmarks.guarded_applications 1000` serves them on loopback and reads them as a collection does.
"""

import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from collectors.argocd.collect import collect
from collectors.argocd.managed_reading import Guarded
from collectors.contract.items import Checkpoint, Item, Resume
from collectors.contract.managed_objects import ManagedObject
from collectors.transport.cost import Meter, metered
from config.sources import ArgoCD
from sample_data.model import ArgoCD as Instance
from sample_data.model import Organisation, PagerDuty
from sample_data.organisation.cluster_objects import objects_of
from sample_data.organisation.gitops import Application
from sample_data.servers.server import SampleServer

NOW = datetime(2026, 11, 16, 6, tzinfo=UTC)
KINDS = ("search", "fraud-scoring", "notifications")


def application(number: int, revision: str) -> dict[str, Any]:
    """An application as the list has it; of one whose revision is another one, the sync changed."""
    return {
        "metadata": {"name": f"app-{number}", "namespace": "argocd", "uid": f"u{number}"},
        "spec": {"project": "shop", "destination": {"name": "prod-eu", "namespace": f"app-{number}"}},
        "status": {"sync": {"status": "Synced", "revision": revision}},
    }


def day(instance: Instance, before: Iterable[Item], now: datetime) -> tuple[list[Item], Meter, float]:
    """What a collection of that day tells, what it cost, and how many seconds it took."""
    known = {one.subject: one.cursor for one in before if isinstance(one, Checkpoint)}
    stored: dict[str, list[ManagedObject]] = {}
    for one in before:
        if isinstance(one, ManagedObject):
            stored.setdefault(one.application, []).append(one)
    organisation = Organisation("acme", NOW, [], instance, PagerDuty(), {}, {}, {})
    with SampleServer(organisation) as server, metered(Meter()) as meter:
        source = ArgoCD(url=f"{server.url}/argocd", token=SecretStr(server.token))
        begun = time.monotonic()
        found = [*collect(source, Resume(now, NOW, known), guarded=Guarded(lambda *_: True, lambda: stored))]
        return found, meter, time.monotonic() - begun


def main(n: int) -> None:
    """Prints a line a day."""
    objects = {
        f"app-{number}": objects_of(
            Application(f"app-{number}", KINDS[number % 3], "prod-eu", "shop", "image"),
            "ghcr.io/acme/app:3f78685",
        )
        for number in range(n)
    }
    told: list[Item] = []
    for what, days, changed in (
        ("the first day", 0, 0),
        ("a day without a change", 1, 0),
        ("a day on which a tenth changed", 2, n // 10),
        ("the same a quarter of an hour later", 2.01, n // 10),
    ):
        applications = [application(number, "b" if number < changed else "a") for number in range(n)]
        found, meter, seconds = day(Instance(applications, {}, objects), told, NOW + timedelta(days=days))
        new = sum(isinstance(one, ManagedObject) for one in found)
        told += found
        print(
            f"{what}: {meter.requests:,} requests, {meter.bytes / 1e6:.1f} MB, {seconds:.1f} s, {new:,} objects told"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
