"""`sixkeys.yaml`: what is accepted, and what a mistake is answered with."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from config.agents import AGENTS
from config.errors import ConfigurationError
from config.settings import Settings, load_settings
from config.summary import settings_summary
from tests.support.places import ROOT
from warehouse.loading.redaction import redact

EXAMPLE = ROOT / "config" / "example.yaml"
TOKEN = "ghp_s3cr3t_long_enough_for_a_key"
VARIABLES = (
    "GITHUB_TOKEN",
    "ARGOCD_TOKEN",
    "PAGERDUTY_TOKEN",
    "SLACK_WEBHOOK",
    "SLACK_PAYMENTS",
    "WEBHOOK_SECRET",
    "SMTP_PASSWORD",
    "SURVEY_KEY",
    "SIXKEYS_CLIENT_SECRET",
    "SIXKEYS_COOKIE_SECRET",
)


def load(folder: Path, text: str) -> Settings:
    path = folder / "sixkeys.yaml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def mistake(folder: Path, text: str) -> str:
    """The message that `text` is refused with, without the path it begins with."""
    with pytest.raises(ConfigurationError) as refused:
        load(folder, text)
    message = str(refused.value)
    assert message.startswith(str(folder / "sixkeys.yaml"))
    assert "\n" not in message
    return message.removeprefix(str(folder / "sixkeys.yaml"))


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables that the example refers to."""
    for name in VARIABLES:
        monkeypatch.setenv(name, TOKEN)


def test_an_agent_adds_to_the_known_ones_or_stands_in_the_place_of_one(tmp_path: Path) -> None:
    assert load(tmp_path, "organization: acme").agents == AGENTS
    told = load(
        tmp_path, 'organization: acme\nagents: {Acme Coder: ["coder@acme.example"], gemini: [], claude: [c3]}'
    ).agents
    assert told["Acme Coder"] == ["coder@acme.example"]
    assert told["claude"] == ["c3"]
    assert not {"Gemini", "gemini", "Claude"} & told.keys()
    assert told["Cursor"] == AGENTS["Cursor"]


def test_an_organization_alone_is_a_configuration(tmp_path: Path) -> None:
    settings = load(tmp_path, "organization: acme")
    assert settings.sources.github is None
    assert settings.incidents.window == timedelta(hours=24)
    assert settings.dashboard.host == "127.0.0.1"
    assert len(settings.metrics) == 6


def test_the_example_is_accepted_as_it_is_written() -> None:
    assert load_settings(EXAMPLE).organization == "acme"


@pytest.mark.usefixtures("secrets")
def test_everything_that_the_example_has_commented_out_is_accepted_too(tmp_path: Path) -> None:
    text = re.sub(r"(?m)^#(?=  |[a-z])", "", EXAMPLE.read_text(encoding="utf-8"))
    settings = load(tmp_path, text)
    assert settings.sources.github
    assert settings.sources.github.since == date(2026, 1, 1)
    assert settings.reports.email
    assert settings.reports.email.recipients == ["leads@acme.example"]
    assert settings.golden_paths[0].name == "service"
    # nothing that can be configured is missing from the example, but for what few need
    shown = {
        entry.key
        for entry in settings_summary(tmp_path / "sixkeys.yaml", settings)
        if entry.origin == "default"
    }
    few_need = {"archived", "forks", "clone", "graphql", "workflow_runs", "jobs_for"}
    of_files = {f"events.2.{key}" for key in ("kind", "scope", "resets")}
    assert shown == {f"sources.github.{key}" for key in few_need} | {"sources.pagerduty.url"} | of_files


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("organisation: acme", ':1: unknown key "organisation"; did you mean "organization"?'),
        (
            "organization: acme\nsources:\n  github:\n    repositorys: [a/*]",
            ':4: unknown key "sources.github.repositorys"; did you mean "repositories"?',
        ),
        (
            "organization: acme\nsources: {argocd: [{url: https://a, tokn: x}]}",
            ':2: unknown key "sources.argocd.0.tokn"; did you mean "token"?',
        ),
        (
            "organization: acme\nmetrics:\n- {name: MTTR, target: '< 1 hour', overrides: [{teem: a, target: x}]}",
            ':3: unknown key "metrics.0.overrides.0.teem"; did you mean "team"?',
        ),
    ],
)
def test_an_unknown_key_is_refused_with_its_line_and_the_nearest_known_one(
    tmp_path: Path, text: str, expected: str
) -> None:
    assert mistake(tmp_path, text) == expected


