"""Requests of the platform: entries of files that come or change, read by git and by GitHub's API."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from collectors.contract.items import Checkpoint, Gone, Item, Malformed, Resume
from collectors.contract.records import Request
from collectors.git.clone import Clone
from collectors.github.api import GitHubApi
from collectors.requests.by_api import ApiReader
from collectors.requests.changed_files import CloneReader, ProposedChange
from collectors.requests.collect import RequestRepository, collect
from collectors.transport import cost
from collectors.transport.pacing import Hold
from config.platform_team.self_service import RequestRule
from config.settings import GitHub
from sample_data import model
from sample_data.servers.server import SampleServer
from tests.support.git_origin import CREATED, NOW, TOKEN, Origin

NAMESPACE = RequestRule(
    name="Namespace",
    repository="acme/infrastructure",
    paths=["namespaces/*.yaml"],
    kind="NamespaceRequest",
    ready={"applications": ["platform-*"]},
)
DATABASE = RequestRule(
    name="Database",
    repository="acme/infrastructure",
    paths=["terraform/**"],
    module="database",
    ready={"workflow": "terraform.yml"},
)
SECRET = "hunter2-very-secret"


def namespace(name: str, cpu: str = "10", team: str = "orders-team") -> str:
    """The issue's own object."""
    return (
        f"apiVersion: platform.example.com/v1\nkind: NamespaceRequest\nmetadata: {{name: {name}}}\nspec:\n"
        f'  team: {team}\n  token: {SECRET}\n  quota: {{requests.cpu: "{cpu}", requests.memory: "20Gi"}}\n'
        "  networkPolicies: {defaultDeny: true, allowIngress: [{fromNamespace: ingress-nginx}]}\n"
    )


def database(name: str, size: str = "db.t3.micro", source: str = "./modules/database") -> str:
    return (
        f'module "{name}" {{\n  source = "{source}"\n  size = "{size}"  # of the machine\n  password = "{SECRET}"\n'
        '  tags = {\n    Environment = "production"\n    Team = "orders-team"\n    Platform = var.platform\n  }\n}\n'
    )


class Repo:
    """The repository `infrastructure`, and the collector run against it as the pipeline does."""

    def __init__(self, folder: Path, origin: Origin, url: str, clone: bool) -> None:
        self.origin = origin
        self.rules = [NAMESPACE, DATABASE]
        self.cursors: dict[str, Any] = {}
        self.known: dict[str, Request] = {}
        self._cache, self._clone = folder / "cache", clone
        self._source = GitHub(
            url=f"{url}/api/v3", token=SecretStr(TOKEN), repositories=["acme/*"], clone=clone
        )

    def write(self, **files: str | None) -> str:
        """A commit that writes files, or removes those of None; its SHA."""
        root = Path(self.origin.git("rev-parse", "--show-toplevel"))
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True) if content is None else path.write_text(content)
        return self.origin.commit("Ask")

    def read(self, *proposed: ProposedChange) -> list[Item]:
        self.origin.push()
        repository = RequestRepository(
            "acme/infrastructure",
            "https://github.example/acme/infrastructure",
            self.rules,
            proposed,
            set(self.known),
        )
        with ExitStack() as stack:
            api = stack.enter_context(GitHubApi(self._source))
            clone = Clone(
                "acme/infrastructure", api.web, TOKEN, self._cache, Hold(cost.current_meter(), "git")
            )
            if self._clone:
                clone.update()

            def reader_of(_: RequestRepository) -> CloneReader | ApiReader:
                return (
                    CloneReader(clone, "main")
                    if self._clone
                    else ApiReader(api, "acme/infrastructure", "main")
                )

            resume = Resume(NOW, CREATED - timedelta(days=30), self.cursors)
            items = list(collect([repository], resume, reader_of))
        self.cursors |= {item.subject: item.cursor for item in items if isinstance(item, Checkpoint)}
        self.known |= {item.id: item for item in items if isinstance(item, Request)}
        for item in items:
            if isinstance(item, Gone):
                del self.known[item.key[1]]
        assert SECRET not in repr(items), "what a file holds beside names is not kept"
        return items

    def told(self, *proposed: ProposedChange) -> list[tuple[str, str | None, bool]]:
        """(kind, name, whether it is a change) of what is new."""
        return [
            (one.kind, one.name, one.is_change) for one in self.read(*proposed) if isinstance(one, Request)
        ]


