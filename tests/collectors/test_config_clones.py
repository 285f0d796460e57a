"""The application's commit of an Argo CD deployment, found in the clone of the config repository."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from collectors.argocd.config_clones import images_in
from collectors.contract.records import Component
from config.settings import Production, Settings
from config.sources import ArgoCD, GitHub, Sources
from sample_data import model
from sample_data.servers import faults
from sample_data.servers.faults import App, Faulty
from sample_data.servers.server import SampleServer
from tests.support.argocd_instance import application, entry
from tests.support.git_origin import CREATED, NOW, TOKEN, Origin
from warehouse.metrics.published_facts import open_facts
from warehouse.pipeline import collect
from warehouse.storage.store import open_warehouse

BOMB = "image: one:1\na: &a [x, x]\n" + "".join(
    f"{name}: &{name} [*{before}, *{before}]\n" for before, name in pairwise(ascii_lowercase)
)
KUSTOMIZATION = "images:\n  - name: ghcr.io/acme/web\n    newTag: {}\n"


class House:
    """An application `web` whose source is acme/web, deployed from acme/config, and a warehouse of both."""

    def __init__(self, folder: Path) -> None:
        self.web, self.config = Origin(folder / "web"), Origin(folder / "config")
        self.folder = folder
        repositories = [
            model.Repository(n, "acme", name, CREATED, NOW, git_dir=origin.git_dir)
            for n, (name, origin) in enumerate((("web", self.web), ("config", self.config)), 1)
        ]
        self.instance = model.ArgoCD()
        self.organisation = model.Organisation(
            "acme", NOW, repositories, self.instance, model.PagerDuty(), {}, {}, {}
        )

    def around(self, app: App) -> Faulty:
        self.faulty = Faulty(app)
        return self.faulty

    def deployed(
        self, *revisions: str, path: str = "apps/web", url: str | None = None, of: str = "web", **more: Any
    ) -> None:
        """What Argo CD's history of the application `of` has: those revisions, of the repository at `url`."""
        source = {"repoURL": url or f"{self.url}/acme/config.git", "path": path, **more}
        history = [entry(n, revision, source=source) for n, revision in enumerate(revisions)]
        app = application(history, name=of, uid=of)
        app["spec"]["destination"]["name"] = "production"
        others = [other for other in self.instance.applications if other["metadata"]["name"] != of]
        self.instance.applications[:] = [*others, app]

    def collect(self, clone: bool = True, now: Any = NOW) -> dict[str, list[tuple[str | None, str | None]]]:
        """(commit, how it was found) of each deployment after a run, by application; what was asked is in `asked`."""
        for origin in (self.web, self.config):
            origin.push()
        token = SecretStr(TOKEN)
        settings = Settings(
            organization="acme",
            timezone="UTC",
            warehouse=self.folder / "w.duckdb",
            production=Production(environments=["production*"]),
            sources=Sources(
                github=GitHub(url=f"{self.url}/api/v3", token=token, repositories=["acme/*"], clone=clone),
                argocd=[ArgoCD(url=f"{self.url}/argocd", token=token)],
            ),
        )
        with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
            names = tuple(app["metadata"]["name"] for app in self.instance.applications)
            warehouse.upsert([Component(name="web", repo="acme/web", argocd_apps=names)])
        before = len(self.faulty.asked)
        runs = collect(settings, now=now)
        assert [run.error for run in runs] == [None] * len(runs)
        self.asked = [path for path in self.faulty.asked[before:] if "/metadata?" in path]
        found: dict[str, list[tuple[str | None, str | None]]] = defaultdict(list)
        with open_facts(settings.warehouse) as facts:
            for id, *told in facts.connection.execute(
                "select id, sha, sha_method from deployments order by id"
            ).fetchall():
                found[id.partition("/")[0]].append(tuple(told))
        return found


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    with SampleServer(house.organisation, token=TOKEN, around=house.around) as server:
        house.url = server.url
        yield house


def promoted(house: House, folder: str, tag: str) -> str:
    return house.config.commit("Promote", **{f"{folder}/kustomization.yaml": KUSTOMIZATION.format(tag)})


