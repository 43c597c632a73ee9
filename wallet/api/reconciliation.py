"""Reports of PSPs, breaks, and the ledger's balances at an instant in the API."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any, Final

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from crm.api import openapi
from crm.api.authentication import Principal
from crm.api.fields import day, integer, minor_money, text, time
from crm.api.problems import ApiProblem
from crm.api.resources import Resource
from crm.choices import AccessKind
from crm.money.amounts import from_minor
from crm.security import access_log
from crm.security.policies import require_permission
from wallet.choices.reconciliation import BreakKind, BreakState, Leg
from wallet.core.queries import accounts_visible_to, breaks_visible_to, imports_visible_to
from wallet.ledger import posting

ACCOUNTS_MAX: Final = 200
SCOPE: Final = "ledger:read"
PERMISSION: Final = "wallet.view_settlementimport"

REPORTS: Final = Resource(
    "settlement-reports",
    "settlement report",
    scope=SCOPE,
    permission=PERMISSION,
    rows=imports_visible_to,
    summary="Reports of PSPs as they were imported and compared with the ledger.",
    fields=(
        integer("id"),
        text("brand", "psp__brand__code"),
        text("psp", "psp__name"),
        text("file_name"),
        text("sha256"),
        text("format"),
        day("first_day"),
        day("last_day"),
        integer("row_count"),
        integer("matched"),
        integer("seen_before", note="Rows already in an earlier report"),
        integer("breaks_found"),
        time("imported_at"),
    ),
    filters=("brand", "psp", "first_day", "last_day", "imported_at"),
)
BREAKS: Final = Resource(
    "breaks",
    "break",
    scope=SCOPE,
    permission=PERMISSION,
    rows=breaks_visible_to,
    summary="Differences between the ledger and what PSPs, banks and platforms report.",
    client="client_id",
    fields=(
        integer("id"),
        text("brand", "brand__code"),
        text("leg", choices=Leg.values),
        text("psp", "psp__name"),
        integer("report_id"),
        text("kind", choices=BreakKind.values),
        text("subject"),
        integer("client_id"),
        minor_money("difference", "difference_minor", currency="currency"),
        text("state", choices=BreakState.values),
        integer("owner_id"),
        time("happened_at"),
        time("opened_at"),
        time("resolved_at"),
    ),
    filters=("brand", "leg", "psp", "kind", "state", "client_id", "report_id", "opened_at", "resolved_at"),
)


class BalanceOut(Schema):
    account_id: int
    amount: str = Field(..., examples=["1250.00"])
    currency: str


class BalancesOut(Schema):
    """Posted balances; credits count as positive."""

    as_of: dt.datetime
    data: list[BalanceOut]


def read_balances(
    request: HttpRequest,
    account_id: Annotated[
        str, Query(..., max_length=4000, description=f"Ids of ledger accounts, at most {ACCOUNTS_MAX}, by commas")
    ],
    as_of: Annotated[
        dt.datetime | None, Query(description="With its zone; empty: now. Postings of this instant are included")
    ] = None,
) -> Any:
    """Read posted balances of ledger accounts, now or at any instant. Accounts that you may not see are left out."""
    principal: Principal = request.auth  # type: ignore[attr-defined]
    principal.require(SCOPE)
    require_permission(principal.user, "wallet.view_account")
    parts = [part.strip() for part in account_id.split(",") if part.strip()]
    if (
        not parts
        or len(parts) > ACCOUNTS_MAX
        or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts)
    ):
        raise ApiProblem("invalid_request", f"account_id: 1 to {ACCOUNTS_MAX} ids, by commas.", parameter="account_id")
    if as_of is not None and (as_of.tzinfo is None or not 1990 <= as_of.year <= 2100):
        raise ApiProblem("invalid_request", "as_of: a time with its zone, 2026-11-26T09:30:00Z.", parameter="as_of")
    accounts = accounts_visible_to(principal.user).filter(pk__in={int(part) for part in parts})
    rows = list(accounts.order_by("pk").values_list("pk", "currency"))
    known = posting.balances([pk for pk, _currency in rows], at=as_of)
    user = principal.user
    access_log.note(
        kind=AccessKind.EXPORT,
        target="api:ledger-balances",
        rows=len(rows),
        user=user,
        client_id=None,
        brand_id=user.brand_id,
    )
    data = [
        {"account_id": pk, "amount": f"{Decimal(from_minor(known.get(pk, 0), currency)):f}", "currency": currency}
        for pk, currency in rows
    ]
    return {"as_of": as_of or timezone.now(), "data": data}


def add_balances(router: Router) -> None:
    """Add `GET /v1/ledger-balances`."""
    router.add_api_operation(
        "/v1/ledger-balances",
        ["GET"],
        read_balances,
        response=BalancesOut,
        operation_id="read_ledger_balances",
        url_name="read_ledger_balances",
        summary="Read ledger balances",
        tags=["ledger-accounts"],
        auth=openapi.auth(),
        openapi_extra=openapi.of_read(SCOPE),
    )