@pytest.fixture(params=[True, False], ids=["by clone", "by API"])
def repo(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Repo]:
    origin = Origin(tmp_path / "origin")
    repositories = [model.Repository(1, "acme", "infrastructure", CREATED, NOW, git_dir=origin.git_dir)]
    organisation = model.Organisation(
        "acme", NOW, repositories, model.ArgoCD(), model.PagerDuty(), {}, {}, {}
    )
    with SampleServer(organisation, token=TOKEN) as running:
        yield Repo(tmp_path, origin, running.url, request.param)


ORDERS = "namespaces/orders.yaml"


def test_an_entry_that_appears_is_a_request_and_one_that_asks_for_more_is_a_change(repo: Repo) -> None:
    repo.write(**{"README.md": "what this is", "namespaces/README.md": namespace("no request")})
    assert repo.told() == []
    first = repo.write(**{ORDERS: namespace("orders")})
    (asked,) = [item for item in repo.read() if isinstance(item, Request)]
    assert (asked.kind, asked.name, asked.team, asked.way) == (
        "Namespace",
        "orders",
        "orders-team",
        "self-service",
    )
    assert (asked.repo, asked.path, asked.sha, asked.number) == ("acme/infrastructure", ORDERS, first, None)
    assert asked.opened_at == asked.merged_at == repo.origin.time(2)
    assert asked.url == f"https://github.example/acme/infrastructure/commit/{first}"
    repo.write(**{ORDERS: "# as it was\n" + namespace("orders")})
    assert repo.told() == [], "a comment asks for nothing"
    repo.write(**{ORDERS: namespace("orders", cpu="20")})
    assert repo.told() == [("Namespace", "orders", True)]
    repo.write(**{ORDERS: None, "namespaces/prod/moved.yaml": namespace("orders", cpu="20")})
    assert repo.told() == [], "what stands elsewhere as it was is no request"
    repo.write(**{"namespaces/prod/moved.yaml": None})
    assert repo.told() == [], "nor is what goes"
    assert repo.told() == [], "and nothing is told twice"


def test_objects_of_one_name_are_told_apart_by_their_namespace_or_file(repo: Repo) -> None:
    claims = [namespace("db").replace("name: db", f"name: db, namespace: {of}") for of in ("orders", "pay")]
    repo.write(**{"namespaces/claims.yaml": "---\n".join(claims)})
    repo.write(**{"namespaces/eu.yaml": namespace("shop"), "namespaces/us.yaml": namespace("shop")})
    assert repo.told() == [("Namespace", "db", False)] * 2 + [("Namespace", "shop", False)] * 2
    assert len(repo.known) == 4
    # a file that is renamed while what it asks for changes is still the same request
    repo.write(**{"namespaces/us.yaml": None, "namespaces/usa.yaml": namespace("shop", cpu="20")})
    assert repo.told() == [("Namespace", "shop", True)]


def test_modules_are_known_by_their_label_or_source_and_tags_tell_the_team(repo: Repo) -> None:
    main = "terraform/orders/main.tf"
    repo.write(**{main: database("orders_db") + database("cache", source="./modules/redis")})
    (asked,) = [item for item in repo.read() if isinstance(item, Request)]
    assert (asked.kind, asked.name, asked.is_change) == ("Database", "orders_db", False)
    assert (asked.team, asked.environment) == ("orders-team", "production")
    repo.write(**{main: database("orders_db", size="db.r6.large") + database("database", source="../redis")})
    assert repo.told() == [("Database", "orders_db", True), ("Database", "database", False)]
    remote = "git::https://github.example/acme/modules.git//database?ref=v2"
    repo.write(**{"terraform/pay/main.tf": database("orders_db", source=remote)})
    assert repo.told() == [("Database", "orders_db", False)], "in another folder it is another one"


