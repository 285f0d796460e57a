"""Values that no collector expects, and JSON with one of them in it."""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any

Place = tuple[str | int, ...]
DEEP = 100_000
_RAW = "\ue000raw\ue000"


@dataclass(frozen=True)
class Raw:
    """What stands in an answer as it is written here: Python would not write it so."""

    written: str


VALUES: list[Any] = [
    *(
        "\ud83d",
        "half \ud83d an emoji",
        "\udc00\ud800",
        "\x00",
        "a\x00b",
        "\x1b]0;title\x07",
        "\x85\u2028\r\n",
    ),
    *("\u202egnirts", "\ufeff", "x" * 300_000, "\ud83d" * 300_000, "", " ", "../..", "a/b", "%", "n" * 5_000),
    *(
        None,
        True,
        False,
        [],
        {},
        [[[[]]]],
        ["\ud83d"],
        [None],
        [1],
        ["x", {}],
        {"": None},
        {"a": {"b": ["\ud83d"]}},
    ),
    *(0, -1, 1.5, 2**31, 2**63, -(2**63) - 1, 2**200, 10**30, 1e308, "1e400", "NaN", "9" * 5_000),
    *(
        Raw("1e400"),
        Raw("NaN"),
        Raw("-Infinity"),
        Raw("9" * 5_000),
        Raw("-" + "9" * 30),
        Raw("1" + "0" * 400 + ".5"),
    ),
    *(Raw("[" * DEEP + "]" * DEEP), Raw('{"a":' * 900 + "1" + "}" * 900), Raw("[" * 400 + "]" * 400)),
    *(
        "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59-12:00",
    ),
    *("9999-12-31T23:59:59Z", "2026-11-02T09:00:00", "2026-02-30T00:00:00Z", "2026-11-02T09:00:00+99:99"),
    *("2026-11-02", "20261102T090000Z", "2026-11-02T09:00:00.123456789Z", 1793610000, "never"),
    *("Reverts #" + "9" * 5_000, "Reverts #9223372036854775808", "Co-authored-by: " + " " * 20_000 + "<"),
]
HUGE: list[Any] = ["x" * 10_000_000, "\u202e" * 3_000_000, ["x" * 1_000_000] * 10, {"k" * 1_000_000: "v"}]


def drawn(random: Random) -> Any:
    """A hostile value; one of megabytes once in a hundred."""
    if random.random() < 0.01:
        return random.choice(HUGE)
    if random.random() < 0.8:
        return random.choice(VALUES)
    match random.randrange(4):
        case 0:
            return "".join(
                chr(random.choice((random.randrange(0x300), random.randrange(0x110000)))) for _ in range(9)
            )
        case 1:
            return random.choice((-1, 1)) * random.getrandbits(random.randrange(1, 300))
        case 2:
            sign, offset = random.choice("+-"), random.randrange(0, 24)
            day = (
                f"{random.randrange(1, 10_000):04}-{random.randrange(1, 13):02}-{random.randrange(1, 29):02}"
            )
            return f"{day}T{random.randrange(24):02}:59:59{sign}{offset:02}:30"
        case _:
            return [random.choice(VALUES) for _ in range(random.randrange(4))]


def parts(value: Any, path: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every place in `value` below its root with what stands there, outermost first."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in below:
        yield (*path, key), part
        yield from parts(part, (*path, key))


def part_at(value: Any, path: Place) -> Any:
    """What stands at `path` in `value`."""
    for key in path:
        value = value[key]
    return value


def with_part(value: Any, path: Place, part: Any) -> Any:
    """A copy of `value` with `part` at `path`."""
    if not path:
        return part
    changed = deepcopy(value)
    part_at(changed, path[:-1])[path[-1]] = part
    return changed


def written(value: Any) -> bytes:
    """`value` as JSON, with what is Raw in it as it is."""
    raws: list[str] = []

    def plain(part: Any) -> Any:
        if isinstance(part, Raw):
            raws.append(part.written)
            return f"{_RAW}{len(raws) - 1}"
        if isinstance(part, dict):
            return {key: plain(each) for key, each in part.items()}
        return [plain(each) for each in part] if isinstance(part, list) else part

    text = json.dumps(plain(value))
    for number, raw in enumerate(raws):
        text = text.replace(json.dumps(f"{_RAW}{number}"), raw)
    return text.encode()
