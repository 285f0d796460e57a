"""YAML within limits: what is refused is refused soon, with line and column; what is honest is read, however much."""

import json
import time
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from string import ascii_lowercase
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from config.text.yaml_documents import (
    CATALOGUE_YAML,
    MANIFEST_YAML,
    SETTINGS_YAML,
    UnreadableYaml,
    YamlDialect,
    YamlDocument,
    read_yaml,
    yaml_documents,
)
from tests.support.places import LONG

DIALECTS = pytest.mark.parametrize(
    "dialect", [SETTINGS_YAML, CATALOGUE_YAML, MANIFEST_YAML], ids=["settings", "catalogue", "manifest"]
)


def doubled(first: str, entry: str) -> str:
    """A line for each letter, each of which stands for what the one before stands for, twice."""
    lines = [entry.format(name=name, before=before) for before, name in pairwise(ascii_lowercase)]
    return "\n".join([f"a: &a {first}", *lines])


BOMBS = {
    "lists": doubled("[x, x]", "{name}: &{name} [*{before}, *{before}]"),
    "nothing": doubled("['', '']", "{name}: &{name} [*{before}, *{before}]"),
    "mappings": doubled("{x: y}", "{name}: &{name} {{a: *{before}, b: *{before}}}"),
    "merges": doubled("{x: y}", "{name}: &{name} {{<<: [*{before}, *{before}]}}"),
    "a long text": f"a: &a {'x' * 100_000}\nb: [{'*a, ' * 1_000}]",
    "depth by aliases": "\n".join(["a0: &a0 []", *(f"a{n}: &a{n} [[[*a{n - 1}]]]" for n in range(1, 50))]),
    "itself": "a: &a [*a]",
}


def refused(text: str, dialect: YamlDialect = SETTINGS_YAML) -> str:
    with pytest.raises(UnreadableYaml) as error:
        read_yaml(text, dialect)
    return str(error.value)


def content(text: str, dialect: YamlDialect = SETTINGS_YAML) -> Any:
    document = read_yaml(text, dialect)
    assert document
    return document.content


def cost(do: Callable[[], object]) -> tuple[float, int]:
    """(seconds of the processor, bytes at most)."""
    tracemalloc.start()
    begun = time.process_time()
    do()
    spent = time.process_time() - begun
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return spent, most


@DIALECTS
@pytest.mark.parametrize("bomb", BOMBS)
def test_what_unfolds_without_end_is_refused_soon_and_without_memory(dialect: YamlDialect, bomb: str) -> None:
    if bomb == "merges" and dialect is MANIFEST_YAML:
        pytest.skip("an image under << is one all the same, so nothing is merged")
    seconds, most = cost(lambda: refused(BOMBS[bomb], dialect))
    assert seconds < 1
    assert most < 20_000_000


