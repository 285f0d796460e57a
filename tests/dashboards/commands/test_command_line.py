"""The commands as a user runs them: what they print where, and what they end with."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import typing
from pathlib import Path

import pytest
import typer.main
from werkzeug import Request, Response

import sixkeys
from config.settings import load_settings
from tests.support.command_line import COMMAND, run, run_alone
from tests.support.loopback import PATIENCE, Loopback
from tests.support.places import PROGRAM
from warehouse.storage.store import open_warehouse

COMMANDS = typer.main.get_command(sixkeys.app).commands  # type: ignore[attr-defined]
CONFIGURATION = """
organization: acme
timezone: Berlin
"""
DEPLOYMENTS = "source,id,service,environment,sha,status,started_at,finished_at\n" + "".join(
    f"jenkins,{day},checkout,production,{day:040x},success,2024-11-{day:02}T09:00:00Z,2024-11-{day:02}T09:05:00Z\n"
    for day in range(4, 18)
)


def refused(folder: Path, status: int, *arguments: str) -> str:
    """The one line on stderr with which these arguments end in `status`."""
    return told_in_one_line(run(folder, *arguments), status)


def told_in_one_line(done: subprocess.CompletedProcess[str], status: int) -> str:
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("sixkeys: ")
    return lines[0].removeprefix("sixkeys: ")


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a configuration and fourteen imported deployments, built; to be read only."""
    folder = tmp_path_factory.mktemp("imported")
    (folder / "sixkeys.yaml").write_text("organization: acme\n")
    (folder / "deployments.csv").write_text(DEPLOYMENTS)
    for arguments in (["import", "deployments", "deployments.csv"], ["build"]):
        done = run(folder, *arguments)
        assert done.returncode == 0, done.stderr
        assert done.stdout == ""
    return folder


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_is_shown_on_stdout(tmp_path: Path, name: str) -> None:
    done = run(tmp_path, *([name] if name else []), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage:" in done.stdout


def test_no_arguments_show_the_commands(tmp_path: Path) -> None:
    done = run_alone(tmp_path)
    assert done.returncode == 0
    assert all(name in done.stdout for name in COMMANDS)


def test_help_does_not_wait_for_the_warehouse_or_the_dashboard() -> None:
    heavy = {"duckdb", "pandas", "pyarrow", "streamlit", "matplotlib", "plotly", "github", "pydantic"}
    code = f"import sys, sixkeys; sys.exit(', '.join(set(sys.modules) & {heavy!r}) or 0)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROGRAM.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["velocity"], "No such command 'velocity'"),
        (["metrics", "--by", "person"], "'person' is not one of 'organisation', 'system', 'group', 'team', "),
        (["metrics", "--from", "2026-13-01"], '"2026-13-01" is not a day; write it like 2026-11-16'),
        (["metrics", "--from", "2026-11-02", "--to", "2026-11-02"], "2026-11-02 is not after 2026-11-02"),
        (["metrics", "--where", "person=ada"], '"person=ada" names no system, group, team or service'),
        (
            ["metrics", "--where", "assistance=some"],
            '"assistance=some" is neither assistance=agent nor assistance=none',
        ),
        (["signals", "--where", "team=a", "--where", "service=b"], "signals are of all or of one system, "),
        (["metrics", "--period", "year"], "'year' is not one of 'day', 'week', 'month'"),
        (["explain"], "Missing argument 'METRIC'"),
        (["explain", "velocity"], '"velocity" is none of time_to_first_commit, '),
        (["explain", "MTTR", "--stages"], "mttr has no stages; lead_time has"),
        (["collect", "--sicne", "2026-01-01"], "No such option: --sicne"),
        (
            ["import", "deployments", "x.csv", "--covers", "2026-01-02", "2026-01-01"],
            "is not after 2026-01-02",
        ),
    ],
)
def test_wrong_usage_is_one_line_and_ends_with_2(tmp_path: Path, arguments: list[str], expected: str) -> None:
    message = refused(tmp_path, 2, *arguments)
    assert expected in message
    assert message.endswith("--help")


CONFIGURED = {
    "check": [],
    "collect": [],
    "import": ["deployments", "x.csv"],
    "build": [],
    "metrics": [],
    "explain": ["mttr"],
    "export": ["out"],
    "scorecard": [],
    "dashboard": [],
    "serve": [],
}


