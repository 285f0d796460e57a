-- grain: one team that survey answers name and no catalogue knows; none where there is no catalogue
with answered as (
    select distinct coalesce(s.team, r.team) as team, r.round, r.respondent
    from source.responses as r
    left join survey_teams as s on s.told = r.team
    where r.team is not null
)

select a.team, count(*) as answers, count(distinct a.round) as rounds
from answered as a
where
    exists (select 1 from known_teams as k where k.is_of_catalogue)
    and a.team not in (select k.team from known_teams as k)
group by a.team
