-- grain: one component of the catalogue as the most specific file has it, those that no file tells of any more too
with first_seen as (
    select o.component, min(o.from_at) as seen_at
    from source.owners as o
    where o.is_seen
    group by o.component
)

select c.*, f.seen_at
from source.components as c
left join first_seen as f on f.component = c.name
where c.kind = 'Component'
qualify row_number() over (
    partition by c.name
    -- what stands in the repository itself is the more specific
    order by c.gone_at is not null, c.gone_at desc, starts_with(c.origin, c.repo || '/') desc nulls last, c.origin
) = 1
