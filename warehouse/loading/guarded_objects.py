"""Which applications of Argo CD are read for the guardrails, and what was read of them last."""

from collections import defaultdict
from datetime import UTC
from pathlib import Path

from collectors.argocd.managed_reading import Guarded
from collectors.contract.managed_objects import ManagedObject
from config.settings import Settings
from warehouse.loading.production_names import ProductionNames
from warehouse.storage.store import open_warehouse

_LAST = (
    "select * from managed_objects where source = 'argocd' and starts_with(application, ?)"
    " qualify row_number() over (partition by application, kind, namespace, name order by from_at desc) = 1"
    " order by all"
)


def guarded_objects(settings: Settings, instance: str) -> Guarded | None:
    """What a reading of the instance of that name is to know; None where no guardrail asks for objects."""
    if not settings.guardrails.ask_for_objects:
        return None
    production = ProductionNames(settings.production)
    return Guarded(production.application, lambda: _stored(settings.warehouse, instance))


def _stored(warehouse: Path, instance: str) -> dict[str, list[ManagedObject]]:
    found: dict[str, list[ManagedObject]] = defaultdict(list)
    with open_warehouse(warehouse) as opened:
        result = opened.connection.execute(_LAST, [f"{instance}/"])
        columns = [column[0] for column in result.description or ()]
        for row in result.fetchall():
            fields = dict(zip(columns, row, strict=True))
            one = ManagedObject(**{**fields, "from_at": fields["from_at"].replace(tzinfo=UTC)})
            found[one.application].append(one)
    return found
