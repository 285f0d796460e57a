"""Whatever stands at a key of the configuration: it is read, or refused in one short line, and soon."""

import json
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import ConfigurationError
from config.settings import load_settings
from config.summary import settings_summary
from config.text.legible import legible
from config.text.quoting import LONGEST_VALUE
from config.text.references import unresolved_references
from config.text.yaml_documents import SETTINGS_YAML, read_yaml
from tests.support.places import LONG, ROOT

EXAMPLE = (ROOT / "config" / "example.yaml").read_text(encoding="utf-8")
VARIABLES = sorted(set(re.findall(r"\$\{(\w+)\}", EXAMPLE)))
MOST_SECONDS = 4.0  # of the processor; the longest take one
LONGEST_LINE = 800
BOMB = ", ".join(
    ["&a [x, x]", *(f"&{name} [*{before}, *{before}]" for before, name in pairwise(ascii_lowercase))]
)
MERGES = ", ".join(
    ["&a {x: 1}", *(f"&{name} {{<<: [*{before}, *{before}]}}" for before, name in pairwise(ascii_lowercase))]
)
# as YAML has them; each kind was an error of Python's once, or took minutes, or was quoted whole
HOSTILE = [
    *(f"[{BOMB}]", f"[{MERGES}]", "[" * 300 + "]" * 300, "{a: " * 300 + "}" * 300, "[" * 5_000, "&a [*a]"),
    *("2026-02-30", "0001-01-01", "9999-12-31", "2026-02-20T25:00:00", "2026-02-20T00:00:00+99:99"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-13-01", "0000-00-00"),
    *("9" * 5_000, f"-{'9' * 50}", f"0x{'F' * 5_000}", f"1{':1' * 5_000}", "0b_", "1e400", ".nan", "-.inf", "-1", "0"),
    *(r'"\ud83d"', r'"\ud83d\ude00"', r'"a\0b"', r'"\e]0;title\a"', r'"\u202egnirts"', r'"a\nb"', '""', '" "'),
    *('"file:~nobody_of_that_name/key"', '"file:/dev/zero"', '"file:"', f'"file:{"x" * 5_000}"', "~nobody"),
    *('"${NO_SUCH_VARIABLE}"', f'"${{{"N" * 5_000}}}"', f"{'9' * 400}d", "999999999d", '"*/0 * * * *"'),
    *(f'"{"x" * 300_000}"', f'"< 5{" " * 100_000}x"', f'"{"(" * 5_000}"', f'"{"@" * 5_000}"', '"%d%d%s"'),
    *('"https://[::"', '"https://host:99999"', '"https://a b"', '"../../../etc/passwd"', '"Europe"', '"[[("'),
    *(f"[{'1, ' * 3_000}]", f"[{'1, ' * 150_000}]", f"{{{', '.join(f'k{n}: 1' for n in range(3_000))}}}"),
    *(f"[{'{name: x, target: y}, ' * 1_000}]", "{1: 2, ~: 3, 2026-01-01: 4}", "{[a]: 1}", "{a: 1, a: 2}"),
    *("!Ref x", "!!binary aGFsbG8=", "!!set {a, b}", "!!int foo", "!!timestamp foo", "!!bool foo", "*nope", "'"),
    *("true", "~", "1.5", "1:30:00", "0777", "hello", "{a: {b: c}}", f"{{{'k' * 900}: 1}}", "[]", "{}"),
]  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(codec=None), max_size=30).map(json.dumps),
    st.text("ab:-[]{}&*!|>%@`\"'#?,~<0159.\n\t ", max_size=40),
    st.integers().map(str),
    st.datetimes().map(str),
)


