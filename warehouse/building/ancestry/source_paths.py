"""Which services of a repository a commit touches, by the patterns of their source: a bit for each service."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from fnmatch import translate

import numpy as np
import pyarrow as pa

_COMMITS_AT_ONCE = 100_000
_Means = Callable[[str], object]


def source_pattern(globs: Iterable[str]) -> re.Pattern[str]:
    """What the paths of a service match that has the source patterns `globs`."""
    return re.compile("|".join(_below(_plain(glob)) for glob in globs))


def _plain(pattern: str) -> str:
    return pattern.strip().removeprefix("./").strip("/")


def _below(plain: str) -> str:
    """A regular expression of the paths that a source pattern means: `dir`, `dir/`, `/dir/**` are all of the folder."""
    folder = plain.removesuffix("/**")
    return f"{translate(folder)}|{translate(folder + '/*')}" if plain else ".*"


class SourcePaths:
    """The source patterns of a repository's services, globs for each; without any every commit is its own."""

    def __init__(self, globs: Sequence[Sequence[str]]) -> None:
        self._width = -(-len(globs) // 8)
        self._always = self._bits(place for place, of_service in enumerate(globs) if not of_service)
        # by the folder that a pattern names before its first wildcard, so that a path meets few of them
        self._by_folder: defaultdict[str, list[tuple[int, _Means]]] = defaultdict(list)
        for place, of_service in enumerate(globs):
            for plain in map(_plain, of_service):
                folder = plain.removesuffix("/**")
                literal = re.split(r"[*?[]", folder, maxsplit=1)[0]
                if plain and literal == folder:
                    self._by_folder[folder].append((place, _is_any))
                else:
                    means = re.compile(_below(plain)).fullmatch
                    self._by_folder[literal.rpartition("/")[0]].append((place, means))

    def touched(self, paths: pa.Array) -> np.ndarray:
        """A row of bits for each list of paths of `paths`, a bit for each service; all of them where it is null."""
        rows = np.full((len(paths), self._width), 255, np.uint8)
        if not self._by_folder:
            return rows
        encoded = paths.flatten().dictionary_encode()
        known = [self._bits(self._services_of(path)) for path in encoded.dictionary.to_pylist()]
        bits, at = np.array(known, np.uint8).reshape(-1, self._width), encoded.indices.to_numpy()
        counts = paths.value_lengths().fill_null(0).to_numpy()
        ends = np.cumsum(counts)
        rows[paths.is_valid().to_numpy(zero_copy_only=False)] = self._always
        for first in range(0, len(paths), _COMMITS_AT_ONCE):
            some = np.flatnonzero(counts[first : first + _COMMITS_AT_ONCE]) + first
            if len(some):
                begin = ends[some[0]] - counts[some[0]]
                starts = ends[some] - counts[some] - begin
                rows[some] |= np.bitwise_or.reduceat(bits[at[begin : ends[some[-1]]]], starts)
        return rows

    def _services_of(self, path: str) -> Iterable[int]:
        folders = ["", path, *(path[: found.start()] for found in re.finditer("/", path))]
        for folder in folders:
            for service, means in self._by_folder.get(folder, ()):
                if means(path):
                    yield service

    def _bits(self, services: Iterable[int]) -> np.ndarray:
        bits = bytearray(self._width)
        for service in services:
            bits[service >> 3] |= 1 << (service & 7)
        return np.frombuffer(bytes(bits), np.uint8)


def _is_any(_path: str) -> bool:
    return True
