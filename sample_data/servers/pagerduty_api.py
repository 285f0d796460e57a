"""The part of PagerDuty's REST API v2 that is read: https://developer.pagerduty.com/api-reference/ ."""

import calendar
import hmac
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from werkzeug import Request, Response

from sample_data.model import Organisation

_ACCEPT = "application/vnd.pagerduty+json;version=2"
_LARGEST_PAGE = 100
_LAST_OFFSET = 10_000
_REQUESTS_PER_MINUTE = 960
_INCIDENT = re.compile(r"/incidents/([^/]+)")
_LOG = re.compile(r"/incidents/([^/]+)/log_entries")
_CHANGE_EVENTS = re.compile(r"/incidents/([^/]+)/related_change_events")
_NOT_IN_OVERVIEW = {"notify_log_entry"}


class _InvalidInputError(Exception):
    """A request that PagerDuty refuses with 400; the text is its explanation."""


class PagerDutyApi:
    """Answers requests for paths `/incidents` and so on, with PagerDuty's limits on ranges and paging."""

    def __init__(self, organisation: Organisation, token: str) -> None:
        self._pagerduty = organisation.pagerduty
        self._now = organisation.now
        self._token = token

    def __call__(self, request: Request) -> Response:
        """The answer to one request, with the rate limit's headers; errors in PagerDuty's shape."""
        response = self._answer(request)
        response.headers["ratelimit-limit"] = str(_REQUESTS_PER_MINUTE)
        response.headers["ratelimit-remaining"] = str(_REQUESTS_PER_MINUTE - 1)
        response.headers["ratelimit-reset"] = "60"
        return response

    def _answer(self, request: Request) -> Response:
        expected = f"Token token={self._token}".encode()
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected):
            return _error(401, 2006, "Authentication failed")
        if _ACCEPT not in request.headers.get("Accept", "").replace(" ", ""):
            return _error(406, 2000, "Not Acceptable", [f"Accept must be {_ACCEPT}"])
        if request.method != "GET":
            return _error(405, 2000, "Method Not Allowed")
        try:
            return self._route(request)
        except _InvalidInputError as invalid:
            return _error(400, 2001, "Invalid Input Provided", [str(invalid)])

    def _route(self, request: Request) -> Response:
        if request.path == "/incidents":
            return _page("incidents", self._incidents(request), request)
        if request.path == "/log_entries":
            return _page("log_entries", self._log_entries(request), request)
        if request.path == "/services":
            return _page("services", self._services(), request)
        if request.path == "/change_events":
            return _page("change_events", self._all_change_events(), request)
        if request.path == "/abilities":
            return _json({"abilities": ["teams", "urgencies"]})
        if request.path == "/users/me":
            # an account-level key belongs to no user
            return _error(
                400, 2001, "Invalid Input Provided", ["User cannot be determined from this API key"]
            )
        if found := _CHANGE_EVENTS.fullmatch(request.path):
            return self._change_events(found[1])
        if found := _LOG.fullmatch(request.path):
            own = [entry for entry in self._pagerduty.log_entries if entry["incident"]["id"] == found[1]]
            return _page("log_entries", _newest_first(own, request), request)
        if found := _INCIDENT.fullmatch(request.path):
            incident = self._incident(found[1])
            return _json({"incident": incident}) if incident else _error(404, 2100, "Not Found")
        return _error(404, 2100, "Not Found")

    def _incident(self, id: str) -> dict[str, Any] | None:
        return next((incident for incident in self._pagerduty.incidents if incident["id"] == id), None)

    def _incidents(self, request: Request) -> list[dict[str, Any]]:
        chosen: Iterable[dict[str, Any]] = self._pagerduty.incidents
        if request.args.get("date_range") != "all":
            since, until = self._range(request, limited=True)
            chosen = [i for i in chosen if since <= _instant(i["created_at"]) < until]
        for parameter, value_of in (
            ("statuses[]", lambda i: i["status"]),
            ("urgencies[]", lambda i: i["urgency"]),
            ("service_ids[]", lambda i: i["service"]["id"]),
        ):
            if wanted := request.args.getlist(parameter):
                chosen = [i for i in chosen if value_of(i) in wanted]
        field, _, direction = request.args.get("sort_by", "incident_number:asc").split(",")[0].partition(":")
        if field not in {"incident_number", "created_at", "resolved_at", "urgency"}:
            raise _InvalidInputError("sort_by is invalid")
        return sorted(chosen, key=lambda i: (i.get(field) or "", i["id"]), reverse=direction == "desc")

    def _log_entries(self, request: Request) -> list[dict[str, Any]]:
        since, until = self._range(request, limited=False)
        within = (e for e in self._pagerduty.log_entries if since <= _instant(e["created_at"]) < until)
        return _newest_first(within, request)

    def _services(self) -> list[dict[str, Any]]:
        services = {incident["service"]["id"]: incident["service"] for incident in self._pagerduty.incidents}
        return [
            {**services[id], "type": "service", "name": services[id].get("summary")}
            for id in sorted(services)
        ]

    def _change_events(self, id: str) -> Response:
        if not self._incident(id):
            return _error(404, 2100, "Not Found")
        events = self._pagerduty.change_events.get(id, [])
        return _json({"change_events": events, "limit": None, "offset": None, "total": None, "more": False})

    def _all_change_events(self) -> list[dict[str, Any]]:
        related = (event for events in self._pagerduty.change_events.values() for event in events)
        known = {
            event["id"]: {name: value for name, value in event.items() if name != "correlation_reason"}
            for event in related
        }
        return sorted(known.values(), key=lambda event: event.get("timestamp") or "", reverse=True)

    def _range(self, request: Request, limited: bool) -> tuple[datetime, datetime]:
        zone = ZoneInfo(request.args.get("time_zone", "UTC"))
        try:
            until = _instant(request.args["until"], zone) if "until" in request.args else self._now
            since = (
                _instant(request.args["since"], zone)
                if "since" in request.args
                else until - timedelta(days=30)
            )
        except ValueError:
            raise _InvalidInputError("since or until is not a date") from None
        if until < since:
            raise _InvalidInputError("until must be after since")
        if limited and _months_later(since, 6) < until:
            raise _InvalidInputError("The time range cannot be more than 6 months")
        return since, until


