"""Appeals as work: upheld, the challenge or the payout is given back once; dismissed, it stays as it was decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Client
from clients.queries import clients_visible_to, reaches
from crm import work
from crm.db.locking import lock
from crm.errors import WrongState
from crm.i18n.localized_text import LocalizedText, joined, phrase
from crm.models import Actor, User
from crm.notices.notify import notify
from crm.security import audit, crypto, policies
from crm.security.policies import YES, Decision, has_permission, no
from prop.audit_codes import PropAction
from prop.brand_policies import APPEAL_HOURS
from prop.challenges.resets import LOST, begin_again
from prop.challenges.returned_fees import COUNTED
from prop.choices import AppealState, ChallengeState, PayoutState, PropNotice, StageState
from prop.models import Appeal, Challenge, ChallengePayout, ChallengeReset, PhaseAccount, StyleEnding
from prop.payouts.reviews import PAYOUT

RIGHT: Final = "prop.decide_appeal"


class AppealReview(work.WorkKind[Appeal]):
    """Appeals of traders against breaches, endings for a forbidden style and refused payouts."""

    model = Appeal
    code, label = "prop.appeal", gettext_lazy("Challenge appeals")
    right = RIGHT
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        AppealState.UPHELD: work.Outcome(AppealState.UPHELD.label, needs_reason=True),
        AppealState.DISMISSED: work.Outcome(AppealState.DISMISSED.label, needs_reason=True),
    }
    hours = APPEAL_HOURS
    needs_claim = False
    by_client = False
    queue_url = "prop_appeals"

    def visible_to(self, user: Actor) -> QuerySet[Appeal]:
        if user is None or not user.is_team or not user.has_perm("prop.view_challenge"):
            return Appeal.objects.none()
        clients = clients_visible_to(user).order_by().values("pk")
        return Appeal.objects.filter(phase_account__challenge__client__in=clients)

    def may_work(self, user: Actor, subject: Appeal) -> Decision:
        return can_decide_appeal(user, subject)

    def rows(self) -> QuerySet[Appeal]:
        return Appeal.objects.select_related(
            "phase_account__challenge__client", "phase_account__challenge__version__programme"
        )

    def lock(self, subject_id: int) -> Appeal:
        """Lock the client, the challenge, the account, the payout and the appeal, in this order."""
        client_id, challenge_id, row_id, payout_id = Appeal.objects.values_list(
            "phase_account__challenge__client_id", "phase_account__challenge_id", "phase_account_id", "payout_id"
        ).get(pk=subject_id)
        client = lock(Client, client_id, "brand")
        challenge = lock(Challenge, challenge_id, "version__programme")
        row = lock(PhaseAccount, row_id, "phase")
        payout = lock(ChallengePayout, payout_id) if payout_id else None
        appeal = lock(Appeal, subject_id, "work")
        challenge.client, row.challenge, appeal.phase_account = client, challenge, row
        if payout is not None:
            payout.challenge, payout.phase_account, appeal.payout = challenge, row, payout
        return appeal

    def title(self, subject: Appeal) -> LocalizedText:
        challenge = subject.phase_account.challenge
        return joined([str(challenge.client), str(challenge.version.programme)], ": ")


APPEAL: Final = work.register(AppealReview)


def can_decide_appeal(user: Actor, appeal: Appeal) -> Decision:
    """Allow `prop.decide_appeal` with the client in reach, but not who refused the payout or ended the challenge."""
    allowed = has_permission(user, RIGHT)
    if not allowed or user is None:
        return allowed
    if appeal.refused_by_id == user.pk and appeal.payout_id is None:
        return no(_("You ended this challenge. Someone else must decide the appeal."))
    if appeal.refused_by_id == user.pk:
        return no(_("You refused this payout. Someone else must decide the appeal."))
    return YES if reaches(user, appeal.phase_account.challenge.client) else no(_("This is out of your reach."))


@transaction.atomic
def decide_appeal(*, appeal_id: int, outcome: str, answer: str, actor: User) -> Appeal:
    """Uphold an appeal, which gives back the challenge or the payout, or dismiss it. The trader reads the answer.

    Who: `prop.decide_appeal` in reach, and not who refused the payout or ended the challenge. Raises: NotAllowed (also while a
    colleague has claimed it, or where the client may have no such account now), WrongState, DomainError without an answer.
    """
    appeal = APPEAL.lock(appeal_id)
    policies.require(can_decide_appeal(actor, appeal))
    if appeal.state != AppealState.OPEN:
        raise WrongState(_("This has already been decided."))
    state, challenge = AppealState(outcome), appeal.phase_account.challenge
    work.decide(appeal, actor=actor, outcome=state, reason=answer)
    appeal.move_to(state)
    appeal.answer_sealed = crypto.encrypt_for_client(challenge.client_id, answer.strip().encode())
    appeal.decided_by, appeal.decided_at = actor, timezone.now()
    appeal.save(update_fields=["state", "answer_sealed", "decided_by", "decided_at"])
    if state == AppealState.UPHELD:
        _review_again(appeal) if appeal.payout else _give_back(appeal)
    audit.record(
        actor=actor,
        action=PropAction.APPEAL_DECIDED,
        target=appeal,
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        reason=answer,
        after={"outcome": str(state), "account": appeal.phase_account_id, "payout": appeal.payout_id},
    )
    _notify_trader(appeal)
    return appeal


def _give_back(appeal: Appeal) -> None:
    """Open the lost or ended phase again on a new account, as a reset that costs nothing does. Raises: WrongState."""
    lost = appeal.phase_account
    challenge = lost.challenge
    is_ended = challenge.state == ChallengeState.ENDED and StyleEnding.objects.filter(phase_account=lost).exists()
    is_lost = challenge.state in (ChallengeState.BREACHED, ChallengeState.EXPIRED) and lost.state in LOST
    if not (is_lost or is_ended) or challenge.accounts.filter(pk__gt=lost.pk).exists():
        raise WrongState(_("This challenge goes on already."))
    begin_again(ChallengeReset(lost=lost, price=0, appeal=appeal, bought_at=timezone.now()), actor=None)


def _review_again(appeal: Appeal) -> None:
    """Put a refused payout, with its figures, into the queue again: two people review it. Raises: WrongState."""
    payout, row = appeal.payout, appeal.phase_account
    assert payout is not None
    if row.state != StageState.RUNNING or row.challenge.state != ChallengeState.FUNDED:
        raise WrongState(_("The funded account no longer runs, so its profit can’t be paid out."))
    if row.payouts.filter(state__in=COUNTED, pk__gt=payout.pk).exists():
        raise WrongState(_("The profit was requested again since."))
    challenge, now = row.challenge, timezone.now()
    payout.move_to(PayoutState.REQUESTED)
    payout.decided_by = payout.decided_at = payout.ended_at = None
    payout.work = work.open_item(PAYOUT, brand=challenge.client.brand, client_id=challenge.client_id, opened_at=now)
    payout.save(update_fields=["state", "decided_by", "decided_at", "ended_at", "work"])


def _notify_trader(appeal: Appeal) -> None:
    challenge = appeal.phase_account.challenge
    if challenge.client.user_id is None:
        return
    title = (
        phrase("Your appeal was upheld") if appeal.state == AppealState.UPHELD else phrase("Your appeal was dismissed")
    )
    notify(
        [challenge.client.user_id],
        kind=PropNotice.APPEAL_DECIDED,
        title=title,
        url=f"/portal/challenges/{challenge.pk}/",
        dedupe_key=f"prop.appeal_decided:{appeal.pk}",
    )
