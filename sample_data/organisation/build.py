"""The sample organisation "acme": 26 weeks of work of four teams on twelve services, the same for the same day.

The declarations are in `services.py` (routines), `checkout.py` and `cases_*.py` (written by hand), `gitops.py`,
`survey.py` and `catalog.py`; README.md says where each case of the definitions is.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path

from sample_data.model import Backstage, Organisation, Repository
from sample_data.organisation.argocd_objects import argocd
from sample_data.organisation.catalog import IN_REPOSITORY, catalog_entities, catalog_files, catalog_info
from sample_data.organisation.gitops import Gitops
from sample_data.organisation.infrastructure import add_namespaces, terraform_runs
from sample_data.organisation.pagerduty_objects import incident_id, pagerduty
from sample_data.organisation.platform_team import MOVED, ON_PATHS, PLATFORM
from sample_data.organisation.playback import Playback
from sample_data.organisation.survey import survey_files
from sample_data.organisation.workflow_runs import workflow_runs
from sample_data.work.plans import Incident, Plan, Push
from sample_data.work.requests import REPOSITORY, tickets
from sample_data.work.routine import Working, history_before
from sample_data.work.services import NOT_MAPPED, PAGERDUTY, REPOSITORIES, SERVICE_NAMES, Declared
from sample_data.work.staff import TEAMS
from sample_data.work.weeks import Weeks

NAME = "acme"
_WITH_RUNS = {"web-shop", *ON_PATHS}


def build_organisation(today: date, folder: Path) -> Organisation:
    """acme as its sources hold it on `today` at 09:00 UTC; writes its git repositories below `folder`."""
    weeks = Weeks(today)
    playbacks: dict[str, Playback] = {}
    incidents: list[Incident] = _office_network(weeks)
    for position, declared in enumerate(REPOSITORIES, start=1):
        playback = Playback(_repository(declared, position, weeks), position * 10_000)
        playbacks[declared.name] = playback
        plans, opened = _declared(declared, weeks)
        playback.play(plans)
        incidents += opened
        if declared.name in _WITH_RUNS:
            playback.repository.workflow_runs = workflow_runs(playback.repository, position * 10_000, weeks)
    gitops = Gitops(Repository(700_000_100, NAME, "gitops-config", weeks.at(-110, "Tue 10:00"), None), weeks)
    gitops.play(playbacks)
    infrastructure = playbacks[REPOSITORY]
    infrastructure.repository.workflow_runs = terraform_runs(infrastructure, weeks, len(playbacks) * 10_000)
    repositories = [*(playback.repository for playback in playbacks.values()), gitops.repository]
    histories = [*(playback.history for playback in playbacks.values()), gitops.history]
    for repository, history in zip(repositories, histories, strict=True):
        if history.commits:
            repository.git_dir = folder / repository.owner / f"{repository.name}.git"
            history.write(repository.git_dir)
    now = datetime.combine(today, time(9), UTC)
    shas = {(repo, key): landed.sha for repo, made in playbacks.items() for key, landed in made.keys.items()}
    instance = argocd(gitops, now)
    add_namespaces(instance, infrastructure, weeks)
    return Organisation(
        name=NAME,
        now=now,
        repositories=sorted(repositories, key=lambda repository: repository.name),
        argocd=instance,
        pagerduty=pagerduty(incidents, SERVICE_NAMES, shas),
        survey_files=survey_files(weeks),
        catalog_files=catalog_files(),
        link_files={"links/incidents.csv": _links(incidents, playbacks)},
        event_files={"events/events.csv": _events(weeks), "requests/tickets.csv": tickets(weeks)},
        backstage=Backstage(catalog_entities()),
        platform_files={"platform.yaml": PLATFORM},
    )


def _repository(declared: Declared, position: int, weeks: Weeks) -> Repository:
    return Repository(
        id=700_000_000 + position,
        owner=NAME,
        name=declared.name,
        created_at=weeks.at(*declared.created),
        pushed_at=None,
        is_fork=declared.is_fork,
        mirror_url=declared.mirror_url,
        template=declared.template,
        topics=declared.topics,
        language=declared.language,
        catalog_info=catalog_info() if declared.name == IN_REPOSITORY else None,
    )


def _declared(declared: Declared, weeks: Weeks) -> tuple[list[Plan], list[Incident]]:
    plans: list[Plan] = [plan for by_hand in declared.by_hand for plan in by_hand(weeks)]
    incidents = declared.incidents(weeks) if declared.incidents else []
    routine = declared.routine
    if routine:
        if declared.created[0] < 0:
            created = weeks.at(*declared.created)
            plans += history_before(routine.repo, routine.authors, routine.topics, weeks, created)
        working = Working(routine, weeks).run()
        plans += working.plans
        incidents += working.incidents
    if declared.name == IN_REPOSITORY:
        files = {"catalog-info.yaml": catalog_info()}
        at, author = weeks.at(-2, "Thu 15:00"), TEAMS["platform"][1]
        plans.append(Push(at, author, "Describe the service for the catalogue", (), files=files))
    return plans, incidents


def _office_network(weeks: Weeks) -> list[Incident]:
    """Incidents of a PagerDuty service that no component names."""
    return [
        Incident(
            f"office-{week}",
            NOT_MAPPED,
            "Office network is down",
            weeks.at(week, f"{day} 08:10"),
            weeks.at(week, f"{day} 08:50"),
            acknowledged=weeks.at(week, f"{day} 08:14"),
        )
        for week, day in ((7, "Tue"), (22, "Wed"))
    ]


def _events(weeks: Weeks) -> str:
    """The CSV of what happened to acme as a whole, to one of its teams and to two of its services."""
    rows = (
        (
            "feature-flags",
            weeks.at(8, "Mon 00:00"),
            "",
            "Feature flags in web-shop",
            "roll-out",
            "service web-shop",
        ),
        (
            "build-runners",
            weeks.at(20, "Tue 09:00"),
            weeks.at(20, "Thu 18:00"),
            "New build runners for everybody",
            "roll-out",
            "organisation",
        ),
        (
            "platform-path",
            weeks.at(MOVED["identity"], "Mon 00:00"),
            "",
            "The platform team takes its own golden path",
            "golden path",
            "team platform",
        ),
        *(
            (
                f"{service}-path",
                weeks.at(week, "Mon 00:00"),
                "",
                f"{service} to the golden path",
                "golden path",
                f"service {service}",
            )
            for service, week in MOVED.items()
        ),
    )
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["id", "at", "until", "title", "kind", "scope"])
    table.writerows(
        [part.isoformat() if isinstance(part, datetime) else part for part in row] for row in rows
    )
    return text.getvalue()


def _links(incidents: Iterable[Incident], playbacks: Mapping[str, Playback]) -> str:
    """The CSV in which people say which deployment an incident came from, or that it came from none."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["incident_source", "incident_id", "deployment_source", "deployment_id", "reason", "by"])
    repos = {service: repo for repo, service in PAGERDUTY.items()}
    for incident in incidents:
        if incident.link is None:
            continue
        blamed = ["", ""]
        if incident.link != "none":
            number = playbacks[repos[incident.service]].deployment_ids[incident.link]
            blamed = ["deployments", str(number)]
        table.writerow(
            ["pagerduty", incident_id(incident.key), *blamed, incident.link_reason, "on-call review"]
        )
    return text.getvalue()
