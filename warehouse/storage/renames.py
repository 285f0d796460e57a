"""One identity for a repository that is renamed or transferred: all that is stored of it moves to its new name.

GitHub's own id (`external_id`) tells who is who. A former name stays known, so that what other sources still call by it
(a catalogue, Argo CD, an import) is stored under the new one, until another repository takes that name.
"""

import json
from collections.abc import Sequence

import duckdb

from collectors.contract.records import RECORDS, Record, Repository

# the catalogue speaks of names: its components follow a rename, but not a repository that lost its name
_TABLES = {name: record for name, record in RECORDS.items() if "repo" in record.model_fields} | {
    "coverage": RECORDS["coverage"]
}
del _TABLES["components"]

_OF_GITHUB = "('github', 'git', 'github_issues', 'github_jobs', 'requests')"


def under_current_names(connection: duckdb.DuckDBPyConnection, records: Sequence[Record]) -> list[Record]:
    """`records` by the names that repositories have now; moves what is stored of those that they show to be renamed.

    To be called in the transaction that stores them.
    """
    repositories = [record for record in records if isinstance(record, Repository)]
    _follow(connection, [(one.external_id, one.repo) for one in repositories if one.external_id])
    current = dict(connection.execute("select former, repo from former_names").fetchall())
    if not current:
        return list(records)
    return [_renamed(record, current) for record in records]


def rows_under_current_names(connection: duckdb.DuckDBPyConnection, record: type[Record], rows: str) -> None:
    """The same for a table of one class whose `place` says which row comes after which.

    Of two that have one key under the names of now, the last one stays.
    """
    if record is Repository:
        found = f"select external_id, repo from {rows} where external_id is not null order by place"
        _follow(connection, connection.execute(found).fetchall())
    renamed = 0
    for name in {"repo", "config_repo"} & record.model_fields.keys():
        ((n,),) = connection.execute(
            f"update {rows} as row set {name} = names.repo from former_names as names where names.former = row.{name}"
        ).fetchall()
        renamed += n
    if renamed:
        connection.execute(
            f"delete from {rows} where place in (select place from {rows}"
            f" qualify row_number() over (partition by {', '.join(record.KEY)} order by place desc) > 1)"
        )


def _follow(connection: duckdb.DuckDBPyConnection, found: Sequence[tuple[str, str]]) -> None:
    """Moves what is stored of each repository that is `found`, an id and a name, to that name."""
    if not found:
        return
    stored = connection.execute("select external_id, repo from repositories where external_id is not null")
    names = dict(stored.fetchall())
    owners = {repo: id for id, repo in names.items()}
    for id, repo in found:
        other = owners.get(repo)
        if other not in (None, id):  # the name was given away: what had it is told apart by its id
            aside = f"{repo}#{other}"
            _move(connection, repo, aside)
            names[str(other)], owners[aside] = aside, str(other)
        connection.execute("delete from former_names where former = ?", [repo])
        before = names.get(id)
        if before not in (None, repo):
            _move(connection, str(before), repo)
            owners.pop(str(before), None)
            if "#" not in str(before):
                connection.execute("update components set repo = ? where repo = ?", [repo, before])
                connection.execute("insert into former_names values (?, ?)", [before, repo])
        names[id], owners[repo] = repo, id


def _move(connection: duckdb.DuckDBPyConnection, before: str, repo: str) -> None:
    """Puts all rows of one name under another; where both have a row of the same key, the other's stays."""
    for table, record in _TABLES.items():
        name = "subject" if table == "coverage" else "repo"
        if name in record.KEY:
            same = " and ".join(f"a.{part} = b.{part}" for part in record.KEY if part != name)
            connection.execute(
                f"delete from {table} as a using {table} as b"
                f" where a.{name} = ? and b.{name} = ? and {same or 'true'}",
                [before, repo],
            )
        connection.execute(f"update {table} set {name} = ? where {name} = ?", [repo, before])
    connection.execute("update deployments set config_repo = ? where config_repo = ?", [repo, before])
    connection.execute(
        "update deployments set id = ? || substr(id, ?) where source = 'tags' and starts_with(id, ?)",
        [repo, len(before) + 1, f"{before}@"],
    )
    connection.execute(
        "update incidents set source_service = ?, id = ? || substr(id, ?)"
        " where source = 'github_issues' and source_service = ?",
        [repo, repo, len(before) + 1, before],
    )
    connection.execute(
        "update requests set id = ? || substr(id, ?)"
        " where source = 'git' and (starts_with(id, ?) or starts_with(id, ?))",
        [repo, len(before) + 1, f"{before}@", f"{before}#"],
    )
    connection.execute(
        "update cursors set subject = ? || substr(subject, ?)"
        f" where source in {_OF_GITHUB} and (subject = ? or starts_with(subject, ?))",
        [repo, len(before) + 1, before, f"{before} "],
    )
    connection.execute("update former_names set repo = ? where repo = ?", [repo, before])
    _move_set_aside(connection, before, repo)


def _move_set_aside(connection: duckdb.DuckDBPyConnection, before: str, repo: str) -> None:
    """Puts what is in the quarantine under the new name, so that it leaves it once it is read well under that."""
    found = connection.execute(
        "select rowid, source, kind, subject, key from quarantine"
        f" where source in {_OF_GITHUB} and starts_with(subject, ?)",
        [before],
    ).fetchall()
    for row, source, kind, subject, key in found:
        parts, rest = json.loads(key) if key else [], subject[len(before) :]
        mark = {"deployments": "@", "incidents": "#"}.get(kind)  # with which their ids go on after the name
        moved = [
            repo + part[len(before) :]
            if part == before or (mark and part.startswith(before + mark))
            else part
            for part in parts
        ]
        # a key without the name says nothing: that of a deployment object, or none
        is_named = moved != parts or (rest == "" if key else rest[:1] in ("", "#", "@", "/"))
        if is_named:
            moved_key = json.dumps(moved) if key else None
            connection.execute(
                "delete from quarantine where source = ? and kind = ? and key = ? and rowid <> ?",
                [source, kind, moved_key, row],
            )
            connection.execute(
                "update quarantine set subject = ?, key = ? where rowid = ?", [repo + rest, moved_key, row]
            )


def _renamed(record: Record, current: dict[str, str]) -> Record:
    names = {
        field: current[name]
        for field in ("repo", "config_repo")
        if (name := getattr(record, field, None)) in current
    }
    return record.model_copy(update=names) if names else record
