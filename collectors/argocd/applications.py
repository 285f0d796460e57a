"""What an application of Argo CD is called, and where it deploys to."""

from dataclasses import dataclass
from typing import Any

from collectors.argocd.shapes import is_name
from collectors.transport.json_values import text
from config.sources import ArgoCD

# the cluster that an instance runs in has the same name in all of them
_OWN_CLUSTER = ("in-cluster", "https://kubernetes.default.svc")


@dataclass(frozen=True)
class AboutApplication:
    """An application: `unit` tells it apart from those of the same name in other instances and namespaces.

    `cluster` and `namespace` are where it deploys to; `asked_by` is what a request for one of its parts says of it.
    """

    name: str
    unit: str
    project: str | None
    cluster: str | None
    namespace: str | None
    url: str
    asked_by: dict[str, str]


def about_application(source: ArgoCD, item: Any) -> AboutApplication:
    """What the application `item` of the instance `source` is called; its identity was looked at before."""
    name = text(item, "metadata", "name") or ""
    told = text(item, "metadata", "namespace")
    own = told if told and is_name(told) else "argocd"
    project = text(item, "spec", "project")
    cluster = text(item, "spec", "destination", "name") or text(item, "spec", "destination", "server")
    return AboutApplication(
        name=name,
        unit=f"{source.name}/{'' if own == 'argocd' else f'{own}/'}{name}",
        project=project,
        cluster=source.name if cluster in _OWN_CLUSTER else cluster,
        namespace=text(item, "spec", "destination", "namespace"),
        url=f"{source.url.rstrip('/')}/applications/{own}/{name}",
        asked_by={"appNamespace": own, "project": project if project and is_name(project) else "default"},
    )
