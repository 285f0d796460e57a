"""The history of a real public repository goes through `sixkeys import` and comes out with the figures known for it."""

import csv
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sixkeys import app
from tests.support.places import RECORDED

ANTS = RECORDED / "ants"

pytestmark = pytest.mark.skipif(
    not ANTS.exists(), reason="the recorded history of ants is not beside the project"
)


def sixkeys(folder: Path, *arguments: str) -> str:
    done = CliRunner().invoke(app, [*arguments, "--config", str(folder / "sixkeys.yaml")])
    assert done.exit_code == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def ants(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a configuration and a warehouse into which the history was imported and built."""
    folder = tmp_path_factory.mktemp("ants")
    (folder / "sixkeys.yaml").write_text("organization: panjf2000\n")
    commits = [json.loads(line) for line in (ANTS / "commits.jsonl").read_text().splitlines()]
    with (folder / "commits.jsonl").open("w") as file:
        file.writelines(json.dumps({"repo": "panjf2000/ants", **commit}) + "\n" for commit in commits)
    committed_at = {commit["sha"]: commit["committed_at"] for commit in commits}
    tags = [json.loads(line) for line in (ANTS / "tags.jsonl").read_text().splitlines()]
    with (folder / "deployments.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["source", "id", "repo", "service", "environment", "sha", "ref", "status", "finished_at"]
        )
        writer.writerows(
            ["tags of ants", tag["tag"], "panjf2000/ants", "ants", "production", tag["sha"], tag["tag"], "success",
             committed_at[tag["sha"]]]
            for tag in tags
            if re.fullmatch(r"v\d+\.\d+\.\d+", tag["tag"])
        )  # fmt: skip
    sixkeys(folder, "import", "commits", str(folder / "commits.jsonl"))
    sixkeys(folder, "import", "deployments", str(folder / "deployments.csv"))
    sixkeys(folder, "build")
    return folder


def explained(ants: Path, metric: str) -> dict:
    return json.loads(sixkeys(ants, "explain", metric, "--where", "service=ants", "--format", "json"))


def test_tags_are_deployments_and_a_second_tag_of_a_revision_repeats_it(ants: Path) -> None:
    rows = explained(ants, "deployment_frequency")["rows"]
    assert len(rows) == 43
    left_out = {row["id"]: row["excluded_because"] for row in rows if row["excluded_because"]}
    assert left_out == {"v1.2.1": "repeat: this revision was running already"}
    assert {row["id"]: row["counted_as_id"] for row in rows}["v1.2.1"] == "v1.2.0"
    assert [row["id"] for row in rows if row["is_baseline"]] == ["v1.0.0"]


def test_lead_time_is_by_ancestry_and_leaves_history_and_merges_out(ants: Path) -> None:
    found = explained(ants, "lead_time")
    assert found["n"] == 283
    assert found["value"] / 3600 == pytest.approx(148.85, abs=0.005)
    assert {row["excluded_because"] for row in found["rows"]} == {None, "merge commit"}


def test_metrics_and_explanation_agree(ants: Path) -> None:
    values = json.loads(sixkeys(ants, "metrics", "--by", "service", "--format", "json"))
    (lead_time,) = [value for value in values if value["metric"] == "lead_time"]
    assert lead_time["value"] == explained(ants, "lead_time")["value"]
    assert lead_time["status"] == "missed"
    (mttr,) = [value for value in values if value["metric"] == "mttr"]
    assert (mttr["value"], mttr["status"]) == (None, "no data")
