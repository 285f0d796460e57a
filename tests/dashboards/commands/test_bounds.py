"""What nobody means, a year before 1970 or a word of a hundred thousand letters, ends in a line and at once."""

from pathlib import Path

import pytest

from tests.support.command_line import run

HEADER = "source,id,service,environment,sha,status,finished_at"
ROWS = f"{HEADER}\n" + "".join(
    f"jenkins,{day},checkout,production,{day:040x},success,2024-11-{day:02}T09:05:00Z\n"
    for day in range(4, 18)
)


def refused(folder: Path, *arguments: str, status: int = 2) -> str:
    """The one line on stderr with which these arguments are refused."""
    done = run(folder, *arguments)
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    (line,) = done.stderr.splitlines()
    return line.removeprefix("sixkeys: ")


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a configuration and fourteen imported deployments, built; to be read only."""
    folder = tmp_path_factory.mktemp("imported")
    (folder / "sixkeys.yaml").write_text("organization: acme\n")
    (folder / "deployments.csv").write_text(ROWS)
    for arguments in (["import", "deployments", "deployments.csv"], ["build"]):
        assert run(folder, *arguments).returncode == 0
    return folder


@pytest.mark.parametrize(
    ("arguments", "day"),
    [
        (["metrics", "--from", "0001-01-01", "--to", "9999-12-31"], "0001-01-01"),
        (["metrics", "--to", "9999-12-31"], "9999-12-31"),
        (["explain", "mttr", "--from", "1969-12-31"], "1969-12-31"),
        (["collect", "--since", "0001-01-01"], "0001-01-01"),
        (["collect", "--since", "9999-12-31"], "9999-12-31"),
        (["demo", "--today", "0001-01-01"], "0001-01-01"),
        (["import", "deployments", "x.csv", "--covers", "0001-01-01", "2026-01-01"], "0001-01-01"),
        (["survey", "--round", "q", "--team", "web", "--closes", "2101-01-01"], "2101-01-01"),
    ],
)
def test_a_day_of_another_century_is_wrong_usage(tmp_path: Path, arguments: list[str], day: str) -> None:
    message = refused(tmp_path, *arguments)
    assert f"{day} is not in the years from 1970 to 2100; see " in message
    assert not list(tmp_path.iterdir())


def test_a_week_of_another_century_is_wrong_usage_and_the_first_and_last_are_none(imported: Path) -> None:
    for week in ("0001-W01", "1969-W52", "2101-W01", "9999-W52"):
        message = refused(imported, "scorecard", "--week", week)
        assert message == f"{week} is not in the years from 1970 to 2100"
    for week in ("1970-W02", "2100-W52"):
        assert run(imported, "scorecard", "--week", week, "--format", "md").returncode == 0


@pytest.mark.parametrize(("period", "n"), [("day", "47,846 days"), ("week", "6,835 weeks")])
def test_more_periods_than_anybody_reads_are_not_computed(imported: Path, period: str, n: str) -> None:
    asked = ("metrics", "--by", "service", "--period", period, "--format", "csv", "--from")
    message = refused(imported, *asked, "1970-01-01", "--to", "2100-12-31")
    assert f"{n} are more than the 4,000 that are shown; begin later with --from" in message
    assert run(imported, *asked, "2021-01-01", "--to", "2024-12-01").returncode == 0
    assert run(imported, "metrics", "--from", "1970-01-01", "--to", "2100-12-31").returncode == 0


LONG = "x" * 100_000


@pytest.mark.parametrize(
    "arguments",
    [
        ["metrics", "--where", f"team={LONG}"],
        ["metrics", "--where", LONG],
        ["metrics", "--from", LONG],
        ["metrics", "--by", LONG],
        ["metrics", "--config", LONG],
        ["metrics", "--warehouse", LONG],
        ["explain", LONG],
        ["scorecard", "--week", LONG],
        ["scorecard", "--week", f"{LONG}W"],
        ["import", LONG, "deployments.csv"],
        ["import", "deployments", LONG],
        ["import", "deployments", f"{LONG}.csv"],
        ["forget", LONG],
        ["collect", "--source", LONG],
        [LONG],
    ],
    ids=range(15),
)
def test_no_message_repeats_what_is_too_long_to_be_read(imported: Path, arguments: list[str]) -> None:
    done = run(imported, *arguments)
    assert done.returncode in (1, 2)
    (line,) = done.stderr.splitlines()
    assert len(line) < 1_200
    assert LONG[:200] not in line


FIRST = "jenkins,1,checkout,production,abc,success,2024-11-04T09:05:00Z"


@pytest.mark.parametrize(
    "content",
    [
        f"{LONG},{HEADER}\n",
        f"{HEADER},{HEADER}\n",
        f"{HEADER}\n{FIRST.replace('success', LONG)}",
        f"{HEADER}\n{FIRST.replace('2024', LONG)}",
        f"{HEADER}\n{FIRST.replace('1', LONG)}\n{FIRST.replace('1', LONG)}2",
        f"{HEADER}\n{FIRST.replace('1', LONG)}\n{FIRST.replace('1', LONG).replace('abc', 'def')}",
        f"{HEADER}\n{FIRST.replace('checkout', LONG)}",
        f"{HEADER}\n{FIRST},{LONG}",
        f'{HEADER}\n"{LONG}',
        f"{HEADER}\n{FIRST.replace('2024', chr(27) + ']0;' + LONG)}",
    ],
    ids=range(10),
)
def test_no_cell_of_a_file_is_repeated_whole(tmp_path: Path, content: str) -> None:
    (tmp_path / "sixkeys.yaml").write_text("organization: acme\n")
    for name, text in (("known", f"{HEADER}\n{FIRST}"), ("d", content)):
        (tmp_path / f"{name}.csv").write_text(text)
    assert run(tmp_path, "import", "deployments", "known.csv").returncode == 0
    line = refused(tmp_path, "import", "deployments", "d.csv", status=1)
    assert len(line) < 1_200
    assert LONG[:200] not in line
    assert line.isprintable()


def test_rows_that_are_the_same_are_told_and_counted_once(tmp_path: Path) -> None:
    (tmp_path / "sixkeys.yaml").write_text("organization: acme\n")
    (tmp_path / "d.csv").write_text(f"{ROWS}{ROWS.splitlines()[3]}\n{ROWS.splitlines()[1]}\n")
    done = run(tmp_path, "import", "deployments", "d.csv")
    assert done.stderr == (
        "14 deployments taken from d.csv (14 new, 0 replaced, 0 unchanged; 2 rows repeat another one, the first:"
        ' d.csv:16 is 4); they count after the next "sixkeys build"\n'
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["build", "--warehouse", "\udcffb.duckdb"],
        ["metrics", "--config", "\udcff.yaml"],
        ["import", "deployments", "\udcff.parquet"],
        ["export", "\udcff"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_path_that_is_no_utf_8_is_told(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "sixkeys.yaml").write_text("organization: acme\n")
    assert "is not UTF-8; rename" in refused(tmp_path, *arguments)
    folder = tmp_path / "\udcff"
    folder.mkdir()
    (folder / "sixkeys.yaml").write_text("organization: acme\n")
    assert "is not UTF-8; rename" in refused(folder, "build")
