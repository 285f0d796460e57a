"""What a file holds that is a request: whatever else it holds, reading it ends soon and keeps names alone."""

import json
import time

import pytest

from collectors.requests.entries import UnreadableFile, entries, is_of
from tests.collectors.requests.test_requests_collector import DATABASE, NAMESPACE, SECRET, database, namespace

NESTED = "[" * 5_000
ALIASES = "".join(
    f"{n}: &{n} [{','.join(['*' + p] * 9)}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE = {
    "no YAML": (NAMESPACE, f"kind: NamespaceRequest\n\t- {SECRET}: ["),
    "a template": (NAMESPACE, f"kind: {{{{ .Values.kind }}}}\nname: {{{{ if {SECRET} }}}}"),
    "anchors of anchors": (NAMESPACE, f"a: &a [1,1,1,1,1,1,1,1,1]\n{ALIASES}"),
    "no name": (NAMESPACE, f"kind: NamespaceRequest\nmetadata: {{}}\nspec: {{token: {SECRET}}}"),
    "a name that is a list": (NAMESPACE, f"kind: NamespaceRequest\nmetadata: {{name: [{SECRET}]}}"),
    "deep YAML": (NAMESPACE, NESTED),
    "long YAML": (NAMESPACE, "# " + "x" * 1_100_000),
    "no Terraform": (DATABASE, f'module "database" {{ password = "{SECRET}" '),
    "deep Terraform": (DATABASE, f"a = {NESTED}{']' * 5_000}\n"),
    "a long sum": (DATABASE, f"a = {'1+' * 5_000}1\n"),
    "many questions": (DATABASE, f"a = {'1 ? ' * 500}1{' : 1' * 500}\n"),
    "blocks in blocks": (DATABASE, "a {\n" * 500 + "}\n" * 500),
    "long Terraform": (DATABASE, "# x\n" * 60_000),
    "no text": (DATABASE, "\x00\x01\ufeff\ud800"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_cannot_be_read_is_told_soon_and_without_a_word_of_it(case: str) -> None:
    rule, content = HOSTILE[case]
    before = time.process_time()
    with pytest.raises(UnreadableFile) as told:
        entries(rule, content)
    assert SECRET not in str(told.value)
    assert len(str(told.value)) < 100
    assert time.process_time() - before < 10


def test_as_much_terraform_as_is_read_takes_seconds() -> None:
    content = "".join(database(f"database_{number}") for number in range(200))
    before = time.process_time()
    assert len(entries(DATABASE, content)) == 200
    assert time.process_time() - before < 10


def test_an_entry_says_its_team_and_environment_in_the_words_of_its_file() -> None:
    labelled = (
        "kind: NamespaceRequest\nmetadata:\n  name: pay\n  labels: {acme.example/Team: payments, env: staging}\n"
        "---\nkind: Other\nmetadata: {name: other}\n---\n"
    )
    pay, orders = entries(NAMESPACE, labelled + namespace("orders"))
    assert (pay.name, pay.team, pay.environment) == ("pay", "payments", "staging")
    assert (orders.name, orders.team, orders.environment) == ("orders", "orders-team", None)
    told = 'module "database" {\n  source = "./x"\n  team = var.team\n  environment = "test"\n  owner = "pay"\n}\n'
    (one,) = entries(DATABASE, told)
    assert (one.team, one.environment) == ("pay", "test"), "what Terraform works out is known to nobody here"


def test_a_list_holds_objects_and_a_module_may_come_from_a_repository() -> None:
    items = "\n- ".join(json.dumps({"kind": "NamespaceRequest", "metadata": {"name": name}}) for name in "ab")
    found = entries(NAMESPACE, f"apiVersion: v1\nkind: List\nitems:\n- {items}\n- {{kind: Other}}\n")
    assert [one.name for one in found] == ["a", "b"]
    of_git = database("orders_db", source="git::ssh://git@github.example/acme/database.git?ref=v1")
    assert [one.name for one in entries(DATABASE, of_git)] == ["orders_db"]


@pytest.mark.parametrize(
    ("paths", "path", "expected"),
    [
        (["namespaces/*.yaml"], "namespaces/orders.yaml", True),
        (["namespaces/*.yaml"], "namespaces/orders.yml", False),
        (["namespaces"], "namespaces/prod/orders.yml", True),
        (["/namespaces/**"], "namespaces/orders.yaml", True),
        (["**/requests/*.yaml"], "requests/orders.yaml", True),
        (["**/requests/*.yaml"], "teams/pay/requests/orders.yaml", True),
        (["namespaces/*"], "namespaces/orders.json", False),
        (["namespaces/*"], "old/namespaces/orders.yaml", False),
        (["*"], "orders.yaml", True),
    ],
)
def test_a_glob_means_a_file_or_a_folder_with_all_that_is_in_it(
    paths: list[str], path: str, expected: bool
) -> None:
    assert is_of(NAMESPACE.model_copy(update={"paths": paths}), path) is expected
