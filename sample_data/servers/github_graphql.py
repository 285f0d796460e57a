"""GitHub's GraphQL API over a sample organisation: queries are executed by graphql-core against GitHub's own types."""

import hmac
import json
import re
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLFormattedError,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
    graphql_sync,
)
from werkzeug import Request, Response

from sample_data.model import Organisation
from sample_data.servers.github_nodes import Nodes, instant
from sample_data.servers.github_paging import Node

_LIMIT = 5000


class GitHubGraphQL:
    """`POST /api/graphql` with GitHub's paging rules, rate limit and error shapes.

    `lacking` names fields (`Repository.isMirror`) that it does not know, as an older Enterprise Server.
    """

    def __init__(self, organisation: Organisation, token: str, lacking: Collection[str] = ()) -> None:
        self._organisation = organisation
        self._token = token
        self._schema = _schema(frozenset(lacking))
        self._used = 0

    def __call__(self, request: Request) -> Response:
        given = request.headers.get("Authorization", "").partition(" ")[2]
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return _json(
                {"message": "Bad credentials", "documentation_url": "https://docs.github.com/graphql"}, 401
            )
        asked = request.get_json(silent=True)
        if not isinstance(asked, dict) or not isinstance(asked.get("query"), str):
            return _json({"message": "A query attribute must be specified and must be a string."}, 400)
        self._used = self._used % _LIMIT + 1
        query = _Query(Nodes(self._organisation, request.host_url.rstrip("/")), self._used)
        result = graphql_sync(
            self._schema,
            asked["query"],
            root_value=query,
            variable_values=asked.get("variables"),
            operation_name=asked.get("operationName"),
        )
        answer: dict[str, Any] = {}
        if result.data is not None:
            answer["data"] = result.data
        if result.errors:
            answer["errors"] = [_error(error.formatted) for error in result.errors]
        return _json(answer)


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status=status, mimetype="application/json")


def _error(error: GraphQLFormattedError) -> dict[str, Any]:
    """GitHub puts an error's `type` beside its message, not below `extensions`, and has its own words for a field."""
    told = {**error.get("extensions", {}), **{k: v for k, v in error.items() if k != "extensions"}}
    unknown = re.match(r"Cannot query field '(\w+)' on type '(\w+)'", error["message"])
    if unknown:
        told["message"] = f"Field '{unknown[1]}' doesn't exist on type '{unknown[2]}'"
        told["extensions"] = {
            "code": "undefinedField",
            "typeName": unknown[2],
            "fieldName": unknown[1],
        }
    return told


def schema_text() -> str:
    """The types that are served, in GitHub's schema language."""
    parts = sorted(Path(__file__).parent.glob("github*.graphql"))
    return "\n".join(part.read_text(encoding="utf-8") for part in parts)


@cache
def _schema(lacking: frozenset[str]) -> GraphQLSchema:
    schema = build_schema(schema_text())
    for name in lacking:
        type_name, _, field_name = name.partition(".")
        del schema.type_map[type_name].fields[field_name]  # type: ignore[attr-defined]
    # GitHub answers with ids beyond 32 bits although its schema says Int
    wide = GraphQLScalarType("WideInt", serialize=int)
    for type_ in schema.type_map.values():
        field = getattr(type_, "fields", {}).get("databaseId")
        if field:
            field.type = wide
    return schema


class _Query:
    """The root of every query; the methods are the fields of `Query`."""

    id = "query"

    def __init__(self, nodes: Nodes, used: int) -> None:
        self._nodes = nodes
        self._used = used

    def rateLimit(self, info: GraphQLResolveInfo, dryRun: bool | None = None) -> Node:  # noqa: N802, N803
        reset = instant(self._nodes.organisation.now)
        return {
            "cost": 1,
            "limit": _LIMIT,
            "nodeCount": 0,
            "remaining": _LIMIT - self._used,
            "resetAt": reset,
            "used": self._used,
        }

    def viewer(self, info: GraphQLResolveInfo) -> Node:
        return {
            "__typename": "User",
            "id": "U_sample",
            "login": "sixkeys",
            "name": "Sixkeys",
            "databaseId": 1,
        }

    def repositoryOwner(self, info: GraphQLResolveInfo, login: str) -> Node | None:  # noqa: N802
        return self._nodes.owner(login)

    def repository(
        self,
        info: GraphQLResolveInfo,
        owner: str,
        name: str,
        followRenames: bool = True,  # noqa: N803
    ) -> Node:
        found = self._nodes.find_repository(owner, name)
        if found is None:
            raise GraphQLError(
                f"Could not resolve to a Repository with the name '{owner}/{name}'.",
                extensions={"type": "NOT_FOUND"},
            )
        return found

    def node(self, info: GraphQLResolveInfo, id: str) -> Node | GraphQLError:
        return self._nodes.by_id(id) or GraphQLError(
            f"Could not resolve to a node with the global id of '{id}'", extensions={"type": "NOT_FOUND"}
        )

    def nodes(self, info: GraphQLResolveInfo, ids: list[str]) -> list[Node | GraphQLError]:
        if len(ids) > 100:
            raise GraphQLError(
                "You may not provide more than 100 node ids; you provided " + f"{len(ids)}.",
                extensions={"type": "ARGUMENT_LIMIT"},
            )
        return [self.node(info, id) for id in ids]
