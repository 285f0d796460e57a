"""When two names are one: letter case aside, and with or without what a reference to the catalogue adds.

Sources write one repository, component, team or system in several ways (`Acme/Shop` and `acme/shop`,
`group:default/pay` and `Pay`); GitHub and Backstage take them for one. This is the only place that decides so.
"""

import re
from collections.abc import Iterable

from config.text.quoting import quoted

_REFERENCE = re.compile(r"(?:(?:component|group|system):)?(?:default/)?(.+)", re.IGNORECASE | re.DOTALL)


def bare(reference: str) -> str:
    """The name in a reference of the catalogue: `group:default/pay`, `default/pay` and `pay` name the same.

    A namespace other than the default one stays.
    """
    found = _REFERENCE.fullmatch(reference)
    return found[1] if found else reference


def same_key(name: str) -> str:
    """What all ways to write the name of a component, a team or a system have in common."""
    return bare(name).casefold()


def parse_scope(text: str) -> tuple[str, str]:
    """(`team`, `payments`) of "team payments"; the organisation's name is empty. Raises ValueError."""
    scope, _, name = text.strip().partition(" ")
    if scope in ("system", "group", "team", "service") and name.strip():
        return scope, name.strip()
    if (scope, name) == ("organisation", ""):
        return scope, name
    raise ValueError(
        f'{quoted(text)} is no scope; write "organisation", "team payments", "system shop" or "service web"'
    )


def in_one_way(text: str) -> str:
    """A scope with its name, with one blank between them and none around them. Raises ValueError."""
    return " ".join(filter(None, parse_scope(text)))


def find_name(name: str, known: Iterable[str]) -> str | None:
    """The one of the `known` names that `name` means, however it is written; None where there is none."""
    by_key = {same_key(one): one for one in known}
    return by_key.get(same_key(name))
