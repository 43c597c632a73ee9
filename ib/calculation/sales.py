"""What partners earn on prop challenges that their clients buy: a line per challenge and partner upline, paid once.

A fee that was refunded or charged back pays nobody any more: the line's difference is a further row. Agreement, network, ranks and
status are those of the sale. Calculated when a challenge is sold or its fee returned, and again each night for what was sold
lately, so that a client who was credited to a partner late is paid for; later by a replay. Running it again writes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from clients.models import Client
from crm.models import Brand
from ib import clawback, periods
from ib.calculation import beside, caps, facts, wanted
from ib.calculation.facts import COUNTRY_AT
from ib.calculation.tried import Instead
from ib.choices import OF_SALES, SALES_FROM, AccrualKind, FeeReturn, Reason, RunKind
from ib.engine import EngineResult
from ib.models import ChallengeSale, ClientForfeit, CommissionRun, ReversedPart

# So many days of sales are looked at again each night.
REVIEWED: Final = dt.timedelta(days=35)
_SCOPE: Final = """c.brand_id = %(brand)s AND (%(sales)s::bigint[] IS NULL OR s.id = ANY (%(sales)s))
  AND (%(from)s::timestamptz IS NULL OR s.sold_at >= %(from)s) AND (%(to)s::timestamptz IS NULL OR s.sold_at < %(to)s)
  AND (%(clients)s::bigint[] IS NULL OR s.client_id = ANY (%(clients)s))"""
# All sales of the scope: of a client who is nobody's by now, too, there may be lines.
IDS: Final = f"""
SELECT -({SALES_FROM} + s.id), s.client_id, s.currency FROM ib_challengesale s JOIN clients_client c ON c.id = s.client_id
WHERE {_SCOPE} ORDER BY s.id
"""  # noqa: S608
CLOSING: Final = f"""
CREATE TEMP TABLE ib_closing ON COMMIT DROP AS
SELECT -({SALES_FROM} + s.id) AS deal_id, s.challenge_number AS ticket, s.sold_at AS closed_at, 0::bigint AS account_id,
  0::bigint AS position_id, ''::text AS symbol, 0::numeric AS lots, s.client_id, ''::text AS platform, ''::text AS account_group,
  ''::text AS symbol_group, att.partner_id AS introducer_id, att.link_id, s.currency::text AS account_currency,
  {COUNTRY_AT.format(at="s.sold_at")} AS country, s.price AS fee, s.returned_at IS NOT NULL AS is_returned, 0::numeric AS pips,
  s.sold_at AS agreed_at
FROM ib_challengesale s JOIN clients_client c ON c.id = s.client_id
JOIN ib_attribution att ON att.client_id = s.client_id AND att.starts_at <= s.sold_at
  AND (att.ends_at IS NULL OR att.ends_at > s.sold_at)
WHERE {_SCOPE}
"""  # noqa: S608


@dataclass(frozen=True)
class Sold:
    """Which sales of a brand a pass is about: all that is set."""

    sale_ids: Sequence[int] | None = None
    from_at: dt.datetime | None = None
    to_at: dt.datetime | None = None
    client_ids: Sequence[int] | None = None

    def about(self, brand: Brand) -> dict[str, Any]:
        return {
            "brand": brand.pk,
            "sales": None if self.sale_ids is None else list(self.sale_ids),
            "from": self.from_at,
            "to": self.to_at,
            "clients": None if self.client_ids is None else list(self.client_ids),
        }


@transaction.atomic
def record_sale(
    *, client_id: int, challenge_number: int, sold_at: dt.datetime, price: Decimal, currency: str
) -> ChallengeSale:
    """Keep a sold challenge and calculate what it earns whom; a repeat changes nothing. Who: the system's own work."""
    client = Client.objects.select_related("brand").get(pk=client_id)
    periods.lock_commissions(client.brand_id)
    sale, is_new = ChallengeSale.objects.get_or_create(
        challenge_number=challenge_number,
        defaults={"client": client, "sold_at": sold_at, "price": price, "currency": currency},
    )
    if is_new:
        calculate(client.brand, Sold(sale_ids=[sale.pk]))
    return sale


@transaction.atomic
def record_return(*, challenge_number: int, because: FeeReturn) -> ChallengeSale:
    """Take back what a sold challenge earned, as its fee was returned; a repeat changes nothing. Who: the system's own work.

    Raises: ChallengeSale.DoesNotExist, as long as the sale wasn't heard of.
    """
    found = ChallengeSale.objects.select_related("client__brand").get(challenge_number=challenge_number)
    periods.lock_commissions(found.client.brand_id)
    sale = ChallengeSale.objects.get(pk=found.pk)
    if sale.returned_at is None:
        sale.returned_at, sale.returned_because = timezone.now(), because
        sale.save(update_fields=["returned_at", "returned_because"])
        calculate(found.client.brand, Sold(sale_ids=[sale.pk]))
    return sale


