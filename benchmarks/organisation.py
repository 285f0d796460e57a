"""Files to import of an organisation of any size, the same each time:

    python -m benchmarks.organisation FOLDER [--size 5] [--services 250] [--services-per-repository 1] [--seed 1]
        [--until DAY]

Size 5 is 1 million commits, 200,000 pull requests, 100,000 deployments and 5,000 incidents of two years, in 250
services; other sizes have as many times more of all but the services, of which there are 250 at most.

`FOLDER/files/KIND.parquet` are what is imported, `FOLDER/later/deployments.parquet` is one deployment more, and
`FOLDER/sixkeys.yaml` the configuration. Pull requests are merged, rebased and squashed, some are reverted; every second
one is deployed, some deployments fail, some go back.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

KINDS = ("components", "repositories", "commits", "pull_requests", "deployments", "incidents")
PULLS_OF_SIZE_1, MOST_SERVICES, DAYS = 40_000, 250, 730
_CONFIG = "organization: acme\ntimezone: Europe/Berlin\nwarehouse: warehouse.duckdb\n"
_MACROS = (
    # 0 <= draw < 1
    "create macro draw(of, purpose) as hash(getvariable('seed') || purpose || of) / 18446744073709551616.0",
    "create macro commit_of(r, n, part) as sha1(getvariable('seed') || '/' || r || '/' || n || '/' || part)",
    # what a branch ends with after its nth merge: every eighth is followed by a commit without a pull request
    "create macro tip_of(r, n) as commit_of(r, n, case when n % 8 = 3 then 'direct' else 'merge' end)",
    "create macro after(t, s) as t + to_microseconds(cast(1e6 * s as bigint))",
    "create macro repository(r) as format('acme/repository-{:04}', r)",
    # of the jth of a pull request's own commits
    "create macro written(i, j, own, opened_at) as"
    " after(opened_at, -1200 - 2400 * (own - j) - 600 * draw(i * 16 + j, 'written'))",
    "create macro service(s) as format('service-{:04}', s)",
)
# the nth pull request of the rth repository; what the first puts on the branch is its root
_PULLS = """
create view pulls as
with numbered as (
    select
        i,
        i // $each as r,
        i % $each as n,
        getvariable('first') as first,
        $seconds / $each as pace,
        1 + cast(floor(10 * draw(i, 'own')) as bigint) as drawn_own
    from range($repositories * $each) as t (i)
),
placed as (
    select
        *,
        repository(r) as repo,
        service(r * $per_repository + cast(floor($per_repository * draw(i, 'service')) as bigint)) as service,
        case
            when n = 0 or draw(i, 'kind') >= 0.75 then 'squashed'
            when draw(i, 'kind') < 0.5 then 'merged'
            else 'rebased'
        end as kind,
        case when n = 0 then 1 else drawn_own end as own,
        after(first, pace * (n + 0.8 * draw(i, 'merged'))) as merged_at,
        3600 * (1 + 100 * pow(draw(i, 'open'), 3)) as open_seconds,
        draw(i, 'bot') < 0.03 as is_bot,
        n > 3 and draw(i, 'revert') < 0.005 as is_revert,
        'person-' || (r // 10) || '-' || cast(floor(12 * draw(i, 'author')) as bigint) as author
    from numbered
)
select
    *,
    after(merged_at, -open_seconds) as opened_at,
    greatest(n - 2 - cast(floor(open_seconds / pace) as bigint), 0) as branched_from,
    case kind when 'merged' then own when 'rebased' then own - 1 else 0 end as branched,
    case
        when is_revert then 'Revert "Change ' || (n - 1) || ' of ' || service || '"'
        else 'Change ' || (n + 1) || ' of ' || service
    end as title,
    after(merged_at, 600 + 7200 * draw(i, 'deploy')) as deployed_at
from placed
"""
_FILES = {
    "components": """
        select
            service(s) as name, format('team-{:02}', s // 10) as owner, format('system-{}', s // 50) as system,
            repository(s // $per_repository) as repo,
            case when $per_repository > 1 then ['services/' || service(s)] else [] end as source_patterns
        from range($repositories * $per_repository) as t (s)
    """,
    "repositories": """
        select repository(r) as repo, getvariable('first') - interval 30 day as created_at
        from range($repositories) as t (r)
    """,
    # of a branch its commits or their copies, then what the merge made, then what came without a pull request
    "commits": """
        with parts as (
            select
                p.*,
                j,
                case when j <= branched then 'branch' when j = branched + 1 then 'merge' else 'direct' end as part
            from pulls as p
            cross join lateral unnest(range(1, branched + 2 + cast(n % 8 = 3 as int))) as u (j)
        )
        select
            repo,
            commit_of(r, n, case when part = 'branch' then kind || j else part end) as sha,
            case
                when part = 'direct' then [commit_of(r, n, 'merge')]
                when n = 0 then []
                when part = 'merge' and kind = 'merged' then [tip_of(r, n - 1), commit_of(r, n, kind || own)]
                when j > 1 then [commit_of(r, n, kind || (j - 1))]
                when kind = 'merged' then [tip_of(r, branched_from)]
                else [tip_of(r, n - 1)]
            end as parents,
            case
                when part = 'direct' then after(merged_at, 0.1 * pace)
                when part = 'branch' or kind = 'rebased' then written(i, j, own, opened_at)
                else merged_at
            end as authored_at,
            case
                when part = 'direct' then after(merged_at, 0.1 * pace)
                when part = 'branch' and kind = 'merged' then written(i, j, own, opened_at)
                else merged_at
            end as committed_at,
            author,
            is_bot,
            case
                when part = 'direct' then 'Mend what change ' || (n + 1) || ' left'
                when part = 'branch' or kind = 'rebased' then 'Part ' || j || ' of change ' || (n + 1)
                when kind = 'merged' then 'Merge pull request #' || (n + 1) || ' from acme/change-' || (n + 1)
                else title || ' (#' || (n + 1) || ')'
            end as subject,
            case when $per_repository > 1 then ['services/' || service || '/part-' || j || '.py'] end as paths
        from parts
    """,
    "pull_requests": """
        select
            repo,
            n + 1 as number,
            title,
            author,
            is_bot,
            opened_at as created_at,
            after(opened_at, 0.4 * open_seconds) as first_review_at,
            merged_at,
            merged_at as closed_at,
            commit_of(r, n, 'merge') as merge_sha,
            case when draw(i, 'hotfix') < 0.02 then 'hotfix/' else 'change-' end || (n + 1) as head_branch,
            'main' as base_branch,
            list_transform(range(1, own + 1), lambda j: struct_pack(
                sha := commit_of(r, n, 'merged' || j),
                authored_at := written(i, j, own, opened_at),
                is_merge := false,
                is_bot := is_bot,
                subject := 'Part ' || j || ' of change ' || (n + 1)
            )) as commits,
            own as commit_count,
            -- every second one says it by its title alone
            case when is_revert and n % 2 = 0 then n - 1 end as reverts,
            'https://github.com/' || repo || '/pull/' || (n + 1) as url
        from pulls
    """,
    # every tenth repository is deployed half as often, to two environments
    "deployments": """
        with deployed as (
            select p.*, environment, draw(p.i || environment, 'status') < 0.03 as is_failure
            from pulls as p
            cross join lateral unnest(
                case when r % 10 > 0 then ['production'] when n % 4 = 1 then ['production', 'production-us'] else [] end
            ) as u (environment)
            where n % 2 = 1
        )
        select
            'jenkins' as source,
            format('{}/{:06}/{}', repo, n, environment) as id,
            repo,
            case when $per_repository > 1 then service end as service,
            environment,
            commit_of(r, case when n > 8 and draw(i, 'rollback') < 0.02 then n - 8 else n end, 'merge') as sha,
            case when is_failure then 'failure' else 'success' end as status,
            after(deployed_at, -300) as started_at,
            case when not is_failure then after(deployed_at, case environment when 'production' then 0 else 900 end) end
                as finished_at
        from deployed
    """,
    "incidents": """
        select
            'opsgenie' as source,
            format('{}/{:06}', repo, n) as id,
            service,
            'Errors after change ' || (n + 1) as title,
            case when draw(i, 'urgency') < 0.1 then 'low' else 'high' end as urgency,
            'resolved' as status,
            after(deployed_at, 300 + 5400 * draw(i, 'fails')) as opened_at,
            after(deployed_at, 7000 + 18000 * draw(i, 'resolved')) as resolved_at
        from pulls
        where n % 40 = 1
    """,
}
_LATER = """
    select
        'jenkins' as source,
        repository(0) || '/later' as id,
        repository(0) as repo,
        case when $per_repository > 1 then service(0) end as service,
        'production' as environment,
        tip_of(0, $each - 1) as sha,
        'success' as status,
        getvariable('first') + to_days($days) + interval 55 minute as started_at,
        getvariable('first') + to_days($days) + interval 1 hour as finished_at
"""


@dataclass(frozen=True)
class Shape:
    """What an organisation is made of; its days begin two years before `until`."""

    size: float = 5
    services: int = MOST_SERVICES
    services_per_repository: int = 1
    seed: int = 1
    until: date = date.min

    @property
    def repositories(self) -> int:
        """How many repositories hold the services."""
        return max(1, self.services // self.services_per_repository)

    @property
    def pulls_per_repository(self) -> int:
        """How many pull requests each of them has; two at least."""
        return max(2, round(PULLS_OF_SIZE_1 * self.size / self.repositories))

    def as_json(self) -> dict[str, str | float]:
        """The shape as plain values."""
        return asdict(self) | {"until": str(self.until)}


def shape_of(
    size: float,
    services: int | None = None,
    services_per_repository: int = 1,
    seed: int = 1,
    until: date | None = None,
) -> Shape:
    """The shape of an organisation of a size: 50 services for each, 250 at most, until this month began."""
    usual = max(services_per_repository, min(MOST_SERVICES, round(50 * size)), 1)
    begun = until or date.today().replace(day=1)
    return Shape(size, services or usual, services_per_repository, seed, begun)


def write_files(folder: Path, shape: Shape) -> None:
    """Writes the files, the configuration and `shape.json` into `folder`, which is made."""
    for name in ("files", "later"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "sixkeys.yaml").write_text(_CONFIG, encoding="utf-8")
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        first = shape.until - timedelta(days=DAYS)
        connection.execute(f"set variable first = timestamptz '{first} 00:00:00+00'")
        connection.execute(f"set variable seed = {shape.seed}")
        named = {
            "repositories": shape.repositories,
            "per_repository": shape.services_per_repository,
            "each": shape.pulls_per_repository,
            "days": DAYS,
            "seconds": (DAYS - 1) * 86400,
        }
        for statement in (*_MACROS, _filled(_PULLS, named)):
            connection.execute(statement)
        for kind, query in _FILES.items():
            _write(connection, _filled(query, named), folder / "files" / f"{kind}.parquet")
        _write(connection, _filled(_LATER, named), folder / "later" / "deployments.parquet")
    (folder / "shape.json").write_text(json.dumps(shape.as_json()), encoding="utf-8")


def _filled(query: str, named: dict[str, int]) -> str:
    """A view takes no parameters."""
    for name, value in named.items():
        query = query.replace(f"${name}", str(value))
    return query


def _write(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    connection.sql(query).write_parquet(str(path))


def main() -> None:
    """Writes what the command line asks for, and says how many rows each file has."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.organisation")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=float, default=5)
    parser.add_argument("--services", type=int)
    parser.add_argument("--services-per-repository", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--until", type=date.fromisoformat)
    asked = parser.parse_args()
    shape = shape_of(asked.size, asked.services, asked.services_per_repository, asked.seed, asked.until)
    write_files(asked.folder, shape)
    for kind in KINDS:
        path = asked.folder / "files" / f"{kind}.parquet"
        rows = duckdb.read_parquet(str(path)).aggregate("count(*)").fetchall()[0][0]
        print(f"{rows:>12,} {kind:<14} {path.stat().st_size / 2**20:8.1f} MiB")


if __name__ == "__main__":
    main()
