"""Whether the OpenID provider that logs people in can be reached, and says where (OpenID Connect Discovery 1.0)."""

from collectors.connections import Connection
from collectors.contract.items import SourceError
from collectors.transport.json_api import Api
from config.access import Auth
from config.text.references import UnresolvedReference, require_resolved

_NEEDED = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")


def try_provider(auth: Auth) -> Connection:
    """Whether the address `auth` names is a provider's metadata; nobody is logged in."""
    try:
        require_resolved(auth.metadata_url)
        with Api("login", auth.metadata_url) as api:
            told = api.get(auth.metadata_url)
        if missing := [key for key in _NEEDED if not isinstance(told.get(key), str)]:
            raise SourceError(
                f"login: {auth.metadata_url} holds no {', '.join(missing)}; set dashboard.auth.metadata_url to the"
                " provider's address that ends in /.well-known/openid-configuration"
            )
    except (SourceError, UnresolvedReference) as error:
        return Connection("login", False, str(error))
    return Connection("login", True, f"{told['issuer']} logs people in")
