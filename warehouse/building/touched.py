"""What changed since facts were built, and what belongs together with it: that much is derived anew.

Facts keep a hash of the source rows that they were made of, so that nothing that writes to the warehouse need say what
it wrote. What rows belong to is a node, by its kind and name, such as `repository acme/payments`; rows that have nodes
in common belong together. In the connection the facts before are attached as `whole`, with what they keep for the next
build in the schema `kept`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb

from collectors.contract.records import RECORDS
from warehouse.storage.schema import columns

# kind of node -> SQL for its name in a row `t`, null where the row has none
_REPOSITORY = ("repository", "t.repo")
_SERVICE = ("service", "t.service")
_INCIDENT = "'incident ' || {0}source || ' ' || {0}id"
# table -> the nodes of a row; those of which the part has only the touched rows, and others
NARROWED = {
    "commits": (_REPOSITORY,),
    "pull_requests": (_REPOSITORY,),
    "workflow_runs": (_REPOSITORY,),
    "repositories": (_REPOSITORY,),
    "deployments": (
        _REPOSITORY,
        _SERVICE,
        ("application", "case when t.application is not null then coalesce(t.unit, t.application) end"),
    ),
    "incidents": (
        _SERVICE,
        ("repository", "case when t.source = 'github_issues' then t.source_service end"),
        ("PagerDuty service", "case when t.source <> 'github_issues' then t.source_service end"),
        ("nobody", "case when t.service is null and t.source_service is null then '' end"),
    ),
}
_NODES = NARROWED | {
    "links": (
        ("incident", "(t.incident_source || ' ' || t.incident_id)"),
        ("deployment", "t.deployment_id"),
    ),
}


def is_touched(*nodes: tuple[str, str]) -> str:
    """SQL for whether any of these nodes of a row `t` is in the table `touched` of the part."""
    return " or ".join(
        f"{name} in (select substr(k.node, {len(kind) + 2}) from part.main.touched as k where k.node like '{kind} %')"
        for kind, name in nodes
    )


def _listed(nodes: Sequence[tuple[str, str]]) -> str:
    listed = ", ".join(f"'{kind} ' || {name}" for kind, name in nodes)
    return f"[{listed}]"


def row_hash(types: Mapping[str, str]) -> str:
    """SQL for the hash of a row `t` whose columns have these types.

    By itself DuckDB sees neither which of two lists beside each other a value is in, nor none from empty.
    """
    lists = [f'len(t."{name}")' for name, kind in types.items() if kind.endswith("[]")]
    maps = [f'cardinality(t."{name}")' for name, kind in types.items() if kind.upper().startswith("MAP(")]
    return f"hash({', '.join(['t', *lists, *maps])})"


_ROW_HASHES = " union all ".join(
    [
        f"select '{table}' as told_in, list_filter({_listed(nodes)}, lambda n: n is not null) as nodes,"
        f" count(*) as n, sum({row_hash(columns(RECORDS[table]))}::hugeint) as hash from source.{table} as t"
        f" group by {', '.join(name for _, name in nodes)}"
        for table, nodes in _NODES.items()
    ]
    # a run goes by another name where one of another repository has its number
    + [
        "select 'workflow_deployments', ['repository ' || t.repo], count(*), sum(hash(t)::hugeint)"
        " from workflow_deployments as t group by t.repo"
    ]
)
# pairs of nodes that belong together, as it is now, and as it was
_PAIRS = " union ".join(
    [
        *(
            f"select h.nodes[1], unnest(h.nodes) from {table} as h"
            for table in ("row_hashes", "whole.kept.row_hashes")
        ),
        f"select {_INCIDENT.format('t.')}, unnest({_listed(NARROWED['incidents'])}) from source.incidents as t",
        "select 'incident ' || e.by_source || ' ' || e.by_id, 'service ' || e.service from whole.main.evidence as e",
        f"select 'deployment ' || t.id, unnest({_listed(NARROWED['deployments'])}) from source.deployments as t"
        " where t.id in (select l.deployment_id from source.links as l)",
        "select 'deployment ' || t.id, 'repository ' || t.repo from workflow_deployments as t"
        " where t.id in (select l.deployment_id from source.links as l)",
        "select 'deployment ' || c.id, 'service ' || c.service from whole.kept.candidates as c"
        " where c.id in (select l.deployment_id from source.links as l)",
        *(
            "select 'service ' || c.service,"
            " case c.kind when 'application' then 'application ' else 'PagerDuty service ' end || c.value"
            f" from {claims} as c where c.kind in ('application', 'PagerDuty service')"
            for claims in ("claims", "whole.main.claims")
        ),
        *(
            f"select 'service ' || c.service, 'repository ' || c.repo from {table} as c"
            for table in (
                "claimants",
                "whole.kept.claimants",
                "services",
                "whole.main.services",
                "(select distinct d.service, d.repo from whole.kept.candidates as d)",
            )
        ),
        f"select {_INCIDENT.format('n.')}, 'service ' || d.service from named_by_events as n"
        " inner join whole.main.deployments as d on d.url = n.address"
        " where n.address not in (select c.url from common_addresses as c)",
        f"select {_INCIDENT.format('n.')}, 'service ' || d.service from named_by_events as n"
        " inner join whole.main.deployments as d"
        " on substr(d.sha, 1, 7) = substr(n.sha, 1, 7) and d.sha like (n.sha || '%')",
    ]
)
_CATALOGUE = "(select c.name as service, c.* from {}catalogue as c)"
# what is told of a service, as it is and as it was
_OF_SERVICES = {
    "claims": "whole.main.claims",
    "claimants": "whole.kept.claimants",
    "services": "whole.main.services",
    "owners": "whole.main.owners",
    "path_stretches": "whole.kept.path_stretches",
    _CATALOGUE.format(""): _CATALOGUE.format("whole.kept."),
}


def differing(column: str, now: str, before: str) -> str:
    """SQL for a column of the rows `t` that two small tables have not in common, compared by hashes of their texts."""
    return (
        f"select e.told from (select {column} as told, hash(t::varchar) as row_hash, 1 as n from {now} as t"
        f" union all select {column}, hash(t::varchar), -1 from {before} as t) as e"
        " group by e.told, e.row_hash having sum(e.n) <> 0"
    )


_TOUCHED = " union ".join(
    [
        f"select unnest(d.told) from ({differing('t.nodes', 'row_hashes', 'whole.kept.row_hashes')}) as d",
        *(
            f"select 'service ' || d.told from ({differing('t.service', now, before)}) as d"
            for now, before in _OF_SERVICES.items()
        ),
        # the jobs of a run are read when it is over, or given up after a day
        "select 'repository ' || r.repo from source.workflow_runs as r where r.conclusion is null"
        " and r.finished_at is null and r.created_at > (select a.as_of - interval 1 day from whole.main.about as a)",
        # a name that was told first of one service says of all that are on a path what their steps are
        *(
            "select 'service ' || p.service from path_stretches as p where p.path is not null"
            f" and exists ({differing('true', name, before)})"
            for name, before in (
                ("step_jobs", "whole.kept.step_jobs"),
                ("step_environments", "whole.kept.step_environments"),
                ("production_environments", "whole.main.production_environments"),
            )
        ),
        f"select {_INCIDENT.format('n.')} from named_by_events as n"
        f" where n.address in ({differing('t.url', 'common_addresses', 'whole.kept.common_addresses')})",
    ]
)
_FIRST = "select c.service, min(c.from_at) from {}service_coverage as c where c.fact = 'deployments' group by c.service"
# what was read of a time that was not, or the other way round, once the steps of coverage were made
_TOUCHED_BY_COVERAGE = " union ".join(
    [
        f"select 'service ' || d.told from ({differing('t.service', 'gaps', 'whole.main.gaps')}) as d",
        "select 'service ' || c.service from changed as c semi join whole.main.deployments as p"
        " on p.service = c.service and p.day = c.day"
        """ where c.fact = 'covered_days' and c."of" in ('deployments', 'incidents')""",
        *(
            f"select 'service ' || c.service from ({_FIRST.format(now)} except {_FIRST.format(before)}) as c"
            for now, before in (("", "whole.main."), ("whole.main.", ""))
        ),
        "select 'service ' || p.service from whole.main.path_deployments as p inner join ("
        "select coalesce(n.subject, b.subject) as subject, min(case when n.until_at <> b.until_at then"
        " least(n.until_at, b.until_at) when n.subject is null then b.from_at when b.subject is null then n.from_at"
        " end) as from_at from source.coverage as n full join whole.main.coverage as b on b.source = n.source"
        " and b.subject = n.subject and b.from_at = n.from_at where coalesce(n.source, b.source) in"
        " ('workflow_jobs', 'import workflow_runs') group by 1) as c"
        " on c.subject in (p.repo, 'every service') and p.finished_at >= c.from_at",
    ]
)

# null where it is of no service
_COVERED_OTHERWISE = " union ".join(
    f"select d.told as service from ({differing('t.service', table, f'whole.main.{table}')}) as d"
    for table in ("service_coverage", "owners")
)


def create_row_hashes(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes `row_hashes`: of each source table and the nodes that rows of it have, how many rows, and their hash."""
    connection.execute(f"create table row_hashes as {_ROW_HASHES}")


