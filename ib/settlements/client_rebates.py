"""Crediting clients with what their partner passes on: one journal per settlement and client, in the settlement's transaction.

The rows that pass on are lines of the settlement as any other, so what is on hold or in dispute waits with the partner's line. A
clawback takes the client's part back from the wallet, as far as it has that much; the rest is offset against later rebates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from django.db import connection, transaction

from clients.choices import TimelineKind
from clients.models import Client
from clients.timeline import add_entry
from crm.i18n.localized_text import phrase
from crm.models import Actor, Brand
from crm.money import amounts
from crm.money.amounts import Money
from ib.models import ClientRebate, Settlement
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.ledger import posting
from wallet.models import Balance

# The rows of new settlements that pass on, as in `lines_of`.
PASSED_ON = """
WITH fresh AS (
  SELECT s.id, s.partner_id, s.currency, s.to_id, s.to_at, p.to_id AS from_id, p.to_at AS from_at
  FROM ib_settlement s LEFT JOIN ib_settlement p ON p.id = s.previous_id WHERE s.id = ANY (%s)
)
SELECT settlement_id, client_id, count(DISTINCT deal_id), -sum(amount) FROM (
  SELECT f.id AS settlement_id, a.client_id, a.deal_id, a.amount
  FROM fresh f JOIN ib_accrual a ON a.partner_id = f.partner_id AND a.currency = f.currency AND a.kind = 'passed'
  WHERE a.id <= f.to_id AND a.closed_at < f.to_at AND (f.from_id IS NULL OR a.id > f.from_id OR a.closed_at >= f.from_at)
    AND NOT EXISTS (SELECT FROM ib_heldline h WHERE h.accrual_id = a.id AND h.passed_id = f.id)
  UNION ALL
  SELECT f.id, a.client_id, a.deal_id, a.amount
  FROM fresh f JOIN ib_heldline h ON h.taken_id = f.id JOIN ib_accrual a ON a.id = h.accrual_id AND a.kind = 'passed'
) l GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Part:
    """What one settlement's lines pass on to one client, exact."""

    settlement_id: int
    client_id: int
    trades: int
    amount: Decimal


def credit_clients(brand: Brand, settlements: Sequence[Settlement], *, actor: Actor) -> None:
    """Credit what new settlements pass on. Call with the brand's commissions locked.

    Nothing is credited twice: a row is in one settlement, and a settlement has one rebate per client.
    """
    parts: dict[int, list[Part]] = {}
    for part in _parts([row.pk for row in settlements]):
        parts.setdefault(part.settlement_id, []).append(part)
    for settlement in settlements:
        if settlement.pk in parts:
            _credit(brand, settlement, parts[settlement.pk], actor)


def _parts(settlement_ids: list[int]) -> list[Part]:
    with connection.cursor() as cursor:
        cursor.execute(PASSED_ON, [settlement_ids])
        return [Part(*row) for row in cursor.fetchall()]


def _credit(brand: Brand, settlement: Settlement, parts: list[Part], actor: Actor) -> None:
    clients = Client.objects.in_bulk({part.client_id for part in parts})
    last = {
        row.client_id: row
        for row in ClientRebate.objects.filter(client__in=clients, currency=settlement.currency, next__isnull=True)
    }
    rows = [_row(settlement, clients[part.client_id], part, last.get(part.client_id)) for part in parts]
    entries = {row.client_id: _entry(brand, row) for row in rows if row.amount > 0}
    posted = posting.post_many(list(entries.values()), actor=actor)
    journals = {client_id: one.journal_id for client_id, one in zip(entries, posted, strict=True)}
    for row in rows:
        row.journal_id = journals.get(row.client_id)
        if row.amount < 0:
            _take_back(brand, row, actor)
    ClientRebate.objects.bulk_create(rows, batch_size=1000)
    for row in rows:
        if row.amount:
            _add_to_activity(row)


def _row(settlement: Settlement, client: Client, part: Part, previous: ClientRebate | None) -> ClientRebate:
    carried_in = previous.carried_out if previous else Decimal(0)
    total = part.amount + carried_in
    amount = amounts.quantize(total, settlement.currency, rounding=ROUND_DOWN)
    return ClientRebate(
        settlement=settlement,
        client=client,
        currency=settlement.currency,
        previous=previous,
        trades=part.trades,
        accrued=part.amount,
        carried_in=carried_in,
        amount=amount,
        carried_out=total - amount,
    )


def _entry(brand: Brand, row: ClientRebate) -> posting.Entry:
    minor = amounts.to_minor(row.amount, row.currency)
    cost = posting.house(AccountKind.IB_COMMISSIONS, brand_id=brand.pk, currency=row.currency)
    return posting.Entry(
        key=f"ib-rebate:{row.settlement_id}:{row.client_id}",
        kind=JournalKind.REBATE,
        brand_id=brand.pk,
        lines=(posting.Line(cost, -minor), posting.Line(posting.wallet_of(row.client, row.currency), minor)),
        description=f"Rebate {row.settlement.name}",
    )


def _take_back(brand: Brand, row: ClientRebate, actor: Actor) -> None:
    """Take from the wallet what it has; the rest is carried."""
    held = Balance.objects.filter(account=posting.wallet_of(row.client, row.currency)).first()
    available = max(Decimal(0), held.available if held else Decimal(0))
    wanted, row.amount = row.amount, max(row.amount, -available)
    row.carried_out += wanted - row.amount
    if not row.amount:
        return
    try:
        with transaction.atomic():
            row.journal_id = posting.post(_entry(brand, row), actor=actor).journal_id
    except posting.InsufficientFunds:  # spent since the balance was read
        row.carried_out += row.amount
        row.amount = Decimal(0)


def _add_to_activity(row: ClientRebate) -> None:
    """Write it into the client's activity, which the client reads in the portal, too."""
    money = Money(abs(row.amount), row.currency)
    title = phrase("Rebate credited: %(amount)s") if row.amount > 0 else phrase("Rebate taken back: %(amount)s")
    add_entry(
        client_id=row.client_id,
        kind=TimelineKind.PAYMENT,
        title=title % {"amount": money},
        body=phrase("Rebate on your trades, %(period)s") % {"period": row.settlement.name},
        dedupe_key=f"ib.rebate:{row.settlement_id}",
        is_visible_to_client=True,
    )
