"""GitHub's complete public schema: the collectors' queries are valid in it, and the sample server's types are its."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    parse,
    validate,
)

from collectors.github import issues
from collectors.github.as_records import AskedItems
from collectors.github.queries import CutList, cut_lists_query, named_query, page_query, query, without_field
from collectors.github.vanished_issues import vanished_query
from sample_data.servers.github_graphql import schema_text
from sample_data.servers.github_points import cost_of
from tests.support.github_organisation import NOW


@pytest.fixture(scope="module")
def public() -> GraphQLSchema:
    text = gzip.decompress(
        (Path(__file__).parent / "github_schema" / "schema.graphql.gz").read_bytes()
    ).decode()
    return build_schema(text, assume_valid=True)  # GitHub repeats some fields


@pytest.fixture(scope="module")
def own() -> GraphQLSchema:
    return build_schema(schema_text())


def queries() -> dict[str, str]:
    asked = [(AskedItems("acme/checkout", None, NOW), 50), (AskedItems('acme/"quoted', "Y3Vyc29y", NOW), 3)]
    made = {kind: page_query(kind, asked) for kind in ("pull_requests", "deployments", "releases")}
    made |= {name: query(name) for name in ("Repositories", "DeploymentsById")}
    made["named"] = named_query(["acme/checkout", 'acme/"quoted'])
    made["the rest"] = cut_lists_query(
        [
            (CutList("PR_1", "PullRequest", "commits", None), 40),
            (CutList("PR_1", "PullRequest", "reviews", "Y3Vyc29y"), 100),
            (CutList("PR_2", "PullRequest", "labels", None), 1),
            (CutList("DE_1", "Deployment", "statuses", None), 3),
        ]
    )
    lacking = {"repositoryTopics", "templateRepository", "logUrl", "timelineItems", "author", "ref", "labels"}
    made |= {f"{name} of an old server": without_field(text, lacking) for name, text in made.items()}
    return made | {
        "issues": issues.issues_query(
            [
                issues.AskedRepository("acme/checkout", {}, NOW),
                issues.AskedRepository("acme/checkout", {}, NOW, is_known=True),
            ],
            ["incident"],
        ),
        "issues one by one": vanished_query("acme/checkout", [1, 2]),
    }


@pytest.mark.parametrize("name", queries())
def test_every_query_is_valid_for_github_and_for_the_sample_server(
    public: GraphQLSchema, own: GraphQLSchema, name: str
) -> None:
    document = parse(queries()[name])
    assert [error.message for error in validate(public, document)] == []
    assert [error.message for error in validate(own, document)] == []


def told(schema: GraphQLSchema) -> Iterator[str]:
    """Each field with its arguments, each input's field and each enum's value, as a line with its type."""
    for name, type_ in schema.type_map.items():
        if name.startswith("__"):
            continue
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for field, definition in type_.fields.items():
                yield f"{name}.{field}: {definition.type}"
                yield from (f"{name}.{field}({a}: {found.type})" for a, found in definition.args.items())
        elif isinstance(type_, GraphQLInputObjectType):
            yield from (f"{name}.{field}: {found.type}" for field, found in type_.fields.items())
        elif isinstance(type_, GraphQLEnumType):
            yield from (f"{name}.{value}" for value in type_.values)


def test_what_the_sample_server_serves_is_in_github_s_schema(
    public: GraphQLSchema, own: GraphQLSchema
) -> None:
    served = set(told(own))
    assert len(served) > 300
    assert served - set(told(public)) == set()


# the examples at https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
_LABELS = """query { viewer { login repositories(first: 100) { edges { node { id
  issues(first: 50) { edges { node { id labels(first: 60) { edges { node { id name } } } } } } } } } } }"""
_ISSUES = """query { viewer { repositories(first: 50) { edges { repository: node { name
  issues(first: 10) { totalCount edges { node { title bodyHTML } } } } } } } }"""
_COMMENTS = """query { viewer { repositories(first: 50) { edges { repository: node { name
  pullRequests(first: 20) { edges { pullRequest: node { title
    comments(first: 10) { edges { comment: node { bodyHTML } } } } } }
  issues(first: 20) { totalCount edges { issue: node { title bodyHTML
    comments(first: 10) { edges { comment: node { bodyHTML } } } } } } } } }
  followers(first: 10) { edges { follower: node { login } } } } }"""


@pytest.mark.parametrize(
    ("document", "requests", "points", "nodes"),
    [
        (_LABELS, 5_101, 51, 100 + 5_000 + 300_000),
        (_ISSUES, 51, 1, 550),
        (_COMMENTS, 1 + 50 + 1_000 + 50 + 1_000 + 1, 21, 22_060),
        ("query { viewer { login } }", 0, 1, 0),
    ],
)
def test_a_query_costs_what_githubs_documentation_says(
    public: GraphQLSchema, document: str, requests: int, points: int, nodes: int
) -> None:
    cost = cost_of(public, parse(document))
    assert (cost.requests, cost.points, cost.nodes) == (requests, points, nodes)


@pytest.mark.parametrize(("pull_requests", "commits_each"), [(100, 2), (50, 5), (20, 12), (10, 25), (1, 25)])
def test_the_more_pull_requests_a_query_asks_for_the_fewer_commits_it_counts_for_each(
    own: GraphQLSchema, pull_requests: int, commits_each: int
) -> None:
    asked = AskedItems("acme/checkout", None, NOW)
    cost = cost_of(own, parse(page_query("pull_requests", [(asked, pull_requests)])))
    lists_each = 4  # labels, commits, reviews, what made it ready
    assert cost.requests == 1 + pull_requests * (lists_each + commits_each)


def test_a_variable_that_leaves_a_list_out_and_several_ids_count(own: GraphQLSchema) -> None:
    document = parse(
        """query ($ids: [ID!]!, $with: Boolean!, $first: Int = 20) { nodes(ids: $ids) { ... on Deployment {
          statuses(first: $first) @include(if: $with) { nodes { state } } } } }"""
    )
    asked = {"ids": ["DE_1", "DE_2", "DE_3"], "with": True}
    assert (cost_of(own, document, asked).requests, cost_of(own, document, asked).nodes) == (3, 60)
    assert cost_of(own, document, asked | {"with": False}).requests == 0
