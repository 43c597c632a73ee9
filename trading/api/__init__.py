"""Trading accounts, deals and positions in the API."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from django.db.models import QuerySet
from ninja import Field, Router

from clients.api import CLIENTS
from clients.queries import clients_visible_to
from crm.api.authentication import Principal
from crm.api.fields import boolean, decimal, integer, money, text, time
from crm.api.reading import register
from crm.api.resources import Resource
from crm.api.writing import Body, require_visible, writes
from crm.models import User
from trading.accounts.opening import request_account
from trading.choices import AccountState
from trading.models import AccountType, Position
from trading.queries import accounts_visible_to, deals_visible_to

router = Router()


def _positions(user: User) -> QuerySet[Position]:
    return Position.objects.filter(account__in=accounts_visible_to(user))


ACCOUNTS: Final = Resource(
    "trading-accounts",
    "trading account",
    scope="trading:read",
    permission="trading.view_tradingaccount",
    tracks_changes=True,
    rows=accounts_visible_to,
    summary="Accounts on the platforms with their figures as of the last sync.",
    client="client_id",
    fields=(
        integer("id"),
        integer("client_id"),
        text("server", "server__name"),
        text("login"),
        text("group"),
        text("currency"),
        integer("leverage"),
        boolean("is_demo"),
        text("state", choices=AccountState.values),
        money("balance", currency="currency"),
        money("credit", currency="currency"),
        money("equity", currency="currency"),
        money("margin", currency="currency"),
        decimal("margin_level", note="Per cent"),
        time("requested_at"),
        time("opened_at"),
        time("archived_at"),
        time("last_trade_at"),
        time("synced_at"),
    ),
    filters=("client_id", "login", "state", "currency", "is_demo", "requested_at", "last_trade_at"),
    expand={"client": CLIENTS},
)
DEALS: Final = Resource(
    "deals",
    "deal",
    scope="trading:read",
    permission="trading.view_deal_list",
    tracks_changes=True,
    rows=deals_visible_to,
    summary="Deals as the platforms report them. `deleted_at`: a dealer deleted it there since.",
    client="account__client_id",
    order=("-executed_at", "-id"),
    fields=(
        integer("id"),
        integer("account_id"),
        integer("ticket"),
        integer("position_id"),
        integer("order_id"),
        time("executed_at"),
        integer("action", note="As the platform numbers it: 0 buy, 1 sell, 2 balance"),
        integer("entry", note="0 in, 1 out, 2 in and out, 3 close by"),
        text("symbol"),
        decimal("lots"),
        decimal("closed_lots"),
        decimal("price"),
        money("profit", currency="account__currency"),
        money("commission", currency="account__currency"),
        money("swap", currency="account__currency"),
        money("fee", currency="account__currency"),
        text("comment"),
        time("synced_at"),
        time("deleted_at"),
    ),
    filters=("account_id", "symbol", "ticket", "action", "executed_at"),
)
POSITIONS: Final = Resource(
    "positions",
    "position",
    scope="trading:read",
    permission="trading.view_position",
    rows=_positions,
    summary="Open positions as of the last sync.",
    client="account__client_id",
    fields=(
        integer("id"),
        integer("account_id"),
        integer("ticket"),
        text("symbol"),
        integer("action", note="0 buy, 1 sell"),
        decimal("lots"),
        decimal("price_open"),
        decimal("price_current"),
        money("profit", currency="account__currency"),
        money("swap", currency="account__currency"),
        time("opened_at"),
        time("synced_at"),
    ),
    filters=("account_id", "symbol", "opened_at"),
    expand={"account": ACCOUNTS},
)
register(router, ACCOUNTS, DEALS, POSITIONS)


class AccountIn(Body):
    """A trading account for a client. It is requested: its state says when the platform has opened it."""

    client_id: int = Field(..., ge=1, le=2**63 - 1)
    account_type_id: int = Field(..., ge=1, le=2**63 - 1)
    leverage: int | None = Field(None, ge=1, le=10_000, description="1:n; empty: the type's own")


@writes(
    router, "/v1/trading-accounts", ACCOUNTS, scope="trading:write", body=AccountIn, summary="Open a trading account"
)
def create_trading_account(principal: Principal, body: AccountIn, _id: int | None) -> int:
    """Request an account on the platform."""
    clients = clients_visible_to(principal.user)
    require_visible(clients, body.client_id)
    require_visible(AccountType.objects.filter(brand__in=clients.values("brand")), body.account_type_id)
    account = request_account(
        client_id=body.client_id,
        account_type_id=body.account_type_id,
        request_key=f"api:{uuid4().hex}",
        actor=principal.user,
        leverage=body.leverage,
    )
    return account.pk
