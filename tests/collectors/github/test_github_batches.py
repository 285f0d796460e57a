"""How much GitHub's collector asks for at once: many repositories in one request."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

from collectors.contract.records import Coverage, Deployment, PullRequest
from collectors.transport.cost import Meter, metered
from sample_data import model
from sample_data.model import Review
from sample_data.servers.server import SampleServer
from tests.support.github_organisation import (
    ANNA,
    BEN,
    CREATED,
    NOW,
    SINCE,
    hours,
    make_commit,
    make_deployment,
    make_pull,
    make_repository,
    of,
    read,
    serve,
)


def many(count: int, **lists: Any) -> list[model.Repository]:
    return [
        make_repository(f"service-{n:03}", id=n + 1, **{kind: make(n) for kind, make in lists.items()})
        for n in range(count)
    ]


def graphql(server: SampleServer) -> int:
    return server.requests["github graphql"]


def test_a_first_read_of_many_repositories_costs_ten_requests_per_thousand_deployments() -> None:
    repositories = many(
        100,
        deployments=lambda n: [
            make_deployment(n * 100 + k, "IN_PROGRESS", "SUCCESS", "INACTIVE", created_at=hours(k))
            for k in range(20)
        ],
    )
    with serve(*repositories) as server:
        assert len({d.id for d in of(read(server), Deployment)}) == 2000
        listing = 1
        assert graphql(server) - listing <= 20


def test_a_first_read_of_many_repositories_costs_thirty_requests_per_thousand_pull_requests() -> None:
    repositories = many(
        30,
        pull_requests=lambda n: [
            make_pull(
                k,
                commits=tuple(make_commit(c) for c in range(40 if k == 3 and n < 10 else 2)),
                reviews=(Review(BEN, hours(k)),),
            )
            for k in range(1, 18)
        ],
    )
    with serve(*repositories) as server:
        pulls = of(read(server), PullRequest)
        assert len({(p.repo, p.number) for p in pulls}) == 510
        assert sorted({len(p.commits) for p in pulls}) == [2, 40], (
            "lists that were cut are completed together"
        )
        assert graphql(server) - 1 <= 15


def test_a_later_run_reads_what_changed_in_many_repositories_at_once() -> None:
    repositories = many(40, pull_requests=lambda n: [make_pull(k) for k in range(1, 31)])
    with serve(*repositories) as server:
        cursors: dict[str, Any] = {}
        read(server, cursors)
        for repository in repositories[:10]:
            repository.pull_requests[7] = make_pull(8, updated_at=NOW)
        server.requests.clear()
        items = read(server, cursors, now=NOW + timedelta(minutes=15))
        assert graphql(server) <= 1 + 2, "the listing, and five repositories a request"
    assert {(p.repo, p.number) for p in of(items, PullRequest) if p.number != 30} == {
        (repository.full_name, 8) for repository in repositories[:10]
    }


def test_more_than_a_page_of_changes_is_read_to_its_end() -> None:
    busy = make_repository(pull_requests=[make_pull(k) for k in range(1, 300)])
    with serve(busy) as server:
        cursors: dict[str, Any] = {}
        read(server, cursors)
        busy.pull_requests[:150] = [make_pull(k, updated_at=NOW) for k in range(1, 151)]
        items = read(server, cursors, now=NOW + timedelta(hours=1))
    assert set(range(1, 151)) <= {p.number for p in of(items, PullRequest)}


def test_a_repository_whose_newest_item_is_older_than_the_first_day_costs_nothing_of_its_own() -> None:
    old = SINCE - timedelta(days=3)
    repositories = many(
        5,
        created_at=lambda n: old - timedelta(days=100),
        pull_requests=lambda n: [make_pull(1, updated_at=old)],
        deployments=lambda n: [make_deployment(n + 1, "SUCCESS", created_at=old)],
    )
    with serve(*repositories) as server:
        items = read(server)
        assert graphql(server) == 1
    assert {(c.source, c.from_at) for c in of(items, Coverage)} >= {
        ("pull_requests", SINCE),
        ("deployments", SINCE),
    }


class Shares(Meter):
    """A meter that keeps how much of the work is said to be done."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[float] = []

    def part(self, done: int, total: int, of: str, share: float | None = None) -> None:
        self.told.append(share or 0.0)


def test_how_much_is_done_goes_by_what_is_still_to_be_read_not_by_how_many_lists_are() -> None:
    # half of the pull requests of half of the repositories lie before the first day
    long_ago = SINCE - (NOW - SINCE)
    repositories = many(
        8,
        created_at=lambda n: long_ago if n % 2 else SINCE,
        pull_requests=lambda n: [
            make_pull(k, updated_at=NOW - (NOW - (long_ago if n % 2 else SINCE)) * k / 201)
            for k in range(1, 201)
        ],
        deployments=lambda n: [make_deployment(n * 100 + k, "SUCCESS", created_at=NOW) for k in range(25)],
    )
    with serve(*repositories) as server, metered(Shares()) as meter:
        read(server)
        assert isinstance(meter, Shares)
        shares = meter.told
    assert shares[0] == 0.0
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    # 4 x 200 and 4 x 100 pull requests of 5, then 8 x 25 deployments of 2
    read_pulls = [share for share in shares if share < 0.92]
    steps = [after - before for before, after in pairwise(read_pulls)]
    assert max(steps) < 2.5 * 500 / 6400


def test_releases_of_many_repositories_come_in_one_request() -> None:
    repositories = many(
        12, releases=lambda n: [model.Release(n, "v1", "d" * 40, "One", CREATED, CREATED, ANNA)]
    )
    with serve(*repositories) as server:
        assert len(of(read(server), Deployment, "releases")) == 12
        assert graphql(server) == 2
