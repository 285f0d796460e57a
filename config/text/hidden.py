"""Text from elsewhere without the secrets that may be repeated in it: to be hidden before it is shortened."""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from urllib.parse import quote

from config.text.legible import one_line

HIDDEN = "**********"
# of a secret that was cut through, so many characters at the cut are told from a word by chance
_LEAST_OF_A_PART = 8
_LEAST_OF_A_LINE = 16
# GitHub's own tokens, and those that an App signs: they are made on the way, and no configuration has them
_SHAPES = re.compile(
    r"\b(?:gh[a-z]_\w{16,}|github_pat_\w{16,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,})", re.ASCII | re.IGNORECASE
)
_CUT = "…"


def hide(text: str, secrets: Iterable[str]) -> str:
    """`text` with every one of the `secrets` replaced: in any letter case, with blanks and line breaks within it.

    Where the text was cut, at its ends or at a `…`, what is left of one is replaced as well.
    """
    places = [place for place, character in enumerate(text) if not character.isspace()]
    low = "".join(_lower(text[place]) for place in places)
    spans = [found.span() for found in _SHAPES.finditer(text)]
    for secret in {form for whole in secrets for form in _forms(whole)}:
        short = "".join(map(_lower, "".join(secret.split())))
        if len(short) < _LEAST_OF_A_PART:
            spans += [found.span() for found in re.finditer(re.escape(secret), text)]
            continue
        for first, after in (*_whole(low, short), *_parts(low, short)):
            spans.append((places[first], places[after - 1] + 1))
    return _without(text, spans)


def _lower(character: str) -> str:
    low = character.lower()
    return low if len(low) == 1 else character


def _forms(secret: str) -> Iterator[str]:
    """As it is, as an error would tell it, as an address has it, and its lines."""
    if secret.strip():
        yield from {secret, one_line(secret), quote(secret, safe="")}
        yield from (line for line in secret.splitlines() if len(line) >= _LEAST_OF_A_LINE)


def _whole(low: str, secret: str) -> Iterator[tuple[int, int]]:
    first = low.find(secret)
    while first >= 0:
        yield first, first + len(secret)
        first = low.find(secret, first + 1)


def _parts(low: str, secret: str) -> Iterator[tuple[int, int]]:
    """What is left of `secret` before each cut and after it."""
    # of an address, its host is no secret
    host = re.match(r"\w+://[^/]*/", secret)
    least = _LEAST_OF_A_PART + (host.end() if host else 0)
    cuts = [-1, *(found.start() for found in re.finditer(_CUT, low)), len(low)]
    for after, before in pairwise(cuts):
        piece = low[max(after + 1, before - len(secret)) : before]
        for n in range(min(len(piece), len(secret) - 1), least - 1, -1):
            if piece.endswith(secret[n - 1]) and piece.endswith(secret[:n]):
                yield before - n, before
                break
        piece = low[after + 1 : min(before, after + 1 + len(secret))]
        for n in range(min(len(piece), len(secret) - 1), _LEAST_OF_A_PART - 1, -1):
            if piece.startswith(secret[-n]) and piece.startswith(secret[-n:]):
                yield after + 1, after + 1 + n
                break


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    kept, done = [], 0
    for first, after in sorted(spans):
        if first >= done:
            kept += [text[done:first], HIDDEN]
        done = max(done, after)
    return "".join(kept) + text[done:]