def test_a_merge_brings_what_its_branch_asked_for_once(repo: Repo) -> None:
    repo.write(**{ORDERS: namespace("orders")})
    repo.origin.git("checkout", "-q", "-b", "ask")
    repo.write(**{"namespaces/pay.yaml": namespace("pay")})
    repo.write(**{"namespaces/pay.yaml": namespace("pay", cpu="4")})
    repo.origin.git("checkout", "-q", "main")
    repo.write(**{"namespaces/shop.yaml": namespace("shop")})
    repo.origin.merge("ask")
    names = [name for _, name, is_change in repo.told() if not is_change]
    assert sorted(str(name) for name in names) == ["orders", "pay", "shop"]


def test_an_open_pull_request_asks_for_what_its_last_commit_holds(repo: Repo) -> None:
    repo.write(**{ORDERS: namespace("orders")})
    repo.origin.git("checkout", "-q", "-b", "ask")
    change = ProposedChange(7, repo.write(**{"namespaces/pay.yaml": namespace("pay")}), CREATED, None)
    repo.origin.git("checkout", "-q", "main")
    repo.write(**{"namespaces/shop.yaml": namespace("shop")})
    repo.read(change)
    asked = next(one for one in repo.known.values() if one.number)
    assert (asked.name, asked.number, asked.opened_at, asked.merged_at) == ("pay", 7, CREATED, None)
    assert asked.url == "https://github.example/acme/infrastructure/pull/7"
    assert repo.told(change) == []
    repo.origin.git("checkout", "-q", "ask")
    later = repo.write(**{"namespaces/pay.yaml": None, "namespaces/cards.yaml": namespace("cards")})
    repo.origin.git("checkout", "-q", "main")
    repo.read(replace(change, head=later))
    assert [one.name for one in repo.known.values() if one.number] == ["cards"]
    repo.read(replace(change, head=later, closed_at=NOW))
    assert [one.withdrawn_at for one in repo.known.values() if one.number] == [NOW]


@pytest.mark.parametrize("repo", [True], indirect=True)
def test_other_rules_read_everything_anew_and_what_is_asked_no_more_goes(repo: Repo) -> None:
    repo.write(**{ORDERS: namespace("orders"), "terraform/main.tf": database("orders_db")})
    repo.read()
    repo.rules = [NAMESPACE]
    assert repo.told() == [("Namespace", "orders", False)]
    assert [one.kind for one in repo.known.values()] == ["Namespace"]
    repo.origin.git("commit", "-q", "--amend", "-m", "Written anew")
    assert repo.told() == [("Namespace", "orders", False)]
    assert len(repo.known) == 1, "a history that was written anew is told once"


@pytest.mark.parametrize("repo", [True], indirect=True)
def test_the_cursor_says_which_paths_have_files_and_which_rules_entries(repo: Repo) -> None:
    other = NAMESPACE.model_copy(update={"name": "Queue", "kind": "QueueRequest"})
    nowhere = NAMESPACE.model_copy(update={"name": "Bucket", "paths": ["buckets/*.yaml"]})
    repo.rules = [NAMESPACE, other, nowhere]
    repo.write(**{ORDERS: namespace("orders")})
    repo.read()
    assert repo.cursors["acme/infrastructure"]["seen"] == {
        "Namespace": {"empty": [], "has_entry": True},
        "Queue": {"empty": [], "has_entry": False},
        "Bucket": {"empty": ["buckets/*.yaml"], "has_entry": False},
    }


@pytest.mark.parametrize("repo", [True], indirect=True)
def test_a_file_that_cannot_be_read_is_set_aside_alone_and_nothing_of_it_is_told(repo: Repo) -> None:
    secret = f'module "database" {{ password = "{SECRET}" '
    repo.write(
        **{"namespaces/x.yaml": f"kind: [{SECRET}", "terraform/x.tf": secret, ORDERS: namespace("orders")}
    )
    items = repo.read()
    assert [item.name for item in items if isinstance(item, Request)] == ["orders"]
    assert [item.reason for item in items if isinstance(item, Malformed)] == [
        "namespaces/x.yaml: is no YAML from line 1, column 27 on; what it asks for is not known",
        "terraform/x.tf: is no Terraform from line 2 on; what it asks for is not known",
    ]
