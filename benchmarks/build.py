"""How long a build of a large organisation takes: `python -m benchmarks.build FOLDER [pull requests] [builds]`.

The records are made in the warehouse itself, the same each time: 250 repositories whose pull requests are merged,
rebased and squashed in turn, deployed every second time, with an incident now and then. 200,000 pull requests are
900,000 commits.
"""

import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from config.settings import Settings, load_settings
from warehouse.building.build import build
from warehouse.storage.store import open_warehouse

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
REPOSITORIES = 250
_CONFIG = "organization: acme\ntimezone: Europe/Berlin\nwarehouse: warehouse.duckdb\n"
_TABLES = (
    "create temp macro sha(r, n, j) as left(md5(r || '/' || n || '/' || j) || md5(j || r || n), 40)",
    # kind 0 and 1: merged, 2: rebased, 3: squashed
    """
    create temp table pulls as
    select 'acme/r' || (i % $repositories) as repo, i // $repositories as n, (i // $repositories) % 4 as kind,
        timestamp '2024-11-01' + to_seconds(cast(i * 62e6 / $pulls as bigint)) as opened_at
    from range($pulls) as t (i)
    """,
    "create temp table own as select p.*, j, p.opened_at + to_minutes(j * 7) as authored_at"
    " from pulls as p cross join range(1, 6) as t (j)",
    """
    insert into commits by name
    with on_branch as (
        select repo, n, authored_at, authored_at as committed_at, sha(repo, n, 'own' || j) as sha,
            [case when j = 1 then sha(repo, n - 1, 'tip') else sha(repo, n, 'own' || (j - 1)) end] as parents, j
        from own where kind < 2
        union all
        select repo, n, authored_at, opened_at + interval 3 hour,
            case when j = 5 then sha(repo, n, 'tip') else sha(repo, n, 'copy' || j) end,
            [case when j = 1 then sha(repo, n - 1, 'tip') else sha(repo, n, 'copy' || (j - 1)) end], j
        from own where kind = 2
        union all
        select repo, n, opened_at + interval 3 hour, opened_at + interval 3 hour, sha(repo, n, 'tip'),
            case kind when 3 then [sha(repo, n - 1, 'tip')] else [sha(repo, n - 1, 'tip'), sha(repo, n, 'own5')] end, 6
        from pulls where kind <> 2
    )
    select repo, sha, case when n = 0 and j in (1, 6) then [] else parents end as parents, authored_at, committed_at,
        'p' || (hash(repo) % 40) as author, false as is_bot, 'Change ' || n || ', part ' || j as subject
    from on_branch
    """,
    """
    insert into pull_requests by name
    select o.repo, o.n + 1 as number, any_value('Change ' || o.n) as title, false as is_bot, o.opened_at as created_at,
        o.opened_at + interval 1 hour as first_review_at, o.opened_at + interval 3 hour as merged_at,
        o.opened_at + interval 3 hour as closed_at, sha(o.repo, o.n, 'tip') as merge_sha, 'b' || o.n as head_branch,
        'main' as base_branch, [] as labels,
        list({'sha': sha(o.repo, o.n, 'own' || o.j), 'authored_at': o.authored_at, 'is_merge': false, 'is_bot': false}
            order by o.j) as commits
    from own as o group by o.repo, o.n, o.opened_at
    """,
    """
    insert into deployments by name
    select 'jenkins' as source, repo || '/' || n as id, repo, 'production' as environment, sha(repo, n, 'tip') as sha,
        'success' as status, opened_at + interval 4 hour as started_at, opened_at + interval 250 minute as finished_at
    from pulls where n % 2 = 1
    """,
    """
    insert into incidents by name
    select 'opsgenie' as source, repo || '/' || n as id, repo as service, 'high' as urgency, 'resolved' as status,
        opened_at + interval 5 hour as opened_at, opened_at + interval 7 hour as resolved_at
    from pulls where n % 40 = 1
    """,
    "insert into repositories by name select repo, min(opened_at) as created_at from pulls group by repo",
    """
    insert into coverage by name
    select source, repo as subject, timestamp '2024-11-01' as from_at, timestamp '2026-11-16' as until_at
    from (select distinct repo from pulls) cross join (values ('jenkins'), ('git'), ('pull_requests')) as t (source)
    """,
)


def write(folder: Path, pulls: int) -> Settings:
    """A warehouse with so many pull requests and what belongs to them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sixkeys.yaml").write_text(_CONFIG, encoding="utf-8")
    settings = load_settings(folder / "sixkeys.yaml")
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        for statement in _TABLES:
            named = {"repositories": REPOSITORIES, "pulls": pulls}
            asked = {name: value for name, value in named.items() if f"${name}" in statement}
            warehouse.connection.execute(statement, asked or None)
    return settings


def main() -> None:
    """Writes the warehouse where there is none yet, builds, and prints seconds and the largest memory in MiB."""
    folder = Path(sys.argv[1])
    pulls = int(sys.argv[2]) if len(sys.argv) > 2 else 200_000
    builds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    known = (folder / "sixkeys.yaml").exists()
    settings = load_settings(folder / "sixkeys.yaml") if known else write(folder, pulls)
    for _ in range(builds):
        start = time.perf_counter()
        build(settings, NOW)
        seconds = time.perf_counter() - start
        print(
            f"{seconds:.1f} s, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024:,} MiB", flush=True
        )


if __name__ == "__main__":
    main()
