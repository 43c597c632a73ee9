"""`/api/v1/hooks`: subscriptions in REST-hook shape."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status
from pydantic import ConfigDict

from crm.api.authentication import Principal, TokenAuth
from crm.api.openapi import refusals
from crm.api.problems import ApiProblem
from crm.models import Brand, WebhookEndpoint
from crm.outbound.hooks import hooks_visible_to, subscribe_hook, unsubscribe_hook
from crm.outbound.secrets import secret_of
from crm.security.scope import reach_of

SCOPE = "webhooks:write"
REFUSALS = refusals("unknown_version", "unauthorized", "insufficient_scope", "not_allowed", "too_many_requests")
READS = {"x-scopes": [SCOPE], "responses": REFUSALS}
CREATES = {
    "x-scopes": [SCOPE],
    "responses": REFUSALS
    | refusals("invalid_request", "invalid_json", "wrong_state", "too_large", "malformed", "refused"),
}
ENDS = {"x-scopes": [SCOPE], "responses": REFUSALS | refusals("not_found", "wrong_state", "malformed")}
router = Router(tags=["hooks"], auth=TokenAuth())


class HookIn(Schema):
    model_config = ConfigDict(extra="forbid")

    target_url: str = Field(..., max_length=1000, description="An https address; private networks are refused")
    event: str = Field(..., max_length=80, description="A name of the catalogue of events", examples=["lead.assigned"])
    brand: str = Field("", max_length=40, description="Code of the brand; empty with access to one brand only")


class HookOut(Schema):
    id: int
    target_url: str
    event: str
    brand: str
    state: str


class NewHookOut(HookOut):
    secret: str = Field(..., description="Messages are signed with it, after Standard Webhooks")


@router.post(
    "/v1/hooks",
    response={201: NewHookOut},
    summary="Subscribe to an event",
    operation_id="subscribe_hook",
    openapi_extra=CREATES,
)
def subscribe(request: HttpRequest, payload: HookIn) -> Any:
    """Have an event of a brand sent to an address. Asked again for the same, it is the same subscription.

    Needs the scope webhooks:write and the right to manage events.
    """
    principal = _principal(request)
    brands = Brand.objects.filter(pk__in=reach_of(principal.user).whole_brands, archived_at=None)
    found = list((brands.filter(code=payload.brand) if payload.brand else brands)[:2])
    if len(found) != 1:
        raise ApiProblem("invalid_request", "Enter the code of a brand to which you have full access in `brand`.")
    row = subscribe_hook(brand_id=found[0].pk, url=payload.target_url, event=payload.event, actor=principal.user)
    return Status(201, {**_shown(row), "secret": secret_of(row)})


@router.get(
    "/v1/hooks",
    response=list[HookOut],
    summary="List your subscriptions",
    operation_id="list_hooks",
    openapi_extra=READS,
)
def hooks(request: HttpRequest) -> Any:
    """List the subscriptions that integrations made. Needs the scope webhooks:write."""
    return [_shown(row) for row in hooks_visible_to(_principal(request).user)]


@router.delete(
    "/v1/hooks/{int:hook_id}",
    response={204: None},
    summary="End a subscription",
    operation_id="unsubscribe_hook",
    openapi_extra=ENDS,
)
def unsubscribe(request: HttpRequest, hook_id: int) -> Any:
    """End a subscription: nothing more is sent. Needs the scope webhooks:write."""
    principal = _principal(request)
    if hook_id not in {row.pk for row in hooks_visible_to(principal.user)}:
        raise ApiProblem("not_found", "There is no such subscription, or you may not see it.")
    unsubscribe_hook(endpoint_id=hook_id, actor=principal.user)
    return Status(204, None)


def _principal(request: HttpRequest) -> Principal:
    principal: Principal = request.auth  # type: ignore[attr-defined]
    principal.require(SCOPE)
    return principal


def _shown(row: WebhookEndpoint) -> dict[str, Any]:
    return {
        "id": row.pk,
        "target_url": row.url,
        "event": row.subscription.events[0],
        "brand": row.brand.code,
        "state": row.state,
    }