@DIALECTS
@pytest.mark.parametrize(
    "deep", ["a: " + "[" * 5_000, "{a: " * 5_000, "- " * 5_000, "? " * 5_000, "[" * 101 + "]" * 101]
)
def test_a_text_that_goes_too_deep_is_refused_with_its_place(dialect: YamlDialect, deep: str) -> None:
    assert "is nested in more than 100 levels; write it flatter" in refused(deep, dialect)
    assert content("[" * 99 + "]" * 99, dialect)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb:\n  c: 2026-02-30", 'line 3, column 6: b.c: "2026-02-30" is no day of the calendar'),
        ("a: 2026-01-01T00:00:00+99:99", 'line 1, column 4: a: "2026-01-01T00:00:00+99:99" is no day'),
        ("a:\n- 1\n- " + "9" * 200, "line 3, column 3: a.1: is a number of 200 digits"),
        ("a: !!int foo", 'line 1, column 4: a: "foo" is no number'),
        ("a: 0b_", 'line 1, column 4: a: "0b_" is no number'),
        ("a: !!bool foo", 'line 1, column 4: a: "foo" is neither true nor false'),
        ("a: !!timestamp foo", 'line 1, column 4: a: "foo" is no day'),
        ("a: !!null foo", None),
        ("a: !Ref foo", 'line 1, column 4: a: has the tag "!Ref", which means nothing here'),
        ("a: !!python/object/apply:os.system [x]", 'has the tag "python/object/apply:os.system"'),
        ("a: !!omap [b: 1]", 'has the tag "omap"'),
        ('a: "\\ud83d"', "line 1, column 4: a: holds half a character"),
        ('a: ["x", "y\\0z"]', "line 1, column 10: a.1: holds the character NUL"),
        ("a: 1\nb: \ud83d", "line 2, column 4: is not YAML: it holds a character that YAML does not allow (U+D83D)"),
        ("a: \x00", "line 1, column 4: is not YAML: it holds a character that YAML does not allow (U+0000)"),
        ("a:\n  b: 1\n  c: 2\n  b: 3", 'line 4, column 3: a: the key "b" comes a second time'),
        ("{[a]: 1}", "line 1, column 2: a list or a mapping cannot be a key"),
        ("a: {<<: 1}", "line 1, column 9: a: << takes a mapping"),
        ("a: *b", "line 1, column 4: is not YAML: found undefined alias 'b'"),
        ("a: &x 1\nb: &x 2", "line 2, column 4: is not YAML: found duplicate anchor 'x'; first occurrence second"),
        ("a: 1\n---\nb: 2", "line 2, column 1: is not YAML: expected a single document in the stream but found"),
        ("a: [1\nb: 2", "line 2, column 2: is not YAML: "),
        (f"a: {'x' * 500_000}", "line 1, column 1: is longer than 500,000 characters"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_where_and_what(text: str, expected: str | None) -> None:
    if expected is None:
        assert content(text) == {"a": None}
    else:
        assert expected in refused(text)
        assert len(refused(text)) < 300


def test_halves_of_a_character_that_stand_side_by_side_are_one_as_in_json() -> None:
    assert content(json.dumps({"emoji": "😀"})) == {"emoji": "😀"}


def test_aliases_and_merges_mean_what_they_mean_in_yaml() -> None:
    text = """
base: &base {cpu: 1, memory: 2}
more: &more {memory: 3, disk: 4}
own: {<<: *base, memory: 9}
both: {<<: [*base, *more]}
twice: {<<: *base, <<: *more}
same: [*base, *base]
"""
    assert content(text) == yaml.safe_load(text)


def test_words_are_those_of_the_dialect() -> None:
    text = "[no, on, yes, true, 2026-06-30, 0123456, ~, 1_0]"
    assert content(text, SETTINGS_YAML) == yaml.safe_load(text)
    assert content(text, CATALOGUE_YAML) == ["no", "on", "yes", True, "2026-06-30", 0o123456, None, 10]
    assert content(text, MANIFEST_YAML) == ["no", "on", "yes", "true", "2026-06-30", "0123456", "~", "1_0"]


def test_a_manifest_may_say_a_key_twice_and_have_tags_as_its_readers_take_them() -> None:
    assert content("a: 1\na: !Sub 2", MANIFEST_YAML) == {"a": "2"}


def test_each_document_is_read_by_itself_with_the_lines_of_the_whole() -> None:
    text = "%YAML 1.2\n# first\n---\na: 1\n---\nb: [\n---\n---\n# nothing\n---\nc: 3\nc: 4\n---\nd: 5"
    found = list(yaml_documents(text, CATALOGUE_YAML))
    assert [one.content if isinstance(one, YamlDocument) else (one.line, one.column) for one in found] == [
        {"a": 1},
        (7, 1),
        None,
        None,
        (12, 1),
        {"d": 5},
    ]
    last = found[-1]
    assert isinstance(last, YamlDocument)
    assert (last.line, last.line_of(["d"]), last.line_of(["e"])) == (14, 14, None)


def test_more_documents_than_anybody_has_are_not_all_read() -> None:
    *found, last = yaml_documents("---\n" * 20_010, CATALOGUE_YAML)
    assert len(found) == 20_000
    assert isinstance(last, UnreadableYaml)
    assert last.problem == "has more than 20,000 documents; split it"


def test_what_is_large_and_honest_is_read() -> None:
    resources = "resources: &r\n  limits: {cpu: 1, memory: 2Gi}\n"
    values = resources + "".join(
        f"service{n}:\n  image: {{repository: acme/s{n}, tag: v{n}}}\n  resources: *r\n" for n in range(1_000)
    )
    found = content(values, MANIFEST_YAML)
    assert found["service999"]["resources"] == {"limits": {"cpu": "1", "memory": "2Gi"}}
    settings = "metrics:\n" + "".join(f"- {{name: m{n}, target: t}}\n" for n in range(3_000))
    assert len(content(settings)["metrics"]) == 3_000
    text = f"spec:\n  definition: |\n{'    an interface in one text' * 1_000}\n" * 1
    assert len(content(text, CATALOGUE_YAML)["spec"]["definition"]) > 25_000


WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | WORDS | st.dates() | st.floats()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4)
)


@settings(max_examples=50, deadline=None)
@given(VALUES)
def test_what_pyyaml_writes_is_read_as_pyyaml_reads_it(value: Any) -> None:
    text = yaml.safe_dump(value, allow_unicode=True)
    assert repr(content(text)) == repr(yaml.safe_load(text))


@pytest.mark.parametrize("examples", [300, *([pytest.param(20_000, marks=pytest.mark.soak)] if LONG else [])])
@DIALECTS
def test_no_text_ends_in_another_error(dialect: YamlDialect, examples: int) -> None:
    pieces = st.sampled_from([*"[]{}|?\n\"'", "a: ", "- ", "&a ", "*a", "<<: ", "!!int ", "!!set "])
    words = st.text("ab019:.-+_xTZ ~#%@`\\ud", max_size=6)
    texts = st.text(st.characters(codec=None), max_size=40) | st.lists(pieces | words, max_size=30).map(
        "".join
    )

    @settings(max_examples=examples, deadline=None)
    @given(texts)
    def holds(text: str) -> None:
        for found in yaml_documents(text, dialect):
            assert isinstance(found, YamlDocument) or (
                len(str(found)) < 400 and found.line > 0 < found.column
            )

    holds()
