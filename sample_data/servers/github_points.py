"""What a query costs by GitHub's own formula.

https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    value_from_ast_untyped,
)

MOST_NODES = 500_000


@dataclass(frozen=True)
class Cost:
    """`requests` that fulfil each connection, and the `nodes` that may come: each list is as long as it may be."""

    requests: int = 0
    nodes: int = 0

    @property
    def points(self) -> int:
        """A hundredth of the requests, and one at least."""
        return max(1, (self.requests + 50) // 100)

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.requests + other.requests, self.nodes + other.nodes)


def cost_of(
    schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any] | None = None
) -> Cost:
    """What the one operation of a valid `document` costs."""
    parts = {
        part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)
    }
    (operation,) = (part for part in document.definitions if isinstance(part, OperationDefinitionNode))
    root = schema.get_root_type(operation.operation)
    assert root  # noqa: S101  the document is valid
    given = {
        one.variable.name.value: value_from_ast_untyped(one.default_value)
        for one in operation.variable_definitions or ()
        if one.default_value
    }
    return _Reckoning(schema, parts, given | dict(variables or {})).of(operation.selection_set, root, 1)


class _Reckoning:
    def __init__(
        self, schema: GraphQLSchema, parts: Mapping[str, FragmentDefinitionNode], variables: dict[str, Any]
    ) -> None:
        self._schema = schema
        self._parts = parts
        self._variables = variables

    def of(self, selected: SelectionSetNode | None, parent: GraphQLNamedType, times: int) -> Cost:
        """What is selected of `parent`, of which there are so many."""
        found = Cost()
        for part in selected.selections if selected else ():
            if not self._is_included(part):
                continue
            if isinstance(part, FragmentSpreadNode):
                fragment = self._parts[part.name.value]
                of_type = self._schema.type_map[fragment.type_condition.name.value]
                found += self.of(fragment.selection_set, of_type, times)
            elif isinstance(part, InlineFragmentNode):
                condition = part.type_condition
                of_type = self._schema.type_map[condition.name.value] if condition else parent
                found += self.of(part.selection_set, of_type, times)
            elif isinstance(part, FieldNode):
                found += self._field(part, parent, times)
        return found

    def _field(self, field: FieldNode, parent: GraphQLNamedType, times: int) -> Cost:
        fields = parent.fields if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else {}
        definition: GraphQLField | None = fields.get(field.name.value)
        if definition is None:  # __typename
            return Cost()
        of_type = get_named_type(definition.type)
        given = {
            one.name.value: value_from_ast_untyped(one.value, self._variables)
            for one in field.arguments or ()
        }
        if of_type.name.endswith("Connection"):
            length = times * (given.get("first") or given.get("last") or 0)
            return Cost(times, length) + self.of(field.selection_set, of_type, length)
        # each of several ids is met as if it were asked for by itself
        return self.of(field.selection_set, of_type, times * len(given.get("ids") or [0]))

    def _is_included(self, part: Any) -> bool:
        for directive in part.directives or ():
            is_met = all(
                value_from_ast_untyped(one.value, self._variables) for one in directive.arguments or ()
            )
            if is_met != (directive.name.value == "include"):
                return False
        return True
