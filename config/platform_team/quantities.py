"""Amounts as Kubernetes writes them: `100m`, `0.5`, `128Mi`, `1G`, `1e3`.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ is the grammar. Libraries that read it
are whole clients of a cluster, with a dozen dependencies.
"""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator

from config.text.quoting import quoted

_SUFFIXES = {
    **dict(zip(("n", "u", "m", ""), (Decimal(10) ** power for power in (-9, -6, -3, 0)), strict=True)),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", 1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", 1)},
}
_WRITTEN = re.compile(
    r"([+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30}))(?:[eE]([+-]?[0-9]{1,2})|([numkMGTPE]|[KMGTPE]i)?)"
)


def quantity(told: str) -> Decimal:
    """The number that `told` stands for, exactly; raises ValueError where Kubernetes would take it for none."""
    found = _WRITTEN.fullmatch(told)
    if not found:
        raise ValueError(f'{quoted(told)} is no quantity; write it like "100m" or "128Mi"')
    number, exponent, suffix = found.groups()
    return Decimal(number) * (Decimal(10) ** int(exponent) if exponent else _SUFFIXES[suffix or ""])


def _as_text(value: object) -> object:
    told = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if isinstance(told, str):
        quantity(told)
    return told


Quantity = Annotated[str, BeforeValidator(_as_text)]
