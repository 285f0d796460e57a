"""GraphQL queries made of the parts in queries.graphql: many repositories, or many cut lists, in one request.

How many: half as many after a time-out, and more again once GitHub answers.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from graphql import REMOVE, FieldNode, Visitor, parse, print_ast, visit

from collectors.github.api import TooMuchError
from collectors.github.as_records import AskedItems
from collectors.transport.json_values import Json, mapping, text

_Answer = TypeVar("_Answer")
_Thing = TypeVar("_Thing")

# a request that is too large costs GitHub's time-out, so the larger one is not tried after every answer
_GOOD_ANSWERS = 3
# what GitHub's rate limit counts is each list that a query may open, and each commit has one of its parents: so many
# commits a query, evenly for its pull requests, of which most have few
_COMMITS = 250
_FEWEST_COMMITS, _MOST_COMMITS = 2, 25
# of each kind: its field in a repository, the order from which it can be resumed, and the fragment
_KINDS = {
    "pull_requests": ("pullRequests", "UPDATED_AT", "PullRequests"),
    "deployments": ("deployments", "CREATED_AT", "Deployments"),
    "releases": ("releases", "CREATED_AT", "Releases"),
}


def query(name: str) -> str:
    """The query `name` with the fragments that it uses."""
    return _with_fragments(_parts()[name])


def named_query(names: Sequence[str]) -> str:
    """A query for the repositories `owner/name` under the aliases r0, r1 …, with what the listing asks of them."""
    fields = (f"r{index}: {_repository(name)} {{ ...Listed }}" for index, name in enumerate(names))
    return _with_fragments(f"query Named($catalog: Boolean!) {{ {' '.join(fields)} }}")


def page_query(kind: str, wanted: Sequence[tuple[AskedItems, int]]) -> str:
    """A query for so many items of one kind of each repository, under the aliases r0, r1 …, newest first.

    The more pull requests it asks for, the fewer commits of each; `cut_lists_query` is for the rest.
    """
    field, order, fragment = _KINDS[kind]
    each = _COMMITS // max(1, sum(first for _, first in wanted))
    commits = max(_FEWEST_COMMITS, min(each, _MOST_COMMITS))
    given = f"($commits: Int = {commits})" if kind == "pull_requests" else ""
    fields = (
        f"r{index}: {_repository(asked.repo)} {{ {field}(first: {first}, after: {json.dumps(asked.after)},"
        f" orderBy: {{ field: {order}, direction: DESC }}) {{ ...{fragment} }} }}"
        for index, (asked, first) in enumerate(wanted)
    )
    return _with_fragments(f"query {fragment}{given} {{ {' '.join(fields)} }}")


def page_field(kind: str) -> str:
    """The name under which a repository holds the list of a kind."""
    return _KINDS[kind][0]


@dataclass(frozen=True)
class CutList:
    """A list inside the item `id` of type `kind`: what follows after a cursor, or from its beginning where none is."""

    id: str
    kind: str
    field: str
    after: str | None


def cut_lists_query(cut: Sequence[tuple[CutList, int]]) -> str:
    """A query for so many items of each list, under the aliases n0, n1 …"""
    fields = (
        f"n{index}: node(id: {json.dumps(one.id)}) {{ ... on {one.kind} {{ {one.field}(first: {first},"
        f" after: {json.dumps(one.after)}) {{ ...{one.field.capitalize()} }} }} }}"
        for index, (one, first) in enumerate(cut)
    )
    return _with_fragments(f"query Rest {{ {' '.join(fields)} }}")


def fitting_in(
    things: Iterable[_Thing], room: int, most: Callable[[_Thing], int], things_a_query: int
) -> list[tuple[_Thing, int]]:
    """The first of `things` with how many items of each fit into a query; the last of them may be cut short."""
    found = []
    for thing in islice(things, things_a_query):
        first = min(room, most(thing))
        if not first:
            break
        found.append((thing, first))
        room -= first
    return found


def is_given(connection: Json) -> bool:
    """Whether a list came, and whether more of it follows was said."""
    page = mapping(connection, "pageInfo")
    following = page.get("hasNextPage")
    is_said = following is False or (following is True and bool(text(page, "endCursor")))
    return is_said and isinstance(connection.get("nodes"), list)


def without_field(document: str, lacking: Collection[str]) -> str:
    """`document` without the fields that a server lacks, and without what asks for nothing then."""
    if not lacking:
        return document
    operation, *fragments = visit(parse(document), _Removal(lacking)).definitions
    return _with_fragments(print_ast(operation), {part.name.value: print_ast(part) for part in fragments})


class _Removal(Visitor):
    def __init__(self, names: Collection[str]) -> None:
        super().__init__()
        self._names = names

    def leave_field(self, node: FieldNode, *_: Any) -> Any:
        is_empty = node.selection_set is not None and not node.selection_set.selections
        return REMOVE if is_empty or node.name.value in self._names else None


def _repository(full: str) -> str:
    owner, _, name = full.partition("/")
    return f"repository(owner: {json.dumps(owner)}, name: {json.dumps(name)})"


@cache
def _parts() -> dict[str, str]:
    document = (Path(__file__).parent / "queries.graphql").read_text(encoding="utf-8")
    return {
        found[1]: found[0].rstrip()
        for found in re.finditer(r"^(?:query|fragment) (\w+).*?^}", document, re.DOTALL | re.MULTILINE)
    }


def _with_fragments(query: str, fragments: Mapping[str, str] | None = None) -> str:
    """The query with the fragments that it uses, and no other: GitHub refuses those."""
    known, parts = fragments or _parts(), [query]
    used: set[str] = set()
    for part in parts:
        for name in re.findall(r"\.\.\.(\w+)", part):
            if name not in used:
                used.add(name)
                parts.append(known[name])
    return "\n".join(parts)


class QuerySize:
    """Room for `full` items in a request, or for as many as GitHub has the time for."""

    def __init__(self, full: int) -> None:
        self._full = self._size = full
        self._answers = 0

    def fitting(self, ask: Callable[[int], _Answer], wanted: int | None = None) -> _Answer:
        """What `ask` answers for the `wanted` items, or for as many of them as there is room for.

        Raises TooMuchError where one is too many.
        """
        while True:
            size = self._size if wanted is None else min(self._size, wanted)
            try:
                answer = ask(size)
            except TooMuchError:
                if size <= 1:
                    raise
                self._size, self._answers = size // 2, 0
                continue
            self._answers += size == self._size  # a smaller one does not show that more would fit
            if self._answers >= _GOOD_ANSWERS:
                self._size, self._answers = min(self._full, self._size * 2), 0
            return answer
