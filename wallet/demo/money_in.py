"""What finance finds in the morning: held deposits, disputes, a bonus campaign, and the rule for clients not yet verified."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db.models import Window
from django.db.models.functions import RowNumber

from clients.choices import Category
from clients.models import Client
from crm.demo import Demo
from crm.security.policies import has_permission
from crm.security.scope import reach_of
from kyc.categories import decisions
from kyc.categories.choices import Basis
from wallet.bonuses import granting
from wallet.choices.bonuses import BonusTrigger, OnWithdrawal, ReleaseBy
from wallet.choices.deposits import DepositState
from wallet.core.references import ALPHABET, LENGTH
from wallet.deposits import unverified
from wallet.deposits.verbs import apply_payment
from wallet.disputes.verbs import apply_dispute
from wallet.ledger import posting
from wallet.models import Deposit, PaymentMethod
from wallet.psp.values import DisputeView, EventKind, PaymentStatus, PaymentView, WebhookEvent

# amount meant, received, who paid (empty: the client)
HELD = ((50_000, 45_000, ""), (100_000, 100_000, "Nordwind Handels GmbH"), (25_000, 60_000, ""))


def tell(demo: Demo) -> None:
    """A few rows by the same verbs that PSPs and staff set off, brand by brand in turn; the smallest scale may lack some."""
    for brand in demo.brands:
        if brand.jurisdiction == "CY":
            writer = _who(demo, "mlro", brand.pk, "wallet.manage_unverifiedrule")
            if writer is not None:
                unverified.write_rule(brand=brand, actor=writer, **unverified.C721)
    latest_of_brand = Window(RowNumber(), partition_by="brand_id", order_by=["-settled_at", "-pk"])
    paid = list(
        Deposit.objects.filter(state=DepositState.SETTLED, is_first=True, client__kyc_level__gt=0)
        .select_related("client__brand", "psp", "wallet")
        .order_by(latest_of_brand, "brand_id")[:8]
    )
    for deposit, story in zip(paid, HELD, strict=False):
        _held(demo, deposit, *story)
    for place, deposit in enumerate(paid[3:5]):
        _disputed(demo, deposit, is_taken=place == 1, number=place + 1)
    _bonus(demo)


def _who(demo: Demo, role: str, brand_id: int, permission: str):  # type: ignore[no-untyped-def]
    people = demo.by_role.get(role, [])
    return next(
        (one for one in people if brand_id in reach_of(one).whole_brands and has_permission(one, permission)), None
    )


def _held(demo: Demo, like: Deposit, meant: int, received: int, payer: str) -> None:
    """Another deposit of a client who has paid before, by a wire that is not as it should be."""
    method = PaymentMethod.objects.filter(psp=like.psp).select_related("psp").first()
    if method is None:
        return
    code = "".join(demo.rng.choice(ALPHABET) for _place in range(LENGTH))
    at = demo.now - dt.timedelta(hours=demo.rng.uniform(3, 60))
    deposit = Deposit.objects.create(
        client=like.client,
        brand_id=like.brand_id,
        psp=like.psp,
        payment_method=method,
        wallet=posting.wallet_of(like.client, like.currency),
        reference=f"D-{code}",
        request_key=f"demo:{code}",
        psp_reference=f"pay_{demo.rng.randbytes(12).hex()}",
        amount_minor=meant,
        currency=like.currency,
        created_at=at,
        expires_at=at + dt.timedelta(hours=24),
        instrument=like.instrument,
    )
    apply_payment(
        psp_id=like.psp_id,
        view=PaymentView(
            reference=deposit.reference,
            psp_reference=deposit.psp_reference,
            status=PaymentStatus.CAPTURED,
            amount_minor=meant,
            currency=like.currency,
            received_minor=received,
            payer_name=payer or like.client.full_name,
            happened_at=at,
        ),
    )
    Deposit.objects.filter(pk=deposit.pk).update(held_at=at)


def _disputed(demo: Demo, deposit: Deposit, *, is_taken: bool, number: int) -> None:
    part = deposit.received_minor or deposit.amount_minor
    view = DisputeView(
        reference=deposit.reference,
        psp_dispute_id=f"dp_demo_{number}_{deposit.pk}",
        amount_minor=part // 2 if is_taken else part,
        currency=deposit.currency,
        reason="fraudulent" if is_taken else "unrecognised",
        evidence_due_at=demo.now + dt.timedelta(days=4 if is_taken else 12),
        happened_at=demo.now - dt.timedelta(days=number),
    )
    kind = EventKind.CHARGEBACK if is_taken else EventKind.DISPUTE
    event = WebhookEvent(
        event_id=view.psp_dispute_id, event_type=kind.value, kind=kind, reference=deposit.reference, dispute=view
    )
    apply_dispute(psp_id=deposit.psp_id, event=event)


def _bonus(demo: Demo) -> None:
    """A campaign for professional clients, and one who holds some credit."""
    verified = Client.objects.filter(stage__in=["active", "funded", "verified"], kyc_level__gt=0, restrictions=[])
    # Of the first brand that has one; one who trades, where there is one.
    client = verified.select_related("brand").order_by("brand", "stage", "pk").first()
    if client is None:
        return
    finance = _who(demo, "finance", client.brand_id, "wallet.manage_bonus")
    if finance is None:
        return
    decisions.write_decision(
        client,
        category=Category.PROFESSIONAL,
        basis=Basis.MIGRATED,
        reason="Professional client in the earlier system",
        decided_by=None,
    )
    plan = granting.create_plan(brand=client.brand, name="Active trader", actor=finance)
    granting.write_rule(
        plan_id=plan.pk,
        actor=finance,
        valid_from=(demo.now - dt.timedelta(days=60)).date(),
        trigger=BonusTrigger.EVERY_DEPOSIT,
        percent=Decimal(20),
        maximum_minor=50_000,
        deposit_minimum_minor=50_000,
        release_by=ReleaseBy.LOTS,
        lots_per_hundred=Decimal(4),
        expires_days=90,
        on_withdrawal=OnWithdrawal.PROPORTIONAL,
        four_eyes_minor=20_000,
    )
    granting.grant_bonus(
        client_id=client.pk,
        plan_id=plan.pk,
        amount=Decimal(150),
        currency=client.brand.base_currency,
        reason="Welcome to the professional desk",
        request_key="demo:bonus",
        actor=finance,
    )
    granting.grant_bonus(
        client_id=client.pk,
        plan_id=plan.pk,
        amount=Decimal(250),
        currency=client.brand.base_currency,
        reason="Moved his trading to us",
        request_key="demo:bonus:2",
        actor=finance,
    )
