"""Who sees what: from a login's claims to what may be seen, and from a view to the part of it that may be.

No Streamlit, no database. What is not allowed expressly is refused.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from config.access import EVERYBODY, Auth
from dashboards.frame.state import State
from dashboards.frame.view import Filters

# what a page shows: things of its view alone; of its view and, of the scopes below it that `rows` names, the numbers
# alone; the numbers of each team that may be seen, whatever the view; or whatever else, which is for those who see
# everything
Shows = Literal["view", "numbers", "list", "everything"]


class Refused(Exception):
    """Somebody who is logged in and may see nothing, or not this view; says why, for that person."""


@dataclass(frozen=True)
class Access:
    """What a person may see: the rows of `teams` (None: of everybody), and the `rollups` of everybody."""

    teams: frozenset[str] | None = None
    rollups: bool = True
    person: str = ""


EVERYTHING = Access()


def is_current(auth: Auth, claims: Mapping[str, Any], now: datetime) -> bool:
    """Whether somebody is logged in, and did so less than `auth.session` ago; `now` is aware."""
    issued = claims.get("iat")
    if not claims.get("is_logged_in") or not isinstance(issued, int | float):
        return False
    return now.timestamp() - issued < auth.session.total_seconds()


def access(auth: Auth, claims: Mapping[str, Any]) -> Access:
    """What the person of these claims may see; raises Refused."""
    email = str(claims.get("email") or "")
    _, at, domain = email.casefold().rpartition("@")
    if auth.domains and EVERYBODY not in auth.domains:
        if not at or domain not in {name.casefold() for name in auth.domains}:
            raise Refused(
                f"{email or 'An account without an e-mail address'} is of none of the domains let in."
            )
        if claims.get("email_verified") is False:
            raise Refused(f"The provider has not verified the address {email}.")
    person = email or str(claims.get("name") or claims.get("sub") or "")
    if not auth.groups:
        return replace(EVERYTHING, person=person)
    own = {EVERYBODY, *_groups(claims, auth.groups_claim)}
    sights = [sight for group, sight in auth.groups.items() if group in own]
    if not sights:
        raise Refused(f"{person} is in none of the groups that are let in.")
    if "everything" in sights:
        return replace(EVERYTHING, person=person)
    teams = frozenset(team for sight in sights if isinstance(sight, list) for team in sight)
    return Access(teams, "rollups" in sights, person)


def _groups(claims: Mapping[str, Any], claim: str) -> list[str]:
    """The groups in a claim: a list or a single one; dots lead into nested claims where no claim has the whole name."""
    found: Any = claims
    for key in [claim] if claim in claims else claim.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return [found] if isinstance(found, str) else [str(group) for group in found or ()]


def with_teams_below(allowed: Access, groups: Mapping[str, Collection[str]]) -> Access:
    """The same with the teams that the groups of the catalogue hold which are named among its teams."""
    if allowed.teams is None:
        return allowed
    held = (groups[name] for name in allowed.teams if name in groups)
    return replace(allowed, teams=allowed.teams.union(*held))


def visible(state: State, allowed: Access) -> State:
    """The part of `state` that may be seen: the own services, and with roll-ups all teams, groups and systems."""
    if allowed.teams is None:
        return state
    services = tuple(service for service in state.services if service.team in allowed.teams)
    own = {service.system for service in services}
    told = "the reason is told to those who see everything"
    return replace(
        state,
        services=services,
        teams=tuple(team for team in state.teams if allowed.rollups or team in allowed.teams),
        groups={
            name: held for name, held in state.groups.items() if allowed.rollups or held <= allowed.teams
        },
        systems=tuple(system for system in state.systems if allowed.rollups or system in own),
        runs=tuple(replace(run, error=told) if run.error else run for run in state.runs),
    )


def opens(shows: Shows, allowed: Access) -> bool:
    """Whether there is any view of the page that may be seen."""
    return allowed.teams is None or (
        shows != "everything" and (bool(allowed.teams) or (shows in ("numbers", "list") and allowed.rollups))
    )


def permitted(shows: Shows, view: Filters, allowed: Access, state: State) -> Filters:
    """The view that a page may show in place of the asked one; `state` is the visible part. Raises Refused.

    A view of nothing in particular becomes that of the first of the person's teams where it may not be seen itself.
    """
    if allowed.teams is None:
        return view
    if shows == "everything":
        raise Refused("This page is for those who see everything.")
    own = {service.name for service in state.services}
    if shows == "list" and opens(shows, allowed):
        return replace(
            view,
            group=view.group if view.group in state.groups else None,
            team=view.team if view.team in state.teams else None,
            service=view.service if view.service in own else None,
        )
    # a team that there is not is no restriction: without its name a page shows everybody's
    teams = [team for team in state.teams if team in allowed.teams]
    held = state.groups.get(view.group or "")
    is_of_own = held is not None and held <= allowed.teams
    if view.team in teams or view.service in own or is_of_own:
        return view
    if shows == "numbers" and allowed.rollups and view.service is None:
        return replace(view, rows="team") if view.rows in ("both", "service") else view
    if view.group is None and view.team is None and view.service is None and teams:
        return replace(view, team=teams[0])
    told = (
        " of ".join(f"{scope} {name}" for scope, name in reversed(view.where.items())) or "The organisation"
    )
    raise Refused(f"{told}: not among what you may see on this page, or there is none of this name.")
