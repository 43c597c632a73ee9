"""A trader appeals the breach of an account or a refused payout, with a reason and within the brand's days."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import TimelineKind
from clients.models import Client
from crm import work
from crm.db.locking import lock
from crm.errors import DomainError, NotFound, WrongState
from crm.i18n.localized_text import phrase
from crm.models import Actor, User
from crm.notices.notify import notify, people_with
from crm.security import audit, crypto, policies
from crm.security.policies import YES, Decision, no
from prop.appeals.decisions import APPEAL
from prop.audit_codes import PropAction
from prop.brand_policies import APPEAL_DAYS
from prop.challenges.resets import LOST
from prop.challenges.returned_fees import COUNTED
from prop.choices import ChallengeState, PayoutState, PropNotice, StageState
from prop.models import Appeal, Challenge, ChallengePayout, PhaseAccount, StyleEnding
from prop.payouts.rows import payouts_of

REASON_MAX: Final = 2000


@dataclass(frozen=True, slots=True)
class AppealSubject:
    """What a trader can appeal: the breach of an account, its ending for a forbidden style, or a payout that was refused."""

    row: PhaseAccount
    payout: ChallengePayout | None
    until: dt.datetime
    ending: StyleEnding | None = None

    @property
    def refused_by_id(self) -> int | None:
        """Who decided it: somebody else decides the appeal. None where no person did."""
        refused = self.payout.decided_by_id if self.payout else None
        return self.ending.ended_by_id if self.ending else refused


def can_appeal(user: Actor, challenge: Challenge) -> Decision:
    """Allow the client in person; whether there is something to appeal is `appealable`."""
    if user is None or challenge.client.user_id != user.pk:
        return no(_("Only the client can appeal."))
    return YES


def appealable(challenge: Challenge, *, now: dt.datetime | None = None) -> AppealSubject | None:
    """Find what the trader of a challenge can appeal now; None where there is nothing, or it is too late."""
    row = challenge.accounts.order_by("-pk").select_related("phase", "breach", "style_ending").first()
    if row is None:
        return None
    row.challenge = challenge
    return appealable_on(row, now=now)


def appealable_on(row: PhaseAccount, *, now: dt.datetime | None = None) -> AppealSubject | None:
    """Find what the trader can appeal now on a challenge's newest account, which comes with its breach or ending."""
    subject = _lost(row) or _ended(row) or _refused(row)
    if subject is None or subject.until < (now or timezone.now()):
        return None
    is_appealed = Appeal.objects.filter(phase_account=row, payout=subject.payout).exists()
    return None if is_appealed else subject


def _until(challenge: Challenge, decided_at: dt.datetime) -> dt.datetime:
    return decided_at + dt.timedelta(days=APPEAL_DAYS.of(challenge.client.brand))


def _lost(row: PhaseAccount) -> AppealSubject | None:
    challenge = row.challenge
    is_over = challenge.state in (ChallengeState.BREACHED, ChallengeState.EXPIRED) and row.state in LOST
    if not is_over or row.ended_at is None or not hasattr(row, "breach"):
        return None
    return AppealSubject(row, None, _until(challenge, row.ended_at))


def _ended(row: PhaseAccount) -> AppealSubject | None:
    """Find the ending of an account for a forbidden style, unless its fee was charged back since."""
    challenge, ending = row.challenge, getattr(row, "style_ending", None)
    if ending is None or challenge.state != ChallengeState.ENDED or challenge.paused_at is not None:
        return None
    return AppealSubject(row, None, _until(challenge, ending.ended_at), ending)


def _refused(row: PhaseAccount) -> AppealSubject | None:
    """Find the account's last refused payout. One that was requested after it counts in its place."""
    if row.state != StageState.RUNNING or row.challenge.state != ChallengeState.FUNDED:
        return None
    last = next((each for each in payouts_of(row) if each.state in (*COUNTED, PayoutState.REJECTED)), None)
    if last is None or last.state != PayoutState.REJECTED or last.decided_at is None:
        return None
    return AppealSubject(row, last, _until(row.challenge, last.decided_at))


@transaction.atomic
def file_appeal(*, phase_account_id: int, payout_id: int | None = None, reason: str, actor: User) -> Appeal:
    """Appeal the breach or ending of an account, or a payout of it that was refused. A repeat returns the appeal that is there.

    Who: the client. Raises: NotAllowed, WrongState where it can't be appealed or not any more, DomainError without a reason.
    """
    row = _locked(phase_account_id)
    challenge = row.challenge
    policies.require(can_appeal(actor, challenge))
    known = Appeal.objects.filter(phase_account=row, payout=payout_id).first()
    if known is not None:
        return known
    subject = appealable(challenge)
    if subject is None or subject.row != row or (subject.payout.pk if subject.payout else None) != payout_id:
        raise WrongState(_("This can’t be appealed, or the time to appeal is over."))
    reason = reason.strip()
    if not reason:
        raise DomainError(_("Enter a reason."))
    if len(reason) > REASON_MAX:
        raise DomainError(_("Enter at most %(count)s characters.") % {"count": REASON_MAX})
    now = timezone.now()
    appeal = Appeal.objects.create(
        phase_account=row,
        payout=subject.payout,
        refused_by_id=subject.refused_by_id,
        reason_sealed=crypto.encrypt_for_client(challenge.client_id, reason.encode()),
        filed_at=now,
        work=work.open_item(APPEAL, brand=challenge.client.brand, client_id=challenge.client_id, opened_at=now),
    )
    _record(appeal, reason, actor, is_ended=subject.ending is not None)
    return appeal


def _locked(phase_account_id: int) -> PhaseAccount:
    """Lock the client, the challenge and the account, in this order."""
    owner = PhaseAccount.objects.filter(pk=phase_account_id).values_list("challenge__client_id", "challenge_id").first()
    if owner is None:
        raise NotFound(_("This record no longer exists. Reload the page."))
    client = lock(Client, owner[0], "brand")
    challenge = lock(Challenge, owner[1], "version__programme")
    row = lock(PhaseAccount, phase_account_id, "phase")
    challenge.client, row.challenge = client, challenge
    return row


def _record(appeal: Appeal, reason: str, actor: User, *, is_ended: bool) -> None:
    challenge = appeal.phase_account.challenge
    audit.record(
        actor=actor,
        action=PropAction.APPEAL_FILED,
        target=appeal,
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        reason=reason,
        after={"account": appeal.phase_account_id, "payout": appeal.payout_id},
    )
    about = phrase("Appeal against a refused payout") if appeal.payout_id else phrase("Appeal against a breach")
    about = phrase("Appeal against an ending for a forbidden style") if is_ended else about
    timeline.add_entry(
        client_id=challenge.client_id,
        kind=TimelineKind.TRADING,
        title=about,
        actor=actor,
        url=appeal.get_absolute_url(),
        dedupe_key=f"prop.appeal:{appeal.pk}",
    )
    notify(
        people_with("prop.decide_appeal", brand_id=challenge.brand_id),
        kind=PropNotice.APPEAL_FILED,
        title=about,
        url=appeal.get_absolute_url(),
        dedupe_key=f"prop.appeal_filed:{appeal.pk}",
    )