def complete() -> dict[str, Any]:
    """The example with all that it has commented out: every key there is, but for what few need."""
    document = read_yaml(re.sub(r"(?m)^#(?=  |[a-z])", "", EXAMPLE), SETTINGS_YAML)
    assert document
    found: dict[str, Any] = json.loads(json.dumps(document.content, default=str))
    return found


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each value in a configuration, lists and sections too."""
    if path:
        yield path
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, below in entries:
        yield from places(below, (*path, key))


def written(path: tuple[Any, ...], hostile: str) -> str:
    """The complete configuration as YAML, with `hostile` in the place of the value at `path`."""
    content = complete_configuration = json.loads(json.dumps(COMPLETE))
    for key in path[:-1]:
        content = content[key]
    content[path[-1]] = "@HERE@"
    return json.dumps(complete_configuration, indent=1).replace('"@HERE@"', hostile)


COMPLETE = complete()
PLACES = list(places(COMPLETE))


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables that the example refers to."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "long_enough_for_every_kind_of_key")


def held(path: Path, text: str) -> str:
    """What the configuration is refused with, empty where it is read; asserts that this is short, and was soon said."""
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    begun = time.process_time()
    try:
        settings = load_settings(path)
        settings_summary(path, settings)
        told = ""
        for missing in unresolved_references(settings):
            assert len(str(missing)) < LONGEST_LINE + len(str(path))
            assert legible(str(missing)) == str(missing)
    except ConfigurationError as refused:
        told = str(refused)
    assert time.process_time() - begun < MOST_SECONDS
    if told:
        assert told.startswith(f"{path}:")
        assert len(told) < len(str(path)) + LONGEST_LINE
        assert legible(told) == told
        assert not re.search(rf"(.)\1{{{LONGEST_VALUE}}}", told), "a value is quoted whole"
    return told


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize("examples", [120, *([pytest.param(10_000, marks=pytest.mark.soak)] if LONG else [])])
def test_a_hostile_value_at_any_key_is_read_or_refused_in_a_line(tmp_path: Path, examples: int) -> None:
    path = tmp_path / "sixkeys.yaml"
    assert held(path, json.dumps(COMPLETE, indent=1)) == ""

    @settings(max_examples=examples, deadline=timedelta(seconds=2 * MOST_SECONDS))
    @given(place=st.sampled_from(PLACES), hostile=TEXTS)
    def holds(place: tuple[Any, ...], hostile: str) -> None:
        held(path, written(place, hostile))

    holds()


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_no_hostile_value_is_a_duration(tmp_path: Path, hostile: str) -> None:
    told = held(tmp_path / "sixkeys.yaml", f"organization: acme\nincidents: {{window: {hostile}}}\n")
    assert re.search(r":\d+(:\d+)?: ", told)


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize(
    ("place", "hostile", "expected"),
    [
        (("sources", "github", "since"), "2026-02-30", '"2026-02-30" is no day of the calendar; write one like'),
        (("sources", "github", "since"), "0001-01-01", '"0001-01-01" is not a day from 1970 to 2100; write it like'),
        (("sources", "github", "since"), "1736000000", '"1736000000" is not a day from 1970 to 2100; write it'),
        (("dashboard", "port"), "9" * 5_000, "is a number of 5,000 digits; put it in quotes"),
        (("incidents", "window"), f"{'9' * 400}d", "is longer than ten years; write it like"),
        (("incidents", "window"), f"[{BOMB}]", "holds more than 20,000 values with its aliases; write fewer"),
        (("dashboard", "auth", "session"), "[" * 300 + "]" * 300, "is nested in more than 100 levels; write it"),
        (("organization",), r'"\ud83d"', "holds half a character, such as half an emoji; mend its escape"),
        (("warehouse",), r'"a\0b"', "holds the character NUL, which no text has; remove it"),
        (("warehouse",), '"~nobody_of_that_name/w.duckdb"', "begins with no user's home; mend the path"),
        (("dashboard", "url"), '"file:~nobody_of_that_name/x"', "(there is no such user); mend the path"),
        (("sources", "survey", "files", 1, "files"), '"https://[::/x"', "is not an address; write it like"),
        (("timezone",), '"posixrules"', '"posixrules" is not a time zone; write one like'),
        (("reports", "directory"), f'"{"x" * 300}"', "is longer than a path may be; shorten it"),
        (("sources", "survey", "files", 1, "time_format"), '"%d%d"', '"%d%d" gives no day; write it like'),
        (("dashboard",), "{port: 1, port: 2}", 'the key "port" comes a second time; keep one of them'),
    ],
)  # fmt: skip
def test_what_was_a_fault_once_names_its_line_its_key_and_what_works(
    tmp_path: Path, place: tuple[Any, ...], hostile: str, expected: str
) -> None:
    text = written(place, hostile)
    told = held(tmp_path / "sixkeys.yaml", text)
    assert expected in told
    found = re.match(
        r":(\d+)(?::\d+)?: (\S+?)(?:\.\d|…|: )", told.removeprefix(str(tmp_path / "sixkeys.yaml"))
    )
    assert found
    assert ".".join(map(str, place)).startswith(found[2])
    assert hostile[:20] in text.splitlines()[int(found[1]) - 1]


def test_a_file_without_end_is_refused_at_once(tmp_path: Path) -> None:
    told = held(tmp_path / "sixkeys.yaml", f"organization: acme\nbots: [{'1, ' * 2_000_000}]")
    assert told.endswith(":1:1: is longer than 500,000 characters; make it shorter")


def test_the_second_of_two_sections_does_not_undo_the_first_in_silence(tmp_path: Path) -> None:
    text = "organization: acme\ndashboard: {public: true}\nbots: []\ndashboard: {port: 80}\n"
    told = held(tmp_path / "sixkeys.yaml", text)
    assert told.endswith(':4:1: the key "dashboard" comes a second time; keep one of them')
