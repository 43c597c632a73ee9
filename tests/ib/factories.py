"""Partners, plans, accounts and deals for tests of commissions."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace
from decimal import Decimal

from django.db import connection

from clients.models import Client
from crm.models import Brand, FxRate, User
from ib import attribution, engine, partners, plans
from ib.agreements import cards
from ib.applications.agreement import agreement_for
from ib.applications.applying import Accepted, Answers, apply, apply_as_client
from ib.models import Partner, Plan, PlanVersion
from trading.models import SymbolInfo, TradingAccount, TradingServer
from wallet.bonuses.granting import credit_account
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.ledger import posting

NOON = dt.datetime(2026, 9, 10, 12, tzinfo=dt.UTC)
LONG_AGO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
_numbers = itertools.count(1)
SYMBOLS = {"EURUSD": "fx_majors", "XAUUSD": "metals", "DE40": "indices", "XAUUSD.m": ""}


def load_rates(*days: dt.date) -> None:
    """1 EUR = 1.25 USD = 0.80 GBP on the first of 2026 and on the given days."""
    for day in (dt.date(2026, 1, 2), *days):
        for currency, rate in (("USD", "1.25"), ("GBP", "0.80"), ("JPY", "160")):
            FxRate.objects.get_or_create(on=day, currency=currency, defaults={"rate": Decimal(rate)})


def make_partner(brand: Brand, *, parent: Partner | None = None, currency: str = "EUR", **fields) -> Partner:
    n = next(_numbers)
    return partners.register_partner(
        brand=brand,
        details=partners.PartnerDetails(
            name=f"Partner {n}",
            email=f"partner{n}@example.com",
            currency=currency,
            code=f"partner-{n}",
            parent_id=parent.pk if parent else None,
            **fields,
        ),
        actor=None,
        at=LONG_AGO,
    )


ANSWERS = Answers(kind="person", country="DE", channels="Seminars", clients_per_month="some")


def applied(cast, *, client: Client | None = None, kind: str = "person", **details) -> Partner:
    """An applicant of the website, or the client who applied in their portal."""
    wording = agreement_for(cast.brand, "en")
    accepted = Accepted(wording.language, wording.sha256)
    answers = replace(ANSWERS, kind=kind)
    if client is not None:
        return apply_as_client(client=client, actor=client.user, currency="EUR", answers=answers, accepted=accepted)
    details = {"name": "Nordlicht", "email": "n@nordlicht.example", "currency": "EUR", **details}
    apply(brand=cast.brand, details=partners.PartnerDetails(**details), answers=answers, accepted=accepted)
    return Partner.objects.get(user__email=details["email"])


def card(rates=None, shares=None, overrides=None) -> cards.RateCard:
    return cards.RateCard(
        rates={k: Decimal(v) for k, v in (rates or {"fx_majors": "10"}).items()},
        shares={k: Decimal(v) for k, v in (shares or {1: "0.6", 2: "0.3", 3: "0.1"}).items()},
        overrides={k: Decimal(v) for k, v in (overrides or {}).items()},
    )


def make_version(
    brand: Brand,
    maker: User,
    checker: User,
    *,
    plan: Plan | None = None,
    starts_at: dt.datetime = LONG_AGO,
    currency: str = "EUR",
    rate_card: cards.RateCard | None = None,
    **fields,
) -> PlanVersion:
    """An active version, of a new plan unless one is given. The start may lie in the past."""
    plan = plan or plans.create_plan(brand=brand, name=f"Plan {next(_numbers)}", description="", actor=None)
    terms = cards.VersionTerms(starts_at=starts_at, currency=currency, card=rate_card or card(), **fields)
    version = plans.draft_version(plan_id=plan.pk, actor=maker, terms=terms)
    plans.propose_version(version_id=version.pk, actor=maker)
    return plans.activate_version(version_id=version.pk, actor=checker, at=starts_at)


def make_server() -> TradingServer:
    server, created = TradingServer.objects.get_or_create(
        name="Test server", defaults={"host": "127.0.0.1", "manager_login": "1000", "credentials": b""}
    )
    if created:
        for name, group in SYMBOLS.items():
            SymbolInfo.objects.create(
                server=server, name=name, canonical=name, symbol_group=group, contract_size=100_000, read_at=NOON
            )
    return server


def make_account(client: Client, *, group: str = "real\\standard-EUR", is_demo: bool = False) -> TradingAccount:
    n = next(_numbers)
    return TradingAccount.objects.create(
        client=client,
        server=make_server(),
        login=str(700_000 + n),
        group=group,
        currency="EUR",
        leverage=30,
        is_demo=is_demo,
        state="open",
        opened_at=LONG_AGO,
        request_key=f"test-{n}",
    )


INSERT_DEAL = """
INSERT INTO trading_deal (executed_at, server_id, ticket, account_id, login, server_msc, action, entry, symbol, lots,
  closed_lots, contract_size, price, price_position, profit, commission, swap, fee, position_id, order_id, raw)