def _instant(text: str, zone: ZoneInfo | None = None) -> datetime:
    at = datetime.fromisoformat(text.replace(" ", "+"))
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=zone or UTC).astimezone(UTC)


def _months_later(at: datetime, months: int) -> datetime:
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, calendar.monthrange(year, month + 1)[1]))


def _newest_first(entries: Iterable[dict[str, Any]], request: Request) -> list[dict[str, Any]]:
    overview = request.args.get("is_overview") == "true"
    chosen = [entry for entry in entries if not (overview and entry["type"] in _NOT_IN_OVERVIEW)]
    return sorted(chosen, key=lambda entry: (_instant(entry["created_at"]), entry["id"]), reverse=True)


def _page(key: str, items: list[dict[str, Any]], request: Request) -> Response:
    try:
        limit = min(int(request.args.get("limit", 25)), _LARGEST_PAGE)
        offset = int(request.args.get("offset", 0))
    except ValueError:
        raise _InvalidInputError("limit and offset must be numbers") from None
    if offset + limit > _LAST_OFFSET:
        raise _InvalidInputError("Offset plus limit must be less than or equal to 10000")
    total = len(items) if request.args.get("total") == "true" else None
    more = offset + limit < len(items)
    page = {
        key: items[offset : offset + limit],
        "limit": limit,
        "offset": offset,
        "total": total,
        "more": more,
    }
    return _json(page)


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json; charset=utf-8")


def _error(status: int, code: int, message: str, errors: Iterable[str] = ()) -> Response:
    return _json({"error": {"message": message, "code": code, "errors": list(errors)}}, status)
