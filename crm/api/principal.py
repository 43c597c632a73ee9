"""`GET /api/v1/me`: whose token this is and what it may be used for."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Field, Router, Schema

from crm.api.authentication import Principal, TokenAuth
from crm.api.openapi import refusals

REFUSALS = refusals("unknown_version", "unauthorized", "wrong_network", "too_many_requests")
router = Router(tags=["principal"], auth=TokenAuth())


class Me(Schema):
    id: int
    name: str
    kind: str = Field(..., description="staff, service or partner")
    brand: str | None = Field(None, description="Code of the brand")
    token: str = Field(..., description="The token's name")
    scopes: list[str]
    expires_at: str


@router.get(
    "/v1/me", response=Me, summary="Read who you are", operation_id="read_me", openapi_extra={"responses": REFUSALS}
)
def me(request: HttpRequest) -> Any:
    """Return the token's user, its scopes, and when it expires. Needs no scope."""
    principal: Principal = request.auth  # type: ignore[attr-defined]
    user = principal.user
    return {
        "id": user.pk,
        "name": str(user),
        "kind": user.kind,
        "brand": user.brand.code if user.brand else None,
        "token": principal.token.name,
        "scopes": sorted(principal.scopes),
        "expires_at": principal.token.expires_at.isoformat().replace("+00:00", "Z"),
    }
