"""Who calls: a token in `Authorization: Bearer …`, or a short-lived access token that a service account got for its own.

The token's user is then the actor of everything that follows: `request.user`, the audit log, the access log, visibility.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass, replace
from typing import Any, Final

from django.core import signing
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from crm.accounts.network import client_ip, may_work_from
from crm.api.limits import RateLimit, count_request
from crm.api.problems import ApiProblem
from crm.api.scopes import label_of, scopes_of
from crm.api.tokens import SERVICE_PREFIX, hash_of
from crm.choices import TokenState
from crm.models import ApiToken, User
from crm.security.access_log import session_mark
from crm.security.request_context import RequestContext, act_as, current

ACCESS_PREFIX: Final = "kat_"
ACCESS_SECONDS: Final = 3600
USED_EVERY: Final = dt.timedelta(minutes=1)
_signer = signing.TimestampSigner(salt="crm.api.access")


@dataclass(frozen=True, slots=True)
class Principal:
    """The user on whose behalf a request runs, and what its token may be used for."""

    user: User
    token: ApiToken
    scopes: frozenset[str]
    limit: RateLimit

    def require(self, scope: str) -> None:
        """Refuse what the token wasn't given for. Raises: ApiProblem."""
        if scope not in self.scopes:
            detail = f"This token lacks the scope {scope} ({label_of(scope)})."
            raise ApiProblem("insufficient_scope", detail, scope=scope)


class TokenAuth(HttpBearer):
    """`Authorization: Bearer kpt_…`, `ksv_…` or `kat_…`."""

    def authenticate(self, request: HttpRequest, token: str) -> Principal | None:
        found = _find(token)
        if found is None:
            return None
        row, scopes = found
        scopes &= {scope.code for scope in scopes_of(is_partner=row.user.is_partner)}
        address = client_ip(request)
        if not is_from(row, address) or not may_work_from(row.user, address):
            raise ApiProblem("wrong_network", "This token may not be used from this address.")
        _note_use(row, address)
        request.user = row.user
        act_as(_context(row))
        limit = count_request(row)
        request.api_limit = limit  # type: ignore[attr-defined]
        if limit.is_exceeded:
            raise ApiProblem("too_many_requests", f"At most {limit.limit} requests a minute. Try again shortly.")
        return Principal(row.user, row, scopes, limit)


def _context(token: ApiToken) -> RequestContext:
    """Say who acts, for audit and access rows; a token is what a session is elsewhere."""
    return replace(
        current(),
        user_id=token.user_id,
        user_kind=token.user.kind,
        session=session_mark(f"token:{token.pk}"),
        device="API",
    )


def issue_access_token(*, client_id: str, client_secret: str, scopes: set[str], address: str | None) -> dict[str, Any]:
    """Exchange a service account's token for a short-lived one (OAuth 2.0 client credentials, RFC 6749 §4.4).

    Raises: ApiProblem (`invalid_client`, `invalid_scope`).
    """
    row = _active(client_secret) if client_secret.startswith(SERVICE_PREFIX) else None
    if row is None or str(row.user_id) != client_id or not is_from(row, address):
        raise ApiProblem("invalid_client", "Unknown client, or wrong secret.")
    granted = scopes or set(row.scopes)
    if granted - set(row.scopes):
        raise ApiProblem(
            "invalid_scope", f"Not granted to this client: {', '.join(sorted(granted - set(row.scopes)))}."
        )
    _note_use(row, address)
    text = _signer.sign(f"{row.pk}|{' '.join(sorted(granted))}")
    seconds = min(ACCESS_SECONDS, int((row.expires_at - timezone.now()).total_seconds()))
    return {
        "access_token": ACCESS_PREFIX + text,
        "token_type": "Bearer",
        "expires_in": seconds,
        "scope": " ".join(sorted(granted)),
    }


def is_from(token: ApiToken, address: str | None) -> bool:
    """Check an address against the token's allow-list."""
    if not token.networks:
        return True
    return address is not None and any(
        ipaddress.ip_address(address) in ipaddress.ip_network(network) for network in token.networks
    )


def _find(text: str) -> tuple[ApiToken, frozenset[str]] | None:
    if not text.startswith(ACCESS_PREFIX):
        row = _active(text)
        return (row, frozenset(row.scopes)) if row else None
    try:
        signed = _signer.unsign(text.removeprefix(ACCESS_PREFIX), max_age=ACCESS_SECONDS)
    except signing.BadSignature:
        return None
    pk, _bar, scopes = signed.partition("|")
    row = _usable(ApiToken.objects.select_related("user__brand").filter(pk=pk).first())
    # What was taken from the token since then counts, too.
    return (row, frozenset(scopes.split()) & frozenset(row.scopes)) if row else None


def _active(secret: str) -> ApiToken | None:
    return _usable(ApiToken.objects.select_related("user__brand").filter(secret_hash=hash_of(secret)).first())


def _usable(row: ApiToken | None) -> ApiToken | None:
    return row if row and row.state == TokenState.ACTIVE and row.user.is_active else None


def _note_use(row: ApiToken, address: str | None) -> None:
    now = timezone.now()
    if row.last_used_at is None or now - row.last_used_at > USED_EVERY or row.last_used_ip != address:
        ApiToken.objects.filter(pk=row.pk).update(last_used_at=now, last_used_ip=address)
