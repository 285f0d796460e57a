"""Paging of GitHub's GraphQL connections: the arguments' limits, cursors, and the errors where they are missed."""

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any

from graphql import FieldNode, GraphQLError, GraphQLResolveInfo

Node = dict[str, Any]


def connection(
    items: Callable[..., Iterable[Any]],
    node: Callable[[Any], Node],
    keys: dict[str, Callable[[Any], Any]] | None = None,
) -> Callable[..., Node]:
    """A field that pages through `items` as GitHub does: `first` or `last` up to 100, cursors that stay valid.

    `items` takes the field's filters; `keys` gives the sort key for each `field` of `orderBy`. A cursor holds
    the key of its item, so items that move to the front while somebody pages neither repeat nor hide others.
    """

    def resolve(
        info: GraphQLResolveInfo,
        first: int | None = None,
        last: int | None = None,
        after: str | None = None,
        before: str | None = None,
        orderBy: dict[str, str] | None = None,  # noqa: N803
        **filters: Any,
    ) -> Node:
        _check_bounds(info, first, last)
        ordered = [((index,), item) for index, item in enumerate(items(**filters))]
        descending = False
        if orderBy and keys:
            key = keys[orderBy["field"]]
            descending = orderBy["direction"] == "DESC"
            ordered = sorted(((key(item), place[0]), item) for place, item in ordered)  # type: ignore[misc]
            if descending:
                ordered.reverse()
        rows = [(list(place), item) for place, item in ordered]
        start, end = 0, len(rows)
        if after:
            mark = _decode(after)
            start = next((i for i, (k, _) in enumerate(rows) if (k < mark if descending else k > mark)), end)
        if before:
            mark = _decode(before)
            end = next((i for i, (k, _) in enumerate(rows) if (k <= mark if descending else k >= mark)), end)
        if first is not None:
            end = min(end, start + first)
        if last is not None:
            start = max(start, end - last)
        page = rows[start:end]
        return {
            "nodes": lambda info: [node(item) for _, item in page],
            "totalCount": len(rows),
            "filteredCount": len(rows),
            "pageInfo": {
                "hasNextPage": end < len(rows),
                "hasPreviousPage": start > 0,
                "startCursor": _encode(page[0][0]) if page else None,
                "endCursor": _encode(page[-1][0]) if page else None,
            },
        }

    return resolve


def _check_bounds(info: GraphQLResolveInfo, first: int | None, last: int | None) -> None:
    selected = info.field_nodes[0].selection_set
    fields = {
        field.name.value
        for field in (selected.selections if selected else ())
        if isinstance(field, FieldNode)
    }
    if first is None and last is None and fields != {"totalCount"}:
        raise GraphQLError(
            f"You must provide a `first` or `last` value to properly paginate the `{info.field_name}` connection.",
            extensions={"type": "MISSING_PAGINATION_BOUNDARIES"},
        )
    for name, value in (("first", first), ("last", last)):
        if value is not None and value > 100:
            raise GraphQLError(
                f"Requesting {value} records on the `{info.field_name}` connection exceeds the `{name}` limit of "
                "100 records.",
                extensions={"type": "EXCESSIVE_PAGINATION"},
            )


def _encode(key: list[Any]) -> str:
    return base64.b64encode(json.dumps(key).encode()).decode()


def _decode(cursor: str) -> list[Any]:
    try:
        return list(json.loads(base64.b64decode(cursor, validate=True)))
    except ValueError:
        raise GraphQLError(
            f"`{cursor}` does not appear to be a valid cursor.",
            extensions={"type": "INVALID_CURSOR_ARGUMENTS"},
        ) from None