def test_a_bad_target_names_its_key_and_its_metric(tmp_path: Path) -> None:
    text = """
organization: acme
metrics:
  - {name: Lead Time for Changes, target: "< 1 hour"}
  - name: MTTR
    target: "< 1 hour"
    overrides:
      - {team: payments, target: "< 5%"}
"""
    assert mistake(tmp_path, text) == (
        ':8: metrics.1.overrides.0.target (MTTR): the unit "%" does not fit Mean Time to Recovery, '
        'which takes minute, minutes, hour, hours, day, days; write it like "< 30 minutes"'
    )


def test_an_unknown_metric_is_refused_with_the_nearest_known_one(tmp_path: Path) -> None:
    text = "organization: acme\nmetrics: [{name: Change Failure Rat, target: '< 5%'}]"
    assert mistake(tmp_path, text) == (
        ':2: metrics.0.name (Change Failure Rat): "Change Failure Rat" is not a metric; '
        'did you mean "Change Failure Rate"?'
    )


def test_one_metric_under_two_of_its_names_is_refused(tmp_path: Path) -> None:
    text = (
        "organization: acme\nmetrics: [{name: MTTR, target: '< 1 hour'}, {name: mttr, target: '< 2 hours'}]"
    )
    assert mistake(tmp_path, text) == ':2: metrics: "mttr" and "MTTR" are the same metric; keep one'


@pytest.mark.parametrize("written", [TOKEN, "12345", '"prefix ghp_s3cr3t"'])
def test_a_secret_in_the_file_itself_is_refused_and_not_repeated(tmp_path: Path, written: str) -> None:
    message = mistake(tmp_path, f"organization: acme\nsources: {{pagerduty: {{token: {written}}}}}")
    assert "never in the file itself" in message
    assert written.strip('"') not in message


def test_an_address_with_a_password_is_refused_and_not_repeated(tmp_path: Path) -> None:
    text = (
        f'organization: acme\nsources: {{argocd: [{{url: "https://me:{TOKEN}@host", token: "file:token"}}]}}'
    )
    (tmp_path / "token").write_text(TOKEN)
    message = mistake(tmp_path, text)
    assert "is not an address" in message
    assert TOKEN not in message


@pytest.mark.usefixtures("secrets")
def test_a_secret_is_in_no_form_of_the_settings_that_is_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(TOKEN + "\n")
    text = 'organization: acme\nsources: {pagerduty: {token: "${PAGERDUTY_TOKEN}"}}\nprivacy: {key: "file:secret"}'
    settings = load(tmp_path, text)
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings_summary(tmp_path / 'sixkeys.yaml', settings)}"
    assert TOKEN not in shown
    assert settings.privacy.key
    assert settings.privacy.key.get_secret_value() == TOKEN
    origins = {entry.key: entry.origin for entry in settings_summary(tmp_path / "sixkeys.yaml", settings)}
    assert origins["sources.pagerduty.token"] == "environment: PAGERDUTY_TOKEN"
    assert origins["privacy.key"] == "secret"
    assert origins["organization"] == "sixkeys.yaml"
    assert origins["timezone"] == "default"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("organization: [", ":1:16: is not YAML: "),
        ("organization: acme\n\ttimezone: UTC", ":2:1: is not YAML: "),
        ("organization: \x00", ":1:15: is not YAML: it holds a character"),
        ("", ': holds no settings; "sixkeys init" writes a commented example'),
        ("- a", ': holds no settings; "sixkeys init" writes a commented example'),
        ("timezone: UTC", ': the key "organization" is missing; add it'),
        ("organization: acme\ntimezone: Berlin", ':2: timezone: "Berlin" is not a time zone; write one like'),
        (
            "organization: acme\nschedule: {collect: hourly}",
            ':2: schedule.collect: "hourly" is not a schedule',
        ),
        (
            "organization: acme\nincidents: {window: 24}",
            ':2: incidents.window: "24" is not a duration; write it',
        ),
        ("organization: acme\nbots: renovate", ":2: bots: is not a list; write it like"),
        ("organization: acme\nagents: [Claude]", ":2: agents: "),
        ("organization: acme\nagents: {Claude: x}", ":2: agents.Claude: is not a list; write it like"),
        ("organization: acme\nproduction: [prod]", ":2: production: is a section; write its keys below it"),
        ("organization: 5", ":1: organization: is not text; put it in quotes"),
        (
            'organization: acme\nsources: {github: {repositories: ["acme/*"]}}',
            ":2: sources.github: needs either a token or an app",
        ),
        (
            "organization: acme\nsources:\n  survey: {files: []}",
            ":3: sources.survey.files: is empty; name at least one",
        ),
    ],
)
def test_a_mistake_says_where_it_is_and_what_works(tmp_path: Path, text: str, expected: str) -> None:
    assert mistake(tmp_path, text).startswith(expected)


