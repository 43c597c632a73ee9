"""Payouts that start without the partner's request: by the schedule of their terms, to where they chose.

A settlement, or a day of the week or month, makes the balance due; each is tried once per currency, in one transaction with
the payout. What can't be paid is kept with the reason, for the partner and on a list for finance, who try again.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError, Refusal, outcome_of
from crm.i18n.localized_text import amount as amount_text
from crm.i18n.localized_text import phrase
from crm.models import Actor, Brand, User
from crm.money.amounts import Money
from crm.notices.notify import notify, people_with
from crm.queue.for_each import for_each_isolated
from crm.security import audit, policies
from ib.audit_codes import IbAction
from ib.choices import AutomaticPayoutState, IbNotice, PartnerRight, PayoutSchedule, PayoutTo, SettlementState
from ib.models import AutomaticPayout, Partner, Payout, PayoutInstruction, PayoutRequest, Settlement, SettlementTerms
from ib.payouts import Destination, Offer, check_destination, pay_out, read_destination
from ib.policies import can_settle
from ib.settlement import balances_of
from ib.settlements.terms import in_force, terms_of
from ib.team.rights import can_act_for, team_with
from wallet.withdrawals.destinations import destination_label, seal

BY_TERMS: Final = phrase("Automatic payout by the settlement terms")


@transaction.atomic
def choose_destination(*, partner_id: int, offer: Offer, destination: Destination, actor: User) -> PayoutInstruction:
    """Have automatic payouts sent somewhere from now on: what was chosen before ends.

    offer: the place as it was offered; destination: the same with what the form asked for, as an IBAN. Who: the
    partner's team with `PartnerRight.PAY_OUT`.
    Raises: NotAllowed, DomainError where the place can't be used.
    """
    partner = lock(Partner, partner_id, "client")
    policies.require(can_act_for(actor, partner, PartnerRight.PAY_OUT))
    if partner.client is None:
        raise DomainError(_("You don't have a wallet for payouts yet. Ask your partner manager to link one."))
    check_destination(partner.client, destination, offer.currency)
    details = dict(destination.details)
    masked = f", {destination_label(details)}" if details else ""
    row = PayoutInstruction.objects.create(
        partner=partner,
        destination=destination.key,
        currency="" if destination.to == PayoutTo.WALLET else offer.currency,
        sealed_details=seal(partner.client.pk, details) if details else None,
        label=f"{offer.label}{masked}"[:80],
        chosen_by=actor,
        chosen_at=timezone.now(),
    )
    audit.record(
        actor=actor,
        action=IbAction.PAYOUT_TARGET_CHOSEN,
        target=partner,
        brand_id=partner.brand_id,
        client_id=partner.client.pk,
        after={"to": row.destination, "label": row.label},
    )
    return row


def instruction_of(partner: Partner) -> PayoutInstruction | None:
    """Find where a partner chose to have automatic payouts sent; None where they chose nothing: the wallet."""
    return PayoutInstruction.objects.filter(partner=partner).order_by("-id").first()


def destination_of(partner: Partner, currency: str) -> Destination:
    """Return where an automatic payout goes: as chosen, and to the wallet in a currency that the choice isn't for."""
    chosen = instruction_of(partner)
    if chosen is None or partner.client is None or chosen.currency != currency:
        return Destination()
    return read_destination(partner.client, chosen.destination, chosen.sealed_details)


def pay_due(brand: Brand) -> int:
    """Pay the partners of a brand whose payout is due; returns how many were tried. Running it again pays nothing twice."""
    terms = in_force(Partner.objects.filter(brand=brand).values("pk")).exclude(payout_schedule=PayoutSchedule.REQUEST)
    automatic = {row.partner_id: row for row in terms}
    paid = Settlement.objects.filter(partner_id__in=automatic, state=SettlementState.PAID)
    latest = paid.order_by("partner_id", "currency", "-id").distinct("partner_id", "currency")
    tried = {
        (row.partner_id, row.currency): row.due_at
        for row in AutomaticPayout.objects.filter(partner_id__in=automatic)
        .order_by("partner_id", "currency", "-due_at")
        .distinct("partner_id", "currency")
    }
    zone, now = ZoneInfo(brand.time_zone), timezone.now()
    due = []
    for partner_id, currency, settled_at in latest.values_list("partner_id", "currency", "settled_at"):
        agreed = automatic[partner_id]
        due_at = settled_at if agreed.payout_schedule == PayoutSchedule.SETTLEMENT else last_day(agreed, now, zone)
        # Nothing is due from before the terms were in force.
        since = max(filter(None, (agreed.decided_at, tried.get((partner_id, currency)))))
        if due_at > since:
            due.append((partner_id, currency, due_at))
    return for_each_isolated(lambda one: pay_automatically(partner_id=one[0], currency=one[1], due_at=one[2]), due)


