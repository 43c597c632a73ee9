"""Starting balances that the platform keeps refusing, as work: opened by the system, one for each refused last attempt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Client
from clients.queries import clients_visible_to, reaches
from crm import work
from crm.db.locking import lock
from crm.i18n.localized_text import LocalizedText, joined, phrase
from crm.models import Actor
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import YES, Decision, has_permission, no
from prop.audit_codes import PropAction
from prop.brand_policies import FUNDING_HOURS
from prop.choices import FundingState, PropNotice
from prop.models import Challenge, FundingFailure, PhaseAccount
from trading.models import BalanceOperation

RIGHT: Final = "prop.decide_challenge"


class FundingWork(work.WorkKind[FundingFailure]):
    """Challenge accounts whose starting balance the platform keeps refusing."""

    model = FundingFailure
    code, label = "prop.funding", gettext_lazy("Challenge accounts without their balance")
    right = RIGHT
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        FundingState.SENT: work.Outcome(gettext_lazy("Send balance again")),
        FundingState.CLOSED: work.Outcome(gettext_lazy("Close without a balance"), needs_reason=True),
    }
    hours = FUNDING_HOURS
    needs_claim = False
    by_client = False
    queue_url = "prop_challenges"

    def visible_to(self, user: Actor) -> QuerySet[FundingFailure]:
        if user is None or not user.is_team or not user.has_perm("prop.view_challenge"):
            return FundingFailure.objects.none()
        seen = clients_visible_to(user).order_by().values("pk")
        return FundingFailure.objects.filter(phase_account__challenge__client__in=seen)

    def may_work(self, user: Actor, subject: FundingFailure) -> Decision:
        return can_fund(user, subject.phase_account)

    def rows(self) -> QuerySet[FundingFailure]:
        return FundingFailure.objects.select_related(
            "phase_account__challenge__client", "phase_account__challenge__version__programme"
        )

    def lock(self, subject_id: int) -> FundingFailure:
        """Lock the client, the challenge, the account and the failure, in this order."""
        client_id, challenge_id, row_id = FundingFailure.objects.values_list(
            "phase_account__challenge__client_id", "phase_account__challenge_id", "phase_account_id"
        ).get(pk=subject_id)
        client = lock(Client, client_id, "brand")
        challenge = lock(Challenge, challenge_id, "version__programme")
        row = lock(PhaseAccount, row_id)
        failure = lock(FundingFailure, subject_id, "work")
        challenge.client, row.challenge, failure.phase_account = client, challenge, row
        return failure

    def title(self, subject: FundingFailure) -> LocalizedText:
        challenge = subject.phase_account.challenge
        return joined([str(challenge.client), str(challenge.version.programme)], ": ")


FUNDING: Final = work.register(FundingWork)


def can_fund(user: Actor, row: PhaseAccount) -> Decision:
    """Allow `prop.decide_challenge` with the client in reach."""
    allowed = has_permission(user, RIGHT)
    if not allowed:
        return allowed
    return YES if reaches(user, row.challenge.client) else no(_("This is out of your reach."))


def open_failure(row: PhaseAccount, operation: BalanceOperation, attempts: int) -> FundingFailure:
    """Put an account into the queue whose last attempt was refused, and notify those who may send it again.

    Who: the system. A repeat finds the one that is there.
    """
    known = FundingFailure.objects.filter(operation=operation).first()
    if known is not None:
        return known
    challenge, now = row.challenge, timezone.now()
    failure = FundingFailure.objects.create(
        phase_account=row,
        operation=operation,
        attempts=attempts,
        failed_at=now,
        work=work.open_item(FUNDING, brand=challenge.brand, client_id=challenge.client_id, opened_at=now),
    )
    audit.record(
        actor=None,
        action=PropAction.FUNDING_FAILED,
        target=row,
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        after={"account": row.account_id, "attempts": attempts},
    )
    notify(
        people_with(RIGHT, brand_id=challenge.brand_id),
        kind=PropNotice.FUNDING_FAILED,
        title=phrase("The platform keeps refusing the starting balance of a challenge account"),
        url=challenge.get_absolute_url(),
        dedupe_key=f"prop.funding_failed:{row.pk}:{attempts}",
    )
    return failure