@pytest.mark.parametrize("name", CONFIGURED)
def test_a_mistake_in_the_configuration_is_one_line_and_ends_with_2(tmp_path: Path, name: str) -> None:
    arguments = [name, *CONFIGURED[name]]
    assert 'there is no such file; "sixkeys init" writes one' in refused(tmp_path, 2, *arguments)
    (tmp_path / "acme.yaml").write_text(CONFIGURATION)
    message = refused(tmp_path, 2, *arguments, "--config", "acme.yaml")
    assert message.startswith('acme.yaml:3: timezone: "Berlin" is not a time zone')


def test_a_process_ends_with_the_status_that_its_one_line_is_about(tmp_path: Path) -> None:
    assert told_in_one_line(run_alone(tmp_path, "velocity"), 2).startswith("No such command 'velocity'")
    (tmp_path / "sixkeys.yaml").write_text("organization: acme\n")
    assert "nothing has been built yet" in told_in_one_line(run_alone(tmp_path, "metrics"), 1)


@pytest.mark.parametrize("name", ["metrics", "explain", "export", "scorecard"])
def test_what_needs_numbers_says_how_to_get_them(tmp_path: Path, name: str) -> None:
    (tmp_path / "sixkeys.yaml").write_text("organization: acme\n")
    message = refused(tmp_path, 1, name, *CONFIGURED[name])
    assert 'nothing has been built yet; run "sixkeys collect"' in message


def test_init_writes_a_configuration_that_works_and_never_overwrites(tmp_path: Path) -> None:
    done = run_alone(tmp_path, "init")
    assert (done.returncode, done.stdout) == (0, "")
    assert load_settings(tmp_path / "sixkeys.yaml").organization == "acme"
    assert "is there already" in refused(tmp_path, 2, "init")
    done = run(tmp_path, "init", "--config", "other.yaml", "--warehouse", "data/other.duckdb")
    assert done.returncode == 0
    assert load_settings(tmp_path / "other.yaml").warehouse == tmp_path / "data" / "other.duckdb"


def test_init_says_where_it_cannot_write(tmp_path: Path) -> None:
    assert "cannot be written: No such file" in refused(
        tmp_path, 2, "init", "--config", "missing/sixkeys.yaml"
    )