VALUES (%s, %s, %s, %s, %s, 0, %s, %s, %s, %s, %s, 100000, %s, 1, %s, %s, %s, 0, %s, 0, '{}') RETURNING id
"""


def make_deal(
    account: TradingAccount,
    *,
    at: dt.datetime,
    entry: int,
    lots: str,
    position: int,
    closed: str = "0",
    symbol: str = "EURUSD",
    action: int = 0,
    price: str = "1",
    profit: str | float = "0",
    commission: str = "0",
    swap: str = "0",
) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            INSERT_DEAL,
            [
                at,
                account.server_id,
                next(_numbers),
                account.pk,
                account.login,
                action,
                entry,
                symbol,
                Decimal(lots),
                Decimal(closed),
                Decimal(price),
                Decimal(str(profit)),
                Decimal(commission),
                Decimal(swap),
                position,
            ],
        )
        return cursor.fetchone()[0]


def make_trade(
    account: TradingAccount,
    *,
    lots: str = "1",
    at: dt.datetime = NOON,
    held_seconds: int = 3600,
    symbol: str = "EURUSD",
    opening_commission: str = "0",
    side: int = 0,
    **closing: str,
) -> int:
    """A position opened at a price of 1 and closed (`price`, `profit`, `commission`); returns the closing deal's id.

    side: 0 bought, 1 sold.
    """
    opened = at - dt.timedelta(seconds=held_seconds)
    position = open_position(account, at=opened, lots=lots, symbol=symbol, commission=opening_commission, action=side)
    return make_deal(
        account, at=at, entry=1, lots=lots, closed=lots, position=position, symbol=symbol, action=1 - side, **closing
    )


def open_position(account: TradingAccount, **opening) -> int:
    position = next(_numbers)
    make_deal(account, entry=0, position=position, **opening)
    return position


def refer(client: Client, partner: Partner) -> None:
    attribution.attribute_client(client_id=client.pk, partner_id=partner.pk, actor=None, at=LONG_AGO)


def recompute(*, brand: Brand, from_at: dt.datetime, to_at: dt.datetime, actor: User, reason: str, client_id=None):
    """Calculate a stretch again and write the differences, as an applied replay does."""
    scope = engine.Scope(from_at=from_at, to_at=to_at, client_id=client_id)
    return engine.run(brand=brand, scope=scope, kind="replay", corrects=True, actor=actor, reason=reason)


def book(client: Client, at: dt.datetime, *, fee: int = 0, bonus: int = 0, currency: str = "EUR") -> None:
    """Charge a client a fee of a deposit, and grant a bonus, in minor units, as the ledger books them."""
    wallet, credit = posting.wallet_of(client, currency), credit_account(client, currency)
    source, fees, cost = (
        posting.house(kind, brand_id=client.brand_id, currency=currency)
        for kind in (AccountKind.SUSPENSE, AccountKind.FEES, AccountKind.BONUS_COST)
    )
    lines = (posting.Line(source, -10_000), posting.Line(wallet, 10_000 - fee))
    entries = [(*lines, posting.Line(fees, fee))] if fee else []
    entries += [(posting.Line(cost, -bonus), posting.Line(credit, bonus))] if bonus else []
    posting.post_many(
        [posting.Entry(f"test:{next(_numbers)}", JournalKind.ADJUSTMENT, client.brand_id, entry) for entry in entries],
        actor=None,
        posted_at=[at] * len(entries),
    )
