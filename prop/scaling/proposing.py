"""Funded accounts that met their version's terms for a bigger balance: found regularly and put in front of two people."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from clients.models import Client
from crm import work
from crm.db.locking import lock
from crm.security import audit
from prop.audit_codes import PropAction
from prop.choices import ChallengeState, GrowthState, StageState
from prop.merging.waiting import open_merge_of
from prop.models import AccountGrowth, Challenge, PhaseAccount
from prop.scaling.reviews import SCALING
from prop.scaling.terms import OPEN, ScalingProgress, progress_of

AT_ONCE_MAX: Final = 2_000


def candidates() -> QuerySet[PhaseAccount]:
    """Find running funded accounts that scale and have no step open; those that were judged longest ago come last."""
    open_steps = AccountGrowth.objects.filter(phase_account=OuterRef("pk"), state__in=OPEN)
    running = PhaseAccount.objects.filter(
        state=StageState.RUNNING,
        phase__is_funded=True,
        phase__scaling_profit__isnull=False,
        challenge__state=ChallengeState.FUNDED,
        judged_until__isnull=False,
    )
    return running.exclude(Exists(open_steps)).order_by("-judged_until", "pk")[:AT_ONCE_MAX]


@transaction.atomic
def propose_growth(*, phase_account_id: int) -> AccountGrowth | None:
    """Propose the next step of an account that met its terms; None where it hasn't, or was refused lately.

    Who: the system. After a refusal the next proposal waits as long as payouts are apart.
    """
    owner = PhaseAccount.objects.filter(pk=phase_account_id).values_list("challenge__client_id", "challenge_id").first()
    if owner is None:
        return None
    client = lock(Client, owner[0], "brand")
    challenge = lock(Challenge, owner[1], "version")
    row = lock(PhaseAccount, phase_account_id, "phase", "account__server")
    challenge.client, row.challenge = client, challenge
    if row.growths.filter(state__in=OPEN).exists() or _was_refused_lately(row) or open_merge_of(row) is not None:
        return None
    progress = progress_of(row)
    if progress is None or not progress.is_met:
        return None
    return _write(row, progress)


def _was_refused_lately(row: PhaseAccount) -> bool:
    since = timezone.now() - dt.timedelta(days=row.challenge.version.payout_days)
    return row.growths.filter(state=GrowthState.REJECTED, decided_at__gt=since).exists()


def _write(row: PhaseAccount, progress: ScalingProgress) -> AccountGrowth:
    now, challenge = timezone.now(), row.challenge
    growth = AccountGrowth.objects.create(
        phase_account=row,
        number=row.growths.count() + 1,
        size=progress.size,
        amount=progress.amount,
        split=progress.split,
        profit_total=progress.profit_total,
        proposed_at=now,
        work=work.open_item(SCALING, brand=challenge.client.brand, client_id=challenge.client_id, opened_at=now),
    )
    audit.record(
        actor=None,
        action=PropAction.GROWTH_PROPOSED,
        target=growth,
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        after={name: str(getattr(growth, name)) for name in ("size", "amount", "split", "profit_total")},
    )
    return growth
