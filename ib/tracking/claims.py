"""Partners who say that a client is theirs: a queue with the evidence, decided by two people where the client moves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.canonical import canonical_email
from clients.models import Client
from crm import work
from crm.approvals import Change
from crm.db.locking import lock
from crm.errors import DomainError, NotFound, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Actor, User
from crm.notices.notify import notify, people_with
from crm.security import audit, policies
from crm.security.policies import Decision
from ib import attribution
from ib.audit_codes import IbAction
from ib.brand_policies import CLIENT_CLAIM_HOURS
from ib.choices import IbNotice, PartnerRight
from ib.models import ClientClaim, Partner
from ib.policies import can_manage_partners
from ib.queries import partners_visible_to
from ib.team.rights import can_act_for, team_with
from ib.tracking.choices import ClaimSource, ClaimState

OPEN_MAX: Final = 20
ACCEPTED, REJECTED = "accepted", "rejected"


class ClaimReview(work.WorkKind[ClientClaim]):
    """The queue of claims. Accepting one moves the client, so that a second person agrees."""

    model = ClientClaim
    code, label = "ib.client_claim", gettext_lazy("Client claims")
    right = "ib.manage_partners"
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        ACCEPTED: work.Outcome(gettext_lazy("Accepted"), needs_reason=True, second_person=True),
        REJECTED: work.Outcome(gettext_lazy("Rejected"), needs_reason=True),
    }
    hours = CLIENT_CLAIM_HOURS
    needs_claim, by_client = False, False
    queue_url = "ib_claims"

    def visible_to(self, user: Actor) -> QuerySet[ClientClaim]:
        if user is None or not user.has_perm("ib.view_partner"):
            return ClientClaim.objects.none()
        return ClientClaim.objects.filter(partner__in=partners_visible_to(user, reads_grants=False))

    def may_work(self, user: Actor, subject: ClientClaim) -> Decision:
        return can_manage_partners(user, subject.partner.brand_id)

    def rows(self) -> QuerySet[ClientClaim]:
        return ClientClaim.objects.select_related("partner__brand", "client")

    def lock(self, subject_id: int) -> ClientClaim:
        return locked(subject_id)

    def title(self, subject: ClientClaim) -> LocalizedText:
        return phrase("Client claim of %(partner)s") % {"partner": subject.partner.name}

    def url(self, subject: ClientClaim) -> str:
        return f"/ib/claims/{subject.pk}/"

    def described(self, subject: ClientClaim, given: Mapping[str, Any]) -> Sequence[Change]:
        return [Change(_("Client"), f"#{subject.client_id}"), Change(_("Partner"), subject.partner.name)]

    def carry_out(
        self, subject: ClientClaim, outcome: str, *, actor: User, reason: str, given: Mapping[str, Any]
    ) -> None:
        policies.require(can_manage_partners(actor, subject.partner.brand_id))
        assert subject.client is not None, "only a claim on a client is accepted"
        attribution.move_client(subject.client, subject.partner, actor=actor, reason=reason[:200])
        _conclude(subject, ClaimState.ACCEPTED, actor=actor, answer=reason)


CLAIM: Final = work.register(ClaimReview)


def locked(claim_id: int) -> ClientClaim:
    """Lock a claim and, before it, the client that it names."""
    client_id = ClientClaim.objects.values_list("client_id", flat=True).filter(pk=claim_id).first()
    if client_id is not None:
        lock(Client, client_id)
    return lock(ClientClaim, claim_id, "partner__brand", "client")


@transaction.atomic
def claim_client(*, partner_id: int, email: str, came_on: dt.date | None, reason: str, actor: Actor) -> ClientClaim:
    """Claim the client with an e-mail address for a partner; the answer doesn't say whether there is one.

    Who: the partner's team with the right to manage links.
    Raises: NotAllowed, DomainError without a reason or with too many open, WrongState (open already).
    """
    partner = lock(Partner, partner_id, "brand")
    policies.require(can_act_for(actor, partner, PartnerRight.MANAGE_LINKS))
    if not reason.strip():
        raise DomainError(_("Enter how the client came to you."))
    if came_on is not None and came_on > timezone.now().date() + dt.timedelta(days=1):
        raise DomainError(_("Enter a day in the past."))
    if partner.claims.filter(state=ClaimState.OPEN).count() >= OPEN_MAX:
        raise DomainError(_("You have too many open claims. Wait for an answer, or contact your partner manager."))
    client = Client.objects.filter(brand=partner.brand, email_canonical=canonical_email(email)).first()
    named = formats.mask_email(email.strip())[:120]
    # By the masked address alone, whether or not there is such a client: else a second try would reveal it.
    if ClientClaim.objects.filter(partner=partner, named=named, state=ClaimState.OPEN).exists():
        raise WrongState(_("You have an open claim on %(address)s. Wait for our answer first.") % {"address": named})
    claim = open_claim(
        partner, client, source=ClaimSource.PARTNER, named=named, reason=reason.strip()[:300], came_on=came_on
    )
    if claim is None:
        raise WrongState(_("You have an open claim on %(address)s. Wait for our answer first.") % {"address": named})
    audit.record(
        actor=actor,
        action=IbAction.CLAIM_OPENED,
        target=partner,
        brand_id=partner.brand_id,
        client_id=client.pk if client else None,
        after={"claim": claim.pk},
        reason=claim.reason,
    )
    return claim


def open_claim(partner: Partner, client: Client | None, *, source: ClaimSource, **fields: Any) -> ClientClaim | None:
    """Put a claim into the queue, in the caller's transaction; None where the partner has one open on the client."""
    now = timezone.now()
    try:
        with transaction.atomic():
            item = work.open_item(CLAIM, client_id=client.pk if client else None, brand=partner.brand, opened_at=now)
            claim = ClientClaim.objects.create(
                partner=partner, client=client, source=source, opened_at=now, work=item, **fields
            )
    except IntegrityError:
        return None
    notify(
        people_with("ib.manage_partners", brand_id=partner.brand_id),
        kind=IbNotice.CLAIM_OPENED,
        title=phrase("%(partner)s claims a client") % {"partner": partner.name},
        body=claim.reason,
        url=f"/ib/claims/{claim.pk}/",
        dedupe_key=f"ib.claim:{claim.pk}",
    )
    return claim


