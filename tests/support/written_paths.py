"""Paths and names of the project as its documentation writes them: `a/b.py`, `a/b.py: name`, `a/<what>/c.py`."""

import ast
import re
from collections.abc import Iterator
from functools import cache

from tests.support.places import PACKAGES, PROGRAM, ROOT

_FIRST = "|".join((*PACKAGES, "tests", "docs", "benchmarks"))
_PATH = re.compile(rf"`((?:{_FIRST})/[^`:\s]*|{PROGRAM.name})(?:: ([\w.]+))?`")


def paths(text: str) -> Iterator[tuple[str, str]]:
    """(path, name in it or nothing) of everything that a text puts between backticks and that is a path of ours."""
    for found in _PATH.finditer(text):
        yield found[1], found[2] or ""


def there(path: str) -> list[str]:
    """What there is of a path; `<what>`, a letter such as `X` and `*` stand for any name."""
    pattern = re.sub(r"<[^>]+>|\b[A-Z]\b", "*", path)
    return sorted(found.relative_to(ROOT).as_posix() for found in ROOT.glob(pattern))


def defined(path: str, name: str) -> bool:
    """Whether a file is there and has a definition of that name, in the file's own language."""
    return (ROOT / path).is_file() and name in _definitions(path)


@cache
def _definitions(path: str) -> set[str]:
    text = (ROOT / path).read_text(encoding="utf-8")
    match path.rpartition(".")[2]:
        case "py":
            return set(_of_python(ast.parse(text).body))
        case "graphql":
            return set(re.findall(r"(?m)^(?:query|fragment) (\w+)", text))
        case "j2":
            return set(re.findall(r"{%-? macro (\w+)", text))
        case "toml":
            return set(re.findall(r"(?m)^\[([\w.]+)\]", text))
    return set()


def _of_python(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                yield node.name
                if isinstance(node, ast.ClassDef):
                    yield from (f"{node.name}.{inner}" for inner in _of_python(node.body))
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name
