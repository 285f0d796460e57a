"""PagerDuty's lists, cut into pieces that its limits allow: 100 items a page, 10,000 a query, six months a range."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from collectors.contract.items import SourceError
from collectors.transport.json_api import TIMEOUT_SECONDS, Api
from collectors.transport.json_values import listing, text
from config.sources import PagerDuty
from config.text.references import require_resolved

PAGE = 100
AT_ONCE = 4  # 960 requests a minute are allowed; what is left of them is told with each answer
_LARGEST_QUERY = 10_000
# six months are 181 days at least
_LONGEST_RANGE = timedelta(days=180)
_SHORTEST_RANGE = timedelta(seconds=1)


def open_api(source: PagerDuty, timeout: float = TIMEOUT_SECONDS) -> Api:
    """A client of PagerDuty's REST API v2."""
    require_resolved(source)
    token = source.token.get_secret_value().strip()
    headers = {"Authorization": f"Token token={token}", "Accept": "application/vnd.pagerduty+json;version=2"}
    return Api("pagerduty", source.url, token, headers, "sources.pagerduty.token", timeout, AT_ONCE)


def open_incidents(api: Api) -> Iterator[dict[str, Any]]:
    """Incidents that are not resolved, whenever they were opened; the first 10,000 where there are more."""
    query = {"statuses[]": ["triggered", "acknowledged"], "date_range": "all", "time_zone": "UTC"}
    yield from _items(api, "incidents", query, _page(api, "incidents", query, 0))


def slices(
    api: Api, key: str, params: dict[str, Any], since: datetime, until: datetime
) -> Iterator[tuple[datetime, Iterator[dict[str, Any]]]]:
    """(end, items) of stretches of time from `since` to `until`, oldest first; an item can be in two that touch."""
    start = since
    while start < until:
        end = min(start + _LONGEST_RANGE, until)
        yield from _bisected(api, key, params, start, end)
        start = end


def _bisected(
    api: Api, key: str, params: dict[str, Any], since: datetime, until: datetime
) -> Iterator[tuple[datetime, Iterator[dict[str, Any]]]]:
    stretch = {"since": _seconds(since), "until": _seconds(until), "time_zone": "UTC"}
    query = {**params, **stretch, "total": "true"}
    first = _page(api, key, query, 0)
    total = first.get("total")
    if not isinstance(total, int) or total <= _LARGEST_QUERY:
        yield until, _items(api, key, query, first)
    elif until - since <= _SHORTEST_RANGE:
        raise SourceError(
            f"{api.source}: {total} {key} within one second at {_seconds(since)}, of which the API shows "
            f"{_LARGEST_QUERY}; import them from a file"
        )
    else:
        middle = max((since + (until - since) / 2).replace(microsecond=0), since + _SHORTEST_RANGE)
        yield from _bisected(api, key, params, since, middle)
        yield from _bisected(api, key, params, middle, until)


def _items(api: Api, key: str, query: dict[str, Any], first: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The items of `first` and the pages after it, each once: pages shift while they are read."""
    seen: set[str] = set()
    for offset in range(0, _LARGEST_QUERY, PAGE):
        page = _page(api, key, query, offset) if offset else first
        for item in listing(page, key):
            id = text(item, "id") or repr(item)
            if id not in seen:
                seen.add(id)
                yield item
        if page.get("more") is not True:
            return


def _page(api: Api, key: str, query: dict[str, Any], offset: int) -> dict[str, Any]:
    answer = api.get(f"/{key}", {**query, "limit": PAGE, "offset": offset})
    if not isinstance(answer.get(key), list):
        raise SourceError(f"{api.source}: the answer has no {key}; check that the url is PagerDuty's API")
    if not isinstance(answer.get("more"), bool):
        raise SourceError(f"{api.source}: the answer does not say whether more {key} follow; try again later")
    return answer


def is_id(told: str) -> bool:
    """Whether it can be an id of PagerDuty's: it becomes a part of addresses."""
    return re.fullmatch(r"[\w-]{1,100}", told, re.ASCII) is not None


def _seconds(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
