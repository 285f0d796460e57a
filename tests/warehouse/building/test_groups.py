"""What is above and below each group: a tree, whatever a catalogue says, with what is not clear told."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.building.groups import create_groups

Row = tuple[str, str | None, list[str]]


@contextmanager
def built(*groups: Row, owning: tuple[str, ...] = ()) -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables made of groups (name, parent, children) and the teams that own a service."""
    with duckdb.connect() as connection:
        connection.execute(
            "create schema source; create table source.components (name varchar, kind varchar, title varchar,"
            " type varchar, parent varchar, children varchar[], portal_url varchar, origin varchar, gone_at timestamp);"
            "create table owners (team varchar, until_at timestamp);"
            "create table spellings (kind varchar, spelling varchar, name varchar)"
        )
        columns = {
            "name": [name for name, _, _ in groups],
            "parent": [parent for _, parent, _ in groups],
            "children": pa.array([children for _, _, children in groups], pa.list_(pa.string())),
        }
        connection.register("told", pa.table(columns))
        connection.execute(
            "insert into source.components select t.name, 'Group', null, 'team', t.parent, t.children, null, 'a.yaml',"
            " null from told as t"
        )
        connection.execute("insert into owners select unnest(?), null", [[*owning, "lone"]])
        create_groups(connection)
        yield connection


def held(connection: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, team in connection.execute("select name, team from groups").fetchall():
        found.setdefault(name, set()).add(team)
    return found


def problems(connection: duckdb.DuckDBPyConnection) -> list[str]:
    return [what for (what,) in connection.execute("select what from group_problems order by all").fetchall()]


def test_a_group_holds_itself_and_what_is_below_at_whatever_depth_from_either_side() -> None:
    with built(
        ("top", None, []), ("area", "top", ["web"]), ("web", None, []), ("pay", "AREA", []), owning=("web",)
    ) as found:
        assert held(found) == {"top": {"top", "area", "web", "pay"}, "area": {"area", "web", "pay"}}
        assert problems(found) == []


def test_a_team_that_only_owns_services_may_be_a_child() -> None:
    with built(("area", None, ["web"]), owning=("web",)) as found:
        assert held(found) == {"area": {"area", "web"}}


def test_its_own_word_goes_before_those_who_name_it_and_both_are_told() -> None:
    with built(("a", None, ["web"]), ("b", None, ["web", "ops"]), ("c", None, ["ops"]), ("web", "b", []),
               ("ops", None, [])) as found:  # fmt: skip
        assert held(found) == {"b": {"b", "web", "ops"}}
        assert problems(found) == [
            "ops is below b and below c; b counts",
            "web is below b and below a; b counts",
        ]


def test_what_is_above_itself_has_nothing_above_it_and_is_told() -> None:
    with built(("a", "c", []), ("b", "a", []), ("c", "b", []), ("own", "own", []), ("web", "a", [])) as found:
        assert held(found) == {"a": {"a", "web"}}
        assert problems(found) == [
            "a, b and c are above each other in a circle; they count as having nothing above them",
            "own is above itself; they count as having nothing above them",
        ]


def test_a_parent_or_child_that_nobody_knows_counts_as_none_and_is_told() -> None:
    with built(("web", "gone", ["lost"])) as found:
        assert held(found) == {}
        assert problems(found) == [
            "web has the child lost, which is in no catalogue",
            "web has the parent gone, which is in no catalogue; it counts as having none",
        ]


def test_a_hierarchy_of_a_thousand_levels_ends_soon_and_is_told() -> None:
    with built(*((f"g{n}", f"g{n + 1}", []) for n in range(1_000))) as found:
        ((rows, names),) = found.execute("select count(*), count(distinct name) from groups").fetchall()
        assert rows <= 21 * names
        assert len(problems(found)) > 900


NAMES = [f"t{n}" for n in range(6)]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(NAMES),
            st.none() | st.sampled_from([*NAMES, "nobody"]),
            st.lists(st.sampled_from([*NAMES, "nobody"]), max_size=3),
        ),
        max_size=8,
    )
)
def test_whatever_is_told_it_is_a_tree_and_all_that_is_not_clear_is_told(groups: list[Row]) -> None:
    with built(*groups) as found:
        parent_of = dict(found.execute("select name, parent from hierarchy").fetchall())
        assert set(parent_of) == {"lone", *(name for name, _, _ in groups)}
        below: dict[str, set[str]] = {}
        for name in parent_of:
            way = [name]
            while (above := parent_of[way[-1]]) is not None:
                assert above not in way
                way.append(above)
            for above in way[1:]:
                below.setdefault(above, {above}).add(name)
        assert held(found) == below
        # each link that was told counts, or its group is among the problems
        told = {(name, parent) for name, parent, _ in groups if parent}
        told |= {(child, name) for name, _, children in groups for child in children}
        amiss = " ".join(problems(found))
        assert all(parent_of.get(child) == parent or child in amiss for child, parent in told)
