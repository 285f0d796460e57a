"""What is no cluster, or none that a build can use, is told in one line before anything is done."""

from importlib.util import find_spec

import pytest

from tests.conftest import Small
from tests.support.command_line import run

HIDDEN = "hidden-word"


@pytest.mark.parametrize(
    "address",
    [
        "spark",
        "duckdb://here:1",
        "http://cluster:7077",
        "local[2]",
        "spark://cluster",
        "spark://:7077",
        "spark://cluster:port",
        "spark://cluster:70770",
        "spark://[::1:7077",
        "sc://",
        f"sc://;token={HIDDEN}",
        f"sc://cluster:x/;token={HIDDEN}",
    ],
)
def test_what_is_no_address_of_a_cluster_is_one_line_and_ends_with_2(small: Small, address: str) -> None:
    ended = run(small.folder, "build", "--engine", address)
    assert ended.returncode == 2
    assert ended.stderr.startswith("sixkeys: --engine: ")
    assert "write spark://host:port or sc://host:port" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert HIDDEN not in ended.stderr


def test_a_shared_folder_is_of_a_cluster(small: Small) -> None:
    ended = run(small.folder, "build", "--shared-folder", "shared")
    assert ended.returncode == 2
    assert "--engine" in ended.stderr


@pytest.mark.skipif(find_spec("pyspark") is not None, reason="it is there")
def test_without_pyspark_it_says_how_to_get_it(small: Small) -> None:
    ended = run(small.folder, "build", "--engine", f"sc://cluster/;token={HIDDEN}")
    assert ended.returncode == 2
    assert (
        ended.stderr
        == "sixkeys: sc://cluster: a build on Spark needs pyspark: pip install 'sixkeys[spark]'\n"
    )
