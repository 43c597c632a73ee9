"""The demo's settlements: terms with and without invoices, a clawback with its credit note, automatic payouts paid and
refused, disputes, a frozen partner, and a replay whose differences await a second person.

The first partner of each brand, whose login the demo names, has something on every page.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from crm.choices import ApprovalState, Role
from crm.demo import Demo
from crm.models import Brand
from ib import settlement, tree
from ib.choices import AccrualKind, AccrualState, ForfeitCause, PayoutSchedule, VatTreatment
from ib.models import Accrual, Partner, Replay, SettlementPeriod, SettlementTerms
from ib.replay.proposals import propose_replay
from ib.replay.replays import run_replay
from ib.settlements import automatic_payouts, disputes, forfeits

COMPANIES = {
    "meridian": [
        ("Alpenblick Capital GmbH", "Leopoldstraße 12, 80802 München", "DE811907980", VatTreatment.REVERSE_CHARGE),
        ("Rheinland Trading Partners UG", "Hohe Straße 41, 50667 Köln", "DE293456781", VatTreatment.REVERSE_CHARGE),
    ],
    "southern": [
        ("Harbour Introducers Pty Ltd", "200 George Street, Sydney NSW 2000", "51824753556", VatTreatment.STANDARD),
        ("Sydney Trading School Pty Ltd", "14 Martin Place, Sydney NSW 2000", "83914571673", VatTreatment.STANDARD),
    ],
}
GST = Decimal(10)
LATE_MOVE_DAYS = 9


def agree_terms(demo: Demo, brand: Brand, partners: list[Partner], began: dt.datetime) -> None:
    """Agree terms with the first four: two with invoices, one of them paid after each settlement; one who has no wallet yet."""
    for partner, company in zip(partners, COMPANIES[brand.code], strict=False):
        name, address, number, treatment = company
        vat: dict[str, Any] = {"legal_name": name, "address": address, "vat_id": number, "vat_treatment": treatment}
        vat["vat_rate"] = GST if treatment == VatTreatment.STANDARD else Decimal(0)
        first: dict[str, Any] = {"minimum": Decimal(25), "approval_above": Decimal(2_500)}
        automatic: dict[str, Any] = {"payout_schedule": PayoutSchedule.SETTLEMENT}
        _agree(demo, partner, began, **vat, **(first if partner == partners[0] else automatic))
    for partner in partners[3:4]:
        _agree(demo, partner, began, payout_schedule=PayoutSchedule.SETTLEMENT, negative="written")


def _agree(demo: Demo, partner: Partner, began: dt.datetime, **values: Any) -> None:
    SettlementTerms.objects.create(
        partner=partner,
        state=ApprovalState.APPROVED,
        reason="As agreed in the partner contract",
        requested_by=demo.by_role[Role.IB_MANAGER][0],
        requested_at=began,
        decided_by=demo.by_role[Role.FINANCE][0],
        decided_at=began + dt.timedelta(hours=3),
        **values,
    )


def settle_months(demo: Demo, brand: Brand, first: Partner) -> None:
    """Settle the months that are over, each a day and a half after its end; before the last one a client's deals are taken back."""
    due = [
        (period, at)
        for period in SettlementPeriod.objects.filter(brand=brand, ends_at__lte=demo.now).order_by("starts_at")
        if (at := period.ends_at + dt.timedelta(hours=settlement.GRACE_HOURS)) < demo.now
    ]
    for number, (period, at) in enumerate(due):
        if number and number == len(due) - 1:
            _take_back(first)
        settlement.settle_period(period_id=period.pk, actor=None, at=at)
    automatic_payouts.pay_due(brand)


def _take_back(partner: Partner) -> None:
    """Find one client's referral fraudulent: the one with the smallest commission that was settled and can be taken back."""
    earned = (
        Accrual.objects.filter(
            partner=partner, level=1, kind=AccrualKind.ORIGINAL, state=AccrualState.ACCRUED, period__state="closed"
        )
        .values("client")
        .annotate(total=Sum("amount"))
        .filter(total__gte=1)
        .order_by("total", "client")
        .first()
    )
    if earned is not None:
        forfeits.declare(client_id=earned["client"], cause=ForfeitCause.FRAUD)


def load(demo: Demo, brand: Brand, partners: list[Partner]) -> None:
    """Have partners and finance ask each other: two disputes, a frozen partner, a replay."""
    finance = demo.by_role[Role.FINANCE][0]
    _dispute(partners[0], "The position was open for more than a minute on my client's screen.", "")
    _dispute(
        partners[0],
        "This client trades on a Pro account: I expected the higher rate.",
        "The account was Standard until the day after this deal. From then on the Pro rate applies.",
        finance,
    )
    if len(partners) > 5:
        disputes.open_dispute(
            partner_id=partners[4].pk,
            reason="Payout account changed twice in a week. Waiting for a bank statement.",
            actor=finance,
        )
        _replay(demo, brand, partners[5])


def _dispute(partner: Partner, reason: str, answer: str, finance: Any = None) -> None:
    """Dispute the newest line: an unpaid one where there is any, or for an answer one that was paid."""
    rows = Accrual.objects.filter(partner=partner, kind=AccrualKind.ORIGINAL).order_by("-pk")
    paid = rows.filter(state=AccrualState.ACCRUED)
    line = paid[1:2].first() if answer else rows.filter(state=AccrualState.EXCLUDED).first() or paid.first()
    if line is None:
        return
    dispute = disputes.open_dispute(partner_id=partner.pk, accrual_id=line.pk, reason=reason, actor=partner.user)
    if answer:
        disputes.resolve_dispute(dispute_id=dispute.pk, answer=answer, actor=finance)


def _replay(demo: Demo, brand: Brand, partner: Partner) -> None:
    """Enter a partner's new place in the network nine days late: what their network earned since then differs."""
    manager, at = demo.by_role[Role.IB_MANAGER][0], demo.now - dt.timedelta(days=LATE_MOVE_DAYS)
    above = tree.parent_of(partner)
    target = Partner.objects.filter(brand=brand, upline__level=1, state="active").exclude(pk=partner.pk)
    below = partner.downline.values("partner")
    parent = target.exclude(pk=above.pk if above else 0).exclude(pk__in=below).order_by("pk").first()
    if parent is None:
        return
    tree.move_partner(partner_id=partner.pk, parent_id=parent.pk, actor=manager, reason="Agreed with both sides", at=at)
    replay = Replay.objects.create(
        brand=brand,
        partner=partner,
        from_at=at,
        to_at=demo.now,
        reason="The move in the network was entered late",
        asked_by=manager,
        asked_at=demo.now,
        reached_at=at,
        moved_at=demo.now,
    )
    if run_replay(replay_id=replay.pk).state == "ready":
        propose_replay(replay_id=replay.pk, actor=manager, reason="The contract names the earlier day")
