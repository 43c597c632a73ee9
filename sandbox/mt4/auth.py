"""OAuth2 client credentials: a token for an hour, in memory only; taken back when somebody says so."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field

from sandbox.engine.http import Request, Response, as_json

DISCOVERY, TOKEN = "/.well-known/openid-configuration", "/connect/token"


@dataclass
class Tokens:
    """Who may ask, and the tokens that are good."""

    client_id: str
    client_secret: str
    seconds: float = 3600.0
    good_until: dict[str, float] = field(default_factory=dict)

    def revoke_all(self) -> None:
        self.good_until.clear()

    def is_good(self, request: Request) -> bool:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and self.good_until.get(token, 0.0) > time.monotonic()

    def discover(self, request: Request, scheme: str) -> Response:
        here = f"{scheme}://{request.headers.get('host', 'localhost')}"
        return as_json(
            {
                "issuer": here,
                "token_endpoint": here + TOKEN,
                "grant_types_supported": ["client_credentials"],
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }
        )

    def issue(self, request: Request) -> Response:
        """As RFC 6749: what is wrong with the request is said in `error`."""
        form = request.form()
        if form.get("grant_type") != "client_credentials":
            return as_json({"error": "unsupported_grant_type"}, 400)
        is_known = secrets.compare_digest(form.get("client_secret", "").encode(), self.client_secret.encode())
        if form.get("client_id") != self.client_id or not is_known:
            return as_json({"error": "invalid_client", "error_description": "client id or secret is wrong"}, 401)
        now = time.monotonic()
        self.good_until = {token: until for token, until in self.good_until.items() if until > now}
        token = secrets.token_urlsafe(32)
        self.good_until[token] = now + self.seconds
        return as_json({"access_token": token, "token_type": "Bearer", "expires_in": max(1, int(self.seconds))})

    @staticmethod
    def refusal() -> Response:
        return Response(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