@transaction.atomic
def review_sales(*, brand: Brand, at: dt.datetime | None = None) -> EngineResult:
    """Calculate the last weeks' sales again, and correct what was calculated before. Who: the system's own work."""
    periods.lock_commissions(brand.pk)
    return calculate(brand, Sold(from_at=(at or timezone.now()) - REVIEWED))


def calculate(brand: Brand, sold: Sold, *, run: CommissionRun | None = None, source: str = "") -> EngineResult:
    """Write what sales earn, and the difference to what was written of them before.

    run: of which the lines are a part; else a run of its own, kept where it wrote something.
    Call with the brand's commissions locked.
    """
    outcome, now = EngineResult(), timezone.now()
    with connection.cursor() as cursor:
        features = beside.features_beside(cursor, brand, None)
        about = sold.about(brand)
        cursor.execute(IDS, about)
        found = cursor.fetchall()
        if not features.has_sales or not found:
            _drop(cursor)
            return outcome
        cursor.execute(CLOSING, about)
        beside.lay_beside(
            cursor, brand, features, components=OF_SALES, bases={currency for _pk, _who, currency in found}
        )
        cursor.execute("SELECT min(closed_at) FROM ib_closing")
        first = cursor.fetchone()[0]
        periods.ensure_periods(brand, first or now, now)
        late = periods.open_period(brand.pk)
        assert late is not None, "now is always in an open period"
        row = run or CommissionRun.objects.create(
            brand=brand, kind=RunKind.SALES, from_at=sold.from_at or first, to_at=sold.to_at or now, started_at=now
        )
        deal_ids = [deal_id for deal_id, _who, _currency in found]
        given: dict[str, Any] = {
            "brand": brand.pk,
            "run": row.pk,
            "now": now,
            "late": late.pk,
            "source": source,
            "deal_ids": deal_ids,
        }
        cursor.execute(wanted.statement(features, is_sale=True), given)
        beside.write_lines(cursor, features, given, outcome, brand)
        _drop(cursor)
    if run is None:
        if outcome.rows:
            _balance(brand, row, {client_id for _pk, client_id, _currency in found}, deal_ids)
        _keep(row, outcome)
    return outcome


def _balance(brand: Brand, run: CommissionRun, client_ids: set[int], deal_ids: list[int]) -> None:
    """Let reversed deposits and forfeits take their part of what these sales earn by now."""
    concerned = set(ReversedPart.objects.filter(client__in=client_ids).values_list("client_id", flat=True))
    concerned |= set(
        ClientForfeit.objects.filter(client__in=client_ids, lifted_at=None).values_list("client_id", flat=True)
    )
    for client_id in sorted(concerned):
        is_forfeited = ClientForfeit.objects.filter(client=client_id, lifted_at=None).exists()
        clawback.balance(
            client_id=client_id,
            brand=brand,
            since=LONG_AGO,
            source=f"sales:{run.pk}",
            kind=AccrualKind.CLAWBACK,
            reason=Reason.CLIENT_FORFEITED if is_forfeited else Reason.DEPOSIT_REVERSED,
            deal_ids=deal_ids,
        )


LONG_AGO: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def _keep(row: CommissionRun, outcome: EngineResult) -> None:
    if not outcome.rows:
        row.delete()
        return
    row.accrued, row.excluded, row.corrected = outcome.accrued, outcome.excluded, outcome.corrected
    row.finished_at = timezone.now()
    row.save()


def tried(
    brand: Brand, from_at: dt.datetime, to_at: dt.datetime, *, currency: str, instead: Instead | None
) -> dict[int, tuple[Decimal, Decimal]]:
    """Calculate a stretch's sales without writing: {partner: (earned, cost of their own clients' challenges)} in a currency.

    `instead`: with a version tried out. Call in a transaction.
    """
    with connection.cursor() as cursor:
        features = beside.features_beside(cursor, brand, instead)
        about = Sold(from_at=from_at, to_at=to_at).about(brand)
        cursor.execute(IDS, about)
        bases = {base for _pk, _who, base in cursor.fetchall()}
        if not features.has_sales or not bases:
            _drop(cursor)
            return {}
        cursor.execute(CLOSING, about)
        beside.lay_beside(cursor, brand, features, components=OF_SALES, bases=bases, instead=instead, currency=currency)
        cursor.execute(wanted.statement(features, is_sale=True), {"brand": brand.pk, "late": 0})
        if features.has_caps:
            cursor.execute(caps.TRIED, {"zone": brand.time_zone})
        cursor.execute(beside.EARNED, {"currency": currency})
        found = {partner_id: (earned, cost) for partner_id, earned, cost in cursor.fetchall()}
        _drop(cursor)
    return found


def _drop(cursor: CursorWrapper) -> None:
    cursor.execute(f"DROP TABLE IF EXISTS {', '.join(facts.TABLES)}")
