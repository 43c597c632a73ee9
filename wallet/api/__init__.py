"""Payments and the ledger in the API. Amounts are decimal texts with their currency; destinations stay masked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.db.models.functions import JSONObject
from ninja import Field, Router

from clients.api import CLIENTS
from clients.queries import clients_visible_to
from crm.api.authentication import Principal
from crm.api.fields import MONEY_SCHEMA, boolean, computed, day, integer, minor_money, text, time
from crm.api.reading import register
from crm.api.resources import Resource
from crm.api.writing import Body, require_visible, writes
from crm.models import User
from crm.money.amounts import from_minor
from wallet.api.reconciliation import BREAKS, REPORTS, add_balances
from wallet.core.queries import (
    accounts_visible_to,
    deposits_visible_to,
    journals_visible_to,
    psps_visible_to,
    transfers_visible_to,
    withdrawals_visible_to,
)
from wallet.models import Journal, Posting
from wallet.withdrawals.verbs import WithdrawalRequest, request_withdrawal

router = Router()
DEPOSITS: Final = Resource(
    "deposits",
    "deposit",
    scope="payments:read",
    permission="wallet.view_deposit",
    rows=deposits_visible_to,
    tracks_changes=True,
    summary="Money that clients pay in. `is_first`: the client's first-time deposit.",
    client="client_id",
    fields=(
        integer("id"),
        integer("client_id"),
        text("brand", "brand__code"),
        text("psp", "psp__name"),
        text("method"),
        text("reference"),
        text("psp_reference"),
        text("state"),
        minor_money("amount", "amount_minor", currency="currency"),
        minor_money("fee", "fee_minor", currency="currency"),
        minor_money("refunded", "refunded_minor", currency="currency"),
        boolean("is_first"),
        text("failure"),
        time("created_at"),
        time("settled_at"),
    ),
    filters=("client_id", "brand", "state", "reference", "is_first", "created_at", "settled_at"),
    expand={"client": CLIENTS},
)
WITHDRAWALS: Final = Resource(
    "withdrawals",
    "withdrawal",
    scope="payments:read",
    permission="wallet.view_withdrawal",
    rows=withdrawals_visible_to,
    tracks_changes=True,
    summary="Money that clients take out, through review and payout.",
    client="client_id",
    fields=(
        integer("id"),
        integer("client_id"),
        text("brand", "brand__code"),
        text("psp", "psp__name"),
        text("reference"),
        text("psp_reference"),
        text("state"),
        minor_money("amount", "amount_minor", currency="currency"),
        minor_money("fee", "fee_minor", currency="currency"),
        text("destination", "destination_label", note="Masked"),
        boolean("needs_second", note="Above the four-eyes limit when it was requested"),
        text("reason"),
        time("requested_at"),
        time("reviewed_at"),
        time("approved_at"),
        time("sent_at"),
        time("finished_at"),
    ),
    filters=("client_id", "brand", "state", "reference", "requested_at", "finished_at"),
    expand={"client": CLIENTS},
)
TRANSFERS: Final = Resource(
    "transfers",
    "transfer",
    scope="payments:read",
    permission="wallet.view_transfer",
    rows=transfers_visible_to,
    summary="Money between a client's wallet and their trading accounts.",
    client="client_id",
    fields=(
        integer("id"),
        integer("client_id"),
        text("brand", "brand__code"),
        text("reference"),
        text("direction"),
        text("state"),
        integer("trading_account_id"),
        minor_money("amount", "amount_minor", currency="currency"),
        text("failure"),
        time("created_at"),
        time("finished_at"),
    ),
    filters=("client_id", "brand", "state", "reference", "trading_account_id", "created_at", "finished_at"),
    expand={"client": CLIENTS},
)


def _balance(credits: int | None, debits: int | None, currency: str) -> dict[str, str]:
    return _money((credits or 0) - (debits or 0), currency)


def _money(minor: int, currency: str) -> dict[str, str]:
    return {"amount": f"{Decimal(from_minor(minor, currency)):f}", "currency": currency}


def _lines(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"line": line["line"], "account_id": line["account"], **_money(line["minor"], line["currency"])}
        for line in lines
    ]


def _journals(user: User) -> QuerySet[Journal]:
    lines = Posting.objects.filter(journal_id=OuterRef("pk")).order_by("line")
    line = JSONObject(line="line", account="account_id", minor="amount_minor", currency="currency")
    return journals_visible_to(user).annotate(lines=ArraySubquery(lines.values(data=line)))


LEDGER_ACCOUNTS: Final = Resource(
    "ledger-accounts",
    "ledger account",
    scope="ledger:read",
    permission="wallet.view_account",
    rows=accounts_visible_to,
    summary="Accounts of the ledger with what is posted on them now; credits count as positive.",
    client="client_id",
    fields=(
        integer("id"),
        text("brand", "brand__code"),
        text("kind"),
        text("currency"),
        integer("client_id"),
        text("psp", "psp__name"),
        computed(
            "balance", ("balance__credits_posted", "balance__debits_posted", "currency"), _balance, schema=MONEY_SCHEMA
        ),
        computed(
            "reserved",
            ("balance__debits_pending", "currency"),
            lambda pending, currency: _money(pending or 0, currency),
            schema=MONEY_SCHEMA,
        ),
        time("last_posted_at", "balance__last_posted_at"),
    ),
    filters=("brand", "kind", "currency", "client_id"),
)
JOURNALS: Final = Resource(
    "journals",
    "journal",
    scope="ledger:read",
    permission="wallet.view_journal",
    rows=_journals,
    summary="Journals with their postings, which sum to zero per currency. They are never changed: a correction reverses one.",
    fields=(
        integer("id"),
        text("brand", "brand__code"),
        text("kind"),
        text("phase"),
        text("description"),
        time("posted_at"),
        day("business_on", note="Accounting date"),
        integer("reverses_id"),
        computed(
            "postings",
            ("lines",),
            _lines,
            schema={
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "line": {"type": "integer"},
                        "account_id": {"type": "integer"},
                        **MONEY_SCHEMA["properties"],
                    },
                },
            },
        ),
    ),
    filters=("brand", "kind", "phase", "business_on", "posted_at"),
)
register(router, DEPOSITS, WITHDRAWALS, TRANSFERS, LEDGER_ACCOUNTS, JOURNALS, REPORTS, BREAKS)
add_balances(router)


class WithdrawalIn(Body):
    """A withdrawal that staff request for a client. It goes through the same checks and approvals as on the pages."""

    client_id: int = Field(..., ge=1, le=2**63 - 1)
    psp_id: int = Field(..., ge=1, le=2**63 - 1)
    amount: Decimal = Field(..., gt=0, max_digits=18, decimal_places=8, examples=["150.00"])
    currency: str = Field(..., min_length=3, max_length=5, examples=["EUR"])
    method: str = Field("", max_length=30, description="Code of one of the PSP's payment methods")
    destination: dict[str, str] = Field(
        default_factory=dict, max_length=20, examples=[{"iban": "DE89…", "holder": "A B"}]
    )


@writes(
    router, "/v1/withdrawals", WITHDRAWALS, scope="payments:write", body=WithdrawalIn, summary="Request a withdrawal"
)
def create_withdrawal(principal: Principal, body: WithdrawalIn, _id: int | None) -> int:
    """Request a withdrawal for a client."""
    require_visible(clients_visible_to(principal.user), body.client_id)
    require_visible(psps_visible_to(principal.user), body.psp_id)
    request = WithdrawalRequest(body.psp_id, body.amount, body.currency, body.destination, body.method)
    made = request_withdrawal(
        client_id=body.client_id, request=request, request_key=f"api:{uuid4().hex}", actor=principal.user
    )
    return made.pk
