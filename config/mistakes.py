"""What is wrong in a configuration file, said in one line: where, what, and what works."""

import difflib
from collections.abc import Sequence
from typing import Any, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from config.fields import Section
from config.text.quoting import LONGEST_VALUE, one_short_line
from config.text.yaml_documents import YamlDocument

# pydantic's own words where a user needs others
_ADVICE = {
    "list_type": 'is not a list; write it like ["one", "two"]',
    "string_type": "is not text; put it in quotes",
    "int_parsing": "is not a whole number",
    "int_type": "is not a whole number",
    "bool_parsing": "is neither true nor false",
    "bool_type": "is neither true nor false",
    "dict_type": "is not a mapping; write it like {name: value}",
    "invalid_key": "is a key that is no text; put it in quotes",
    "path_type": "is not a path; put it in quotes",
    "model_type": "is a section; write its keys below it, indented",
    "too_short": "is empty; name at least one",
    "string_too_short": "is empty; fill it in",
}
Location = Sequence[int | str]


def explain_mistakes(error: ValidationError, model: type[BaseModel], document: YamlDocument) -> str:
    """The most telling of the mistakes that `error` found in `document`: ":line: key: what is wrong; what works".

    An unknown key comes first, since it is why another one is missing, then the first in the file.
    """
    location, sentence = explained_mistake(error, model, document.content, document)
    line = document.line_of(location)
    return f"{f':{line}' if line else ''}: {sentence}"


def explained_mistake(
    error: ValidationError,
    model: type[BaseModel],
    content: Any,
    document: YamlDocument | None,
    below: Location = (),
) -> tuple[Location, str]:
    """The same mistake of a `model` made of `content`, which stands in `document` `below` keys: its location in the
    content, and "key: what is wrong; what works"."""

    def line(location: Location) -> float:
        return (document and document.line_of((*below, *location))) or float("inf")

    mistakes = error.errors(include_url=False, include_input=False)
    first = min(mistakes, key=lambda e: (e["type"] != "extra_forbidden", line(e["loc"])))
    return first["loc"], _sentence(first, model, content, below)


def _sentence(first: Any, model: type[BaseModel], content: Any, below: Location) -> str:
    location = first["loc"]
    parts = (str(part)[:LONGEST_VALUE] for part in (*below, *location))
    key = one_short_line(".".join(parts), 2 * LONGEST_VALUE)
    if first["type"] == "extra_forbidden":
        known = _known_keys(model, location[:-1])
        near = difflib.get_close_matches(str(location[-1])[:LONGEST_VALUE], known, n=1, cutoff=0)
        return (
            f'unknown key "{key}"; did you mean "{near[0]}"?' if near else f'unknown key "{key}"; remove it'
        )
    if first["type"] == "missing":
        return f'the key "{key}" is missing; add it'
    name = _name(content, location)
    message = _ADVICE.get(first["type"]) or first["msg"].removeprefix("Value error, ")
    message = one_short_line(message.replace("Input should be", "is not"), 6 * LONGEST_VALUE)
    return f"{key}{f' ({one_short_line(name)})' if name else ''}: {message}"


def _name(content: Any, location: Location) -> str | None:
    """What the innermost list entry on the way to `location` calls itself: a metric's or an instance's name."""
    name = None
    for part in location:
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(part, int) and isinstance(content, dict) and isinstance(content.get("name"), str):
            name = content["name"]
    return name


def _known_keys(model: type[BaseModel], parent: Location) -> list[str]:
    section: type[BaseModel] | None = model
    is_name = False  # a key that the user chose, such as a team's name
    for part in parent:
        if isinstance(part, int) or is_name:
            is_name = False
            continue
        fields = _fields_by_key(section)
        if part not in fields:
            return []
        annotation = fields[part].annotation
        section, is_name = _section_in(annotation), get_origin(annotation) is dict
    return list(_fields_by_key(section))


def _fields_by_key(section: type[BaseModel] | None) -> dict[str, FieldInfo]:
    """A section's fields by the key that the file has; a word of Python's own has another name here."""
    fields = section.model_fields if section else {}
    return {field.alias or name: field for name, field in fields.items()}


def _section_in(annotation: Any) -> type[Section] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    inner = (_section_in(part) for part in getattr(annotation, "__args__", ()))
    return next((section for section in inner if section is not None), None)
