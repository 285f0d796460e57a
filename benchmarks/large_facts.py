"""The facts of a large organisation, made in the database itself: for measurements, not for looking at.

The real build makes the facts of an organisation that has services, owners, coverage and surveys, and no history; then
its fact tables are filled with rows of the shape that the models give. The same rows each time.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from collectors.contract.records import Component, Coverage, Owner, Record, Repository, Response
from config.settings import Settings, load_settings
from warehouse.building.build import build
from warehouse.building.steps import model
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.stored_values import store
from warehouse.storage.instants import naive
from warehouse.storage.store import open_warehouse

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
SERVICES, TEAMS, SYSTEMS = 200, 25, 8
DAYS = 5 * 365
_FIRST = NOW - timedelta(days=DAYS)
_CONFIG = "organization: acme\ntimezone: Europe/Berlin\nwarehouse: warehouse.duckdb\n"
_MACROS = (
    # 0 <= draw < 1, the same each time
    "create temp macro draw(i, purpose) as hash(purpose || i) / 18446744073709551616.0",
    "create temp macro sha_of(i, purpose) as md5(purpose || i) || substr(md5(i || purpose), 1, 8)",
    "create temp macro day_of(t) as cast((t at time zone 'UTC') at time zone 'Europe/Berlin' as date)",
)
# every twentieth deployment is of two services; the busiest service has some twenty times the rows of the quietest
_DEPLOYED = """
create temp table deployed as
with drawn as (
    select
        i,
        $first + to_microseconds(cast($seconds * 1e6 * draw(i, 'at') as bigint)) as at,
        cast(floor($services * pow(draw(i, 'service'), 1.6)) as bigint) as number,
        draw(i, 'left out') as chance,
        draw(i, 'failed') < 0.08 as fails,
        i % 20 = 0 as is_shared
    from range($deployments) as r (i)
)
select
    d.* replace (d.fails and d.chance >= 0.07 as fails), s.service, o.team, o.system, s.repo,
    day_of(d.at) as day,
    case when d.chance < 0.05 then 'repeat of the running revision' when d.chance < 0.07 then 'rollback' end
        as excluded_because,
    'main/' || d.i as id
from drawn as d
cross join (values (0), (1)) as c (copy)
inner join (select *, row_number() over (order by service) - 1 as number from services) as s
    on s.number = (d.number + c.copy) % $services and (c.copy = 0 or d.is_shared)
inner join owners as o
    on o.service = s.service
    and (o.from_at is null or o.from_at <= d.at) and (o.until_at is null or o.until_at > d.at)
"""
_DEPLOYMENTS = """
insert into deployments by name
select
    'argocd' as source, d.id, d.service, d.team, d.system, d.repo, 'production' as environment, d.at, d.day,
    d.day as listed_day, d.at - interval 4 minutes as started_at, sha_of(d.i, 'd') as sha,
    'images' as sha_method, 'main' as ref, sha_of(d.i, 'd') as revision, 'success' as status,
    'deployment' as kind, d.excluded_because, d.excluded_because as rate_excluded_because, true as is_watched,
    cast(d.fails as int) as failed,
    case when d.fails then 'window' end as failed_by,
    case when d.fails then 'incident Q' || d.i || ': opened 12 min after it' end as failed_evidence,
    cast(d.fails as int) as evidence_count,
    cast(coalesce(d.excluded_because = 'rollback', false) or d.chance > 0.97 as int) as rework,
    case when d.excluded_because = 'rollback' then 'rollback' when d.chance > 0.97 then 'hotfix' end
        as rework_because,
    case when d.excluded_because <> 'rollback' then d.excluded_because end as rework_excluded_because,
    false as is_baseline, $each as changes, $each + 2 as new_commits, 0 as unrelated_commits,
    'acme/config' as config_repo, sha_of(d.i, 'c') as config_sha, d.is_shared,
    'https://argocd.acme.example/applications/' || d.service as url
from deployed as d order by d.at, d.id, d.service
"""
_CHANGES = """
insert into changes by name
select
    d.repo, sha_of(d.i * $each + n, 'change') as sha, d.service, d.team, d.system,
    'argocd' as deployment_source, d.id as deployment_id, d.at, d.day,
    d.at - to_microseconds(cast(1e6 * seconds as bigint)) as authored_at, seconds as lead_time_seconds,
    (d.i * $each + n) // 3 as pull_request,
    'Change ' || n || ' of ' || d.service || ': what a commit title of the usual length says' as subject,
    false as is_revert, draw(d.i, 'hotfix') < 0.03 as is_hotfix,
    case
        when draw(d.i * $each + n, 'merge') < 0.08 then 'merge commit'
        when draw(d.i * $each + n, 'merge') < 0.12 then 'bot'
        when draw(d.i * $each + n, 'merge') < 0.13 then
            'shipped at an unknown time between ' || (d.at - interval 1 day) || ' and ' || d.at || ' UTC'
    end as excluded_because,
    0.3 * seconds as coding_seconds, 0.2 * seconds as pickup_seconds, 0.1 * seconds as review_seconds,
    cast(null as double) as unreviewed_seconds, 0.4 * seconds as deploy_seconds, false as is_shared,
    'https://github.com/' || d.repo || '/commit/' || sha_of(d.i * $each + n, 'change') as url
