"""GitHub's GraphQL API over a sample organisation: queries are executed by graphql-core against GitHub's own types."""

import hmac
import json
import re
import threading
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLFormattedError,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
    parse,
    validate,
)
from graphql.execution import execute_sync
from werkzeug import Request, Response

from sample_data.model import Organisation
from sample_data.servers.github_nodes import Nodes, instant
from sample_data.servers.github_paging import Node
from sample_data.servers.github_points import MOST_NODES, Cost, cost_of

_LIMIT = 5000


class GitHubGraphQL:
    """`POST /api/graphql` with GitHub's paging rules, points and error shapes; `points` is how many were used.

    `lacking` names fields (`Repository.isMirror`) that it does not know, as an older Enterprise Server.
    """

    def __init__(self, organisation: Organisation, token: str, lacking: Collection[str] = ()) -> None:
        self._organisation = organisation
        self._token = token
        self._schema = _schema(frozenset(lacking))
        self.points = 0
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Response:
        given = request.headers.get("Authorization", "").partition(" ")[2]
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return _json(
                {"message": "Bad credentials", "documentation_url": "https://docs.github.com/graphql"}, 401
            )
        asked = request.get_json(silent=True)
        if not isinstance(asked, dict) or not isinstance(asked.get("query"), str):
            return _json({"message": "A query attribute must be specified and must be a string."}, 400)
        try:
            result = self._executed(asked, request.host_url.rstrip("/"))
        except GraphQLError as error:
            result = ExecutionResult(None, [error])
        answer: dict[str, Any] = {}
        if result.data is not None:
            answer["data"] = result.data
        if result.errors:
            answer["errors"] = [_error(error.formatted) for error in result.errors]
        return _json(answer)

    def _executed(self, asked: dict[str, Any], root: str) -> ExecutionResult:
        document, variables = parse(asked["query"]), asked.get("variables")
        if errors := validate(self._schema, document):
            return ExecutionResult(None, errors)
        cost = cost_of(self._schema, document, variables)
        if cost.nodes > MOST_NODES:
            raise GraphQLError(
                f"This query requests up to {cost.nodes:,} possible nodes which exceeds the maximum limit of"
                f" {MOST_NODES:,}.",
                extensions={"type": "MAX_NODE_LIMIT_EXCEEDED"},
            )
        with self._lock:
            self.points += cost.points
            used = self.points % _LIMIT
        query = _Query(Nodes(self._organisation, root), cost, used)
        return execute_sync(
            self._schema,
            document,
            root_value=query,
            variable_values=variables,
            operation_name=asked.get("operationName"),
        )


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

    def __init__(self, nodes: Nodes, cost: Cost, used: int) -> None:
        self._nodes = nodes
        self._cost = cost
        self._used = used

    def rateLimit(self, info: GraphQLResolveInfo, dryRun: bool | None = None) -> Node:  # noqa: N802, N803
        reset = instant(self._nodes.organisation.now)
        return {
            "cost": self._cost.points,
            "limit": _LIMIT,
            "nodeCount": self._cost.nodes,
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
