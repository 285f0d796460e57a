"""The pages that there are: each is a file that Streamlit runs, is given the facts, and leads to the others."""

from contextvars import ContextVar
from dataclasses import replace
from typing import Any, NamedTuple

import streamlit as st

from config.metrics import metrics
from config.settings import Settings
from config.text.legible import one_line
from dashboards.figures.formats import plain_markdown
from dashboards.frame.access import Access, Refused, Shows, opens, permitted, visible, with_teams_below
from dashboards.frame.markup import DASHBOARDS, part
from dashboards.frame.notices import Notice
from dashboards.frame.published import Published
from dashboards.frame.state import State, names
from dashboards.frame.view import (
    PERIODS,
    Filters,
    elsewhere,
    from_address,
    known,
    link,
    not_understood,
    scope_name,
    scope_page,
    to_address,
)


class PageFile(NamedTuple):
    """A page's title and file; one that is not `listed` is reached from what it is about, such as a team's name.

    `shows` says who may open it where people see their own only; unless it is said, those who see everything. `kinds`
    are the facts that are on it; of a page without any they are those of the metric that it shows.
    """

    title: str
    file: str
    listed: bool = True
    shows: Shows = "everything"
    kinds: tuple[str, ...] = ("deployments", "changes", "incidents", "responses")


# by address path; the first is what opens without a path
PAGES = {
    "overview": PageFile("Overview", "overview/page.py", shows="numbers"),
    "metric": PageFile("Metric", "metric/page.py", shows="view", kinds=()),
    "targets": PageFile("Targets", "targets/page.py", shows="view"),
    "platform": PageFile(
        "Platform",
        "platform_use/page.py",
        shows="view",
        kinds=("deployments", "changes", "incidents"),
    ),
    "teams": PageFile("Teams", "team_and_service/teams_page.py", shows="list"),
    "services": PageFile("Services", "team_and_service/services_page.py", shows="view"),
    "deployments": PageFile(
        "Deployments",
        "deployments_and_incidents/deployments_page.py",
        shows="view",
        kinds=("deployments", "changes"),
    ),
    "incidents": PageFile(
        "Incidents", "deployments_and_incidents/incidents_page.py", shows="view", kinds=("incidents",)
    ),
    "satisfaction": PageFile("Satisfaction", "satisfaction/page.py", shows="view", kinds=("responses",)),
    "trust": PageFile("Can I trust this?", "trust/page.py", shows="view"),
    "scorecards": PageFile("Scorecards", "scorecards/page.py", shows="view"),
    "team": PageFile("Team", "team_and_service/team_page.py", listed=False, shows="view"),
    "service": PageFile("Service", "team_and_service/service_page.py", listed=False, shows="view"),
}


# the kinds of fact that a metric is made of, by its fact table; failures are told by incidents too
_KINDS = {
    "changes": ("deployments", "changes"),
    "deployments": ("deployments",),
    "recoveries": ("deployments", "incidents"),
}
# a list is of all of them, not of the one that was looked at
_WIDER: dict[str, dict[str, Any]] = {"teams": {"team": None, "service": None}, "services": {"service": None}}


class Given(NamedTuple):
    """What a page is given to draw from."""

    settings: Settings
    published: Published
    state: State


_given: ContextVar[Given] = ContextVar("given")
_access: ContextVar[Access] = ContextVar("access")
_page: ContextVar[PageFile] = ContextVar("page")
_misread: ContextVar[list[str]] = ContextVar("misread")


def chosen_page() -> st.Page:
    """The page that the address asks for. Its links are ours, since Streamlit's lose what follows the path."""
    (named, first), *others = PAGES.items()
    opens_first = st.Page(DASHBOARDS / first.file, title=first.title, default=True)
    # Streamlit knows the first page by no path alone
    by_name = st.Page(_first_page, title=first.title, url_path=named)
    pages = [st.Page(DASHBOARDS / page.file, title=page.title, url_path=path) for path, page in others]
    chosen = st.navigation([opens_first, by_name, *pages], position="hidden")
    if chosen.url_path == named:
        st.switch_page(opens_first, query_params=st.query_params.to_dict())
    return chosen


def _first_page() -> None:
    """Never runs: its address leads on."""