def test_a_commit_is_found_in_the_clone_without_a_question_to_argo_cd(house: House) -> None:
    one, two, three = (house.web.commit(f"Change {n}", a=str(n)) for n in range(3))
    house.web.git("tag", "v1.2", two)

    # the message's trailers name it
    trailers = (
        f"Argocd-reference-commit-sha: {one}\nArgocd-reference-commit-repourl: https://github.com/acme/web"
    )
    house.deployed(house.config.commit(f"Promote\n\n{trailers}", a="1"), of="web-trailers")

    # images, of the application's folder and at each revision
    promoted(house, "apps/api", "fff")
    house.deployed(
        *(promoted(house, "apps/web", f"main-{sha[:9]}") for sha in (one, two, three)),
        path="./apps/web/",
        of="web-images",
    )

    # a chart's values, where no kustomization sets an image
    files = {
        "kustomization.yaml": "resources: [deployment.yaml]\n",
        "values.yaml": "web:\n  image: {repository: ghcr.io/acme/web, tag: v1.2}\n",
        "template.yaml": "image: {{ .Values.image }}\n",
        "below/values.yaml": "image: {repository: ghcr.io/acme/web, tag: v0.9}\n",
    }
    house.deployed(house.config.commit("Promote", **files), path="", of="web-chart")

    # what an application ran is believed before what is configured
    house.deployed(
        house.config.commit("Promote", **{"apps/ran/values.yml": f"image: acme/web:{two[:8]}\n"}),
        path="apps/ran",
        of="web-ran",
        kustomize={"images": [f"acme/web:{one[:8]}"]},
    )

    # revisions that name nothing
    house.deployed(
        promoted(house, "apps/nothing", "build-7"),
        house.config.commit("None", **{"apps/nothing/kustomization.yaml": "resources: []\n"}),
        path="apps/nothing",
        of="web-nothing",
    )

    assert house.collect() == {
        "web-trailers": [(one, "trailer")],
        "web-images": [(sha, "config image sha") for sha in (one, two, three)],
        "web-chart": [(two, "config image tag")],
        "web-ran": [(one, "image sha")],
        "web-nothing": [(None, None), (None, None)],
    }
    assert house.asked == []


def test_another_host_or_a_switch_leaves_the_clone_alone(house: House) -> None:
    sha = house.web.commit("One", a="1")
    message = f"Promote\n\nArgocd-reference-commit-sha: {sha}"
    revision = house.config.commit(message, a="1")
    for url, clone in (("https://gitlab.example/acme/config.git", True), (None, False)):
        house.deployed(revision, url=url)
        house.instance.applications[0]["metadata"]["uid"] = f"of {url}"
        house.collect(clone=clone)
        assert len(house.asked) == 1, "Argo CD is asked for what the revision names"


def test_what_was_pushed_after_the_fetch_is_fetched_and_what_is_not_given_now_is_looked_at_again(
    house: House,
) -> None:
    sha = house.web.commit("One", a="1")
    fetched = promoted(house, "apps/web", sha[:7])
    house.deployed()
    house.collect()
    house.deployed(fetched, of="web-fetched")
    house.deployed(promoted(house, "apps/web", f"main-{sha[:7]}"), of="web-later")
    with house.faulty.all(faults.status(403, "no"), "/acme/config.git/"):
        assert house.collect() == {"web-fetched": [(None, None)], "web-later": [(None, None)]}
    found = [(sha, "config image sha")]
    assert house.collect() == {"web-fetched": found, "web-later": found}
    assert house.asked == [], "Argo CD is not asked for what git has"
    house.organisation.repositories[1].pushed_at = NOW + timedelta(minutes=1)
    assert house.collect() == {"web-fetched": found, "web-later": found}


@pytest.mark.parametrize(
    ("content", "images"),
    [
        (
            "images: [{name: web, newName: hub/web, newTag: 0123456}, {name: x, digest: y}]",
            ["hub/web:0123456"],
        ),
        ("a: [{image: one:1}]\n---\nimage: {tag: 2}\n", ["one:1", "image:2"]),
        ("a: &a {image: one:1}\nb: [*a, *a]\n", ["one:1"]),
        ("images: text\nimage: [1]\n", []),
        ("image: {{ .Values.image }}", []),
        ("a: \t- [", []),
        ("image: one:1\nimage: two:2\n", ["two:2"]),
        ("image: one:1\n---\na: [\n", []),
        ("images: [{name: web, newTag: {a: b}}]\nimage: {tag: [1]}\n", []),
        (f"image: one:1\na: {'[' * 5_000}", []),
        ('image: "one:\\ud83d"', []),
        (BOMB, []),
    ],
)
def test_the_images_of_a_file(content: str, images: list[str]) -> None:
    assert list(images_in(content)) == images


@given(st.text() | st.text("ab:-[]{}&*! \n\t", max_size=200))
def test_no_file_stops_a_run(content: str) -> None:
    assert all(isinstance(image, str) for image in images_in(content))
