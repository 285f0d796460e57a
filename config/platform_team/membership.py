"""Who is on which golden path: by the path that a component names, else by its template or its tags."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from config.platform_team.golden_paths import GoldenPath, path_key


class PathMembership:
    """The golden paths as rules of membership; of several that take a component the first."""

    def __init__(self, paths: Sequence[GoldenPath]) -> None:
        self._paths = paths
        self._names = {path_key(path.name): path.name for path in paths}

    def path_of(self, named: str | None, templates: Iterable[str | None], tags: Iterable[str]) -> str | None:
        """The path of a component, as its configuration writes it; None where it is on none.

        `named` is what the component says, `templates` what it was made from: a template's name, a repository.
        """
        if named and named.strip():
            return self._names.get(path_key(named), named.strip())
        made_from = [name for template in templates if template for name in _spellings(template)]
        own_tags = list(tags)
        for path in self._paths:
            members = path.members
            if _any(members.templates, made_from) or _any(members.tags, own_tags):
                return path.name
        return None


def _spellings(template: str) -> tuple[str, str]:
    """A template, and its name alone: `acme/python-service`, `python-service`."""
    return template, template.rpartition("/")[2]


def _any(globs: Iterable[str], names: Sequence[str]) -> bool:
    return any(fnmatchcase(name.casefold(), glob.casefold()) for glob in globs for name in names)
