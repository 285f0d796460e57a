"""The part of Backstage's API that is read: https://backstage.io/docs/features/software-catalog/software-catalog-api/ .

Its pages are as `@backstage/plugin-catalog-backend` gives them: ordered by uid, the cursor with all that was asked.
"""

import base64
import hmac
import json
from collections.abc import Callable
from typing import Any

from werkzeug import Request, Response

from sample_data.model import Organisation

_DEFAULT_LIMIT = 20


class _InputError(Exception):
    """What was asked is not as the API takes it."""


class BackstageApi:
    """Answers requests for paths `/api/catalog/...`; answers and errors have Backstage's shapes."""

    def __init__(self, organisation: Organisation, token: str) -> None:
        self._backstage = organisation.backstage
        self._token = token

    def __call__(self, request: Request) -> Response:
        """The answer to one request; 401 without the token."""
        if request.path != "/api/catalog/entities/by-query" or request.method != "GET":
            return _error(request, 404, "NotFoundError", "Not Found")
        told = request.headers.get("Authorization", "")
        if not told:
            return _error(request, 401, "AuthenticationError", "Missing credentials")
        if not hmac.compare_digest(told.encode(), f"Bearer {self._token}".encode()):
            return _error(request, 401, "AuthenticationError", "Illegal token")
        try:
            return _json(self._page(request))
        except _InputError as error:
            return _error(request, 400, "InputError", str(error))

    def _page(self, request: Request) -> dict[str, Any]:
        cursor = _decoded(request.args["cursor"]) if "cursor" in request.args else {}
        filters = cursor.get("filter") or request.args.getlist("filter")
        found = sorted(
            (entity for entity in self._backstage.entities if _matches(entity, filters)),
            key=lambda entity: str(entity["metadata"]["uid"]),
        )
        try:
            limit = int(request.args.get("limit", _DEFAULT_LIMIT))
        except ValueError:
            raise _InputError("request/query/limit must be integer") from None
        (after,) = cursor.get("orderFieldValues", [""])
        left = [entity for entity in found if entity["metadata"]["uid"] > after]
        items, total = left[:limit], cursor.get("totalItems", len(found))
        page: dict[str, Any] = {
            "items": list(map(_pruned(request), items)),
            "totalItems": total,
            "pageInfo": {},
        }
        if 0 < limit < len(left):
            page["pageInfo"]["nextCursor"] = _encoded(
                {
                    "orderFields": [],
                    "isPrevious": False,
                    "filter": filters,
                    "orderFieldValues": [items[-1]["metadata"]["uid"]],
                    "firstSortFieldValues": cursor.get("firstSortFieldValues", [found[0]["metadata"]["uid"]]),
                    "totalItems": total,
                }
            )
        return page


def _matches(entity: dict[str, Any], filters: list[str]) -> bool:
    """Whether one of the filters holds, each of conditions `kind=…` that all hold; letter case aside."""
    told = {"kind": str(entity["kind"]).lower()}
    return not filters or any(
        all(
            told.get(key.lower()) == value.lower()
            for key, _, value in (c.partition("=") for c in one.split(","))
        )
        for one in filters
    )


def _pruned(request: Request) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What keeps of an entity the `fields` that were asked for."""
    fields = [
        field.strip() for told in request.args.getlist("fields") for field in told.split(",") if field.strip()
    ]
    if any("[" in field for field in fields):
        raise _InputError("array type fields are not supported")

    def prune(entity: dict[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for field in fields:
            *parents, last = field.split(".")
            found: Any = entity
            for part in parents:
                found = found.get(part) if isinstance(found, dict) else None
            if isinstance(found, dict) and last in found:
                within = kept
                for part in parents:
                    within = within.setdefault(part, {})
                within[last] = found[last]
        return kept

    return prune if fields else lambda entity: entity


def _encoded(cursor: dict[str, Any]) -> str:
    return base64.b64encode(json.dumps(cursor).encode()).decode()


def _decoded(cursor: str) -> dict[str, Any]:
    try:
        found = json.loads(base64.b64decode(cursor))
        if not isinstance(found, dict):
            raise ValueError
    except ValueError:
        raise _InputError("Malformed cursor") from None
    return found


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json; charset=utf-8")


def _error(request: Request, status: int, name: str, message: str) -> Response:
    told = {
        "error": {"name": name, "message": message},
        "request": {"method": request.method, "url": request.full_path.removesuffix("?")},
        "response": {"statusCode": status},
    }
    return _json(told, status)
