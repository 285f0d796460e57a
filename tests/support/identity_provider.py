"""A real OpenID provider on loopback: discovery, login, codes with PKCE, signed tokens, logout."""

import base64
import hashlib
import json
import secrets
import time
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug import Request, Response
from werkzeug.utils import redirect

from tests.support.loopback import Loopback

CLIENT, SECRET = "sixkeys", "the provider's secret for sixkeys"


class IdentityProvider(Loopback):
    """Logs whoever comes in as the person of `claims`; `url` is the issuer."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.claims: dict[str, Any] = {}
        self._key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})
        self._codes: dict[str, dict[str, str]] = {}

    def _answer(self, request: Request) -> Response:
        answers = {
            "/.well-known/openid-configuration": self._discovery,
            "/keys": self._keys,
            "/authorize": self._authorize,
            "/token": self._token,
            "/logout": self._logout,
        }
        found = answers.get(request.path)
        return found(request) if found else Response(status=404)

    def _discovery(self, request: Request) -> Response:
        return _json(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "end_session_endpoint": f"{self.url}/logout",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    def _keys(self, request: Request) -> Response:
        return _json({"keys": [self._key.as_dict(private=False)]})

    def _authorize(self, request: Request) -> Response:
        asked = request.args.to_dict()
        if asked.get("client_id") != CLIENT or "openid" not in asked.get("scope", ""):
            return Response("unknown client", 400)
        code = secrets.token_urlsafe()
        self._codes[code] = asked
        return redirect(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")

    def _token(self, request: Request) -> Response:
        asked = self._codes.pop(request.form.get("code", ""), None)
        given = request.authorization
        if asked is None or given is None or (given.username, given.password) != (CLIENT, SECRET):
            return _json({"error": "invalid_client"}, 401)
        digest = hashlib.sha256(request.form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return _json({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        token = jwt.encode({"alg": "RS256", "kid": "k1"}, claims | {"sub": "1"} | self.claims, self._key)
        return _json({"access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": token})

    def _logout(self, request: Request) -> Response:
        return redirect(request.args["post_logout_redirect_uri"])


def _json(content: Any, status: int = 200) -> Response:
    return Response(json.dumps(content), status, mimetype="application/json")
