-- grain: one incident, with why it is left out of MTTR and whether it may be evidence of a failure
select
    i.*,
    case
        when i.merged_into is not null then 'merged into ' || i.merged_into
        when i.source = 'github_issues' and i.status in ('duplicate', 'not planned') then 'closed as ' || i.status
        when i.urgency is not null and u.urgency is null and g.any_urgency then 'urgency ' || i.urgency
        when i.priority is not null and p.priority is null and g.any_priority then 'priority ' || i.priority
    end as ignored_because
from source.incidents as i
cross join settings as g
left join counted_urgencies as u on u.urgency = lower(i.urgency)
left join counted_priorities as p on p.priority = lower(i.priority)
