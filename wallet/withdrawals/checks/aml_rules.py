"""What AML rules say of a withdrawal before it is made: alerts that are open, and rules that it would set off."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.aml.choices import MovementKind, MovementMethod
from compliance.aml.queries import open_high_alerts
from compliance.aml.running import would_alert
from compliance.aml.stream import Movement
from compliance.brand_policies import AML_ALERTS_HOLD
from crm.money.amounts import from_minor
from wallet.choices.withdrawals import WithdrawalRoute
from wallet.core.limits import in_base
from wallet.withdrawals.checks.registry import Request


def reasons_of_rules(request: Request) -> list[str]:
    """Name the AML rules of high severity with an open alert about the client, and those that this request would set off."""
    client = request.client
    if not AML_ALERTS_HOLD.of(client.brand):
        return []
    names = open_high_alerts(client.pk)
    movement = movement_asked_for(request)
    if movement is not None:
        names += [str(version.rule) for version in would_alert(movement)]
    return [_("AML rule: %(name)s.") % {"name": name} for name in dict.fromkeys(names)]


def movement_asked_for(request: Request) -> Movement | None:
    """Write what a request would pay out elsewhere as a movement that hasn't taken place; None where it only returns deposits."""
    plan = request.plan
    if plan is None:
        return None
    paid = [part for part in plan.parts if part.way == WithdrawalRoute.PAYOUT]
    minor = sum(part.amount_minor for part in paid)
    if not minor:
        return None
    amount = from_minor(minor, request.currency)
    client = request.client
    return Movement(
        source="",
        client_id=client.pk,
        brand_id=client.brand_id,
        kind=MovementKind.WITHDRAWAL,
        at=timezone.now(),
        method=MovementMethod(request.chosen.kind if request.chosen else MovementMethod.BANK),
        instrument_mark=request.mark,
        currency=request.currency,
        amount=amount,
        base_amount=round(in_base(client.brand, amount, request.currency), 2),
        country=client.country,
    )
