"""GitHub read by GraphQL: many items of many repositories, with all that belongs to them, in one request."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from collectors.contract.items import Malformed, SourceError
from collectors.contract.people import People
from collectors.github.api import GitHubApi, UnknownFieldError
from collectors.github.as_records import AskedItems, ItemsPage, Listed, Read
from collectors.github.nodes import NodeReader
from collectors.github.queries import (
    CutList,
    QuerySize,
    cut_lists_query,
    fitting_in,
    is_given,
    named_query,
    page_field,
    page_query,
    query,
    without_field,
)
from collectors.transport.json_values import Json, as_instant, listing, mapping, objects, text, whole
from config.text.quoting import one_short_line

_Part = TypeVar("_Part")

# items of one request, all repositories together: what GitHub answers well within its ten seconds
_ROOM = {
    "pull_requests": 100,
    "deployments": 250,
    "releases": 250,
    "repositories": 100,
    "names": 50,
    "ids": 100,
    "cut lists": 500,
}
_A_LIST = 100  # as much as GitHub gives of one list
_REPOSITORIES = 25  # that one request asks for pages of
_CUT_LISTS = 100  # that one request asks for the rest of
# lists inside an item that may be cut, and by what the item is ordered
_NESTED = {
    "pull_requests": ("PullRequest", ("commits", "reviews", "labels"), "updatedAt"),
    "deployments": ("Deployment", ("statuses",), "createdAt"),
    "releases": ("Release", (), "publishedAt"),
}


class GraphQLReader:
    """Reads repositories and their pull requests, deployments and releases, newest first.

    Half as much is asked for where GitHub runs out of time, more again where it does not. A field that the server
    lacks is missing in the records; each is told once.
    """

    def __init__(self, api: GitHubApi, people: People, catalog: bool) -> None:
        self._api = api
        self._nodes = NodeReader(people)
        self._catalog = catalog
        self._rooms = {kind: QuerySize(full) for kind, full in _ROOM.items()}
        self._lacking: set[str] = set()

    def owned(self, owner: str) -> Iterator[Listed | Malformed]:
        """All repositories of `owner`, oldest first."""
        after: str | None = None
        while True:
            data, errors = self._rooms["repositories"].fitting(partial(self._owned_page, owner, after))
            if not data.get("repositoryOwner"):
                raise SourceError(
                    f'github: {self._api.url} knows no owner "{owner}", or the token cannot see it; '
                    "mend sources.github.repositories"
                )
            found = mapping(data, "repositoryOwner", "repositories")
            yield from (_unread("repositories", owner, error) for error in errors)
            yield from (self._nodes.repository(owner, node) for node in objects(found, "nodes"))
            if not is_given(found):
                raise SourceError(
                    f"github: {self._api.url} does not say whether {owner} has more repositories"
                )
            after = _next(found)
            if after is None:
                return

    def named(self, names: Sequence[str]) -> Iterator[Listed | Malformed]:
        """The repositories `owner/name`; one that is not there, or not for this token, is set aside."""
        left = names
        while left:
            batch, data, errors = self._some(
                "names", left, lambda batch: self._ask(named_query(batch), catalog=self._catalog)
            )
            left = left[len(batch) :]
            yield from (_unread("repositories", "named", error) for error in errors)
            for index, name in enumerate(batch):
                for found in objects([data.get(f"r{index}")]):
                    yield self._nodes.repository(name, found)

    def pages(self, kind: str, asked: Sequence[AskedItems]) -> Iterator[tuple[AskedItems, ItemsPage]]:
        """The page of each of `asked`, as many in one request as it may hold; the last one of a request may be short.

        A page may reach below the floor, where what is cut is left so: nobody wants it.
        """
        left = list(asked)
        while left:
            wanted = sum(_most(one) for one in left[:_REPOSITORIES])
            batch, (data, errors) = self._rooms[kind].fitting(partial(self._asked, kind, left), wanted)
            left = left[len(batch) :]
            connections = [mapping(data, f"r{index}", page_field(kind)) for index in range(len(batch))]
            self._complete(
                kind,
                [
                    node
                    for one, found in zip(batch, connections, strict=True)
                    for node in objects(found, "nodes")
                    if (at := as_instant(node, _NESTED[kind][2])) is None or at >= one.floor
                ],
            )
            for index, (one, found) in enumerate(zip(batch, connections, strict=True)):
                reads: list[Read | Malformed] = [
                    _unread(kind, one.repo, error)
                    for error in errors
                    if (listing(error, "path") or ["r0"])[0] == f"r{index}"
                ]
                is_read = is_given(found)
                if not is_read and not reads:
                    reads.append(
                        _unread(kind, one.repo, {"message": "the list was not given", "path": [kind]})
                    )
                parsed = (self._nodes.item(kind, one.repo, node) for node in objects(found, "nodes"))
                yield (
                    one,
                    ItemsPage(
                        [*reads, *filter(None, parsed)],
                        _next(found),
                        is_read,
                    ),
                )

    def deployments_again(self, ids: Sequence[str]) -> Iterator[tuple[str, Read]]:
        """(id, deployment) of those `ids` that are still there."""
        left = ids
        while left:
            batch, data, _ = self._some(
                "ids", left, lambda batch: self._ask(query("DeploymentsById"), ids=batch)
            )
            left = left[len(batch) :]
            nodes = objects(data, "nodes")
            self._complete("deployments", nodes)
            for node in nodes:
                found = self._nodes.item("deployments", text(node, "repository", "nameWithOwner") or "", node)
                if found:
                    yield found.id, found

    def _owned_page(self, owner: str, after: str | None, first: int) -> tuple[Json, list[Json]]:
        return self._ask(query("Repositories"), owner=owner, first=first, after=after, catalog=self._catalog)

    def _asked(
        self, kind: str, left: Sequence[AskedItems], room: int
    ) -> tuple[list[AskedItems], tuple[Json, list[Json]]]:
        """Those of `left` that came into one request of `room` items, and the answer to it."""
        wanted = fitting_in(left, room, _most, _REPOSITORIES)
        return [one for one, _ in wanted], self._ask(page_query(kind, wanted))

    def _some(
        self, kind: str, left: Sequence[_Part], ask: Callable[[Sequence[_Part]], tuple[Json, list[Json]]]
    ) -> tuple[Sequence[_Part], Json, list[Json]]:
        """Those of `left` that came into one request, and what it answers: data and errors."""
        batch, (data, errors) = self._rooms[kind].fitting(
            lambda size: (left[:size], ask(left[:size])), len(left)
        )
        return batch, data, errors

    def _ask(self, document: str, **variables: Any) -> tuple[Json, list[Json]]:
        """The answer to a query, without the fields that the server turns out to lack."""
        while True:
            try:
                return self._api.graphql(without_field(document, self._lacking), **variables)
            except UnknownFieldError as error:
                if error.fields <= self._lacking:
                    raise
                self._lacking |= error.fields
                names = ", ".join(sorted(error.fields))
                logging.getLogger(__name__).warning(
                    "github: %s does not know %s; it is left out", self._api.url, names
                )

    def _complete(self, kind: str, nodes: Sequence[Json]) -> None:
        """Puts into the lists inside `nodes` what was cut off them."""
        type_name, fields, _ = _NESTED[kind]
        cut = [
            (found, CutList(text(node, "id") or "", type_name, field, _next(found)))
            for node in nodes
            for field in fields
            if _is_cut(found := mapping(node, field))
        ]
        while cut:
            wanted = sum(map(_rest, cut[:_CUT_LISTS]))
            batch, (data, _) = self._rooms["cut lists"].fitting(partial(self._asked_rest, cut), wanted)
            cut = cut[len(batch) :]
            for index, (part, one) in enumerate(batch):
                found = mapping(data, f"n{index}", one.field)
                part["nodes"] = (listing(part, "nodes") if one.after else []) + listing(found, "nodes")
                if following := _next(found):
                    cut.append((part, replace(one, after=following)))

    def _asked_rest(
        self, cut: Sequence[tuple[Json, CutList]], room: int
    ) -> tuple[list[tuple[Json, CutList]], tuple[Json, list[Json]]]:
        """Those of the `cut` lists whose rest came into one request of `room` items, and the answer to it."""
        wanted = fitting_in(cut, room, _rest, _CUT_LISTS)
        answer = self._ask(cut_lists_query([(one, first) for (_, one), first in wanted]))
        return [asked for asked, _ in wanted], answer


def _most(asked: AskedItems) -> int:
    """How many items one page of what is asked may have."""
    return min(_A_LIST, asked.expected or _A_LIST)


def _rest(cut: tuple[Json, CutList]) -> int:
    """How many items one page of the rest of a list may have."""
    connection, one = cut
    known = len(listing(connection, "nodes")) if one.after else 0
    left = (whole(connection, "totalCount") or 0) - known
    return min(_A_LIST, left) if left > 0 else _A_LIST


def _is_cut(connection: Json) -> bool:
    # one that is cut without a cursor is asked for from its beginning
    return _next(connection) is not None or (whole(connection, "totalCount") or 0) > len(
        listing(connection, "nodes")
    )


def _next(connection: Json) -> str | None:
    page = mapping(connection, "pageInfo")
    return text(page, "endCursor") if page.get("hasNextPage") else None


def _unread(kind: str, subject: str, error: Json) -> Malformed:
    """What GitHub says of a part that it left out of its answer."""
    where = ".".join(str(step) for step in listing(error, "path"))
    return Malformed(
        kind, subject, f"{where or 'query'}: {one_short_line(text(error, 'message') or 'error')}", str(error)
    )
