"""A trader, or staff for them, asks to merge two funded accounts: one merge of an account at a time."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.queries import reaches
from crm import work
from crm.errors import NotFound, WrongState
from crm.models import Actor, User
from crm.security import audit, policies
from crm.security.policies import YES, Decision, has_permission, no
from prop.audit_codes import PropAction
from prop.challenges.pending import Pending, pending_of
from prop.choices import ChallengeState, StageState
from prop.merging.checks import checks_of, problem_of
from prop.merging.locking import lock_pair
from prop.merging.reviews import MERGE, RIGHT
from prop.models import AccountMerge, Challenge, PhaseAccount
from prop.payouts.checks import PayoutCheck

CANDIDATES_MAX = 20


def can_request(user: Actor, challenge: Challenge) -> Decision:
    """Allow the client in person, and `prop.decide_challenge` with the client in reach."""
    client = challenge.client
    if user is not None and client.user_id == user.pk:
        return YES
    allowed = has_permission(user, RIGHT)
    if not allowed:
        return allowed
    return YES if reaches(user, client) else no(_("This is out of your reach."))


@dataclass(frozen=True, slots=True)
class MergeOffer:
    """Another account that could be closed into this one. problem: why not yet; empty where a merge can be requested."""

    row: PhaseAccount
    checks: list[PayoutCheck]

    @property
    def problem(self) -> str:
        return problem_of(self.checks)

    @property
    def notes(self) -> list[str]:
        """What isn't in the way, but should be known."""
        shown = [] if self.problem else self.checks
        return [check.text for check in shown if not check.is_binding]


def offers_of(kept: PhaseAccount, *, pending: Pending | None = None) -> list[MergeOffer]:
    """List the trader's other running funded accounts of the same version and currency, with what stands in the way.

    None while the account is being merged. pending: what is under way on it, where that was read already.
    """
    challenge = kept.challenge
    if kept.state != StageState.RUNNING or challenge.state != ChallengeState.FUNDED or not kept.phase.is_funded:
        return []
    if (pending or pending_of([kept.pk])[kept.pk]).merge_id is not None:
        return []
    others = PhaseAccount.objects.filter(
        challenge__client_id=challenge.client_id,
        challenge__version_id=challenge.version_id,
        challenge__currency=challenge.currency,
        challenge__state=ChallengeState.FUNDED,
        state=StageState.RUNNING,
        phase__is_funded=True,
    ).exclude(pk=kept.pk)
    found = others.select_related("phase", "account__server", "challenge").order_by("pk")
    offers = []
    for row in found[:CANDIDATES_MAX]:
        row.challenge.client, row.challenge.version = challenge.client, challenge.version
        offers.append(MergeOffer(row, checks_of(kept, row)))
    return offers


@transaction.atomic
def request_merge(*, kept_id: int, closed_id: int, request_key: str, actor: User) -> AccountMerge:
    """Ask to close an account and let another one grow by its size. The same request_key is the same merge.

    Who: the client, or `prop.decide_challenge` in reach. Raises: NotFound, NotAllowed, WrongState with what a check says.
    """
    owners = dict(PhaseAccount.objects.filter(pk__in=[kept_id, closed_id]).values_list("pk", "challenge__client_id"))
    if kept_id not in owners or owners[kept_id] != owners.get(closed_id) or kept_id == closed_id:
        raise NotFound(_("This record no longer exists. Reload the page."))
    kept, closed = lock_pair(owners[kept_id], kept_id, closed_id)
    policies.require(can_request(actor, kept.challenge))
    known = kept.merges.filter(request_key=request_key).first()
    if known is not None:
        return known
    problem = problem_of(checks_of(kept, closed))
    if problem:
        raise WrongState(problem)
    now, challenge = timezone.now(), kept.challenge
    merge = AccountMerge.objects.create(
        kept=kept,
        closed=closed,
        size=kept.size,
        amount=closed.size,
        request_key=request_key,
        requested_by=actor,
        requested_at=now,
        work=work.open_item(MERGE, brand=challenge.client.brand, client_id=challenge.client_id, opened_at=now),
    )
    audit.record(
        actor=actor,
        action=PropAction.MERGE_REQUESTED,
        target=merge,
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        after={"account": kept.account_id, "closed": closed.account_id, "amount": str(merge.amount)},
    )
    return merge
