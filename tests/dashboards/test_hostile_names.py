"""Names that steer: whatever shows them to a person writes them out, whatever gives data to a program keeps them."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_string
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from rich.console import Console

from collectors.connections import Connection
from collectors.contract.records import Commit, Component, Coverage, Deployment, Incident, Record, Repository
from config.settings import Recipients, Reports, Settings, Webhook
from config.summary import Setting
from dashboards.commands import terminal
from dashboards.commands.progress_display import shown_on
from dashboards.delivery.alert_parcels import alert_parcels
from dashboards.delivery.scorecard_parcels import scorecard_parcels
from dashboards.scorecards.rendering import FORMATS, render
from tests.config.test_legible import STEERING, steers
from tests.conftest import Small
from tests.support.command_line import run
from tests.support.loopback import SECRET
from tests.support.mail_server import email
from tests.support.running_dashboard import opened, shown
from tests.support.small_organisation import NOW
from tests.support.small_scorecard import scorecard
from warehouse.scorecards.alerts import Alert

EVIL = "".join(map(chr, STEERING)) + "\x1b]0;owned\x07"
SERVICE, TEAM, SYSTEM = (f"{what}{EVIL}end" for what in ("svc", "team", "sys"))
# as they are seen; a name's blanks come from the controls that are white space
SEEN = r"0;owned\x07end"


def _records() -> Iterator[Record]:
    at = NOW - timedelta(days=3)
    yield Component(
        name=SERVICE, owner=TEAM, system=SYSTEM, repo=f"acme/repo{EVIL}", tags=(EVIL,), origin=EVIL
    )
    yield Repository(
        repo=f"acme/repo{EVIL}", created_at=at - timedelta(days=20), url=f"https://x.example/{EVIL}"
    )
    for source in ("import deployments", "import incidents"):
        yield Coverage(source=source, subject=SERVICE, from_at=NOW - timedelta(weeks=9), until_at=NOW)
    for n, environment in enumerate(("production", "production", f"prod {EVIL}", f"elsewhere {EVIL}")):
        sha = f"{n + 1:040x}"
        authored = at - timedelta(hours=n)
        yield Commit(
            repo=f"acme/repo{EVIL}", sha=sha, parents=(f"{n:040x}",) if n else (), subject=f"subject {EVIL}",
            authored_at=authored, committed_at=authored,
        )  # fmt: skip
        yield Deployment(
            source="import", id=f"d{n}{EVIL}", service=SERVICE, repo=f"acme/repo{EVIL}", sha=sha, status="success",
            environment=environment, application=f"app{EVIL}", finished_at=at + timedelta(hours=n),
        )  # fmt: skip
    yield Incident(
        source="import", id=f"i{EVIL}", service=SERVICE, title=f"title {EVIL}", urgency="high", priority=EVIL,
        opened_at=at + timedelta(hours=2), resolved_at=at + timedelta(hours=3), url=f"https://x.example/{EVIL}",
    )  # fmt: skip
    yield Incident(
        source="pagerduty", id="lost", source_service=f"P{EVIL}", title=EVIL, urgency="high", opened_at=at
    )


@pytest.fixture(scope="module")
def hostile(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Small:
    own = small.copied(tmp_path_factory.mktemp("hostile"), *_records())
    own.config.write_text(own.config.read_text() + "dashboard: {url: https://sixkeys.acme.example}\n")
    return own


def assert_legible(text: str, *besides: str) -> None:
    """But for line breaks of our own, and what is said `besides`."""
    assert set(steers(text)) <= {"\n", *besides}, sorted({hex(ord(c)) for c in steers(text)})


SHOWN = [
    ("check", "--all"),
    ("metrics", "--by", "service", "--period", "week"),
    ("metrics", "--where", f"team={TEAM}"),
    *(
        ("explain", metric, "--where", f"service={SERVICE}")
        for metric in ("mttr", "lead_time", "time_to_first_commit")
    ),
    ("explain", "mttr", "--where", f"service={SERVICE}", "--format", "json"),
    ("scorecard", "--where", f"team={TEAM}", "--format", "txt"),
]


@pytest.mark.parametrize("arguments", SHOWN, ids=[f"{number} {of[0]}" for number, of in enumerate(SHOWN)])
def test_a_command_shows_names_written_out(hostile: Small, arguments: tuple[str, ...]) -> None:
    done = run(hostile.folder, *arguments)
    assert done.returncode == 0
    assert_legible(done.stdout + done.stderr)
    # in JSON a character has four digits
    assert SEEN in done.stdout.replace(r"\u00", r"\x")


@pytest.mark.parametrize("form", FORMATS)
def test_a_scorecard_shows_names_written_out_and_as_json_keeps_them(form: str) -> None:
    content = scorecard(TEAM, scope="team", name=TEAM) | {"organization": f"acme{EVIL}", "caveats": [EVIL]}
    content["sentences"][1]["parts"][3] |= {"text": f" {EVIL} ", "url": f"https://x.example/{EVIL}"}
    told = render(content, form)
    assert_legible(told, "\t")  # a blank in HTML
    # in Markdown a backslash has one before it, in JSON a character has four digits
    assert SEEN in told.replace(r"\\", "\\").replace(r"\u00", r"\x")
    if form == "json":
        assert json.loads(told) == content


def test_data_for_programs_keeps_its_names(hostile: Small) -> None:
    of = ("--where", f"service={SERVICE}")
    told = json.loads(run(hostile.folder, "metrics", *of, "--format", "json").stdout)
    assert {one["name"] for one in told} == {SERVICE}
    rows = csv.DictReader(
        io.StringIO(run(hostile.folder, "explain", "mttr", *of, "--format", "csv").stdout, newline="")
    )
    assert {row["title"] for row in rows} == {f"title {EVIL}".replace("\r", "\n")}


def test_a_wrong_name_and_a_wrong_file_are_one_line(hostile: Small) -> None:
    for arguments in (
        ("explain", EVIL),
        ("metrics", "--where", EVIL),
        ("import", EVIL, "x.csv"),
        ("metrics", "--config", f"{EVIL.replace(chr(0), '')}.yaml"),
    ):
        done = run(hostile.folder, *arguments)
        assert done.returncode
        assert len(done.stderr.splitlines()) == 1
        assert_legible(done.stderr)


def test_what_was_tried_and_what_would_be_sent_are_told_written_out() -> None:
    out = io.StringIO()
    told = terminal.console(out)
    for works in (True, False):
        told.print(terminal.connection_line(Connection(f"argocd:{EVIL}", works, f"answered {EVIL}")))
    message = {"scope": "team", "name": TEAM, "channel": "email", "to": EVIL, "subject": EVIL, "bytes": 1}
    told.print(terminal.planned_table([message]))
    told.print(terminal.settings_table([Setting("sources.x", EVIL, EVIL)]))
    assert_legible(out.getvalue())
    assert out.getvalue().count("owned") >= 8


@pytest.mark.parametrize("is_terminal", [True, False])
def test_progress_is_told_written_out(is_terminal: bool) -> None:
    out = io.StringIO()
    with shown_on(Console(file=out, force_terminal=is_terminal, width=3000)) as progress:
        progress.start(f"argocd:{EVIL}")
        progress.wait(f"argocd:{EVIL}", f"waiting 3 s since {EVIL}")
        progress.finish(f"argocd:{EVIL}", f"failed {EVIL}", failed=True)
    # what a terminal is told to redraw is ours
    told = "".join(out.getvalue().split("\x1b")) if is_terminal else out.getvalue()
    assert "]0;owned\x07" not in out.getvalue()
    assert_legible(told.replace("\r", "") if is_terminal else told)
    assert r"\x1b]0;owned\x07" in told


def test_messages_are_legible_and_a_webhook_has_the_data(tmp_path: Path) -> None:
    to = Recipients(
        email=["a@acme.example"],
        slack_webhook=SecretStr("https://slack.example/hook"),
        webhook=Webhook(url="https://hooks.example", secret=SecretStr(SECRET)),
    )
    settings = Settings(
        organization=f"acme{EVIL}",
        warehouse=tmp_path / "w.duckdb",
        reports=Reports(directory=tmp_path, email=email(25), teams={TEAM: to}, alerts=to),
    )
    content = scorecard(scope="team", name=TEAM) | {"organization": f"acme{EVIL}", "caveats": [EVIL]}
    of = ("lead_time", "missed", "2026-W46", "2026-W46", 7200.0, "seconds", 9, "< 1 hour")
    alerts = alert_parcels([Alert("team", TEAM, *of, reason=EVIL)], settings)  # type: ignore[arg-type]
    read = Counter()
    for one in (*scorecard_parcels([content], settings), *alerts):
        (text,) = {**one.contents("id", one.targets)}.values() if one.channel != "directory" else [""]
        for told in _texts(one.channel, text):
            # what Slack would take for markup is parted from the rest without width
            assert_legible(told.replace("\r\n", "\n").replace("\u200b", ""), "\t")
            read[one.channel] += "owned" in told
        if one.channel == "webhook":
            assert json.loads(text)["data"]["name"] == TEAM
    assert min(read["slack"], read["email"]) >= 4


def _texts(channel: str, text: str) -> Iterator[str]:
    """What a person gets to read of a message."""
    if channel == "email":
        message = message_from_string(text, policy=default)
        yield str(message["Subject"])
        yield from (part.get_content() for part in message.walk() if part.get_content_maintype() == "text")
    elif channel == "slack":
        yield from re.findall(r'(?<="text": )"(?:[^"\\]|\\.)*"', text)
        yield from (json.loads(told) for told in re.findall(r'(?<="text": )"(?:[^"\\]|\\.)*"', text))


@pytest.mark.parametrize(
    ("at", "query"),
    [
        ("overview", {"rows": "service"}),
        pytest.param("metric", {"service": SERVICE, "metric": "mttr"}, marks=pytest.mark.soak),
        ("service", {"service": SERVICE}),
        pytest.param("incidents", {"team": TEAM}, marks=pytest.mark.soak),
        ("trust", {}),
    ],
)
def test_a_page_shows_names_written_out(hostile: Small, at: str, query: dict[str, str]) -> None:
    app = opened(hostile.folder, at, **query)
    assert not app.exception
    html = shown(app)
    assert_legible(html, "\t")
    assert SEEN in html
    for chart in app.get("plotly_chart"):
        assert_legible(" ".join(_strings(json.loads(chart.proto.spec))))
    for select in app.selectbox:
        assert_legible("".join(select.options))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)
