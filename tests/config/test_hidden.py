"""A secret that an answer repeats is hidden however it is written, and what is left of one that was cut."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from config.text.hidden import HIDDEN, hide
from config.text.quoting import shortened

SECRET = "MARKgithubToken0123456789abcdefGHIJKLMN"
KEY = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA0123456789\nabcdefABCDEF0987654321zyxw\n-----END KEY-----\n"
ECHOES = st.lists(
    st.sampled_from(["", "", "", "", " ", "\n", "\r\n\t"]), min_size=len(SECRET), max_size=len(SECRET)
)


def left_of(secret: str, text: str) -> list[str]:
    """The runs of 8 characters of `secret` that are in `text`, letter case and blanks aside."""
    low, told = "".join(secret.lower().split()), "".join(text.lower().split())
    return [low[n : n + 8] for n in range(len(low) - 7) if low[n : n + 8] in told]


@settings(max_examples=60, deadline=None)
@given(ECHOES, st.text(max_size=60), st.text(max_size=60), st.booleans(), st.integers(10, 120))
def test_nothing_of_it_is_left_in_any_case_over_lines_and_wherever_it_was_cut(
    blanks: list[str], before: str, after: str, is_lower: bool, most: int
) -> None:
    assume(not left_of(SECRET, f"{before}|{after}"))  # a word of its own that has eight letters of it
    echoed = "".join(character + blank for character, blank in zip(SECRET, blanks, strict=True))
    told = f"{before}{echoed.lower() if is_lower else echoed}{after}"
    assert left_of(SECRET, hide(told, [SECRET])) == []
    # somebody else may have cut it before
    for cut in (shortened(told, most), told[:most], told[-most:]):
        assert left_of(SECRET, hide(cut, [SECRET])) == []


def test_other_words_stay_and_each_form_of_a_secret_goes() -> None:
    assert hide("cannot post to https://hooks.example", ["https://hooks.example/a/secret/path"]).endswith(
        "example"
    )
    assert hide("the answer is 42; ask again", [SECRET, "", " ", "pw"]) == "the answer is 42; ask again"
    assert hide(f"a pw, {SECRET}!", [SECRET, "pw"]) == f"a {HIDDEN}, {HIDDEN}!"
    assert "0987654321" not in hide(f"in JSON: {KEY!r}", [KEY])
    assert hide("q=a%2Fb%2Bc%3D%3D0", ["a/b+c==0"]) == f"q={HIDDEN}"


@pytest.mark.parametrize("token", ["ghs_0123456789abcdef0123", f"eyJhbGciOiJSUzI1NiJ9.{'a' * 20}.{'b' * 40}"])
def test_tokens_that_no_configuration_knows_are_told_by_their_shape(token: str) -> None:
    assert hide(f"Bad credentials: {token}", []) == f"Bad credentials: {HIDDEN}"