def test_check_of_a_fresh_configuration_tells_what_to_do_next(tmp_path: Path) -> None:
    run(tmp_path, "init")
    done = run(tmp_path, "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "No source is configured" in done.stdout
    assert "Nothing was collected yet" in done.stdout


def test_check_ends_with_1_where_a_source_cannot_be_read(tmp_path: Path) -> None:
    text = 'organization: acme\nsources: {survey: {files: ["surveys/*.csv"]}, catalog: {files: ["*.yaml"]}}'
    (tmp_path / "sixkeys.yaml").write_text(text)
    done = run(tmp_path, "check")
    assert done.returncode == 1
    assert f"✗ no file matches {tmp_path}/surveys/*.csv" in done.stdout
    assert f"✓ catalog: 1 file matches {tmp_path}/*.yaml" in done.stdout


def test_check_shows_no_secret_that_the_other_side_sends_back(tmp_path: Path) -> None:
    def echo(request: Request) -> Response:
        return Response(json.dumps({"message": f"Bad {request.headers['Authorization']}"}), 401)

    with Loopback(echo) as server:
        github = f'{{url: "{server.url}", token: "file:token", repositories: ["acme/*"]}}'
        (tmp_path / "sixkeys.yaml").write_text(f"organization: acme\nsources: {{github: {github}}}")
        (tmp_path / "token").write_text("s3cret-of-github")
        done = run(tmp_path, "check")
    assert done.returncode == 1
    assert "401" in done.stdout
    assert "s3cret" not in done.stdout + done.stderr


def test_a_folder_that_cannot_be_written_is_told_in_one_line(imported: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "file" in refused(imported, 1, "export", str(tmp_path / "file" / "below"))


@pytest.mark.parametrize(
    ("name", "kind", "content", "expected"),
    [
        ("x.csv", "deployment", "", '"deployment" is not a kind of record; did you mean "deployments"?'),
        ("x.xlsx", "deployments", "", "x.xlsx: a file to import ends in .csv"),
        ("x.csv", "links", "incident_source,incident_id,raeson\na,1,x\n", "raeson"),
        ("x.csv", "links", "incident_source,incident_id,reason\na,1,\n", "reason"),
        (
            "x.csv",
            "coverage",
            "source,subject,from_at,until_at\na,b,2026-11-31T00:00:00Z,2026-12-01T00:00:00Z\n",
            "from_at",
        ),
        (
            "x.csv",
            "coverage",
            "source,subject,from_at,until_at\na,b,2026-11-30,2026-12-01T00:00:00Z\n",
            "from_at",
        ),
        ("x.jsonl", "links", "{not json}\n", "x.jsonl"),
        ("x.parquet", "links", "not parquet", "x.parquet"),
    ],
)
def test_a_file_that_cannot_be_imported_is_one_line_and_ends_with_1(
    tmp_path: Path, name: str, kind: str, content: str, expected: str
) -> None:
    (tmp_path / "sixkeys.yaml").write_text("organization: acme\n")
    (tmp_path / name).write_text(content)
    assert expected in refused(tmp_path, 1, "import", kind, name)
    assert "cannot be read" in refused(tmp_path, 1, "import", "links", "missing.csv")


def test_metrics_are_a_list_of_values_in_json(imported: Path) -> None:
    done = run(
        imported,
        "metrics",
        "--where",
        "service=checkout",
        "--from",
        "2024-11-04",
        "--to",
        "2024-11-18",
        "--format",
        "json",
    )
    assert (done.returncode, done.stderr) == (0, "")
    rows = {row["metric"]: row for row in json.loads(done.stdout)}
    assert ",".join(rows["deployment_frequency"]) == (
        "metric,scope,name,period_start,period_end,value,unit,n,target,status,partial,p75,p90,provisional,watched,remark,goal"
    )
    assert (rows["deployment_frequency"]["scope"], rows["deployment_frequency"]["name"]) == (
        "service",
        "checkout",
    )
    assert rows["deployment_frequency"]["value"] == 1.0
    # the organisation's frequency is no service's target
    assert (rows["deployment_frequency"]["target"], rows["deployment_frequency"]["status"]) == (None, "value")
    assert rows["deployment_frequency"]["goal"] is None
    assert rows["lead_time"]["value"] is None


def test_metrics_are_the_same_as_csv_and_as_a_table(imported: Path) -> None:
    options = ["metrics", "--by", "service", "--period", "week", "--from", "2024-11-04", "--to", "2024-11-18"]
    as_json = json.loads(run(imported, *options, "--format", "json").stdout)
    told = run(imported, *options, "--format", "csv").stdout
    assert told.startswith("\ufeffmetric,")
    as_csv = list(csv.DictReader(io.StringIO(told.removeprefix("\ufeff"))))
    assert [row["metric"] for row in as_csv] == [row["metric"] for row in as_json]
    assert [row["value"] for row in as_csv] == [
        "" if row["value"] is None else str(row["value"]) for row in as_json
    ]
    table = run(imported, *options).stdout
    assert "4 – 10 Nov 2024" in table
    assert "1 a day " in table
    assert "1 a day ✗" not in table
    assert "1 a day ✗" in run(imported, *options[:1], *options[3:]).stdout


@pytest.mark.parametrize("command", [["metrics"], ["explain", "DF"]])
def test_csv_is_utf_8_with_its_mark_whatever_the_system_writes(imported: Path, command: list[str]) -> None:
    told = subprocess.run(
        [*COMMAND, *command, "--format", "csv"],
        cwd=imported,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=True,
    ).stdout
    assert told.startswith(b"\xef\xbb\xbf")
    assert told.count(b"\xef\xbb\xbf") == 1
    assert "checkout" in told.decode("utf-8-sig") or command == ["metrics"]


def test_explain_shows_the_rows_that_count_and_those_left_out(imported: Path) -> None:
    found = json.loads(run(imported, "explain", "DF", "--format", "json").stdout)
    assert found["metric"] == "deployment_frequency"
    assert found["n"] == len([row for row in found["rows"] if row["excluded_because"] is None]) == 14
    assert {"metric", "scope", "name", "value", "unit", "n", "statistic", "rule", "rows"} <= set(found)
    assert {"value", "excluded_because", "url", "service", "at"} <= set(found["rows"][0])
    assert "Counted: 14 deployments" in run(imported, "explain", "DF").stdout


def test_another_warehouse_can_be_named(imported: Path) -> None:
    message = refused(imported, 1, "metrics", "--warehouse", "other/acme.duckdb")
    assert message.startswith(f"{imported}/other: nothing has been built yet")
    same = run(imported, "metrics", "--warehouse", "warehouse.duckdb", "--format", "json")
    assert same.stdout == run(imported, "metrics", "--format", "json").stdout


def test_export_prints_the_files_that_it_wrote(imported: Path, tmp_path: Path) -> None:
    done = run(tmp_path, "export", "report", "--config", str(imported / "sixkeys.yaml"))
    assert done.returncode == 0, done.stderr
    paths = [tmp_path / line for line in done.stdout.splitlines()]
    assert {path.name for path in paths} >= {"metrics.csv", "deployments.csv", "changes.csv"}
    assert all(path.read_bytes().startswith(b"\xef\xbb\xbf") for path in paths)


def test_a_dry_run_shows_what_would_go_where_and_neither_sends_nor_freezes(imported: Path) -> None:
    asked = ("scorecard", "--week", "2024-W45", "--send", "--dry-run")
    done = run(imported, *asked)
    assert (done.returncode, done.stderr) == (0, "")
    assert "organisation acme" in done.stdout
    assert str(imported / "scorecards" / "2024-W45" / "organisation-acme") in done.stdout
    (message,) = json.loads(run(imported, *asked, "--format", "json").stdout)
    assert (message["channel"], message["subject"]) == (
        "directory",
        "acme: 0 of 1 target met, week of 4 Nov",
    )
    assert any(text.startswith("<!DOCTYPE html>") for text in message["contents"].values())
    assert not (imported / "scorecards").exists()
    with open_warehouse(load_settings(imported / "sixkeys.yaml").warehouse) as warehouse:
        for table in ("scorecards", "deliveries"):
            assert warehouse.connection.execute(f"select count(*) from {table}").fetchall() == [(0,)]
    assert 'add "--send"' in refused(imported, 2, "scorecard", "--dry-run")
    assert '"--format json"' in refused(imported, 2, *asked, "--format", "md")


def test_the_signals_of_a_week_are_a_list_also_where_there_are_none(imported: Path) -> None:
    done = run(imported, "signals", "--week", "2024-W46")
    assert done.stdout.startswith("No signal in 11 – 17 Nov 2024: of 0 numbers that can be judged")
    assert (
        json.loads(run(imported, "signals", "--where", "service=checkout", "--format", "json").stdout) == []
    )


def test_numbers_say_which_of_their_sources_could_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "sixkeys.yaml").write_text("organization: acme\nsources: {survey: {files: [answers.csv]}}\n")
    assert run(tmp_path, "collect").returncode == 1
    told = "The survey has not been read yet: satisfaction may be missing answers.\n"
    for command in (
        ["metrics", "--format", "json"],
        ["explain", "DSAT"],
        ["explain", "lead_time", "--stages"],
    ):
        done = run(tmp_path, *command)
        assert (done.returncode, done.stderr) == (0, told), command
    assert json.loads(run(tmp_path, "metrics", "--format", "json").stdout)
    assert run(tmp_path, "signals").stderr == ""


def test_a_scorecard_is_written_to_stdout(imported: Path) -> None:
    done = run(imported, "scorecard", "--week", "2024-W45", "--format", "md")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("# acme: week 2024-W45")
    assert refused(imported, 2, "scorecard", "--week", "2026-45")
    assert "a scorecard is of one team, group or system" in refused(
        imported, 2, "scorecard", "--where", "service=x"
    )
    assert 'there is no team "x" in ' in refused(imported, 2, "scorecard", "--where", "team=x")


def test_a_reader_that_goes_away_ends_the_command_without_a_word(imported: Path) -> None:
    command = [*COMMAND, "explain", "DF", "--format", "json"]
    with subprocess.Popen(command, cwd=imported, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        typing.cast(io.BufferedReader, process.stdout).close()
        stderr = typing.cast(io.BufferedReader, process.stderr).read()
        process.wait(PATIENCE)
    assert stderr == b""


def test_an_interruption_ends_with_130_and_no_traceback(tmp_path: Path) -> None:
    command = [*COMMAND, "demo", "--no-dashboard"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        stderr = typing.cast(io.TextIOWrapper, process.stderr)
        assert "Building the sample organisation" in stderr.readline()
        process.send_signal(signal.SIGINT)
        rest = stderr.read()
        assert process.wait(PATIENCE) == 130
    assert "Traceback" not in rest


def test_the_demo_leaves_a_folder_alone_that_is_not_a_demo(tmp_path: Path) -> None:
    precious = tmp_path / "demo" / "precious.txt"
    precious.parent.mkdir()
    precious.write_text("mine")
    assert "is not a demo's; name another with --folder" in refused(tmp_path, 2, "demo", "--no-dashboard")
    assert precious.read_text() == "mine"
