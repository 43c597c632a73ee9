"""Paused challenges as work: resumed once the payment is settled, or ended with a reason."""

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
from crm.db.locking import lock, lock_all
from crm.errors import WrongState
from crm.i18n.localized_text import LocalizedText, joined
from crm.models import Actor, User
from crm.security import audit, policies
from crm.security.policies import YES, Decision, has_permission, no
from prop.audit_codes import PropAction
from prop.brand_policies import REVIEW_HOURS
from prop.challenges.returned_fees import CHARGED_BACK, publish_returned
from prop.choices import ChallengeState, PauseState, PayoutState, StageState
from prop.merging.waiting import is_being_closed
from prop.models import Challenge, ChallengePause
from prop.payouts.settling import settle_payout
from trading.accounts.changes import end_trading, resume_trading

RIGHT: Final = "prop.decide_challenge"


class PauseReview(work.WorkKind[ChallengePause]):
    """Challenges whose fee was charged back."""

    model = ChallengePause
    code, label = "prop.pause", gettext_lazy("Paused challenges to decide")
    right = RIGHT
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        PauseState.RESUMED: work.Outcome(gettext_lazy("Resume challenge"), needs_reason=True),
        PauseState.ENDED: work.Outcome(gettext_lazy("End challenge"), needs_reason=True),
    }
    hours = REVIEW_HOURS
    needs_claim = False
    by_client = False
    queue_url = "prop_challenges"

    def visible_to(self, user: Actor) -> QuerySet[ChallengePause]:
        if user is None or not user.is_team or not user.has_perm("prop.view_challenge"):
            return ChallengePause.objects.none()
        return ChallengePause.objects.filter(challenge__client__in=clients_visible_to(user).order_by().values("pk"))

    def may_work(self, user: Actor, subject: ChallengePause) -> Decision:
        return can_decide_pause(user, subject)

    def rows(self) -> QuerySet[ChallengePause]:
        return ChallengePause.objects.select_related("challenge__client", "challenge__version__programme")

    def lock(self, subject_id: int) -> ChallengePause:
        """Lock the client, the challenge and the pause, in this order."""
        client_id, challenge_id = ChallengePause.objects.values_list("challenge__client_id", "challenge_id").get(
            pk=subject_id
        )
        client = lock(Client, client_id, "brand")
        challenge = lock(Challenge, challenge_id, "version__programme")
        pause = lock(ChallengePause, subject_id, "work")
        challenge.client, pause.challenge = client, challenge
        return pause

    def title(self, subject: ChallengePause) -> LocalizedText:
        return joined([str(subject.challenge.client), str(subject.challenge.version.programme)], ": ")


PAUSE: Final = work.register(PauseReview)


def can_decide_pause(user: Actor, pause: ChallengePause) -> Decision:
    """Allow `prop.decide_challenge` with the client in reach."""
    allowed = has_permission(user, RIGHT)
    if not allowed:
        return allowed
    return YES if reaches(user, pause.challenge.client) else no(_("This is out of your reach."))


@transaction.atomic
def decide_pause(*, pause_id: int, outcome: str, reason: str = "", actor: User) -> ChallengePause:
    """Resume a paused challenge, or end it: its account is closed for trading and no payout of it is credited.

    Who: `prop.decide_challenge` in reach. Raises: NotAllowed (also while a colleague has claimed it), WrongState where it was
    decided or a phase has to be reviewed or opened first, DomainError without a reason.
    """
    pause = PAUSE.lock(pause_id)
    policies.require(can_decide_pause(actor, pause))
    if pause.state != PauseState.OPEN:
        raise WrongState(_("This has already been decided."))
    state, challenge = PauseState(outcome), pause.challenge
    work.decide(pause, actor=actor, outcome=state, reason=reason)
    pause.move_to(state)
    pause.decided_by, pause.decided_at = actor, timezone.now()
    pause.save(update_fields=["state", "decided_by", "decided_at"])
    if state == PauseState.ENDED:
        _end(challenge)
        publish_returned([challenge.pk], because=CHARGED_BACK)
    else:
        _resume(challenge)
    audit.record(
        actor=actor,
        action=PropAction.PAUSE_DECIDED,
        target=challenge,
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        reason=reason,
        after={"outcome": str(state)},
    )
    return pause


def _resume(challenge: Challenge) -> None:
    """Allow trading again, and credit payouts whose profit left the account meanwhile."""
    challenge.paused_at = None
    challenge.save(update_fields=["paused_at"])
    for row in challenge.accounts.filter(account__trading_paused_at__isnull=False).order_by("account_id"):
        if not is_being_closed(row):
            resume_trading(account_id=row.account_id)
    for payout in challenge.payouts.filter(state=PayoutState.SENDING, operation__isnull=False):
        settle_payout(operation_id=payout.operation_id or 0)


def _end(challenge: Challenge) -> None:
    """End what runs, and payouts on their way: they are never credited. The challenge stays paused, so nothing starts again: no
    reset of a lost one is sold, no appeal gives it back, no correction lets it go on."""
    now = timezone.now()
    for row in lock_all(challenge.accounts.all()):
        if row.state == StageState.REVIEW:
            raise WrongState(_("Decide on the reached target first."))
        if row.state == StageState.OPENING:
            raise WrongState(_("The account is still being opened. Try again once it is open."))
        if row.state == StageState.RUNNING:
            row.move_to(StageState.ENDED)
            row.ended_at = now
            row.save(update_fields=["state", "ended_at"])
            end_trading(account_id=row.account_id)
    for payout in lock_all(challenge.payouts.filter(state=PayoutState.SENDING)):
        payout.move_to(PayoutState.FAILED)
        payout.ended_at = now
        payout.save(update_fields=["state", "ended_at"])
    if challenge.state in (ChallengeState.ACTIVE, ChallengeState.FUNDED):
        challenge.move_to(ChallengeState.ENDED)
        challenge.ended_at = now
        challenge.save(update_fields=["state", "ended_at"])
