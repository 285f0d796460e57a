"""What `${NAME}` and `file:PATH` in the configuration stand for, looked up where it is used.

UnresolvedReference(ConfigurationError)   what a key refers to is not there: which key, what, and what to do
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from config.errors import ConfigurationError
from config.text.quoting import LONGEST_VALUE, one_short_line

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# a private key is a few thousand characters
_LONGEST_FILE = 100_000


class UnresolvedReference(ConfigurationError):
    """What a key refers to is not there, or is no such thing."""


class SecretReference(SecretStr):
    """A secret as the configuration has it: looked up each time that it is asked for, kept and shown nowhere.

    `key` is where it is configured; load_settings puts it down.
    """

    def __init__(self, written: str, folder: Path, at_least: int) -> None:
        super().__init__(written)
        self._folder, self._at_least = folder, at_least
        self.key = ""

    def get_secret_value(self) -> str:
        """The secret. Raises UnresolvedReference."""
        try:
            secret = what_it_refers_to(self._secret_value, self._folder)
            if not secret:
                raise ValueError("the secret is empty; put it into what the key refers to")
            if len(secret) < self._at_least:
                raise ValueError(
                    f"has fewer than {self._at_least} characters; take what `openssl rand -hex 32` prints"
                )
        except ValueError as error:
            raise UnresolvedReference(f"{self.key}: {error}") from None
        return secret

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretReference) and self._said() == other._said()

    def __hash__(self) -> int:
        return hash(self._said())

    def _said(self) -> tuple[object, ...]:
        return (self._secret_value, self._folder, self._at_least)


class UnresolvedText(str):
    """A text that refers to what was not there when the configuration was read, as it is written.

    `key` is where it is configured, `why` what is wrong.
    """

    key: str = ""
    why: str = ""


def what_it_refers_to(written: str, folder: Path) -> str:
    """`written` with `${NAME}` taken from the environment, `file:PATH` from a file beside the configuration.

    Raises ValueError with a sentence that says what is missing, never with what was found.
    """
    if written.startswith("file:"):
        return _content(folder, written.removeprefix("file:"))
    return REFERENCE.sub(_from_environment, written)


def _from_environment(found: re.Match[str]) -> str:
    name = one_short_line(found[1])
    content = os.environ.get(found[1])
    if not content:
        raise ValueError(f"the environment variable {name} is not set; set it, or remove the key")
    try:
        content.encode()
    except UnicodeEncodeError:
        raise ValueError(f"the environment variable {name} is not UTF-8 text; set it anew") from None
    return content


def _content(folder: Path, place: str) -> str:
    """The text of the file that a reference names, without blanks around it."""
    path = folder / place
    told = one_short_line(str(path), 2 * LONGEST_VALUE)
    try:
        with (folder / Path(place).expanduser()).open(encoding="utf-8") as file:
            text = file.read(_LONGEST_FILE + 1)
    except OSError as error:
        raise ValueError(
            f"cannot read the file {told} ({error.strerror}); create it or mend the path"
        ) from None
    except RuntimeError:
        raise ValueError(f"cannot read the file {told} (there is no such user); mend the path") from None
    except UnicodeDecodeError:
        raise ValueError(f"the file {told} is not UTF-8 text; mend the path") from None
    if len(text) > _LONGEST_FILE or "\0" in text:
        raise ValueError(f"the file {told} holds no secret and no word; mend the path")
    return text.strip()


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Each value of a configuration that has none below it, with its key in the file; in lists the entry's number."""
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from leaves(getattr(value, name), _below(key, field.alias or name))
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, _below(key, name))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from leaves(item, _below(key, index))
    else:
        yield key, value


def _below(key: str, name: object) -> str:
    return one_short_line(f"{key}.{str(name)[:LONGEST_VALUE]}".lstrip("."), 2 * LONGEST_VALUE)


def name_references(value: Any) -> None:
    """Puts down in each reference below `value`, the whole configuration, at which key it stands."""
    for key, leaf in leaves(value):
        if isinstance(leaf, SecretReference | UnresolvedText):
            leaf.key = key


def unresolved_references(value: Any) -> Iterator[UnresolvedReference]:
    """What references below `value` do not find, in the order of the configuration."""
    for _, leaf in leaves(value):
        if isinstance(leaf, UnresolvedText):
            yield UnresolvedReference(f"{leaf.key}: {leaf.why}")
        elif isinstance(leaf, SecretReference):
            try:
                leaf.get_secret_value()
            except UnresolvedReference as error:
                yield error


def require_resolved(value: Any) -> None:
    """Raises UnresolvedReference where a reference below `value`, or `value` itself, does not find what it names."""
    for error in unresolved_references(value):
        raise error


def secrets_in(value: Any) -> Iterator[str]:
    """Every secret below `value` that is there."""
    for _, leaf in leaves(value):
        if isinstance(leaf, SecretStr):
            with suppress(UnresolvedReference):
                yield leaf.get_secret_value()
