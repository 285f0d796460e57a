"""What `${NAME}` and `file:PATH` stand for: looked up where it is used, and told with its key where it is not there."""

from pathlib import Path

import pytest

from config.errors import ConfigurationError
from config.settings import Settings, load_settings
from config.summary import settings_summary
from config.text.references import UnresolvedReference, require_resolved, unresolved_references
from tests.support.command_line import run
from warehouse.loading.redaction import redact

# everything that may be a reference, to a variable that is not set
VARIABLE = "SIXKEYS_TEST_UNSET"
_IT = f'"${{{VARIABLE}}}"'
REFERRING = f"""\
organization: acme
sources:
  github: {{url: {_IT}, token: {_IT}, repositories: [acme/*]}}
  argocd: [{{url: {_IT}, token: {_IT}}}]
  pagerduty: {{token: {_IT}}}
  survey: {{files: ["https://forms.example/${{{VARIABLE}}}"]}}
  catalog: {{files: ["catalog/${{{VARIABLE}}}"]}}
incidents: {{links: [{_IT}]}}
reports:
  webhook: {{url: {_IT}, secret: {_IT}}}
  email: {{host: smtp.example, username: {_IT}, password: {_IT}, sender: six@acme.example, recipients: [{_IT}]}}
  teams: {{payments: {{email: [{_IT}], slack_webhook: {_IT}, webhook: {{url: {_IT}, secret: {_IT}}}}}}}
  alerts: {{slack_webhook: {_IT}}}
dashboard:
  auth: {{metadata_url: {_IT}, client_id: {_IT}, client_secret: {_IT}, cookie_secret: {_IT}, domains: [acme.example]}}
privacy: {{key: {_IT}}}
survey_page: {{key: {_IT}}}
"""
# in the order in which they are declared
KEYS = (
    "sources.github.url",
    "sources.github.token",
    "sources.argocd.0.url",
    "sources.argocd.0.token",
    "sources.pagerduty.token",
    "sources.survey.files.0.files",
    "sources.catalog.files.0",
    "incidents.links.0",
    "reports.webhook.url",
    "reports.webhook.secret",
    "reports.email.username",
    "reports.email.password",
    "reports.email.recipients.0",
    "reports.teams.payments.email.0",
    "reports.teams.payments.slack_webhook",
    "reports.teams.payments.webhook.url",
    "reports.teams.payments.webhook.secret",
    "reports.alerts.slack_webhook",
    "dashboard.auth.metadata_url",
    "dashboard.auth.client_id",
    "dashboard.auth.client_secret",
    "dashboard.auth.cookie_secret",
    "privacy.key",
    "survey_page.key",
)
SECRET = "s3cret_long_enough_for_any_kind_of_key"


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def load(folder: Path, text: str) -> Settings:
    (folder / "sixkeys.yaml").write_text(text, encoding="utf-8")
    return load_settings(folder / "sixkeys.yaml")


def test_what_is_missing_is_told_with_its_key_and_stops_no_reading(tmp_path: Path) -> None:
    settings = load(tmp_path, REFERRING)
    assert [str(error) for error in unresolved_references(settings)] == [
        f"{key}: the environment variable {VARIABLE} is not set; set it, or remove the key" for key in KEYS
    ]
    # the summary and what hides secrets do without, and say no value
    shown = {entry.key: entry.value for entry in settings_summary(tmp_path / "sixkeys.yaml", settings)}
    assert shown["sources.argocd.0.token"] == "***"
    assert redact(settings, "told as it is") == "told as it is"
    assert settings == load(tmp_path, REFERRING)


@pytest.mark.parametrize(
    "key", ["dashboard: {url", "golden_paths: [{name: a, url", "survey_page: {key: file:a, url"]
)
def test_what_pages_show_is_looked_up_at_once(tmp_path: Path, key: str) -> None:
    ends = "]" * key.count("[")
    text = f'organization: acme\n{key}: "${{{VARIABLE}}}"}}{ends}\n'
    with pytest.raises(ConfigurationError, match=r"sixkeys\.yaml:2: \S*url\S*.*: the environment variable"):
        load(tmp_path, text)


