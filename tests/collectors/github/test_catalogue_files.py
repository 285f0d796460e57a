"""A repository's own descriptors, and those that its Locations name, as GitHub gives them file by file."""

import base64

import pytest
from werkzeug import Request, Response

from collectors.contract.items import Item, Malformed
from collectors.contract.records import Component
from collectors.github.api import GitHubApi
from collectors.github.catalogue_files import NAME, entities
from tests.support.github_organisation import answer, settings
from tests.support.loopback import Loopback

REPO = "acme/mono"


def location(*targets: str) -> str:
    listed = "".join(f"    - {target}\n" for target in targets)
    return f"kind: Location\nmetadata: {{name: all}}\nspec:\n  targets:\n{listed}"


def component(name: str) -> str:
    return f"kind: Component\nmetadata: {{name: {name}}}\nspec: {{owner: shop}}\n"


def read(
    descriptors: str | None, failing: dict[str, int] | None = None, **files: str
) -> tuple[list[str], list[str], list[str]]:
    """(names of components, reasons of what was set aside, requests) of a repository that has `files`.

    What asks for a path of `failing` is answered by its status.
    """
    held = {path.replace("__", "/") + ".yaml": content for path, content in files.items()}

    def serve(request: Request) -> Response:
        path = request.path.rpartition(f"/repos/{REPO}/")[2]
        if status := (failing or {}).get(path):
            return answer(status, {"message": "No"})
        if path == "git/trees/HEAD":
            return answer(200, {"tree": [{"path": name} for name in held]})
        content = held.get(path.removeprefix("contents/").removeprefix("git/blobs/"))
        if content is None:
            return answer(404, {"message": "Not Found"})
        told = {"size": len(content), "sha": path.removeprefix("contents/")}
        if len(content) > 1_000_000 and path.startswith("contents/"):
            return answer(200, {"encoding": "none", "content": "", **told})
        return answer(
            200, {"encoding": "base64", "content": base64.b64encode(content.encode()).decode(), **told}
        )

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


def items_of(failing: dict[str, int]) -> list[Item]:
    """What comes of a Location of three files, of which `failing` are answered by a status."""

    def serve(request: Request) -> Response:
        path = request.path.rpartition("/contents/")[2]
        if status := failing.get(path):
            return answer(status, {"message": "No"})
        return answer(200, {"content": base64.b64encode(component(path[0]).encode()).decode()})

    with Loopback(serve) as server, GitHubApi(settings(server.url)) as api:
        return list(entities(api, REPO, location("./a.yaml", "./b.yaml", "./c.yaml")))


def test_a_file_that_is_refused_costs_itself_and_hides_what_it_may_have_named() -> None:
    aside, first, last = items_of({"b.yaml": 403})
    assert isinstance(aside, Malformed)
    assert (aside.subject, aside.hides) == ("acme/mono/b.yaml", "acme/mono/")
    assert "answered 403: No" in aside.reason
    assert [item.name for item in (first, last) if isinstance(item, Component)] == ["a", "c"]


def test_a_descriptor_that_cannot_be_read_hides_what_it_may_have_named() -> None:
    with Loopback(lambda request: answer(500, {})) as server, GitHubApi(settings(server.url)) as api:
        (aside,) = entities(api, REPO, "kind: [")
    assert isinstance(aside, Malformed)
    assert (aside.subject, aside.hides) == ("acme/mono/catalog-info.yaml", "acme/mono/")


@pytest.mark.parametrize(
    ("status", "expected"), [(404, []), (403, ["was not read: "]), (451, ["was not read: "])]
)
def test_a_repository_without_a_descriptor_has_none_and_a_blocked_one_is_told(
    status: int, expected: list[str]
) -> None:
    names, aside, _ = read(None, {f"contents/{NAME}": status})
    assert names == []
    assert [reason[: len("was not read: ")] for reason in aside] == expected


def test_a_descriptor_of_more_than_a_megabyte_is_read_whole() -> None:
    descriptors = "---\n".join(f"{component(name)}{'#' * 400_000}\n" for name in "abc")
    names, aside, requests = read(location("./all.yaml"), all=descriptors)
    assert (names, aside) == (["a", "b", "c"], [])
    assert len(requests) == 2


def test_what_is_too_large_for_a_catalogue_is_not_fetched() -> None:
    names, aside, requests = read(location("./all.yaml"), all=component("a") + "#" * 5_200_000)
    assert names == []
    assert aside == ["was not read: is larger than 5,000,000 bytes; split it"]
    assert len(requests) == 1


def test_files_that_are_too_large_together_are_not_all_read() -> None:
    comments = "#" * 2_000_000
    _names, aside, _ = read(location("./a.yaml", "./b.yaml", "./c.yaml"), a=comments, b=comments, c=comments)
    assert (
        aside[0] == "was not read: a repository's catalogue has no more than 5,000,000 characters; split it"
    )


@pytest.mark.soak
def test_no_more_files_are_asked_for_than_a_repository_may_have() -> None:
    files = {f"f{n}": component(f"s{n}") for n in range(600)}
    names, aside, requests = read(location(*(f"./{name}.yaml" for name in files)), **files)
    assert len(names) == len(requests) == 499
    told = "was not read: a repository's catalogue has no more than 500 files; put several into one"
    assert aside[:-1] == [told] * 20
    assert aside[-1].startswith("81 more files that are named were not asked for")


@pytest.mark.parametrize("status", [403, 404])
def test_a_location_of_thousands_that_are_not_there_costs_few_requests_and_few_rows(status: int) -> None:
    files = (f"./f{n}.yaml" for n in range(2_000))
    with (
        Loopback(lambda request: answer(status, {"message": "No"})) as server,
        GitHubApi(settings(server.url)) as api,
    ):
        aside = list(entities(api, REPO, location(*files)))
    assert len(server.requests) == 20
    assert len(aside) == 21
    assert isinstance(aside[-1], Malformed)
    assert (aside[-1].reason.partition(" ")[0], aside[-1].hides) == ("1,980", "acme/mono/")


def test_what_fails_is_not_asked_for_again_and_again() -> None:
    def serve(request: Request) -> Response:
        return answer(401, {"message": "Bad credentials"})

    with Loopback(serve) as server, GitHubApi(settings(server.url)) as api:
        aside = list(entities(api, REPO, location("./a.yaml", "./b.yaml", "./c*/*.yaml")))
    assert len(server.requests) == 1
    assert all(isinstance(item, Malformed) and "answered 401" in item.reason for item in aside)
    assert [item.hides for item in aside if isinstance(item, Malformed)] == ["acme/mono/"] * 3


def test_many_globs_ask_for_the_names_of_files_once_and_no_more_than_so_many_are_looked_for() -> None:
    globs = (f"'[7,{n}]*/info.yaml'" for n in range(52))
    names, aside, requests = read(location(*globs), **{"7__info": component("a")})
    assert names == ["a"]
    assert len(requests) == 2
    assert [reason.rpartition("was not read: ")[2] for reason in aside] == [
        "a repository's catalogue has no more than 50 globs; use fewer"
    ] * 2
