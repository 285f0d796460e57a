"""The application's commit of an Argo CD deployment, found in the clone of the config repository."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
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
from warehouse.loading.store import open_warehouse
from warehouse.metrics.published_facts import open_facts
from warehouse.pipeline import collect

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

    def deployed(self, *revisions: str, path: str = "apps/web", url: str | None = None) -> None:
        """What Argo CD's history has: those config revisions, from the repository at `url`."""
        source = {"repoURL": url or f"{self.url}/acme/config.git", "path": path}
        app = application([entry(n, revision, source=source) for n, revision in enumerate(revisions)])
        app["spec"]["destination"]["name"] = "production"
        self.instance.applications[:] = [app]

    def collect(self, clone: bool = True, now: Any = NOW) -> list[tuple[str | None, str | None]]:
        """(commit, how it was found) of each deployment after a run, and what Argo CD was asked for in `asked`."""
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
            warehouse.upsert([Component(name="web", repo="acme/web", argocd_apps=("web",))])
        before = len(self.faulty.asked)
        runs = collect(settings, now=now)
        assert [run.error for run in runs] == [None] * len(runs)
        self.asked = [path for path in self.faulty.asked[before:] if "/metadata?" in path]
        with open_facts(settings.warehouse) as facts:
            return facts.connection.execute("select sha, sha_method from deployments order by id").fetchall()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    with SampleServer(house.organisation, token=TOKEN, around=house.around) as server:
        house.url = server.url
        yield house


def test_the_trailers_come_from_the_clone_without_a_question_to_argo_cd(house: House) -> None:
    sha = house.web.commit("One", a="1")
    trailers = (
        f"Argocd-reference-commit-sha: {sha}\nArgocd-reference-commit-repourl: https://github.com/acme/web"
    )
    revision = house.config.commit(f"Promote\n\n{trailers}", a="1")
    house.deployed(revision)
    assert house.collect() == [(sha, "trailer")]
    assert house.asked == []


def test_images_come_from_the_application_s_folder_at_each_revision(house: House) -> None:
    shas = [house.web.commit(f"Change {n}", a=str(n)) for n in range(3)]
    house.config.commit("Another application", **{"apps/api/kustomization.yaml": KUSTOMIZATION.format("fff")})
    promoted = [
        house.config.commit(
            "Promote", **{"apps/web/kustomization.yaml": KUSTOMIZATION.format(f"main-{sha[:9]}")}
        )
        for sha in shas
    ]
    house.deployed(*promoted, path="./apps/web/")
    assert house.collect() == [(sha, "config image sha") for sha in shas]
    assert house.asked == []


def test_a_chart_s_values_are_read_where_no_kustomization_sets_an_image(house: House) -> None:
    sha = house.web.commit("One", a="1")
    house.web.git("tag", "v1.2", sha)
    files = {
        "kustomization.yaml": "resources: [deployment.yaml]\n",
        "values.yaml": "web:\n  image: {repository: ghcr.io/acme/web, tag: v1.2}\n",
        "template.yaml": "image: {{ .Values.image }}\n",
        "below/values.yaml": "image: {repository: ghcr.io/acme/web, tag: v0.9}\n",
    }
    house.deployed(house.config.commit("Promote", **files), path="")
    assert house.collect() == [(sha, "config image tag")]


def test_a_revision_that_names_nothing_stays_unknown(house: House) -> None:
    house.web.commit("One", a="1")
    house.deployed(
        house.config.commit("Promote", **{"apps/web/kustomization.yaml": KUSTOMIZATION.format("build-7")}),
        house.config.commit("Nothing there", **{"apps/web/kustomization.yaml": "resources: []\n"}),
    )
    assert house.collect() == [(None, None), (None, None)]


def test_another_host_or_a_switch_leaves_the_clone_alone(house: House) -> None:
    sha = house.web.commit("One", a="1")
    message = f"Promote\n\nArgocd-reference-commit-sha: {sha}"
    revision = house.config.commit(message, a="1")
    for url, clone in (("https://gitlab.example/acme/config.git", True), (None, False)):
        house.deployed(revision, url=url)
        house.instance.applications[0]["metadata"]["uid"] = f"of {url}"
        house.collect(clone=clone)
        assert len(house.asked) == 1, "Argo CD is asked for what the revision names"


def test_a_revision_that_was_pushed_after_the_fetch_is_looked_at_again(house: House) -> None:
    sha = house.web.commit("One", a="1")
    house.config.commit("Begin", a="1")
    house.deployed()
    house.collect()
    later = house.config.commit("Promote", **{"apps/web/kustomization.yaml": KUSTOMIZATION.format(sha[:7])})
    house.deployed(later)
    assert house.collect() == [(None, None)]
    house.organisation.repositories[1].pushed_at = NOW + timedelta(minutes=1)
    assert house.collect() == [(sha, "config image sha")]


def test_a_file_that_the_host_does_not_give_now_is_asked_for_again_and_stops_nothing(house: House) -> None:
    sha = house.web.commit("One", a="1")
    revision = house.config.commit(
        "Promote", **{"apps/web/kustomization.yaml": KUSTOMIZATION.format(sha[:7])}
    )
    house.deployed()
    house.collect()
    house.deployed(revision)
    with house.faulty.all(faults.status(403, "no"), "/acme/config.git/"):
        assert house.collect() == [(None, None)]
    assert house.collect() == [(sha, "config image sha")]


def test_what_an_application_ran_is_believed_before_what_is_configured(house: House) -> None:
    ran, configured = house.web.commit("One", a="1"), house.web.commit("Two", a="2")
    house.deployed(
        house.config.commit("Promote", **{"apps/web/values.yml": f"image: acme/web:{configured[:8]}\n"})
    )
    house.instance.applications[0]["status"]["history"][0]["source"]["kustomize"] = {
        "images": [f"acme/web:{ran[:8]}"]
    }
    assert house.collect() == [(ran, "image sha")]


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
    ],
)
def test_the_images_of_a_file(content: str, images: list[str]) -> None:
    assert list(images_in(content)) == images


@given(st.text() | st.text("ab:-[]{}&*! \n\t", max_size=200))
def test_no_file_stops_a_run(content: str) -> None:
    assert all(isinstance(image, str) for image in images_in(content))
