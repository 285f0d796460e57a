"""The catalogue from Backstage's own API: https://backstage.io/docs/features/software-catalog/software-catalog-api/ .

Pages follow each other by a cursor, a thousand entities each, in an order that does not change while they are read. A
token that may not read an entity is not told that it is there.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from collectors.backstage.entities import KINDS, component_of
from collectors.contract.items import Item, Malformed, SourceError
from collectors.contract.records import Record
from collectors.transport import cost
from collectors.transport.json_api import TIMEOUT_SECONDS, Api
from collectors.transport.json_values import Json, listing, mapping, objects, text, whole
from config.sources import Backstage
from config.text.quoting import one_short_line
from config.text.references import require_resolved

# before the reference of what an entity of the portal is told by
PLACE = "backstage:"
PAGE = 1_000
_PATH = "/api/catalog/entities/by-query"
# what is read of an entity: definitions of APIs are long, and whom a profile names is a person
_FIELDS = (
    "kind",
    "metadata.name",
    "metadata.namespace",
    "metadata.title",
    "metadata.annotations",
    "metadata.tags",
    "spec.owner",
    "spec.system",
    "spec.lifecycle",
    "spec.type",
    "spec.parent",
    "spec.children",
    "spec.dependsOn",
    "spec.profile.displayName",
    "relations",
    "status",
)
_MOST_ASIDE = 20
_MOST_PAGES = 1_000


def open_api(source: Backstage, timeout: float = TIMEOUT_SECONDS) -> Api:
    """A client of the portal `source`."""
    require_resolved(source)
    token = source.token.get_secret_value().strip()
    headers = {"Authorization": f"Bearer {token}"}
    return Api("backstage", source.url, token, headers, "sources.catalog.backstage.token", timeout)


def try_connection(source: Backstage) -> Iterator[str]:
    """How many entities the token sees, in words; raises SourceError where it sees none."""
    with open_api(source) as api:
        page = _page(api, source, {"filter": _filter(), "fields": "kind", "limit": 1})
        yield f"may read {_total(api, source, page):,} entities of the catalogue"


def collect(source: Backstage, timeout: float = TIMEOUT_SECONDS) -> Iterator[Item]:
    """Each entity of the kinds that are kept, those that are malformed set aside; one request a thousand.

    Raises SourceError where it was not all of them, so that nothing is taken for gone.
    """
    with open_api(source, timeout) as api:
        aside = 0
        for entity in _entities(api, source):
            origin = f"{PLACE}{_reference(entity)}"
            for item in (
                component_of(entity, origin, portal_url=_link(source, entity)),
                *_doubts(entity, origin),
            ):
                if isinstance(item, Record):
                    yield item
                    continue
                aside += 1
                if aside <= _MOST_ASIDE:
                    yield item
        if aside > _MOST_ASIDE:
            reason = f"{aside - _MOST_ASIDE:,} more mistakes are not listed; mend those that are first"
            yield Malformed("components", source.url, reason, "", hides=PLACE)


def _entities(api: Api, source: Backstage) -> Iterator[Json]:
    asked: dict[str, Any] = {"filter": _filter()}
    total, read = 0, 0
    for number in range(_MOST_PAGES):
        page = _page(api, source, {**asked, "fields": ",".join(_FIELDS), "limit": PAGE})
        if number == 0:
            total = _total(api, source, page)
        found = objects(page, "items")
        yield from found
        read += len(found)
        cost.current_meter().part(read, max(total, read), "entities")
        cursor = text(page, "pageInfo", "nextCursor")
        if cursor is None:
            break
        if not found or asked == {"cursor": cursor}:
            raise SourceError(
                f"{api.source}: {source.url} gives the same page again and again; look at its log"
            )
        asked = {"cursor": cursor}
    if read < total:
        raise SourceError(
            f"{api.source}: {source.url} told of {total:,} entities and gave {read:,}; run it again, and look at its"
            " log where that stays so"
        )


def _page(api: Api, source: Backstage, asked: dict[str, Any]) -> Json:
    page = api.get(_PATH, asked)
    if not isinstance(page.get("items"), list):
        raise SourceError(
            f"{api.source}: {source.url} lists no entities; check that the url is that of Backstage's backend"
        )
    return page


def _total(api: Api, source: Backstage, page: Json) -> int:
    """How many entities there are; raises SourceError for none, as where it has only begun to read its catalogue."""
    total = whole(page, "totalItems") or len(listing(page, "items"))
    if not total:
        raise SourceError(
            f"{api.source}: {source.url} shows the token no entity; let it read the catalogue, or wait until Backstage"
            " has read its own"
        )
    return total


def _filter() -> list[str]:
    return [f"kind={kind.lower()}" for kind in KINDS]


def _parts(entity: Json) -> tuple[str, str, str]:
    """(namespace, kind, name) as Backstage's addresses have them."""
    metadata = mapping(entity, "metadata")
    parts = (
        text(metadata, "namespace") or "default",
        text(entity, "kind") or "?",
        text(metadata, "name") or "?",
    )
    namespace, kind, name = (one_short_line(part).lower() for part in parts)
    return namespace, kind, name


def _reference(entity: Json) -> str:
    namespace, kind, name = _parts(entity)
    return f"{kind}:{namespace}/{name}"


def _link(source: Backstage, entity: Json) -> str:
    """The entity's page in the portal."""
    portal = source.portal or source.url
    return f"{portal}/catalog/{'/'.join(quote(part, safe='') for part in _parts(entity))}"


def _doubts(entity: Json, origin: str) -> Iterator[Malformed]:
    """What Backstage itself says against an entity, which counts all the same as it was read last."""
    if text(entity, "metadata", "annotations", "backstage.io/orphan") == "true":
        reason = (
            "no location names it any more (an orphan); delete it in Backstage, or register its file again"
        )
        yield Malformed("components", origin, reason, "")
    for one in listing(entity, "status", "items"):
        if text(one, "level") == "error":
            told = one_short_line(text(one, "message") or "no reason is told")
            reason = f"Backstage cannot read it ({told}), so that it stands as it was; mend its file"
            yield Malformed("components", origin, reason, "")