def last_day(terms: SettlementTerms, now: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return the midnight that began the schedule's latest day, in the brand's time zone."""
    day = now.astimezone(zone).date()
    if terms.payout_schedule == PayoutSchedule.WEEKLY:
        day -= dt.timedelta(days=(day.isoweekday() - terms.payout_day) % 7)
    else:
        if day.day < terms.payout_day:
            day = day.replace(day=1) - dt.timedelta(days=1)
        day = day.replace(day=terms.payout_day)
    return dt.datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(dt.UTC)


@transaction.atomic
def pay_automatically(*, partner_id: int, currency: str, due_at: dt.datetime) -> AutomaticPayout | None:
    """Pay what became due, once; None where it was tried before, or the balance is below the minimum of the terms."""
    partner = lock(Partner, partner_id, "client__user", "brand", "user")
    if AutomaticPayout.objects.filter(partner=partner, currency=currency, due_at__gte=due_at).exists():
        return None
    balance = balances_of(partner).get(currency, Decimal(0))
    if balance <= 0 or (currency == partner.currency and balance < terms_of(partner).minimum):
        return None
    for earlier in AutomaticPayout.objects.filter(
        partner=partner, currency=currency, state=AutomaticPayoutState.REFUSED
    ):
        earlier.move_to(AutomaticPayoutState.CLOSED)
        earlier.save(update_fields=["state"])
    row = AutomaticPayout(partner=partner, currency=currency, due_at=due_at, state=AutomaticPayoutState.REFUSED)
    _try(row, balance, actor=None)
    return row


@transaction.atomic
def retry_payout(*, automatic_payout_id: int, actor: Actor) -> AutomaticPayout:
    """Try a refused automatic payout again, with the balance of now; it is paid, or refused with the reason of now.

    Who: `ib.settle_commissions` at the brand. Raises: NotAllowed, WrongState (paid or closed meanwhile), DomainError where
    nothing is left to pay.
    """
    partner_id = AutomaticPayout.objects.values_list("partner_id", flat=True).get(pk=automatic_payout_id)
    partner = lock(Partner, partner_id, "client__user", "brand", "user")
    policies.require(can_settle(actor, partner.brand_id))
    row = lock(AutomaticPayout, automatic_payout_id)
    row.partner = partner
    balance = balances_of(partner).get(row.currency, Decimal(0))
    if balance <= 0 and row.state == AutomaticPayoutState.REFUSED:
        row.move_to(AutomaticPayoutState.CLOSED)
        row.save(update_fields=["state"])
    else:
        row.tries += 1
        _try(row, balance, actor=actor)
    audit.record(
        actor=actor,
        action=IbAction.PAYOUT_RETRIED,
        target=partner,
        brand_id=partner.brand_id,
        client_id=partner.client_id,
        after={"amount": str(balance), "currency": row.currency, "state": row.state},
    )
    return row


def _try(row: AutomaticPayout, balance: Decimal, *, actor: Actor) -> None:
    """Pay the whole balance, or keep why not. A refusal leaves everything as it was."""
    partner = row.partner
    row.amount, row.tried_at = balance, timezone.now()
    with translation.override(partner.brand.default_language):
        destination = outcome_of(lambda: destination_of(partner, row.currency))
        row.destination = destination.result.key if destination.result else PayoutTo.WALLET
        made = outcome_of(lambda: _pay(row, destination.result or Destination()))
    if isinstance(made, Refusal):
        state, row.refusal = AutomaticPayoutState.REFUSED, made.message[:300]
    elif isinstance(made.result, Payout):
        state, row.payout = AutomaticPayoutState.PAID, made.result
    else:
        state, row.request = AutomaticPayoutState.WAITING, made.result
    if (row.state, state) != (AutomaticPayoutState.REFUSED, AutomaticPayoutState.REFUSED):
        row.move_to(state)
    row.save()
    _report(row, actor)


def _pay(row: AutomaticPayout, destination: Destination) -> Payout | PayoutRequest:
    return pay_out(
        partner_id=row.partner_id,
        amount=row.amount,
        currency=row.currency,
        request_key=f"auto:{row.currency}:{row.due_at:%Y%m%dT%H%M%S%f}:{row.tries}",
        actor=None,
        destination=destination,
        reason=BY_TERMS,
    )


def _report(row: AutomaticPayout, actor: Actor) -> None:
    """Audit a refusal, and notify the partner of what became of it; finance only of what they have to look at."""
    partner, money = row.partner, Money(row.amount, row.currency)
    titles = {
        AutomaticPayoutState.PAID: phrase("Your commissions were paid out"),
        AutomaticPayoutState.WAITING: phrase("Your automatic payout awaits our approval"),
        AutomaticPayoutState.REFUSED: phrase("Your automatic payout wasn't possible"),
    }
    notify(
        team_with(partner, PartnerRight.SEE_MONEY),
        kind=IbNotice.PAYOUT_MADE,
        title=titles[AutomaticPayoutState(row.state)],
        body=row.refusal or amount_text(money),
        url="/partners/payouts/",
        dedupe_key=f"ib.automatic_payout:{row.pk}:{row.tries}",
    )
    if row.state != AutomaticPayoutState.REFUSED:
        return
    audit.record(
        actor=actor,
        action=IbAction.PAYOUT_REFUSED,
        target=partner,
        brand_id=partner.brand_id,
        client_id=partner.client_id,
        after={"amount": str(row.amount), "currency": row.currency, "to": row.destination, "reason": row.refusal},
    )
    notify(
        people_with("ib.settle_commissions", brand_id=partner.brand_id),
        kind=IbNotice.PAYOUT_REFUSED,
        title=phrase("Payout to %(partner)s refused") % {"partner": partner.name},
        body=row.refusal,
        url=f"/ib/partners/{partner.pk}/settlements/",
        dedupe_key=f"ib.automatic_payout:{row.pk}:{row.tries}",
    )
