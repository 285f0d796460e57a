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
from collectors.github.queries import cut_lists_query, named_query, page_query, query, without_field
from collectors.github.vanished_issues import vanished_query
from sample_data.servers.github_graphql import schema_text
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
            ("PR_1", "PullRequest", "commits", None),
            ("PR_1", "PullRequest", "reviews", "Y3Vyc29y"),
            ("PR_2", "PullRequest", "labels", None),
            ("DE_1", "Deployment", "statuses", None),
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
