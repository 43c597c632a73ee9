"""`POST /api/leads/`: affiliates, partners' sites and forms elsewhere hand leads in. A key per source, idempotent."""

from __future__ import annotations

import ipaddress
from decimal import Decimal
from typing import Any, Final, Literal

from django.http import Http404, HttpRequest
from ninja import Field, Router, Schema, Status
from ninja.params.functions import Header
from ninja.security import HttpBearer

from clients.api import CLIENTS
from clients.api.tags import tags
from clients.choices import SalesStatus
from clients.custom_fields.arrivals import GIVEN_MAX, judge
from clients.models.custom_fields import CHOICES_MAX, TEXT_CHARS_MAX
from crm.api.authentication import Principal
from crm.api.bulk import writes_many
from crm.api.fields import boolean, day, integer, money, text, time
from crm.api.openapi import refusals
from crm.api.problems import CODES
from crm.api.reading import register
from crm.api.resources import Resource
from crm.api.writing import Body, writes
from crm.models import Brand
from crm.security import policies
from crm.security.scope import reach_of
from crm.web.api_problem import problem
from crm.web.unusual_input import without_nul
from leads import guard, sources
from leads.capture import Capture, Captured, capture_lead
from leads.choices import Channel
from leads.models import LeadSource
from leads.pipeline import change_sales_status
from leads.queries import campaigns_visible_to, leads_visible_to
from leads.signing import requests

PER_MINUTE = 600


class SourceKey(HttpBearer):
    """`Authorization: Bearer ksl_…`, the key of a source."""

    def authenticate(self, request: HttpRequest, token: str) -> LeadSource | None:
        return sources.find_by_key(token)


CUSTOM_ENTRY: Any = {
    "anyOf": [
        {"type": "string", "maxLength": TEXT_CHARS_MAX},
        {"type": "number"},
        {"type": "boolean"},
        {"type": "array", "items": {"type": "string"}, "maxItems": CHOICES_MAX},
        {"type": "null"},
    ]
}
ExperienceCode = Literal["", "none", "some", "experienced"]
DECLARED_EXPERIENCE: Any = Field("", description="Trading experience as the person declares it")
INTENDED_DEPOSIT: Any = Field(
    None, gt=0, max_digits=21, decimal_places=8, description="Amount that the person says they intend to deposit"
)
INTENDED_CURRENCY: Any = Field("", max_length=5, description="Of `intended_deposit`; empty: the brand's base currency")
SIGNATURE_FAULTS: Final = tuple(f"signature_{fault}" for fault in requests.REFUSALS)
REFUSALS = refusals(
    *("invalid_json", "unusable", "unauthorized", *SIGNATURE_FAULTS),
    *("idempotency_conflict", "malformed", "refused", "too_many_requests"),
)
router = Router(tags=["leads"], auth=SourceKey())


class LeadIn(Schema):
    """At least one of `email` and `phone` must work. Unknown campaigns are kept as a tag.

    `custom` takes the brand's own fields by their keys (Set-up → Custom fields): a text; a number or its text ("12.5"); an amount
    in the brand's base currency; a date as "YYYY-MM-DD"; true or false; the code or label of a choice; a list of these. Keys that
    don't exist and values that don't fit are refused with 422, code `custom_field`, and `errors` names each; nothing is stored
    then. A known person keeps what their record has: only empty fields are filled.
    """

    email: str = Field("", max_length=254)
    phone: str = Field("", max_length=40, description="As dialled in `country`, or with + and the country's code")
    first_name: str = Field("", max_length=80)
    last_name: str = Field("", max_length=80)
    country: str = Field("", max_length=2, description="ISO 3166-1 alpha-2")
    language: str = Field("", max_length=8)
    message: str = Field("", max_length=2000)
    marketing_consent: bool = False
    campaign: str = Field("", max_length=60)
    medium: str = Field("", max_length=40)
    utm: dict[str, str] = Field(default_factory=dict, description="utm_* tags")
    click_id: str = Field("", max_length=200)
    referral_code: str = Field("", max_length=40)
    sub_id: str = Field("", max_length=60, description="The partner's own name for where the link was placed")
    landing_url: str = Field("", max_length=500)
    ip: str = Field("", max_length=45, description="The visitor's address")
    user_agent: str = Field("", max_length=500)
    experience: ExperienceCode = DECLARED_EXPERIENCE
    intended_deposit: Decimal | None = INTENDED_DEPOSIT
    intended_currency: str = INTENDED_CURRENCY
    custom: dict[str, Any] = Field(
        default_factory=dict,
        description="Values of the brand's custom fields by key, at most 50",
        json_schema_extra={"additionalProperties": CUSTOM_ENTRY, "maxProperties": GIVEN_MAX},
        examples=[{"tier": "gold", "budget": "2500.00", "call_after": "2026-12-01", "platforms": ["mt5"]}],
    )


class LeadOut(Schema):
    """`refused`: stored, but nobody will contact the person; `reason` is the sentence for them."""

    lead_id: int
    status: str = Field("accepted", description="accepted or refused")
    reason: str = ""


