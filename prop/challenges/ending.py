"""A running challenge is ended by a person because of a forbidden style of trading that was confirmed on its account."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import phrase
from crm.models import User
from crm.notices.notify import notify
from crm.security import audit, crypto, policies
from prop.audit_codes import PropAction
from prop.challenges.pending import pending_of
from prop.challenges.reviews import REVIEW, can_review
from prop.choices import ChallengeState, PropNotice, StageState
from prop.models import PhaseAccount, StyleEnding
from prop.programmes.styles import confirmed_on
from trading.accounts.changes import end_trading

REASON_MAX: Final = 2000


@transaction.atomic
def end_for_style(*, phase_account_id: int, reason: str, actor: User) -> PhaseAccount:
    """End a running account on which a forbidden style was confirmed, and its challenge with it; the fee isn't returned.

    What was found is kept as it is now, for the trader's appeal.

    Who: `prop.decide_challenge` in reach. Raises: NotAllowed, WrongState (it no longer runs, nothing forbidden is confirmed on
    it, or something is still being decided or booked), DomainError without a reason.
    """
    row = REVIEW.lock(phase_account_id)
    policies.require(can_review(actor, row))
    if row.state != StageState.RUNNING:
        raise WrongState(_("This has already been decided."))
    found = confirmed_on(row)
    if not found:
        raise WrongState(_("No forbidden style is confirmed on this account."))
    pending = pending_of([row.pk])[row.pk]
    if pending.has_payout or pending.has_growth or pending.has_correction or pending.has_appeal or pending.merge_id:
        raise WrongState(_("Something is still being decided or booked on this account. Finish that first."))
    if not reason.strip():
        raise DomainError(_("Enter a reason."))
    challenge = row.challenge
    row.move_to(StageState.ENDED)
    row.ended_at = timezone.now()
    row.save(update_fields=["state", "ended_at"])
    challenge.move_to(ChallengeState.ENDED)
    challenge.ended_at = row.ended_at
    challenge.save(update_fields=["state", "ended_at"])
    StyleEnding.objects.create(
        phase_account=row,
        findings=[{"style": each.style, **each.evidence()} for each in found],
        reason_sealed=crypto.encrypt_for_client(challenge.client_id, reason.strip().encode()),
        ended_by=actor,
        ended_at=row.ended_at,
    )
    end_trading(account_id=row.account_id)
    audit.record(
        actor=actor,
        action=PropAction.ENDED_FOR_STYLE,
        target=row,
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        reason=reason,
        after={"phase": row.phase_id, "account": row.account_id},
        evidence={"findings": [each.text for each in found]},
    )
    if challenge.client.user_id is not None:
        notify(
            [challenge.client.user_id],
            kind=PropNotice.CHALLENGE_ENDED,
            title=phrase("Your challenge was ended because of a forbidden style of trading."),
            url=f"/portal/challenges/{challenge.pk}/",
            dedupe_key=f"prop.challenge_ended:{row.pk}",
        )
    return row