def test_a_secret_is_looked_up_each_time_and_kept_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hook").write_text(f"https://hooks.example/{SECRET}\n")
    settings = load(
        tmp_path,
        f"""
organization: acme
sources: {{survey: {{files: ["https://forms.example/${{{VARIABLE}}}"]}}}}
reports: {{slack_webhook: file:hook, webhook: {{url: "${{{VARIABLE}}}", secret: "${{{VARIABLE}}}"}}}}
""",
    )
    hook = settings.reports.slack_webhook
    assert hook
    assert hook.get_secret_value() == f"https://hooks.example/{SECRET}"
    (tmp_path / "hook").write_text("https://hooks.example/another")
    assert hook.get_secret_value() == "https://hooks.example/another"
    assert settings.reports.webhook
    monkeypatch.setenv(VARIABLE, f"https://hooks.example/{SECRET}")
    assert settings.reports.webhook.secret.get_secret_value() == f"https://hooks.example/{SECRET}"
    settings = load_settings(tmp_path / "sixkeys.yaml")
    assert SECRET not in f"{settings!r} {settings.model_dump(mode='json')['reports']['slack_webhook']}"
    hook = settings.reports.slack_webhook
    assert hook
    assert SECRET not in str(vars(hook))
    assert (
        redact(settings, f"posted {SECRET} to https://hooks.example/{SECRET}")
        == f"posted {SECRET} to **********"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            None,
            "privacy.key: cannot read the file {} (No such file or directory); create it or mend the path",
        ),
        ("\n", "privacy.key: the secret is empty; put it into what the key refers to"),
        ("x" * 100_001, "privacy.key: the file {} holds no secret and no word; mend the path"),
        ("\udcff", "privacy.key: the file {} is not UTF-8 text; mend the path"),
    ],
)
def test_a_secret_file_that_is_none_is_told_when_it_is_asked_for(
    tmp_path: Path, content: str | None, said: str
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_text(content, encoding="utf-8", errors="surrogateescape")
    settings = load(tmp_path, 'organization: acme\nprivacy: {key: "file:secret"}')
    assert settings.privacy.key
    with pytest.raises(UnresolvedReference) as refused:
        settings.privacy.key.get_secret_value()
    assert str(refused.value) == said.format(path)


@pytest.mark.parametrize(
    ("section", "least"),
    [
        ("survey_page: {key: file:key}", 16),
        (
            "dashboard: {auth: {metadata_url: https://i.d/x, client_id: a, client_secret: file:long,"
            " cookie_secret: file:key, domains: [a.b]}}",
            32,
        ),
    ],
)
def test_a_short_key_is_told_when_it_is_asked_for(tmp_path: Path, section: str, least: int) -> None:
    (tmp_path / "long").write_text(SECRET)
    (tmp_path / "key").write_text("x" * (least - 1))
    settings = load(tmp_path, f"organization: acme\n{section}\n")
    with pytest.raises(UnresolvedReference, match=rf"(key|secret): has fewer than {least} characters; take"):
        require_resolved(settings)
    (tmp_path / "key").write_text("x" * least)
    require_resolved(settings)


@pytest.fixture(scope="module")
def referring(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with facts, and a configuration whose every reference is missing but for the login's."""
    folder = tmp_path_factory.mktemp("referring")
    rows = "".join(
        f"jenkins,{day},checkout,production,{day:040x},success,2024-11-{day:02}T09:00:00Z,2024-11-{day:02}T09:05:00Z\n"
        for day in range(4, 18)
    )
    heading = "source,id,service,environment,sha,status,started_at,finished_at\n"
    (folder / "deployments.csv").write_text(heading + rows)
    (folder / "sixkeys.yaml").write_text("organization: acme\n")
    assert run(folder, "import", "deployments", "deployments.csv").returncode == 0
    (folder / "sixkeys.yaml").write_text(REFERRING)
    return folder


def test_what_was_collected_is_read_without_any_secret(referring: Path) -> None:
    for command in (
        ["build"],
        ["metrics"],
        ["explain", "deployment_frequency"],
        ["scorecard", "--week", "2024-W46", "--format", "txt"],
    ):
        done = run(referring, *command)
        assert done.returncode == 0, done.stderr
        assert VARIABLE not in done.stdout + done.stderr


def test_check_tells_each_that_is_missing_once(referring: Path) -> None:
    done = run(referring, "check")
    assert done.returncode == 1
    missing = [line.partition(": ")[0] for line in done.stdout.splitlines() if VARIABLE in line]
    assert missing == [f"✗ {key}" for key in KEYS]


def test_a_collection_fails_source_by_source_and_the_login_does_not_start_without_its_secrets(
    tmp_path: Path,
) -> None:
    (tmp_path / "sixkeys.yaml").write_text(REFERRING)
    assert run(tmp_path, "collect").stderr.splitlines() == [
        f"sixkeys: privacy.key: the environment variable {VARIABLE} is not set; set it, or remove the key"
    ]
    (tmp_path / "sixkeys.yaml").write_text(
        REFERRING.replace("privacy:", "#").replace('"catalog/${SIXKEYS_TEST_UNSET}"', '"catalog.yaml"')
    )
    (tmp_path / "catalog.yaml").write_text("kind: Component\nmetadata: {name: checkout}\n")
    done = run(tmp_path, "collect")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    told = " ".join(done.stderr.split())
    for source, key in (
        ("github", "sources.github.url"),
        ("git", "sources.github.url"),
        ("argocd:main", "sources.argocd.0.url"),
        ("pagerduty", "sources.pagerduty.token"),
        ("survey", "survey: sources.survey.files.0.files"),
        ("links", "incidents.links.0"),
    ):
        assert f"{source}: failed: {key}: the environment variable {VARIABLE} is not set" in told
    assert "1 components" in told
    for command in ("dashboard", "serve"):
        done = run(tmp_path, command)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("sixkeys: dashboard.auth.metadata_url: the environment variable")
    done = run(tmp_path, "survey", "--round", "Q4", "--team", "payments", "--closes", "2090-01-01")
    assert "sixkeys: survey_page.key: the environment variable" in done.stderr


@pytest.mark.parametrize("key", ["k", "fifteen letters"])
def test_a_key_of_people_that_is_soon_guessed_is_refused(tmp_path: Path, key: str) -> None:
    (tmp_path / "key").write_text(key)
    (missing,) = unresolved_references(load(tmp_path, "organization: acme\nprivacy: {key: file:key}\n"))
    assert (
        str(missing) == "privacy.key: has fewer than 16 characters; take what `openssl rand -hex 32` prints"
    )
