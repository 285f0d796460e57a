"""Which names are those of production, by the settings: globs and words are matched here."""

import re
from collections.abc import Callable, Iterable, Sequence
from fnmatch import translate

from config.settings import PRODUCTION_WORDS, Production


def matcher(globs: Iterable[str]) -> Callable[[str | None], bool]:
    """Whether a text matches any of the globs, letter case ignored; nothing matches no globs."""
    patterns = [translate(glob.lower()) for glob in globs]
    if not patterns:
        return lambda text: False
    pattern = re.compile("|".join(patterns))
    return lambda text: text is not None and pattern.fullmatch(text.lower()) is not None


class ProductionNames:
    """Which names are those of production, by the settings."""

    def __init__(self, production: Production) -> None:
        environments, excepted = production.environments, production.excepted
        self._names = has_words(PRODUCTION_WORDS) if environments is None else matcher(environments)
        self._applications = matcher(production.applications)
        self._never_globs = matcher([entry for entry in excepted if _is_glob(entry)])
        self._never_words = has_words([entry for entry in excepted if not _is_glob(entry)])

    def environment(self, name: str | None) -> bool:
        """Whether an environment of that name is production."""
        return self._names(name) and not self._is_excepted(name)

    def application(self, name: str, *places: str | None) -> bool:
        """Whether Argo CD's application `name` is, by its project, cluster and namespace, or by its own name."""
        by_name = self._applications(name)
        names = (name, *places) if by_name else places
        return (by_name or any(map(self._names, places))) and not any(map(self._is_excepted, names))

    def _is_excepted(self, name: str | None) -> bool:
        return self._never_globs(name) or self._never_words(name)


def _is_glob(entry: str) -> bool:
    return any(character in entry for character in "*?[")


def has_words(words: Sequence[str]) -> Callable[[str | None], bool]:
    """Whether a name has one of `words`, numbered or not, with neither a letter nor a digit beside it."""
    if not words:
        return lambda name: False
    alone = rf"(?<![^\W_])(?:{'|'.join(map(re.escape, words))})[0-9]*(?![^\W_])"
    pattern = re.compile(alone, re.IGNORECASE)
    return lambda name: name is not None and pattern.search(name) is not None
