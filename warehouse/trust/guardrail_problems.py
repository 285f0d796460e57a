"""What is wrong with what the configuration says of guardrails: nothing is read for them, or a word is left open."""

from collections.abc import Callable, Iterator
from typing import Any

from config.settings import Settings

_Rows = Callable[[str], list[tuple[Any, ...]]]
_READ = (
    "select (select count(*) from source.managed_objects),"
    " (select count(*) from source.coverage as c where c.source = 'managed_objects'),"
    " (select count(*) from source.deployments as d where d.source = 'argocd')"
)


def guardrail_problems(rows: _Rows, settings: Settings) -> Iterator[tuple[str, str]]:
    """(what is wrong, what to do) of a connection with the tables up to `candidates`."""
    guardrails = settings.guardrails
    rules = {*guardrails.for_all, *(rule for named in guardrails.by_path.values() for rule in named)}
    options = guardrails.options
    if "Required labels" in rules and "required_labels" not in options.model_fields_set:
        yield (
            f"guardrails: which labels are required is not said, {', '.join(options.required_labels)} is taken",
            "name them in security.guardrails.required_labels",
        )
    ((objects, applications, syncs),) = rows(_READ)
    if guardrails.ask_for_objects and not objects and not applications:
        yield (
            "guardrails: nothing that runs in production was read",
            "mend production.environments, so that it matches the clusters, namespaces or projects of production"
            if syncs
            else "name Argo CD in sources.argocd, or import managed_objects",
        )
