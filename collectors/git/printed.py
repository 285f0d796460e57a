"""What git prints, taken apart."""

import re
from collections.abc import Iterator
from typing import IO


def tokens(output: IO[bytes]) -> Iterator[str]:
    """The parts between NULs."""
    rest = b""
    while chunk := output.read(1 << 20):
        *parts, rest = (rest + chunk).split(b"\0")
        for part in parts:
            yield part.decode("utf-8", "replace")
    yield rest.decode("utf-8", "replace")


def printed_files(output: IO[bytes], longest: int) -> Iterator[tuple[str, str | None]]:
    """(blob, content) of what `cat-file --batch` printed."""
    while head := output.readline().split():
        size = int(head[2])
        content = output.read(size + 1)[:-1]
        yield head[0].decode(), content.decode("utf-8", "replace") if size <= longest else None


_START = re.compile(r"\x01(?:[0-9a-f]{40}|[0-9a-f]{64})")


def printed_commits(parts: Iterator[str]) -> Iterator[list[str]]:
    """The fields of each commit that `Clone.log` asks for."""
    fields: list[str] = []
    for token in parts:
        if _START.fullmatch(token):
            if fields:
                yield fields
            fields = [token[1:]]
        elif 0 < len(fields) < 7:
            fields.append(token)
        elif fields and (path := token.removeprefix("\n")):
            fields.append(path)
    if fields:
        yield fields
