"""`POST /api/v1/oauth/token`: a service account's secret becomes an access token of an hour (OAuth 2.0, RFC 6749 §4.4)."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import unquote

from django.http import HttpRequest
from ninja import Field, Form, Router, Schema

from crm.accounts.network import client_ip
from crm.api.authentication import issue_access_token
from crm.api.limits import is_guessing
from crm.api.openapi import refusals
from crm.api.problems import ApiProblem

REFUSALS = refusals("invalid_request", "invalid_scope", "invalid_client", "malformed", "too_many_requests")
router = Router(tags=["principal"])


class TokenRequest(Schema):
    """Client id and secret here, or as HTTP Basic."""

    grant_type: str = Field(..., max_length=40, description="client_credentials", examples=["client_credentials"])
    client_id: str = Field("", max_length=20, examples=["42"])
    client_secret: str = Field("", max_length=100)
    scope: str = Field("", max_length=600, description="Separated by spaces; empty: all that the client has")


class AccessToken(Schema):
    access_token: str
    token_type: str = Field(..., examples=["Bearer"])
    expires_in: int = Field(..., description="Seconds")
    scope: str


@router.post(
    "/v1/oauth/token",
    response=AccessToken,
    auth=None,
    summary="Get an access token",
    operation_id="create_access_token",
    openapi_extra={"responses": REFUSALS},
)
def access_token(request: HttpRequest, payload: Form[TokenRequest]) -> Any:
    """Exchange client id and secret of a service account for an access token that is valid for an hour."""
    if payload.grant_type != "client_credentials":
        raise ApiProblem("invalid_request", "grant_type must be client_credentials.")
    address = client_ip(request)
    if is_guessing(address):
        raise ApiProblem("too_many_requests", "Too many attempts from this address. Try again in a minute.")
    client_id, secret = _basic(request) or (payload.client_id, payload.client_secret)
    return issue_access_token(
        client_id=client_id, client_secret=secret, scopes=set(payload.scope.split()), address=address
    )


def _basic(request: HttpRequest) -> tuple[str, str] | None:
    kind, _space, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        user, _colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ApiProblem("invalid_client", "The Authorization header isn't HTTP Basic.") from error
    return unquote(user), unquote(password)
