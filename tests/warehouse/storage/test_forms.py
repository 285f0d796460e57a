"""What is kept carries a version: its form does not change without it."""

import hashlib
import json
from collections.abc import Iterable

import duckdb
import pytest

from collectors.contract.records import RECORDS
from tests.conftest import Small
from warehouse.building.build import COPIES
from warehouse.building.steps import WRITTEN
from warehouse.metrics.definitions import MODELS
from warehouse.metrics.published_facts import FACTS_VERSION, current_facts, open_facts
from warehouse.scorecards.content import scorecard
from warehouse.storage.migration import VERSION, warehouse_tables
from warehouse.storage.older_scorecards import CONTENT_VERSION, UnreadableScorecard, scorecards_in

# a fingerprint of each form by its version: the next one is added, those that are there stay
FORMS = {
    "warehouse": {3: "d756af6bbb9b", 4: "4a8e93d3ea6e", 5: "866631ce91b9"},
    "facts": {1: "2b33f1f9f4c1", 2: "1cf30b6da408", 3: "3791b74623e4", 4: "bc9d2f23b9af"},
    "scorecard": {2: "39bde413ebfa", 3: "e6ec756ed84e", 4: "b69d69234908", 5: "f097620eb080"},
}


def held(what: str, version: int, form: Iterable[str]) -> None:
    text = "\n".join(sorted(form))
    found = hashlib.sha256(text.encode()).hexdigest()[:12]
    assert version == max(FORMS[what]), f"add the fingerprint of version {version} of the {what}: {found}"
    assert found == FORMS[what][version], (
        f"the form of the {what} is another one ({found}): raise its version, as CONTRIBUTING.md says, for whoever"
        f" has one of version {version}. It is now\n{text}"
    )


def test_the_warehouse_s_tables_columns_and_keys_are_those_of_its_version() -> None:
    columns = [
        f"{table}.{column} {kind}"
        for table, wanted in warehouse_tables().items()
        for column, kind in wanted.items()
    ]
    held(
        "warehouse",
        VERSION,
        [*columns, *(f"{name} by {', '.join(one.KEY)}" for name, one in RECORDS.items())],
    )


def test_what_no_model_makes_of_the_facts_is_of_their_version(small: Small) -> None:
    with duckdb.connect(str(current_facts(small.settings.warehouse)), read_only=True) as facts:
        found = facts.execute(
            "select table_name, column_name, data_type from duckdb_columns()"
            " where not internal and schema_name = 'main'"
        ).fetchall()
    # models are part of the definitions, which facts carry too
    made = {path.stem for path in MODELS.glob("facts/*.sql")}
    form = [f"{table}.{column} {kind}" for table, column, kind in found if table not in made]
    assert len({row.partition(".")[0] for row in form}) == len(COPIES) + len(WRITTEN) + 1
    held("facts", FACTS_VERSION, form)


def test_what_a_scorecard_holds_is_of_its_version_and_nothing_of_it_is_lacking(small: Small) -> None:
    with open_facts(small.settings.warehouse) as facts:
        content = scorecard(facts, small.settings)
    parts = {
        "": content,
        "metric.": content["metrics"][0],
        "change.": content["metrics"][0]["change"],
        "attainment.": content["metrics"][0]["attainment"],
        "week.": content["metrics"][0]["history"][0],
        "sentence.": content["sentences"][0],
        "holding back.": content["holding_back"][0],
        "hours.": content["hours"],
        "stage.": content["hours"]["stages"][0],
        "event.": content["events"][0],
        "below.": content["below"][0],
        "metric below.": content["below"][0]["metrics"][0],
    }
    held("scorecard", CONTENT_VERSION, [f"{name}{key}" for name, part in parts.items() for key in part])
    assert scorecards_in("organisation", "", content["week"], json.dumps(content)) == [content]
    for name in ("", "metric."):
        for key in [key for key in parts[name] if key != "version"]:
            kept = parts[name].pop(key)
            with pytest.raises(UnreadableScorecard, match=rf"organisation, {content.get('week', '')}.*{key}"):
                scorecards_in("organisation", "", content.get("week", ""), json.dumps(content))
            parts[name][key] = kept


@pytest.mark.parametrize("record", RECORDS.values(), ids=lambda record: record.TABLE)
def test_a_key_is_never_empty_so_that_a_new_part_of_it_has_a_value_in_what_was_there(record: type) -> None:
    for name in record.KEY:  # type: ignore[attr-defined]
        field = record.model_fields[name]  # type: ignore[attr-defined]
        assert field.is_required() or isinstance(field.default, str | int), name
