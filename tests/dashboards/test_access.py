"""Who may see what: claims against the configuration, views against what is allowed, and where nobody asks."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import SecretStr, ValidationError

from config.access import Auth, Dashboard, is_loopback
from config.errors import ConfigurationError
from config.settings import load_settings
from config.summary import settings_summary
from dashboards.frame.access import (
    Access,
    Refused,
    access,
    is_current,
    opens,
    permitted,
    visible,
    with_teams_below,
)
from dashboards.frame.navigation import PageFile
from dashboards.frame.state import State, names
from dashboards.frame.view import ROWS, Filters, known
from warehouse.trust.ownership import Service
from warehouse.trust.runs_and_doubts import RecordedRun

NOW = datetime(2026, 11, 16, 8, tzinfo=UTC)
SERVICES = (
    Service("checkout", "payments", "shop", True),
    Service("search", "discovery", "shop", True),
    Service("ingest", "platform", "data", True),
    Service("orphan", None, None, False),
)
STATE = State(
    path="facts.duckdb", organization="acme", timezone="UTC", as_of=NOW, warning=None, services=SERVICES,
    teams=("discovery", "payments", "platform"), systems=("data", "shop"),
    runs=(RecordedRun("github", "failed", NOW, NOW, "acme/ingest: 404", 0, 0, None),),
    groups={"product": frozenset({"product", "payments", "discovery"}), "money": frozenset({"money", "payments"})},
)  # fmt: skip
OWN = Access(frozenset({"payments"}), rollups=False)
OWN_AND_ROLLUPS = Access(frozenset({"payments"}), rollups=True)


def auth(**given: Any) -> Auth:
    known = {"metadata_url": "https://id.example/x", "client_id": "sixkeys", "domains": ["acme.example"]}
    secrets = dict.fromkeys(("client_secret", "cookie_secret"), SecretStr("0123456789abcdef" * 2))
    return Auth.model_validate({**known, **secrets, **given})


class TestClaims:
    @pytest.mark.parametrize(
        ("claims", "said"),
        [
            ({"email": "eve@evil.example"}, "eve@evil.example is of none of the domains"),
            ({"email": "eve@acme.example.evil.example"}, "none of the domains"),
            ({"email": "acme.example"}, "none of the domains"),
            ({}, "An account without an e-mail address"),
            ({"email": "ada@acme.example", "email_verified": False}, "has not verified"),
        ],
    )
    def test_who_is_of_no_allowed_domain_is_refused(self, claims, said):
        with pytest.raises(Refused, match=said):
            access(auth(), claims)

    def test_without_groups_whoever_is_let_in_sees_everything(self):
        assert access(auth(), {"email": "Ada@ACME.example"}) == Access(None, True, "Ada@ACME.example")

    @pytest.mark.parametrize(
        ("groups", "own", "teams", "rollups"),
        [
            ({"leads": "everything", "pay": ["payments"]}, ["leads", "pay"], None, True),
            ({"leads": "everything", "pay": ["payments"]}, ["pay"], {"payments"}, False),
            ({"pay": ["payments"], "data": ["platform", "bi"]}, ["pay", "data"], {"payments", "platform", "bi"}, False),
            ({"pay": ["payments"], "*": "rollups"}, ["pay"], {"payments"}, True),
            ({"pay": ["payments"], "*": "rollups"}, [], set(), True),
            ({"pay": ["payments"]}, "pay", {"payments"}, False),
        ],
    )  # fmt: skip
    def test_a_person_sees_what_any_of_the_groups_does(self, groups, own, teams, rollups):
        found = access(auth(groups=groups), {"email": "a@acme.example", "groups": own})
        assert (found.teams, found.rollups) == (None if teams is None else frozenset(teams), rollups)

    def test_who_is_in_none_of_the_groups_is_refused(self):
        for own in ([], ["payments"], None, "PAY"):
            with pytest.raises(Refused, match=r"a@acme\.example is in none of the groups"):
                access(auth(groups={"pay": ["payments"]}), {"email": "a@acme.example", "groups": own})

    def test_the_claim_may_be_nested_or_have_dots_in_its_name(self):
        groups = {"pay": ["payments"]}
        nested = {"email": "a@acme.example", "realm_access": {"roles": ["pay"]}}
        assert access(auth(groups=groups, groups_claim="realm_access.roles"), nested).teams == {"payments"}
        dotted = {"email": "a@acme.example", "https://acme.example/groups": ["pay"]}
        assert access(auth(groups=groups, groups_claim="https://acme.example/groups"), dotted).teams

    def test_a_login_ends_after_its_session(self):
        began = {"is_logged_in": True, "iat": (NOW - timedelta(hours=12)).timestamp() + 1}
        assert is_current(auth(), began, NOW)
        assert not is_current(auth(), began, NOW + timedelta(seconds=1))
        for claims in (
            {"is_logged_in": True},
            {"iat": NOW.timestamp()},
            {"is_logged_in": False, "iat": 1},
            {},
        ):
            assert not is_current(auth(), claims, NOW)


class TestViews:
    def test_a_page_that_does_not_say_otherwise_is_for_those_who_see_everything(self):
        shows = PageFile("New", "new_page.py").shows
        with pytest.raises(Refused, match="for those who see everything"):
            permitted(shows, Filters(team="payments"), OWN_AND_ROLLUPS, visible(STATE, OWN_AND_ROLLUPS))
        assert permitted(shows, Filters(), Access(), STATE) == Filters()

    @given(
        shows=some.sampled_from(["view", "numbers", "list"]),
        view=some.builds(
            Filters,
            system=some.sampled_from([None, "shop", "data", "gone"]),
            group=some.sampled_from([None, None, "product", "money", "gone"]),
            team=some.sampled_from([None, "payments", "discovery", "platform", "gone"]),
            service=some.sampled_from([None, "checkout", "search", "ingest", "orphan", "gone"]),
            rows=some.sampled_from(list(ROWS)),
        ),
        allowed=some.builds(
            Access,
            teams=some.frozensets(some.sampled_from(["payments", "discovery", "money", "product", "gone"])),
            rollups=some.booleans(),
        ),
    )
    def test_what_is_shown_is_own_or_numbers_that_everybody_may_see(self, shows, view, allowed):
        allowed = with_teams_below(allowed, STATE.groups)
        state = visible(STATE, allowed)
        try:
            shown = permitted(shows, view, allowed, state)
        except Refused:
            assert view.team not in allowed.teams or view.team == "gone"
            assert view.service not in {s.name for s in state.services}
            return
        if shows == "list":  # the page itself shows the rows of `state` alone
            assert shown.team in (None, *state.teams)
            assert shown.service in (None, *(s.name for s in state.services))
            return
        everything = names(STATE, Filters())
        shown, _ = known(shown, {scope: set(found) for scope, found in everything.items()})
        of_group = STATE.groups.get(shown.group)
        matching = [
            s for s in SERVICES
            if (shown.where.items() - {("group", shown.group)})
            <= {"system": s.system, "team": s.team, "service": s.name}.items()
            and (of_group is None or s.team in of_group)
        ]  # fmt: skip
        rows_shown = shows == "view" or shown.rows in ("both", "service") or shown.service
        if rows_shown or not allowed.rollups:
            assert {s.team for s in matching} <= allowed.teams
        if view.team in allowed.teams and view.team != "gone":
            assert (shown.team, shown.rows) == (view.team, view.rows)

    @pytest.mark.parametrize(
        ("allowed", "opened"),
        [
            (Access(), ["view", "numbers", "list", "everything"]),
            (OWN, ["view", "numbers", "list"]),
            (Access(frozenset(), rollups=True), ["numbers", "list"]),
            (Access(frozenset(), rollups=False), []),
        ],
    )
    def test_pages_that_cannot_be_seen_are_not_among_the_links(self, allowed, opened):
        assert [
            shows for shows in ("view", "numbers", "list", "everything") if opens(shows, allowed)
        ] == opened

    def test_the_state_names_only_what_may_be_seen(self):
        own = visible(STATE, OWN)
        assert [s.name for s in own.services] == ["checkout"]
        assert (own.teams, own.systems) == (("payments",), ("shop",))
        assert "ingest" not in str(own.runs)
        both = visible(STATE, OWN_AND_ROLLUPS)
        assert (both.services, both.teams, both.systems) == (own.services, STATE.teams, STATE.systems)
        assert visible(STATE, Access()) == STATE

    def test_a_group_among_the_teams_opens_all_below_it_and_no_group_beside(self):
        allowed = with_teams_below(Access(frozenset({"money"}), rollups=False), STATE.groups)
        own = visible(STATE, allowed)
        assert (own.teams, [*own.groups], [s.name for s in own.services]) == (
            ("payments",), ["money"], ["checkout"]
        )  # fmt: skip
        assert permitted("view", Filters(group="money"), allowed, own) == Filters(group="money")
        for other in (
            Filters(group="product"),
            Filters(group="gone"),
            Filters(group="money", team="platform"),
        ):
            shown = None
            with suppress(Refused):
                shown = permitted("view", other, allowed, own)
            assert shown in (None, Filters(group="money", team="platform"))

    def test_a_view_of_nothing_in_particular_becomes_that_of_the_own_team(self):
        shown = permitted("view", Filters(period="12w", metric="mttr"), OWN, visible(STATE, OWN))
        assert shown == Filters(period="12w", metric="mttr", team="payments")


class TestConfiguration:
    @pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"])
    def test_only_this_machine_reaches_loopback(self, host):
        assert is_loopback(host)
        assert Dashboard(host=host).host == host

    @pytest.mark.parametrize(
        "host", ["0.0.0.0", "::", "", "192.168.1.4", "dash.example", "127.0.0.1.example"]
    )
    def test_a_public_address_needs_a_login_or_a_word(self, host):
        with pytest.raises(ValidationError, match="asks nobody to log in; set host: "):
            Dashboard(host=host)
        assert Dashboard(host=host, public=True).public

    def written(self, folder: Path, auth: str) -> Path:
        (folder / "secret").write_text("s3cret" * 8)
        known = "metadata_url: https://id.example/x, client_id: a, client_secret: file:secret"
        text = f"organization: acme\ndashboard: {{auth: {{{known}, {auth}}}}}\n"
        (folder / "sixkeys.yaml").write_text(text)
        return folder / "sixkeys.yaml"

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ("cookie_secret: file:secret", "lets in whoever has an account at the provider"),
            ("cookie_secret: file:secret, groups: {'*': rollups}", "lets in whoever has an account"),
            (
                "cookie_secret: file:secret, groups: {leads: all}",
                'groups.leads: "all" is nothing that a group',
            ),
            ("cookie_secret: file:secret, groups: {leads: []}", "is nothing that a group can see"),
            ("cookie_secret: s3cret, domains: [a.b]", "cookie_secret: a secret is written as"),
            ("domains: [a.b]", "cookie_secret"),
        ],
    )
    def test_what_lets_in_too_many_or_nobody_is_refused(self, tmp_path, given, said):
        with pytest.raises(ConfigurationError) as error:
            load_settings(self.written(tmp_path, given))
        assert said in str(error.value)

    def test_the_summary_tells_groups_and_hides_secrets(self, tmp_path):
        groups = "cookie_secret: file:secret, groups: {leads: everything, pay: [payments, billing]}"
        path = self.written(tmp_path, groups)
        found = {entry.key: entry.value for entry in settings_summary(path, load_settings(path))}
        assert found["dashboard.auth.groups"] == "leads: everything; pay: payments, billing"
        assert found["dashboard.auth.client_secret"] == found["dashboard.auth.cookie_secret"] == "***"
        assert "s3cret" not in str(found)
