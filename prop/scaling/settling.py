"""The end of a step of scaling: once the platform confirmed the deposit, the account has its new size and limits."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from crm.db.locking import lock
from crm.i18n.localized_text import phrase
from crm.money.amounts import Money
from crm.notices.notify import notify
from crm.security import audit
from prop.audit_codes import PropAction
from prop.choices import GrowthState, PropNotice
from prop.models import AccountGrowth, Challenge, PhaseAccount
from prop.scaling.reviews import OPERATION_KEY
from trading.models import BalanceOperation


@transaction.atomic
def settle_growth(*, operation_id: int) -> AccountGrowth | None:
    """Let an account have its new size once the platform confirmed the deposit; a repeat changes nothing.

    Who: the system, when an operation was settled. None where the operation is no step's.
    """
    operation = BalanceOperation.objects.filter(pk=operation_id, idempotency_key__startswith=OPERATION_KEY).first()
    found = AccountGrowth.objects.filter(operation=operation).select_related("phase_account").first()
    if operation is None or found is None or not operation.is_settled:
        return None
    challenge = lock(Challenge, found.phase_account.challenge_id, "client")
    row = lock(PhaseAccount, found.phase_account_id)
    growth = lock(AccountGrowth, found.pk)
    row.challenge, growth.phase_account = challenge, row
    if growth.state != GrowthState.SENDING:
        return growth
    is_booked = operation.state == "confirmed"
    growth.move_to(GrowthState.BOOKED if is_booked else GrowthState.FAILED)
    growth.ended_at = timezone.now()
    growth.save(update_fields=["state", "ended_at"])
    if is_booked:
        row.growth += growth.amount
        row.save(update_fields=["growth"])
        _notify_trader(growth)
    audit.record(
        actor=None,
        action=PropAction.GROWTH_BOOKED if is_booked else PropAction.GROWTH_FAILED,
        target=growth,
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        after={"size": str(row.size), "amount": str(growth.amount), "operation": operation.pk},
    )
    return growth


def _notify_trader(growth: AccountGrowth) -> None:
    challenge = growth.phase_account.challenge
    if challenge.client.user_id is not None:
        size = Money(growth.phase_account.size, challenge.currency)
        notify(
            [challenge.client.user_id],
            kind=PropNotice.ACCOUNT_GREW,
            title=phrase("Your funded account has grown to %(size)s") % {"size": size},
            url=f"/portal/challenges/{challenge.pk}/",
            dedupe_key=f"prop.account_grew:{growth.pk}",
        )
