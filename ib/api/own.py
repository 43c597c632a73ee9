"""What a partner's own tokens read: their clients, earnings, settlements, links and funnel, as on the partner's pages."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Annotated, Any, Final, Literal

from django.db.models import OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from clients.choices import Stage
from crm.api import openapi
from crm.api.authentication import Principal
from crm.api.fields import Field as ApiField
from crm.api.fields import boolean, computed, decimal, integer, money, text, time
from crm.api.problems import ApiProblem
from crm.api.reading import ID_MAX, register
from crm.api.resources import Resource
from crm.models import User
from ib.agreements.choices import ClientNames
from ib.choices import AccrualState, AttributionMethod, PartnerRight
from ib.models import Accrual, Attribution, ReferralDay, ReferralLink, Settlement
from ib.partner_pages import sources
from ib.partner_pages.client_names import names_for, shown_name
from ib.partner_pages.date_ranges import DateRange
from ib.partner_pages.tables import partner_id_of
from ib.team.rights import access_of, has_right, remember_access

CLIENTS_SCOPE: Final = "own_clients:read"
EARNINGS_SCOPE: Final = "own_earnings:read"
LINKS_SCOPE: Final = "own_links:read"
DAYS_MAX: Final = 92
LinkId = Annotated[int, Query(0, ge=0, le=ID_MAX)]
FACTORS: Final = ("basis", "basis_fx", "rate", "cap", "below", "share", "fx_rate")


def explanation() -> ApiField:
    """Declare the factors that an amount was made of."""
    return computed(
        "explanation",
        FACTORS,
        lambda *values: {
            name: None if value is None else f"{value:f}" for name, value in zip(FACTORS, values, strict=True)
        },
        schema={
            "type": "object",
            "description": "amount = (basis × basis_fx × rate, at most cap) × share × fx_rate, less below",
            "properties": {name: {"type": ["string", "null"]} for name in FACTORS},
        },
    )


def _may(right: PartnerRight, user: User) -> bool:
    remember_access(user)
    return has_right(right, user)


def _names_for(user: User) -> Value:
    """Write down with each row how the partner reads names; somebody without a partner has no rows."""
    access = access_of(user)
    return Value(str(names_for(access.partner) if access else ClientNames.NUMBER))


def _clients(user: User) -> QuerySet[Attribution]:
    rows = Attribution.objects.filter(partner_id=partner_id_of(user), ends_at__isnull=True)
    return rows.annotate(names=_names_for(user))


def _accruals(user: User) -> QuerySet[Accrual]:
    return Accrual.objects.filter(partner_id=partner_id_of(user)).annotate(names=_names_for(user))


def _settlements(user: User) -> QuerySet[Settlement]:
    return Settlement.objects.filter(partner_id=partner_id_of(user))


def _links(user: User) -> QuerySet[ReferralLink]:
    days = ReferralDay.objects.filter(link_id=OuterRef("pk")).order_by().values("link_id")
    sums = {
        name: Coalesce(Subquery(days.annotate(n=Sum(name)).values("n")), Value(0))
        for name in ("clicks", "registrations")
    }
    return ReferralLink.objects.filter(partner_id=partner_id_of(user)).annotate(**sums)


NAME_SCHEMA: Final[dict[str, Any]] = {
    "type": ["string", "null"],
    "description": "As on your pages, by your agreement: in full, shortened, or the number; null for clients of partners below you",
    "examples": ["Clara W."],
}


NAME_COLUMNS: Final = ("names", "client__first_name", "client__last_name", "client_id")


def _name_of_own(level: int, *values: Any) -> str | None:
    return shown_name(*values) if level == 1 else None


OWN_CLIENTS: Final = Resource(
    "partner-clients",
    "partner client",
    scope=CLIENTS_SCOPE,
    permission="",
    partner_may=partial(_may, PartnerRight.SEE_CLIENTS),
    rows=_clients,
    summary="The clients that you referred. Names are as on your pages, and contact details aren't shared.",
    client="client_id",
    fields=(
        integer("id"),
        integer("client_id"),
        computed("name", NAME_COLUMNS, shown_name, schema=NAME_SCHEMA),
        text("stage", "client__stage", choices=Stage.values),
        text("country", "client__country", example="DE"),
        text("method", choices=AttributionMethod.values),
        integer("link_id"),
        text("campaign", "link__campaign"),
        text("sub_id"),
        text("click_id", note="The click in your own system"),
        time("last_trade_at", "client__last_trade_at"),
        time("starts_at", note="Since when the client is yours"),
    ),
    filters=("stage", "country", "method", "link_id", "sub_id", "click_id", "starts_at"),
)
OWN_EARNINGS: Final = Resource(
    "partner-earnings",
    "partner earning",
    scope=EARNINGS_SCOPE,
    permission="",
    partner_may=partial(_may, PartnerRight.SEE_MONEY),
    rows=_accruals,
    summary="What each closed trade of your network earned you, or why it earned nothing. Only added to, never changed.",
    fields=(
        integer("id"),
        text("kind"),
        text("state", choices=AccrualState.values),
        text("reason", note="Why it earned nothing, or why it was corrected"),
        integer("level", note="1: your own client"),
        computed("client", ("level", *NAME_COLUMNS), _name_of_own, schema=NAME_SCHEMA),
        text("introducer", "introducer__code", note="Whose client it is: a partner's code"),
        integer("ticket", note="The deal on the platform"),
        text("symbol"),
        decimal("lots"),
        time("closed_at"),
        text("component"),
        boolean("is_override"),
        money("amount", currency="currency"),
        explanation(),
        time("created_at"),
    ),
    filters=("state", "reason", "level", "ticket", "closed_at", "created_at"),
)
OWN_SETTLEMENTS: Final = Resource(
    "partner-settlements",
    "partner settlement",
    scope=EARNINGS_SCOPE,
    permission="",
    partner_may=partial(_may, PartnerRight.SEE_MONEY),
    rows=_settlements,
    summary="What you were credited for each cycle.",
    fields=(
        integer("id"),
        text("name", note="The cycle, e.g. 2026-11 or 2026-W47"),
        text("cycle"),
        text("state"),
        integer("trades"),
        decimal("lots"),
        money("accrued", currency="currency"),
        money("carried_in", currency="currency"),
        money("amount", currency="currency"),
        money("carried_out", currency="currency"),
        time("settled_at"),
    ),
    filters=("name", "state", "settled_at"),
)
OWN_LINKS: Final = Resource(
    "partner-links",
    "partner link",
    scope=LINKS_SCOPE,
    permission="",
    partner_may=partial(_may, PartnerRight.SEE_LINKS),
    rows=_links,
    summary="Your links with all clicks and registrations so far.",
    fields=(
        integer("id"),
        text("code", note="The link is /r/<code>/ on the broker's site"),
        text("campaign"),
        text("landing"),
        boolean("is_active"),
        integer("clicks"),
        integer("registrations"),
        time("created_at"),
    ),
    filters=("code", "campaign", "is_active", "created_at"),
)


class FunnelRow(Schema):
    key: str = Field(..., description="The day, sub-id or country", examples=["2026-11-26"])
    clicks: int
    registered: int
    verified: int
    funded: int = Field(..., description="Have made a first deposit")
    active: int = Field(..., description="Have traded in the last 30 days")


class Funnel(Schema):
    """`total` counts all rows; `data` has the first hundred."""

    data: list[FunnelRow]
    total: FunnelRow


def read_partner_funnel(
    request: HttpRequest,
    first: dt.date,
    last: dt.date,
    by: Literal["day", "sub", "country"] = "day",
    link_id: LinkId = 0,
) -> Any:
    """Count clicks, registrations and how far these have come, from `first` to `last` (UTC, at most 92 days).

    `by`: day, sub or country; `link_id`: of one of your links only.
    """
    principal: Principal = request.auth  # type: ignore[attr-defined]
    principal.require(LINKS_SCOPE)
    access = remember_access(principal.user)
    if access is None or PartnerRight.SEE_LINKS not in access.rights:
        raise ApiProblem("not_allowed", "This is open to partners' own tokens whose user sees links.")
    if not 0 <= (last - first).days < DAYS_MAX or first.year < dt.date.min.year + 1 or last.year >= dt.date.max.year:
        raise ApiProblem("invalid_request", f"first and last are at most {DAYS_MAX} days apart.", parameter="last")
    if link_id and not ReferralLink.objects.filter(pk=link_id, partner=access.partner).exists():
        raise ApiProblem("not_found", "You have no such link.")
    found = sources.sources(access.partner, DateRange("", first, last, first, last), by, link_id=link_id)
    return {"data": [_row(row) for row in found.rows], "total": _row(found.total)}


def _row(source: sources.Source) -> dict[str, Any]:
    steps = ("clicks", "registered", "verified", "funded", "active")
    return {"key": source.key, **{name: getattr(source, name) for name in steps}}


def add_own(router: Router) -> None:
    """Add what partners read of their own."""
    register(router, OWN_CLIENTS, OWN_EARNINGS, OWN_SETTLEMENTS, OWN_LINKS)
    extra = openapi.of_read(LINKS_SCOPE)
    extra["responses"] |= openapi.refusals("invalid_request", "not_found")
    router.add_api_operation(
        "/v1/partner-funnel",
        ["GET"],
        read_partner_funnel,
        response=Funnel,
        operation_id="read_partner_funnel",
        url_name="read_partner_funnel",
        summary="Read your funnel",
        tags=["partner-links"],
        auth=openapi.auth(),
        openapi_extra=extra,
    )