def test_a_file_that_is_not_there_points_to_init(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r'there is no such file; "sixkeys init" writes one'):
        load_settings(tmp_path / "sixkeys.yaml")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sixkeys.yaml"
    path.write_bytes(b"organization: \xff\xfe")
    with pytest.raises(ConfigurationError, match="it is not UTF-8 text"):
        load_settings(path)


def test_relative_paths_begin_at_the_file_wherever_the_command_runs(tmp_path: Path) -> None:
    text = """
organization: acme
warehouse: data/acme.duckdb
sources:
  survey: {files: ["surveys/*.csv", "https://forms.example/export.csv"], redirects: [cdn.example]}
  catalog: {files: ["/srv/catalog/*.yaml"]}
"""
    settings = load(tmp_path, text)
    assert settings.warehouse == tmp_path / "data" / "acme.duckdb"
    assert settings.reports.directory == tmp_path / "scorecards"
    assert settings.sources.survey
    assert settings.sources.survey.redirects == ["cdn.example"]
    places = [entry.files for entry in settings.sources.survey.files]
    assert places == [f"{tmp_path}/surveys/*.csv", "https://forms.example/export.csv"]
    assert settings.sources.catalog.files == ["/srv/catalog/*.yaml"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("0 8 * * 1", "MON"), ("0 8 * * 0", "SUN"), ("0 8 * * 7", "SUN"), ("0 8 * * 1-5", "MON-FRI")],
)
def test_weekdays_are_counted_as_in_a_crontab(tmp_path: Path, written: str, meant: str) -> None:
    settings = load(tmp_path, f'organization: acme\nschedule: {{scorecard: "{written}"}}')
    assert settings.schedule.scorecard == f"0 8 * * {meant}"


def test_an_override_holds_for_its_team_only(tmp_path: Path) -> None:
    text = """
organization: acme
metrics:
  - name: Lead Time
    target: "< 1 hour"
    overrides: [{team: payments, target: "< 2 days"}]
"""
    settings = load(tmp_path, text)
    own, other = settings.target("lead_time", "team", "payments"), settings.target("lead_time", "team", "web")
    assert own
    assert own.limit == 2 * 86400
    assert other
    assert other.limit == 3600
    assert settings.target("mttr") is None


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        ("{teams: {payments: {emial: [a@b.example]}}}", 'did you mean "email"?'),
        ("{slack_webhook: https://hooks.slack.example/x}", 'is written as "${ENV_NAME}" or "file:PATH"'),
        ("{webhook: {url: https://x.example, secret: plain}}", 'is written as "${ENV_NAME}" or "file:PATH"'),
        ("{teams: {payments: {email: [a@b.example]}}}", "teams.payments.email needs a mail server"),
        ("{email: {host: h, sender: a@b.example}}", "email has nobody to write to; add recipients"),
        ("{email: {host: h, sender: Sixkeys, recipients: [a@b.example]}}", '"Sixkeys" is not a mail address'),
        (
            '{email: {host: h, sender: a@b.example, recipients: ["a@b.example\\nBcc: x@y"]}}',
            "not a mail address",
        ),
    ],
)
def test_a_mistake_in_who_gets_scorecards_is_told(tmp_path: Path, reports: str, expected: str) -> None:
    assert expected in mistake(tmp_path, f"organization: acme\nreports: {reports}")


@pytest.mark.usefixtures("secrets")
def test_no_secret_of_a_recipient_is_shown(tmp_path: Path) -> None:
    (tmp_path / "hook").write_text(f"https://hooks.example/{TOKEN}")
    text = """\
organization: acme
reports:
  teams:
    payments: {slack_webhook: "${SLACK_WEBHOOK}", webhook: {url: "file:hook", secret: "${WEBHOOK_SECRET}"}}
"""
    settings = load(tmp_path, text)
    shown = {entry.key: entry.value for entry in settings_summary(tmp_path / "sixkeys.yaml", settings)}
    assert shown["reports.teams.payments.slack_webhook"] == "***"
    assert shown["reports.teams.payments.webhook.url"] == "file:hook"
    assert TOKEN not in str(shown)
    assert redact(settings, f"cannot post to {TOKEN}") == "cannot post to **********"
