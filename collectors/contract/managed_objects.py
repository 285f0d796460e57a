"""What is kept of an object that a cluster runs: what guardrails ask of it, never a value that they do not need."""

from collectors.contract.fields import Instant, Part, Record, Text, Whole


class ManagedContainer(Part):
    """A container of a workload; quantities stand as Kubernetes writes them, such as `100m` and `128Mi`."""

    name: str
    image: str | None = None
    is_init: bool = False
    cpu_request: str | None = None
    memory_request: str | None = None
    cpu_limit: str | None = None
    memory_limit: str | None = None


class RoleRule(Part):
    """What a rule of a role allows, and on what."""

    verbs: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()


class ManagedObject(Record):
    """An object of a cluster as it was from an instant on, until the next row of it; `is_gone`: from then on no more.

    `application` is what manages it, an application of Argo CD with its instance and namespace (the `unit` of its
    deployments). `selects_all_pods`, `policy_types` and the numbers of rules are a NetworkPolicy's, `rules` a role's,
    `role` a binding's; `owners` are those that it belongs to, as `ExternalSecret/orders-db`. One that is not
    `is_readable` is there, and no more is known of it.
    """

    TABLE = "managed_objects"
    KEY = ("source", "application", "kind", "namespace", "name", "from_at")
    MENDED_BY = ("source", "application", "kind", "namespace", "name")
    source: Text
    application: Text
    service: str | None = None
    cluster: str | None = None
    kind: Text
    namespace: str = ""
    name: Text
    from_at: Instant
    is_gone: bool = False
    is_readable: bool = True
    labels: dict[str, str] = {}
    containers: tuple[ManagedContainer, ...] = ()
    selects_all_pods: bool | None = None
    policy_types: tuple[str, ...] = ()
    ingress_rules: Whole | None = None
    egress_rules: Whole | None = None
    rules: tuple[RoleRule, ...] = ()
    role: str | None = None
    secret_type: str | None = None
    owners: tuple[str, ...] = ()
    url: str | None = None