def run_page(page: st.Page, given: Given, access: Access) -> None:
    """Draws `page`, which asks for what it is `given`, where its view is within `access`, or says that it is not.

    The page finds in the address and in the state only what may be seen.
    """
    access = with_teams_below(access, given.state.groups)
    state = visible(given.state, access)
    file = PAGES[page.url_path or next(iter(PAGES))]
    _access.set(access)
    _page.set(file)
    _misread.set(not_understood(st.query_params))
    _given.set(given._replace(state=state))
    asked = from_address(st.query_params)
    try:
        view = permitted(file.shows, asked, access, state)
    except Refused as refused:
        page_links(Filters())
        st.html(part("notice", Notice("Not for you to see", (str(refused),), bad=True)))
        if own := [team for team in state.teams if team in (access.teams or ())]:
            st.html(part("own_teams", [(team, link(".", Filters(team=team))) for team in own]))
        return
    if view != asked:
        st.query_params.from_dict(to_address(view))
    published = given.published
    if access.teams is not None:
        # what one person's page keeps in a cache is found by those alone who may see the same
        sight = f"{sorted(access.teams)} {access.rollups}"
        published = replace(published, settings=f"{published.settings} {sight}")
    _given.set(Given(given.settings, published, state))
    page.run()


def given() -> Given:
    """What the running page was given."""
    return _given.get()


def shown_kinds(view: Filters) -> tuple[str, ...]:
    """The kinds of fact that are on the running page."""
    if kinds := _page.get().kinds:
        return kinds
    metric = metrics()[view.metric]
    kinds = _KINDS.get(metric.fact, (metric.fact,))
    return (*kinds, "incidents") if metric.needs_incidents else kinds


def own_teams() -> frozenset[str] | None:
    """The teams whose rows may be seen; None: everybody's."""
    return _access.get().teams


def permitted_view(state: State) -> tuple[Filters, list[str]]:
    """(the view in the address, what of it the facts do not know or nobody understands, and is not applied)."""
    everything = names(state, Filters())
    asked = from_address(st.query_params)
    left, unknown = known(asked, {scope: set(found) for scope, found in everything.items()})
    # what is left may be wider than what was permitted
    view = permitted(_page.get().shows, left, _access.get(), state)
    st.set_page_config(page_title=_title(view, state.organization))
    return view, [*unknown, *_misread.get()]


def _title(view: Filters, organization: str) -> str:
    """What tells a tab or a bookmark from others: "Lead Time for Changes · team payments · 12 weeks · acme"."""
    page = _page.get()
    about = metrics()[view.metric].name if page.title == "Metric" else page.title
    scope, period = scope_name(view, organization), PERIODS[view.period]
    parts = [about if page.listed or not view.where else "", scope if view.where else ""]
    parts += [period if view.period != Filters.period else "", organization]
    return one_line(" · ".join(part for part in parts if part))


def page_links(shown: Filters) -> None:
    """The links to the listed pages, each with the view that is `shown`, the search, and the way out of a login."""
    access = _access.get()
    with st.container(key="nav", horizontal=True, gap="small", vertical_alignment="center"):
        st.html(part("skip"))
        for path, page in PAGES.items():
            if page.listed and opens(page.shows, access):
                there = replace(elsewhere(shown), **_WIDER.get(path, {}))
                is_here = page == _page.get()
                with st.container(key="nav-here" if is_here else None, width="content"):
                    st.page_link(DASHBOARDS / page.file, label=page.title, query_params=to_address(there))
        st.space("stretch")
        _search(shown, access)
        if access.person:
            st.button(
                "Log out",
                key="logout",
                on_click=st.logout,
                type="tertiary",
                help=plain_markdown(access.person),
            )


def _search(shown: Filters, access: Access) -> None:
    """A choice among what has a page to open, which leads there in the period that is `shown`."""
    state = given().state
    everything = names(state, Filters())
    options = [
        (scope, name)
        for scope in ("group", "team", "service")
        for name in everything[scope]
        if scope == "service"
        or access.teams is None
        or (name in access.teams if scope == "team" else state.groups[name] <= access.teams)
    ]
    if not options:
        return
    st.selectbox(
        "Find a service or team",
        options,
        index=None,
        format_func=lambda option: f"{one_line(option[1])} ({option[0]})",
        placeholder="Find a service or team",
        key="find",
        on_change=_found,
        label_visibility="collapsed",
        width=190,
    )
    if (found := st.session_state.pop("found", None)) is not None:
        scope, name = found
        narrowed = Filters(period=shown.period, start=shown.start, end=shown.end, **{scope: name})
        st.switch_page(DASHBOARDS / PAGES[scope_page(scope)].file, query_params=to_address(narrowed))


def _found() -> None:
    # a page cannot be left within a callback
    st.session_state["found"], st.session_state["find"] = st.session_state["find"], None
