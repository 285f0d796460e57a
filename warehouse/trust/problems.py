"""What is wrong between what was collected and what the configuration and the catalogue say, with what to write."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from config.names import find_name, same_key
from config.settings import DEPLOYMENT_SOURCES, Settings
from config.text.quoting import one_short_line
from warehouse.building.ancestry.source_paths import source_pattern
from warehouse.building.steps import model
from warehouse.loading.production_names import matcher
from warehouse.metrics.units import plural
from warehouse.trust.guardrail_problems import guardrail_problems
from warehouse.trust.path_problems import path_problems
from warehouse.trust.platform_problems import platform_problems
from warehouse.trust.survey_teams import near_names

_Rows = Callable[[str], list[tuple[Any, ...]]]
_MOST_NAMED = 8
_MOST_PATHS = 200_000
# only where something was read of it does a name without a match say something
_UNKNOWN_APPLICATIONS = (
    "with named as (select c.name, unnest(c.argocd_apps) as application from catalogue as c where c.gone_at is null)"
    " select n.name, n.application from named as n where exists"
    " (select 1 from source.deployments as d where d.application is not null) and not exists"
    " (select 1 from claims as l where l.kind = 'application' and l.service = n.name"
    " and split_part(l.value, '/', -1) = split_part(n.application, '/', -1)) order by all"
)
_CLAIMED_TWICE = (
    "select l.kind, l.value, string_agg(distinct l.service, ', ' order by l.service) from claims as l"
    " where l.kind in ('application', 'PagerDuty service') and l.gone_at is null"
    " group by l.kind, l.value having count(distinct l.service) > 1 order by all"
)
_CONTRADICTING = (
    "select c.name, string_agg(distinct c.origin, ', ' order by c.origin), w.origin from source.components as c"
    " inner join catalogue as w on w.name = c.name where c.kind = 'Component' and c.gone_at is null"
    " group by c.name, w.origin having count(distinct (c.owner, c.system, c.repo)) > 1 order by all"
)
_SILENT_SOURCES = (
    "with told as (select d.source from source.deployments as d"
    " union select 'workflow_runs' from source.workflow_runs)"
    " select c.name, c.deployments_from, (select string_agg(t.source, ', ' order by t.source) from told as t) as known"
    " from catalogue as c where c.gone_at is null and known is not null"
    " and c.deployments_from not in (select t.source from told as t) order by 1"
)
_GROUP_NAMES = "select distinct g.name from groups as g"
_UNCLEAR_GROUPS = "select p.what, p.advice from group_problems as p order by p.name, p.what"
_LOOSE_LINKS = (
    "select l.incident_source || ' ' || l.incident_id from source.links as l left join source.incidents as i"
    " on i.source = l.incident_source and i.id = l.incident_id where i.id is null order by 1"
)
_EVENTS_OF_NOBODY = (
    "select distinct e.scope from source.events as e where e.scope <> 'organisation' and e.scope not in ("
    "select 'service ' || s.service from services as s"
    " union select 'team ' || o.team from owners as o where o.team is not null"
    " union select 'group ' || g.name from groups as g"
    " union select 'team ' || r.team from source.responses as r where r.team is not null"
    " union select 'system ' || o.system from owners as o where o.system is not null) order by 1"
)
_COUNT_NOWHERE = (
    "select d.source, count(*), string_agg(distinct d.repo, ', ' order by d.repo) from source.deployments as d"
    " where d.source in ('releases', 'tags') and d.ref not in (select t.ref from tag_environments as t)"
    " and d.repo not in (select c.repo from candidates as c where c.repo is not null)"
    " group by d.source order by all"
)
# of each service the source that is not heard, where one environment of it alone has more than the one that is; of a
# service that has a part of its repository nobody knows yet which rows are its own
_LOUDER = (
    "with told as (select c.service, c.source, c.told_by, c.environment, count(*) as entries from candidates as c"
    " where c.status = 'success' and c.no_deployment_because is null and not c.by_paths group by all),"
    " silenced as (select t.service, t.source, t.told_by, max(t.entries) as entries from told as t"
    " where t.told_by is not null group by all),"
    " speaking as (select t.service, t.source, sum(t.entries) as entries from told as t"
    " where t.told_by is null group by all)"
    " select l.told_by, l.source, list(l.service || ' (' || h.entries || ' told, ' || l.entries || ' left out)'"
    " order by l.entries - h.entries desc, l.service) from silenced as l"
    " inner join speaking as h on h.service = l.service and h.source = l.told_by and h.entries < l.entries"
    " inner join services as s on s.service = l.service and s.deployments_from is distinct from l.told_by"
    " group by l.told_by, l.source order by 1, 2"
)
_NO_INCIDENTS = (
    "select count(distinct c.service) from candidates as c where not exists (select 1 from source.incidents)"
    " and not exists (select 1 from source.coverage as r"
    " where r.source in ('pagerduty', 'github_issues', 'import incidents'))"
)
_UNWATCHED = (
    "with deployed as (select distinct c.service from candidates as c where c.status = 'success'"
    " and c.no_deployment_because is null and c.told_by is null and not c.by_paths),"
    " watched as (select l.service from source.coverage as r inner join claims as l on l.kind = 'PagerDuty service'"
    " and (l.value = r.subject or (r.source = 'pagerduty' and r.subject = '*'))"
    " where r.source in ('pagerduty', 'import incidents')"
    " union select s.service from source.coverage as r"
    " inner join services as s on r.subject in (s.service, s.repo, 'every service')"
    " where r.source in ('github_issues', 'import incidents'))"
    " select d.service, w.service is null from deployed as d left join watched as w on w.service = d.service order by 1"
)
_NOT_WHOLE = (
    "select count(*), string_agg(p.repo || '#' || p.number, ', ' order by p.repo, p.number)"
    " from source.pull_requests as p where p.merged_at is not null and p.commit_count > len(p.commits)"
)


_TEAMS_OF_NOBODY = "select u.team, u.answers from (unknown) as u order by u.answers desc, u.team"
_KNOWN_TEAMS = "select k.team from known_teams as k"
_NOT_ASKED = (
    "select r.round, list(distinct r.question order by r.question) from source.responses as r group by r.round"
    " having not bool_or(r.question in (select q.question from satisfaction_questions as q)) order by max(r.closes_at)"
)


@dataclass(frozen=True)
class Problem:
    """What is wrong, and what to write where."""

    what: str
    advice: str


def problems(connection: duckdb.DuckDBPyConnection, settings: Settings) -> list[Problem]:
    """Those of a connection with the tables up to `candidates`, the gravest first."""

    def rows(sql: str) -> list[tuple[Any, ...]]:
        return connection.execute(sql).fetchall()

    return [
        *_production(rows, settings),
        *_workflows(rows, settings),
        *_patterns(rows, settings),
        *_targets(rows, settings),
        *_of_the_catalogue(rows),
        *_louder(rows),
        *_uncounted(rows),
        *(Problem(what, advice) for what, advice in path_problems(rows, settings)),
        *_of_surveys(rows, settings),
        *(Problem(*found) for found in platform_problems(rows, settings)),
        *(Problem(*found) for found in guardrail_problems(rows, settings)),
    ]


def _production(rows: _Rows, settings: Settings) -> Iterator[Problem]:
    environments = rows(
        "select distinct coalesce(d.environment, 'production') from source.deployments as d"
        " where d.source not in ('argocd', 'releases', 'tags') order by 1"
    )
    places = rows(
        "select distinct concat_ws('/', d.cluster, d.namespace) from source.deployments as d where d.source = 'argocd'"
        " order by 1"
    )
    for names, table, of in (
        (environments, "production_environments", "environments of deployments"),
        (places, "production_applications", "places of Argo CD's applications"),
    ):
        if names and not rows(f"select 1 from {table} limit 1"):
            yield Problem(
                f"none of {len(names):,} {of} is production: {_named(name for (name,) in names)}",
                'name them: production: {environments: ["GLOB"]}, or take a word out of production.except',
            )
    known = [*(name for (name,) in environments), *(part for (place,) in places for part in place.split("/"))]
    for glob in (settings.production.environments or ()) if known else ():
        if not any(map(matcher([glob]), known)):
            yield Problem(
                f'production.environments: "{glob}" matches nothing',
                f"there are {_named(sorted(set(known)))}",
            )


def _workflows(rows: _Rows, settings: Settings) -> Iterator[Problem]:
    seen = rows("select r.workflow, count(*) from source.workflow_runs as r group by 1 order by 2 desc, 1")
    met = {
        rule for (rule,) in rows("select distinct v.rule from workflow_values as v where v.kind = 'workflow'")
    }
    for rule, entry in enumerate(settings.deployments.workflows):
        if rule not in met:
            there = _named(f"{file} ({n:,})" for file, n in seen) if seen else "no run of any file"
            yield Problem(
                f'deployments.workflows: "{entry.workflow}" meets no run, nor does a run call it',
                f"the files that were seen, with their runs: {there}",
            )
    for environment, reason, n in rows(
        "select w.workflow, w.no_deployment_because, count(*) from workflow_deployments as w"
        " where w.no_deployment_because like 'its job %' or w.no_deployment_because like 'without a job %'"
        " group by 1, 2 order by 3 desc, 1"
    ):
        yield Problem(
            f"{n:,} runs of {environment} are no deployments: {reason}",
            "where another job deploys, name it: deployments: {workflows: [{workflow: FILE, job: GLOB}]}",
        )


def _patterns(rows: _Rows, settings: Settings) -> Iterator[Problem]:
    refs = [
        ref
        for (ref,) in rows("select distinct ref from source.deployments where source in ('releases', 'tags')")
    ]
    for entry in settings.deployments.tags if refs else ():
        if not any(map(matcher([entry.tag]), refs)):
            yield Problem(
                f'deployments.tags: "{entry.tag}" matches no tag and no release', f"there are {_named(refs)}"
            )
    for name, repo, patterns in rows(
        "select c.name, c.repo, c.source_patterns from catalogue as c"
        " where c.gone_at is null and cardinality(c.source_patterns) > 0 and c.repo is not null order by 1"
    ):
        paths = [
            path
            for (path,) in rows(
                "select distinct unnest(c.paths) from source.commits as c where c.repo = "
                f"{_quoted(repo)} limit {_MOST_PATHS}"
            )
        ]
        for pattern in patterns if paths else ():
            if not any(map(source_pattern([pattern]).fullmatch, paths)):
                yield Problem(
                    f'{name}: the source pattern "{pattern}" matches no file of {repo}',
                    "mend sixkeys.dev/source-patterns; a folder is written as cart, or cart/**",
                )


def _targets(rows: _Rows, settings: Settings) -> Iterator[Problem]:
    for entry in settings.metrics:
        for kind, name in (override.scope for override in entry.overrides):
            surveyed = " union select r.team from source.responses as r" if kind == "team" else ""
            names = f"select s.{kind} from services as s{surveyed}" if kind != "group" else _GROUP_NAMES
            known = [one for (one,) in rows(f"{names} order by 1") if one is not None]
            if known and find_name(name, known) is None:
                yield Problem(
                    f'metrics: there is no {kind} "{name}", for which {one_short_line(entry.name)} has a target',
                    f"there are {_named(dict.fromkeys(known))}",
                )


def _of_the_catalogue(rows: _Rows) -> Iterator[Problem]:
    for name, application in rows(_UNKNOWN_APPLICATIONS):
        yield Problem(
            f'{name}: no Argo CD application is called "{application}"',
            "mend argocd/app-name; it may be written as name, namespace/name or instance/namespace/name",
        )
    for kind, value, services in rows(_CLAIMED_TWICE):
        yield Problem(
            f"{kind} {value} is claimed by {services}",
            "an incident of several services blames one only if it alone was deployed; give each its own",
        )
    for name, source, known in rows(_SILENT_SOURCES):
        yield Problem(
            f'{name}: no source called "{source}" tells of deployments',
            f"mend sixkeys.dev/deployments-from; there are {known}",
        )
    for name, origins, believed in rows(_CONTRADICTING):
        yield Problem(
            f"{name} is told in different ways by {origins}", f"{believed} is believed; remove the others"
        )
    for what, advice in rows(_UNCLEAR_GROUPS):
        yield Problem(what, advice)


def _louder(rows: _Rows) -> Iterator[Problem]:
    for told_by, source, services in rows(_LOUDER):
        speaking, silenced = (DEPLOYMENT_SOURCES.get(name, name) for name in (told_by, source))
        yield Problem(
            f"services told by {speaking} have more deployments left out, of {silenced}: {_named(services)}",
            f"where {silenced} are right, the component says sixkeys.dev/deployments-from: {source}",
        )


def _uncounted(rows: _Rows) -> Iterator[Problem]:
    for source, n, repos in rows(_COUNT_NOWHERE):
        yield Problem(
            f"{n:,} {source} are read and count nowhere: {_named(repos.split(', '))}",
            'where they are deployments: deployments: {tags: ["v*"]}',
        )
    ((cut, pulls),) = rows(_NOT_WHOLE)
    if cut:
        yield Problem(
            f"{cut:,} pull requests have more commits than GitHub lists: {_named(pulls.split(', '))}",
            "nothing to write: where they were squashed, the commits beyond the list are in no lead time",
        )
    links = [incident for (incident,) in rows(_LOOSE_LINKS)]
    if links:
        yield Problem(
            f"links name incidents that were never read: {_named(links)}",
            "mend incident_source and incident_id where the links were written; they blame nothing so far",
        )
    scopes = [scope for (scope,) in rows(_EVENTS_OF_NOBODY)]
    if scopes:
        yield Problem(
            f"events are told of what is not known: {_named(scopes)}",
            "mend their scope where they were written; no chart shows them so far",
        )
    ((services,),) = rows(_NO_INCIDENTS)
    if services:
        yield Problem(
            f"no incidents are read, and {services:,} services are deployed: failures would not be known",
            "connect sources.pagerduty or sources.github.incidents, or import incidents",
        )
        return
    deployed = rows(_UNWATCHED)
    unwatched = [service for service, is_unwatched in deployed if is_unwatched]
    if unwatched:
        yield Problem(
            f"incidents of {len(unwatched):,} of {len(deployed):,} deployed services are not read: {_named(unwatched)}",
            "add pagerduty.com/service-id to their components, or import incidents with the column service:"
            " their failures would not be known",
        )


def _of_surveys(rows: _Rows, settings: Settings) -> Iterator[Problem]:
    without = rows(_NOT_ASKED)
    if without:
        questions = sorted({question for _, asked in without for question in asked})
        wanted = " or ".join(f'"{name}"' for name in settings.survey.satisfaction[:_MOST_NAMED])
        yield Problem(
            f"survey rounds without a question {wanted} have no satisfaction: {_named(name for name, _ in without)}",
            f"name the questions that are: survey: {{satisfaction: [NAME]}}; they asked {_named(questions)}",
        )
    unknown = rows(_TEAMS_OF_NOBODY.replace("(unknown)", f"({model('unknown_teams')})"))
    if unknown:
        known = [team for (team,) in rows(_KNOWN_TEAMS)]
        told = [f"{team} ({plural(n, 'answer')})" for team, n in unknown]
        meant = [f'"{team}": {near[0]}' for team, _ in unknown if (near := near_names(team, known))]
        yield Problem(
            f"survey answers name teams that no catalogue knows: {_named(told)}",
            f"say which are meant: survey: {{teams: {{{', '.join(meant[:3]) or 'TEXT: TEAM'}}}}}",
        )
    met = {same_key(name) for (name,) in rows(_KNOWN_TEAMS)}
    lost = [team for team in settings.survey.teams.values() if same_key(team) not in met]
    if lost and met:
        yield Problem(
            f"survey.teams names teams that no catalogue knows: {_named(lost)}",
            "mend the name, or say that it stands for itself: survey: {teams: {TEAM: TEAM}}",
        )


def _named(names: Iterable[str]) -> str:
    known = list(names)
    more = len(known) - _MOST_NAMED
    return ", ".join(known[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
