"""The pages that there are: each is a file that Streamlit runs, is given the facts, and leads to the others."""

from contextvars import ContextVar
from typing import NamedTuple

import streamlit as st

from config.settings import Settings
from dashboards.filters import Filters, from_address, known, to_address
from dashboards.loading import State
from dashboards.markup import HERE
from dashboards.overview import names
from dashboards.published import Published


class PageFile(NamedTuple):
    """A page's title and file; one that is not `listed` is reached from what it is about, such as a team's name."""

    title: str
    file: str
    listed: bool = True


# by address path; the first is what opens without a path
PAGES = {
    "overview": PageFile("Overview", "overview_page.py"),
    "explain": PageFile("Numbers explained", "explain_page.py"),
    "trust": PageFile("Can I trust this?", "trust_page.py"),
}


class Given(NamedTuple):
    """What a page is given to draw from."""

    settings: Settings
    published: Published
    state: State


_given: ContextVar[Given] = ContextVar("given")


def chosen() -> st.Page:
    """The page that the address asks for. Its links are ours, since Streamlit's lose what follows the path."""
    pages = [st.Page(HERE / page.file, title=page.title, url_path=path) for path, page in PAGES.items()]
    return st.navigation(pages, position="hidden")


def run(page: st.Page, given: Given) -> None:
    """Draws `page`, which asks for what it is `given`."""
    _given.set(given)
    page.run()


def given() -> Given:
    """What the running page was given."""
    return _given.get()


def view(state: State) -> tuple[Filters, list[str]]:
    """(the view in the address, the names in it that the facts do not know and that are not applied)."""
    everything = names(state, Filters())
    return known(from_address(st.query_params), {scope: set(found) for scope, found in everything.items()})


def links(shown: Filters) -> None:
    """The links to the listed pages, each with the view that is `shown`."""
    with st.container(key="nav", horizontal=True, gap="small"):
        for page in PAGES.values():
            if page.listed:
                st.page_link(HERE / page.file, label=page.title, query_params=to_address(shown))
