"""Deposits that wait for their money, and what a PSP says of them, without a server in between."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

from django.utils import timezone

from wallet.ledger import posting
from wallet.models import Deposit, PaymentMethod, Psp
from wallet.psp.values import DisputeView, EventKind, PaymentStatus, PaymentView, WebhookEvent

_numbers = itertools.count(1)


def make_intent(client: Any, psp: Psp, amount_minor: int = 50_000, currency: str = "EUR", **fields: Any) -> Deposit:
    """As `start_deposit` leaves it, the PSP's id of the payment known."""
    now, number = timezone.now(), next(_numbers)
    method = PaymentMethod.objects.filter(psp=psp).first()
    return Deposit.objects.create(
        client=client,
        brand=client.brand,
        psp=psp,
        payment_method=method,
        wallet=posting.wallet_of(client, currency),
        reference=f"D-INTENT{number:06d}",
        request_key=f"i{number}",
        psp_reference=f"pay_{number}",
        amount_minor=amount_minor,
        currency=currency,
        created_at=now,
        expires_at=now + dt.timedelta(hours=24),
        **fields,
    )


def captured(deposit: Deposit, received_minor: int | None = None, currency: str = "", **fields: Any) -> PaymentView:
    """The PSP has the money: as much as was meant, unless said otherwise."""
    return PaymentView(
        reference=deposit.reference,
        psp_reference=deposit.psp_reference,
        status=PaymentStatus.CAPTURED,
        amount_minor=deposit.amount_minor if not currency else received_minor or 0,
        currency=currency or deposit.currency,
        received_minor=deposit.amount_minor if received_minor is None else received_minor,
        **{"payer_name": deposit.client.full_name, **fields},
    )


def dispute_event(deposit: Deposit, kind: EventKind, amount_minor: int, **fields: Any) -> WebhookEvent:
    """What a PSP says of a dispute; `type` is the message's own name."""
    name = fields.pop("type", kind.value)
    view = DisputeView(
        reference=deposit.reference,
        amount_minor=amount_minor,
        currency=deposit.currency,
        **{"psp_dispute_id": "dp_1", "reason": "fraudulent", **fields},
    )
    return WebhookEvent(
        event_id=f"evt_{next(_numbers)}", event_type=name, kind=kind, reference=deposit.reference, dispute=view
    )
