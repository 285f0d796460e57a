"""A repository's own descriptors, and those that its Locations name, as GitHub gives them file by file."""

import base64

import pytest
from werkzeug import Request, Response

from collectors.contract.items import Malformed
from collectors.contract.records import Component
from collectors.github.api import GitHubApi
from collectors.github.catalogue_files import entities
from tests.support.github_organisation import answer, settings
from tests.support.loopback import Loopback

REPO = "acme/mono"


def location(*targets: str) -> str:
    listed = "".join(f"    - {target}\n" for target in targets)
    return f"kind: Location\nmetadata: {{name: all}}\nspec:\n  targets:\n{listed}"


def component(name: str) -> str:
    return f"kind: Component\nmetadata: {{name: {name}}}\nspec: {{owner: shop}}\n"


def read(descriptors: str, **files: str) -> tuple[list[str], list[str], list[str]]:
    """(names of components, reasons of what was set aside, requests) of a repository that has `files`."""
    held = {path.replace("__", "/") + ".yaml": content for path, content in files.items()}

    def serve(request: Request) -> Response:
        path = request.path.rpartition(f"/repos/{REPO}/")[2]
        if path == "git/trees/HEAD":
            return answer(200, {"tree": [{"path": name} for name in held]})
        content = held.get(path.removeprefix("contents/"))
        if content is None:
            return answer(404, {"message": "Not Found"})
        return answer(200, {"content": base64.b64encode(content.encode()).decode()})

    with Loopback(serve) as server, GitHubApi(settings(server.url)) as api:
        items = list(entities(api, REPO, descriptors))
    found = [item for item in items if isinstance(item, Component)]
    assert {item.repo for item in found} <= {REPO}
    return (
        sorted(item.name for item in found),
        [item.reason for item in items if isinstance(item, Malformed)],
        server.requests,
    )


def test_a_location_stands_for_the_files_that_it_names_beside_it_and_for_theirs() -> None:
    names, aside, _ = read(
        component("root") + "---\n" + location("./cart/info.yaml", "services/*/info.yaml"),
        cart__info=location("../deep.yaml", "./info.yaml"),
        deep=component("deep"),
        services__a__info=component("a"),
        services__b__info=component("b"),
        elsewhere__info=component("unnamed"),
    )
    assert names == ["a", "b", "deep", "root"]
    assert aside == []


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("./none.yaml", "no file is there"),
        ("../other/info.yaml", "no file is there"),
        ("https://elsewhere.example/info.yaml", "it is at another place"),
    ],
)
def test_a_target_that_was_not_read_is_told_with_its_line(target: str, why: str) -> None:
    names, aside, _ = read(component("root") + "---\n" + location(target))
    assert names == ["root"]
    assert aside == [f"line 5: the Location names {target}, which was not read: {why}"]


def test_files_that_name_each_other_are_read_once() -> None:
    names, _, requests = read(
        location("./a.yaml"), a=component("a") + "---\n" + location("b.yaml"), b=location("a.yaml")
    )
    assert names == ["a"]
    assert len(requests) == 2
