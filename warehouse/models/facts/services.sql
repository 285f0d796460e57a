-- grain: one service: a component of the catalogue, a repository without one, or a name that an import gave
-- column service: the component's name in the catalogue, else its repository, else the name that an import gave
-- column team: who owns it today; empty where nobody does
-- column system: the system that it is part of
-- column repo: its repository, owner/name
-- column lifecycle: as the catalogue says, such as production or deprecated
-- column type: as the catalogue says, such as service or library
-- column tags: the catalogue's tags
-- column golden_path: the golden path that it is on today; empty where it is on none
-- column deployments_from: the source that its component says to take its deployments from
-- column gone_at: when the component was found gone from the catalogue; empty while it is there
-- column mapped: whether the catalogue has it
-- column repository_created_at: when its repository was created
-- column has_commits: whether commits of its repository were read
-- column url: the repository's page
-- column portal_url: the component's page in Backstage
with on_paths as (
    select p.component, p.path
    from member_paths as p
    qualify row_number() over (partition by p.component order by p.from_at desc, p.origin) = 1
),

catalogued as (
    select
        c.name as service,
        c.owner as team,
        c.system,
        c.repo,
        c.lifecycle,
        c.type,
        c.tags,
        o.path as golden_path,
        c.deployments_from,
        c.gone_at,
        c.portal_url,
        true as mapped
    from catalogue as c
    left join on_paths as o on o.component = c.name
),

uncatalogued as (
    select r.repo as service, r.repo
    from uncatalogued_repositories as r
    where
        -- an import that names its services has no need of the repository's, unless another source tells of that
        r.repo not in (
            select d.repo
            from source.deployments as d
            where d.repo is not null
            group by d.repo
            having count(*) = count(d.service)
        )
        or r.repo in (select w.repo from workflow_deployments as w)
    union
    select d.service, max(d.repo)
    from source.deployments as d
    where d.service is not null and d.service not in (select c.service from catalogued as c)
    group by d.service
    union
    select i.service, cast(null as string)
    from source.incidents as i
    where
        i.service is not null
        and i.service not in (select c.service from catalogued as c)
        and i.service not in (select d.service from source.deployments as d where d.service is not null)
        and i.service not in (select r.repo from source.repositories as r)
),

told as (
    select
        s.service,
        s.team,
        s.system,
        s.repo,
        s.lifecycle,
        s.type,
        s.tags,
        s.golden_path,
        s.deployments_from,
        s.gone_at,
        s.mapped,
        r.created_at as repository_created_at,
        r.url,
        s.portal_url
    from catalogued as s
    left join source.repositories as r on r.repo = s.repo
    union all
    select
        u.service,
        cast(null as string),
        cast(null as string),
        max(u.repo),
        cast(null as string),
        cast(null as string),
        null,
        cast(null as string),
        cast(null as string),
        cast(null as timestamp),
        false,
        max(r.created_at),
        max(r.url),
        cast(null as string)
    from uncatalogued as u
    left join source.repositories as r on r.repo = u.repo
    group by u.service
)

select
    t.service,
    t.team,
    t.system,
    t.repo,
    t.lifecycle,
    t.type,
    t.tags,
    t.golden_path,
    t.deployments_from,
    t.gone_at,
    t.mapped,
    t.repository_created_at,
    -- null in any rows is unknown, and in none false: said in full, since Spark says false to both
    case
        when t.repo is not null or not exists (select c.repo from source.commits as c)
            then t.repo in (select distinct c.repo from source.commits as c)
    end as has_commits,
    t.url,
    t.portal_url
from told as t
