"""What steers a terminal, feigns a line or turns letters around is written out; all other text stays as it is."""

import io
import json
import logging
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigurationError, SixkeysError
from config.text.legible import LegibleFormatter, legible, legible_json, one_line

# https://www.unicode.org/reports/tr9/#Bidirectional_Character_Types
BIDI = [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
WITHOUT_WIDTH = [0x200B, *range(0x2060, 0x2066), 0xFEFF]
STEERING = [*range(0x20), *range(0x7F, 0xA0), *BIDI, *WITHOUT_WIDTH, 0x2028, 0x2029]
ANY_TEXT = st.text(
    st.characters(codec=None, categories=["L", "N", "C", "P", "S", "Z"])
    | st.sampled_from([*map(chr, STEERING)])
)


def steers(text: str) -> list[str]:
    """The characters of `text` that no person's terminal, line or page should get."""
    return [
        c
        for c in text
        if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or ord(c) in (*BIDI, *WITHOUT_WIDTH)
    ]


@pytest.mark.parametrize("code", STEERING, ids=hex)
def test_a_character_that_steers_is_seen_or_a_blank(code: int) -> None:
    shown = one_line(f"a{chr(code)}b")
    assert steers(shown) == []
    assert shown == "a b" if chr(code).isspace() else re.fullmatch(r"a\\(x[0-9a-f]{2}|u[0-9a-f]{4})b", shown)


def test_a_sequence_is_told_as_it_came() -> None:
    assert one_line("x\x1b]0;owned\x07 \u202egnp.\u202c\x9b2J") == r"x\x1b]0;owned\x07 \u202egnp.\u202c\x9b2J"


@given(ANY_TEXT)
def test_nothing_steers_and_what_does_not_stays(text: str) -> None:
    assert steers(one_line(text)) == []
    assert set(steers(legible(text))) <= {"\n", "\t"}
    assert steers(text) or legible(text) == text


@given(ANY_TEXT, st.sampled_from([None, 2]))
def test_json_means_the_same(text: str, indent: int | None) -> None:
    shown = legible_json(json.dumps({"name": text}, ensure_ascii=False, indent=indent))
    assert json.loads(shown) == {"name": text}
    assert set(steers(shown)) <= {"\n"}


def test_letters_of_other_scripts_and_emoji_stay() -> None:
    text = "שלום مرحبا न\u200dमस् 👩\u200d💻 e\u0301"
    assert legible(text) == text


@pytest.mark.parametrize("kind", [SixkeysError, ConfigurationError])
def test_an_error_is_one_line(kind: type[SixkeysError]) -> None:
    assert str(kind("a\x1b[2J:\n  b\u2028c")) == r"a\x1b[2J: b c"


def test_a_log_line_is_one_and_a_traceback_is_legible() -> None:
    out = io.StringIO()
    log = logging.getLogger("tests.legible")
    log.propagate = False
    handler = logging.StreamHandler(out)
    handler.setFormatter(LegibleFormatter())
    log.addHandler(handler)
    try:
        raise ValueError("\x1b]0;x\x07\nERROR forged")
    except ValueError:
        log.exception("service %s\nERROR forged", "a\x1b[31m")
    said = out.getvalue()
    assert said.splitlines()[0] == r"service a\x1b[31m ERROR forged"
    assert r"ValueError: \x1b]0;x\x07" in said
    assert set(steers(said)) == {"\n"}