@transaction.atomic
def propose_acceptance(*, claim_id: int, reason: str, actor: User) -> ClientClaim:
    """Propose that a claim is right; a second person approves it, and the client moves.

    Who: `ib.manage_partners` at the brand. Raises: NotAllowed, WrongState, DomainError (no such client, no reason, theirs already).
    """
    claim = _open(claim_id, actor)
    if claim.client is None:
        raise DomainError(_("No client has this address. Reject the claim."))
    attribution.check_pair(claim.client, claim.partner)
    work.propose(claim, actor=actor, outcome=ACCEPTED, reason=reason)
    return claim


@transaction.atomic
def reject_claim(*, claim_id: int, answer: str, actor: User) -> ClientClaim:
    """Reject a claim with an answer that the partner reads. Who: as for accepting. Raises: NotAllowed, WrongState, DomainError."""
    claim = _open(claim_id, actor)
    if not answer.strip():
        raise DomainError(_("Enter an answer."))
    _conclude(claim, ClaimState.REJECTED, actor=actor, answer=answer.strip())
    return claim


def _open(claim_id: int, actor: User) -> ClientClaim:
    if not ClientClaim.objects.filter(pk=claim_id).exists():
        raise NotFound(_("This record no longer exists. Reload the page."))
    claim = locked(claim_id)
    policies.require(can_manage_partners(actor, claim.partner.brand_id))
    if claim.state != ClaimState.OPEN:
        raise WrongState(_("This isn't open any more: it was decided or closed."))
    return claim


def _conclude(claim: ClientClaim, state: ClaimState, *, actor: User, answer: str) -> None:
    claim.move_to(state)
    claim.answer, claim.decided_by, claim.decided_at = answer[:300], actor, timezone.now()
    claim.save(update_fields=["state", "answer", "decided_by", "decided_at"])
    work.decide(claim, actor=actor, outcome=str(state), reason=answer)
    audit.record(
        actor=actor,
        action=IbAction.CLAIM_ACCEPTED if state == ClaimState.ACCEPTED else IbAction.CLAIM_REJECTED,
        target=claim.partner,
        brand_id=claim.partner.brand_id,
        client_id=claim.client_id,
        after={"claim": claim.pk, "state": str(state)},
        reason=claim.answer,
    )
    notify(
        team_with(claim.partner, PartnerRight.MANAGE_LINKS),
        kind=IbNotice.CLAIM_DECIDED,
        title=phrase("Your claim was decided"),
        body=claim.answer,
        url="/partners/clients/claims/",
        dedupe_key=f"ib.claim:{claim.pk}:decided",
    )