@router.post(
    "/leads/",
    response={201: LeadOut, 200: LeadOut},
    summary="Hand in a lead",
    operation_id="capture_lead",
    openapi_extra={"responses": REFUSALS},
)
def add_lead(request: HttpRequest, payload: LeadIn, idempotency_key: str = Header("", alias="Idempotency-Key")) -> Any:
    """201 for a new lead; 200 when the same Idempotency-Key came again with the same body, 409 with another.

    A source may have to sign its requests: `webhook-id`, `webhook-timestamp` and `webhook-signature` after Standard Webhooks,
    HMAC-SHA256 over "id.timestamp.body", within five minutes, each id once.
    """
    source: LeadSource = request.auth  # type: ignore[attr-defined]
    if fault := requests.fault_of(request, source):
        code = f"signature_{fault}"
        return problem(401, CODES[code][1], requests.REFUSALS[fault], code=code)
    if not guard.is_within_limit(f"api:{source.pk}", limit=PER_MINUTE, seconds=60):
        return problem(429, "Too many", f"At most {PER_MINUTE} leads a minute. Try again in a minute.", code="too_many")
    fields = without_nul(payload.dict())
    _values, wrong = judge(source.brand_id, fields["custom"])
    if wrong:
        errors = [{"field": f"custom.{key}".rstrip("."), "message": text} for key, text in wrong.items()]
        return problem(422, "Malformed", "Some custom fields are wrong.", code="custom_field", errors=errors)
    taken = capture_lead(
        brand=source.brand,
        api_source=source,
        capture=Capture(
            channel=Channel.API,
            has_consent=fields.pop("marketing_consent"),
            ip=_address(fields.pop("ip")),
            idempotency_key=f"api:{source.pk}:{idempotency_key}"[:80] if idempotency_key else "",
            utm={str(name)[:20]: str(value)[:200] for name, value in list(fields.pop("utm").items())[:10]},
            **fields,
        ),
    )
    return Status(200 if taken.is_replay else 201, _answer(taken))


LEADS: Final = Resource(
    "leads",
    "lead",
    scope="leads:read",
    permission="leads.view_lead",
    rows=leads_visible_to,
    tracks_changes=True,
    summary="One acquisition each: a person may have several, and attribution keeps them all.",
    client="client_id",
    fields=(
        integer("id"),
        integer("client_id"),
        text("brand", "brand__code"),
        text("channel", choices=Channel.values),
        time("captured_at"),
        text("campaign", "campaign__code"),
        text("source"),
        text("medium"),
        text("click_id"),
        text("referral_code"),
        text("sub_id"),
        text("landing_url"),
        text("country_guess"),
        text("language"),
        text("message"),
        text("experience", note="none, some or experienced, as declared; empty where nothing was"),
        money("intended_deposit", currency="intended_currency"),
        tags("client_id"),
        boolean("is_duplicate"),
        text("refusal"),
        integer("score"),
        integer("assigned_to_id"),
        time("assigned_at"),
        time("sla_due_at"),
        time("touched_at"),
    ),
    filters=("client_id", "brand", "channel", "campaign", "source", "assigned_to_id", "is_duplicate", "captured_at"),
    expand={"client": CLIENTS},
)
CAMPAIGNS: Final = Resource(
    "campaigns",
    "campaign",
    scope="marketing:read",
    permission="leads.view_campaign",
    rows=campaigns_visible_to,
    summary="Where leads come from, and what that costs.",
    fields=(
        integer("id"),
        text("brand", "brand__code"),
        text("code"),
        text("name"),
        text("source"),
        text("medium"),
        money("cost", currency="brand__base_currency"),
        day("starts_on"),
        day("ends_on"),
        boolean("is_active"),
    ),
    filters=("brand", "code", "source", "is_active"),
)
register(router, LEADS, CAMPAIGNS)


class NewLead(Body):
    """A lead that a program enters for a brand. At least one of `email` and `phone` must work."""

    brand: str = Field(..., max_length=20, description="Code of a brand that the token's user reaches")
    email: str = Field("", max_length=254)
    phone: str = Field("", max_length=40, description="As dialled in `country`, or with + and the country's code")
    first_name: str = Field("", max_length=80)
    last_name: str = Field("", max_length=80)
    country: str = Field("", max_length=2, description="ISO 3166-1 alpha-2")
    language: str = Field("", max_length=8)
    message: str = Field("", max_length=2000)
    marketing_consent: bool = False
    campaign: str = Field("", max_length=60)
    source: str = Field("", max_length=60)
    medium: str = Field("", max_length=40)
    click_id: str = Field("", max_length=200)
    experience: ExperienceCode = DECLARED_EXPERIENCE
    intended_deposit: Decimal | None = INTENDED_DEPOSIT
    intended_currency: str = INTENDED_CURRENCY


class SalesStatusIn(Body):
    """Where a client is in the pipeline."""

    sales_status: SalesStatus
    reason: str = Field("", max_length=300)


@writes(router, "/v1/leads", LEADS, scope="leads:write", body=NewLead, summary="Create a lead")
def create_lead(principal: Principal, body: NewLead, _id: int | None) -> int:
    """Capture a lead for a brand: a known person gets no second record."""
    policies.require_permission(principal.user, "leads.add_lead")
    brand = Brand.objects.filter(code=body.brand, pk__in=reach_of(principal.user).brands).first()
    if brand is None:
        raise Http404
    fields = body.dict(exclude={"brand", "marketing_consent"})
    capture = Capture(channel=Channel.API, has_consent=body.marketing_consent, **fields)
    return capture_lead(brand=brand, capture=capture, actor=principal.user).lead.pk


writes_many(router, LEADS, create_lead, scope="leads:write", body=NewLead)


@writes(
    router,
    "/v1/clients/{id}/sales-status",
    CLIENTS,
    scope="clients:write",
    body=SalesStatusIn,
    summary="Change the sales status",
    needs_match=True,
)
def set_sales_status(principal: Principal, body: SalesStatusIn, client_id: int | None) -> int:
    """Move a client along the pipeline."""
    assert client_id is not None
    change_sales_status(client_id=client_id, to=body.sales_status, actor=principal.user, reason=body.reason)
    return client_id


def _answer(taken: Captured) -> dict[str, Any]:
    if taken.refusal:
        return {"lead_id": taken.lead.pk, "status": "refused", "reason": taken.refusal}
    return {"lead_id": taken.lead.pk}


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return None