from (
    select d.*, n, 86400 * exp(1.4 * (draw(d.i * $each + n, 'lead') * 2 - 1)) as seconds
    from deployed as d cross join range($each) as r (n)
    where d.excluded_because is null
) as d order by d.at, d.id, d.service, n
"""
_INCIDENTS = """
insert into incidents by name
select
    'pagerduty' as source, 'Q' || d.i as id, d.service, d.team, d.system, 'Errors in ' || d.service as title,
    case when d.chance > 0.9 then 'low' else 'high' end as urgency, 'resolved' as status, opened_at,
    opened_at + interval 3 minutes as acknowledged_at, d.at as resolved_at, d.at, d.day,
    600 + 7200 * draw(d.i, 'open') as open_seconds, 'argocd' as blames_source, d.id as blames_id,
    d.day as blames_day,
    'window' as blamed_by, case when d.chance > 0.9 then 'urgency low' end as excluded_because,
    'P' || d.service as source_service, false as is_shared,
    'https://acme.pagerduty.com/incidents/Q' || d.i as url
from (
    select t.*, t.at - to_microseconds(cast(1e6 * (600 + 7200 * draw(t.i, 'open')) as bigint)) as opened_at
    from deployed as t where t.fails and not t.is_shared
) as d order by d.at, d.id
"""
_RECOVERIES = """
insert into recoveries by name
select
    'argocd' as source, d.id, d.service, d.team, d.system, 'production' as environment, d.at, d.day,
    d.at - interval 1 hour as finished_at,
    'last incident resolved' as recovered_by, 300 + 9000 * draw(d.i, 'recovered') as recovery_seconds,
    case when d.chance > 0.98 then 'not yet recovered' end as excluded_because, d.is_shared,
    'https://argocd.acme.example/applications/' || d.service as url
from deployed as d where d.fails order by d.at, d.id, d.service
"""


def write(folder: Path, changes: int, deployments: int) -> Settings:
    """Writes `sixkeys.yaml` and published facts of about so many rows in `folder`; the settings."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sixkeys.yaml").write_text(_CONFIG, encoding="utf-8")
    settings = load_settings(folder / "sixkeys.yaml")
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert([*_records()])
        warehouse.upsert(
            [
                Owner(component=_service(n), team=team, from_at=_FIRST + timedelta(days=days))
                for n in range(20)
                for days, team in ((0, f"team-{n % TEAMS:02}"), (700, f"team-{(n + 1) % TEAMS:02}"))
            ]
        )
    with duckdb.connect(str(build(settings, NOW))) as connection:
        for macro in _MACROS:
            connection.execute(macro)
        each = max(1, round(changes / deployments))
        connection.execute(
            _DEPLOYED,
            {
                "first": naive(_FIRST),
                "seconds": DAYS * 86400,
                "services": SERVICES,
                "deployments": deployments,
            },
        )
        connection.execute(_DEPLOYMENTS, {"each": each})
        connection.execute(_CHANGES, {"each": each})
        connection.execute(
            f"create or replace table pull_deliveries as from ({model('pull_deliveries')}) order by day"
        )
        connection.execute(_INCIDENTS)
        connection.execute(_RECOVERIES)
    return settings


def store_values(settings: Settings) -> float:
    """Stores values in the published facts as the build does before it publishes; the seconds it took."""
    with open_facts(settings.warehouse) as facts:
        found = facts
    with duckdb.connect(str(found.path)) as connection:
        started = time.perf_counter()
        store(replace(found, connection=connection))
        return time.perf_counter() - started


def _service(number: int) -> str:
    return f"service-{number:03}"


def _records() -> Iterator[Record]:
    kinds = ("deployments", "incidents", "repositories", "responses")
    for kind in kinds:
        yield Coverage(source=f"import {kind}", subject="*", from_at=_FIRST, until_at=NOW)
    for number in range(SERVICES):
        name, repo = _service(number), f"acme/{_service(number)}"
        team = (number + (number < 20)) % TEAMS
        yield Repository(repo=repo, created_at=_FIRST + timedelta(days=number * 7))
        yield Component(
            name=name,
            owner=f"team-{team:02}",
            system=f"system-{team % SYSTEMS}",
            repo=repo,
            golden_path=(None, "python-service", "node-service")[number % 3],
        )
        for kind in kinds[:2]:
            yield Coverage(source=f"import {kind}", subject=name, from_at=_FIRST, until_at=NOW)
    for quarter in range(20):
        closes = NOW - timedelta(days=91 * quarter + 10)
        for person in range(TEAMS * 8):
            yield Response(
                round=f"{closes:%Y-%m}",
                respondent=f"person-{person}",
                team=f"team-{person % TEAMS:02}",
                submitted_at=closes - timedelta(days=2),
                closes_at=closes,
                score=1 + (person * 7 + quarter) % 5,
            )
