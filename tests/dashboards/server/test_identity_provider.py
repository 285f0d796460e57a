"""`sixkeys check` of the login: the provider's metadata is read, and what is wrong with its address is told."""

import pytest
import stamina
from pydantic import SecretStr

from config.access import Auth
from dashboards.server.identity_provider import try_provider
from tests.support.identity_provider import IdentityProvider
from tests.support.loopback import closed_address

WELL_KNOWN = "/.well-known/openid-configuration"


def auth(address: str) -> Auth:
    return Auth(
        metadata_url=address,
        client_id="sixkeys",
        client_secret=SecretStr("s3cret"),
        cookie_secret=SecretStr("c" * 32),
        domains=["*"],
    )


def test_a_provider_is_told_by_its_issuer() -> None:
    with IdentityProvider() as provider:
        told = try_provider(auth(provider.url + WELL_KNOWN))
        assert (told.source, told.works, told.detail) == ("login", True, f"{provider.url} logs people in")


@pytest.mark.parametrize("path", ["", "/keys", "/nowhere"])
def test_an_address_that_is_not_its_metadata_says_where_to_mend_it(path: str) -> None:
    with IdentityProvider() as provider:
        told = try_provider(auth(provider.url + path))
    assert not told.works
    assert provider.url in told.detail


def test_a_provider_that_is_away_is_told() -> None:
    with stamina.set_testing(True, attempts=1):
        told = try_provider(auth(closed_address() + WELL_KNOWN))
    assert not told.works
    assert "cannot be read" in told.detail
