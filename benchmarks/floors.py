"""What SQL written for the purpose takes: `python -m benchmarks.floors import|build|metrics|explain|export FOLDER`.

Each knows the files of benchmarks/organisation.py and does the least that could be called the same work: `import` reads
them into tables and checks their keys, `build` links pull requests and incidents with deployments by time and computes
lead times, the others read the facts that Sixkeys published in the folder.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow  # noqa: F401  # whoever reads a table into Python has both

_KEYS = {
    "components": "name",
    "repositories": "repo",
    "commits": "repo, sha",
    "pull_requests": "repo, number",
    "deployments": "source, id",
    "incidents": "source, id",
}
_LINKS = (
    """
    create table links as
    select p.repo, p.number, d.id, d.finished_at
    from pull_requests as p
    asof join (from deployments where finished_at is not null) as d
        on d.repo = p.repo and d.finished_at >= p.merged_at
    """,
    """
    create table lead_times as
    select l.*, c.sha, c.authored_at, epoch(l.finished_at) - epoch(c.authored_at) as seconds
    from links as l
    inner join pull_requests as p on p.repo = l.repo and p.number = l.number
    cross join unnest(p.commits) as u (c)
    """,
    """
    create table blames as
    select i.source, i.id, i.resolved_at, d.id as deployment
    from incidents as i
    inner join components as s on s.name = i.service
    asof join (from deployments where finished_at is not null) as d
        on d.repo = s.repo and d.finished_at <= i.opened_at
    where i.opened_at - d.finished_at <= interval 24 hour
    """,
)
# facts, what is counted or computed of their rows, and which rows those are
_METRICS = (
    ("deployments", "count(*)", "rate_excluded_because is null"),
    ("deployments", "avg(failed)", "excluded_because is null"),
    ("deployments", "avg(rework)", "rework_excluded_because is null"),
    ("changes", "median(lead_time_seconds)", "excluded_because is null"),
    ("recoveries", "median(recovery_seconds)", "excluded_because is null"),
    ("incidents", "median(open_seconds)", "excluded_because is null"),
)


def import_files(folder: Path) -> None:
    """The files as tables of `floor.duckdb`."""
    path = folder / "floor.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        for table, key in _KEYS.items():
            connection.execute(f"create table {table} as from read_parquet('files/{table}.parquet')")
            twice = f"select {key} from {table} group by all having count(*) > 1"
            if connection.execute(twice).fetchone():
                raise SystemExit(f"{table}: a key comes twice")


def build(folder: Path) -> None:
    """Links and lead times beside those tables."""
    with duckdb.connect(str(folder / "floor.duckdb")) as connection:
        for statement in _LINKS:
            connection.execute(statement)


def _facts(folder: Path) -> duckdb.DuckDBPyConnection:
    name = (folder / "warehouse.facts").read_text(encoding="utf-8").strip()
    return duckdb.connect(str(folder / name), read_only=True)


def metrics(folder: Path) -> None:
    """The last year by team and month, or by service and week where the command line says so."""
    name, period = sys.argv[3:5] or ("team", "month")
    with _facts(folder) as facts:
        for fact, value, condition in _METRICS:
            rows = facts.execute(
                f"select {name}, date_trunc('{period}', day) as first, {value} from {fact}"
                f" where {condition} and day >= (select max(day) - 365 from deployments) group by all order by all"
            ).fetchall()
            print(len(rows))


def explain(folder: Path) -> None:
    """The changes of a team in the last year, as CSV."""
    with _facts(folder) as facts:
        facts.execute(
            "copy (from changes where team = 'team-00' and day >= (select max(day) - 365 from deployments)"
            " order by \"at\" desc, sha) to '/dev/stdout' (format csv)"
        )


def export(folder: Path) -> None:
    """The tables of the facts that `sixkeys export` wrote into `report`, into `copied`."""
    (folder / "copied").mkdir(exist_ok=True)
    with _facts(folder) as facts:
        known = {row[0] for row in facts.execute("select table_name from duckdb_tables()").fetchall()}
        for path in (folder / "report").glob("*.parquet"):
            if path.stem in known:
                facts.execute(f"copy {path.stem} to 'copied/{path.name}' (format parquet)")


WORKS: dict[str, Callable[[Path], None]] = {
    "import": import_files,
    "build": build,
    "metrics": metrics,
    "explain": explain,
    "export": export,
}

if __name__ == "__main__":
    WORKS[sys.argv[1]](Path(sys.argv[2]))