def touched(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The nodes of what is told otherwise than when the facts before were built."""
    return _nodes(connection, _TOUCHED)


def create_covered_otherwise(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Makes a table of the services whose covered days may be other ones than before, which may be those of none."""
    connection.execute(f"create table {table} as {_COVERED_OTHERWISE}")


def touched_by_coverage(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The nodes of what the sources' coverage, as it was made anew, says otherwise than before."""
    return _nodes(connection, _TOUCHED_BY_COVERAGE)


def touched_by_names(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The incidents that are not in the part and whose change events or links name deployments that are."""
    return _nodes(
        connection,
        f"with named as (select {_INCIDENT.format('n.')} as incident, n.address, n.sha from named_by_events as n"
        " anti join source.incidents as i on i.source = n.source and i.id = n.id)"
        " select n.incident from named as n inner join blameable_deployments as b on b.url = n.address"
        " union select n.incident from named as n inner join blameable_deployments as b"
        " on substr(b.sha, 1, 7) = substr(n.sha, 1, 7) and b.sha like (n.sha || '%')"
        " union select 'incident ' || l.incident_source || ' ' || l.incident_id from source.links as l"
        " semi join candidates as c on c.id = l.deployment_id"
        " anti join source.incidents as i on i.source = l.incident_source and i.id = l.incident_id",
    )


def belonging_together(connection: duckdb.DuckDBPyConnection, nodes: Iterable[str]) -> set[str]:
    """The nodes, and all that belong together with them, directly or by others."""
    return _nodes(
        connection,
        f"with recursive pairs (one, other) as materialized ({_PAIRS}),"
        " beside (one, other) as materialized (select * from pairs union select p.other, p.one from pairs as p),"
        " found (node) as (select unnest($nodes) union"
        " select b.other from found as f inner join beside as b on b.one = f.node)"
        " select f.node from found as f",
        {"nodes": sorted(nodes)},
    )


def _nodes(
    connection: duckdb.DuckDBPyConnection, query: str, bound: Mapping[str, Any] | None = None
) -> set[str]:
    return {node for (node,) in connection.execute(query, bound).fetchall() if node is not None}
