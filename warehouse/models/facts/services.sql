-- grain: one service: a component of the catalogue, a repository without one, or a name that an import gave
with catalogued as (
    select
        c.name as service,
        c.owner as team,
        c.system,
        c.repo,
        c.lifecycle,
        c.type,
        c.tags,
        c.golden_path,
        true as mapped
    from source.components as c
    where c.kind = 'Component'
),

uncatalogued as (
    select r.repo as service, r.repo
    from uncatalogued_repositories as r
    where
        r.repo not in (
            select d.repo from source.deployments as d where d.service is not null and d.repo is not null
        )
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
)

select
    s.service,
    s.team,
    s.system,
    s.repo,
    s.lifecycle,
    s.type,
    s.tags,
    s.golden_path,
    s.mapped,
    r.created_at as repository_created_at,
    r.url
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
    cast(null as string[]),
    cast(null as string),
    false,
    max(r.created_at),
    max(r.url)
from uncatalogued as u
left join source.repositories as r on r.repo = u.repo
group by u.service
