"""Partners, what they earned and why, and their settlements in the API."""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet
from ninja import Router

from crm.api.fields import boolean, decimal, integer, money, text, time
from crm.api.reading import register
from crm.api.resources import Resource
from crm.models import User
from ib.api.own import add_own, explanation
from ib.choices import AccrualState, PartnerState
from ib.models import Accrual, Settlement
from ib.queries import partners_visible_to

router = Router()
PARTNERS: Final = Resource(
    "partners",
    "partner",
    scope="partners:read",
    permission="ib.view_partner",
    rows=partners_visible_to,
    summary="Introducing brokers.",
    fields=(
        integer("id"),
        text("brand", "brand__code"),
        text("code"),
        text("name"),
        text("currency", note="In which commissions are paid"),
        text("state", choices=PartnerState.values),
        integer("manager_id"),
        time("joined_at"),
    ),
    filters=("brand", "code", "state", "manager_id", "joined_at"),
)


def _accruals(user: User) -> QuerySet[Accrual]:
    return Accrual.objects.filter(partner__in=partners_visible_to(user))


def _settlements(user: User) -> QuerySet[Settlement]:
    return Settlement.objects.filter(partner__in=partners_visible_to(user))


ACCRUALS: Final = Resource(
    "accruals",
    "accrual",
    scope="partners:read",
    permission="ib.view_accrual",
    rows=_accruals,
    summary="What one closed deal earned one partner, or why it earned nothing. Only added to, never changed.",
    client="client_id",
    fields=(
        integer("id"),
        integer("partner_id"),
        integer("client_id"),
        text("kind"),
        text("state", choices=AccrualState.values),
        text("reason", note="Why it earned nothing"),
        integer("level"),
        integer("deal_id"),
        integer("ticket"),
        text("symbol"),
        decimal("lots"),
        time("closed_at"),
        text("component"),
        boolean("is_override"),
        money("amount", currency="currency"),
        explanation(),
        time("created_at"),
    ),
    filters=("partner_id", "client_id", "kind", "state", "closed_at", "created_at"),
    expand={"partner": PARTNERS},
)
SETTLEMENTS: Final = Resource(
    "settlements",
    "settlement",
    scope="partners:read",
    permission="ib.view_settlement",
    rows=_settlements,
    summary="What a partner was credited for a cycle.",
    fields=(
        integer("id"),
        integer("partner_id"),
        text("name", note="The cycle, e.g. 2026-11 or 2026-W47"),
        text("cycle"),
        text("state"),
        integer("trades"),
        decimal("lots"),
        money("accrued", currency="currency"),
        money("carried_in", currency="currency"),
        money("amount", currency="currency"),
        money("carried_out", currency="currency"),
        time("cut_at"),
        time("settled_at"),
    ),
    filters=("partner_id", "name", "state", "settled_at"),
    expand={"partner": PARTNERS},
)
register(router, PARTNERS, ACCRUALS, SETTLEMENTS)
add_own(router)
