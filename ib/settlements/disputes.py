"""Disputes about commissions: what they are about waits for its settlement until somebody resolves them."""

from __future__ import annotations

from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import work
from crm.errors import DomainError, NotAllowed, NotFound, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import phrase
from crm.models import Actor, User
from crm.money import amounts
from crm.notices.notify import notify, people_with
from crm.security import audit, policies
from ib import periods
from ib.audit_codes import IbAction
from ib.choices import DisputeState, IbNotice, PartnerRight
from ib.models import Accrual, CommissionDispute, DisputeMessage, Partner, Upline
from ib.policies import can_settle
from ib.queries import of_deals
from ib.settlements.dispute_work import ADJUSTED, AMOUNT, DISPUTE, conclude, locked
from ib.team.rights import can_act_for, is_of_team, team_with
from trading.models import Deal

# How many a partner may have open: each waits for a person.
OPEN_MAX = 50
MESSAGE_MAX, MESSAGES_MAX = 1000, 100
ADJUSTMENT_MAX = Decimal(1_000_000)


@transaction.atomic
def open_dispute(
    *, partner_id: int, accrual_id: int | None = None, deal_id: int | None = None, reason: str, actor: Actor
) -> CommissionDispute:
    """Dispute a line, the absence of any for a deal, or freeze a partner as a whole. What isn't settled yet waits from now on.

    Who: the partner, for a line of their own; `ib.settle_commissions` at the brand. Raises: NotAllowed, NotFound, WrongState
    (it is in dispute already), DomainError without a reason.
    """
    brand_id = Partner.objects.values_list("brand_id", flat=True).filter(pk=partner_id).first()
    if brand_id is None:
        raise NotFound(_("This record no longer exists. Reload the page."))
    periods.lock_commissions(brand_id)
    partner = Partner.objects.select_related("user", "brand").get(pk=partner_id)
    is_own = is_of_team(actor, partner)
    policies.require(
        can_act_for(actor, partner, PartnerRight.DISPUTE) if is_own else can_settle(actor, partner.brand_id)
    )
    if is_own and accrual_id is None and deal_id is None:
        raise NotAllowed(_("Only your broker can freeze an account. Dispute a trade instead."))
    if not reason.strip():
        raise DomainError(_("Enter a reason."))
    dispute = CommissionDispute(partner=partner, reason=reason.strip()[:300], opened_by=actor, opened_at=timezone.now())
    if accrual_id is not None:
        accrual = Accrual.objects.filter(pk=accrual_id, partner=partner).first()
        if accrual is None:
            raise NotFound(_("This record no longer exists. Reload the page."))
        dispute.accrual_id, dispute.deal_id = accrual.pk, accrual.deal_id
    elif deal_id is not None:
        _check_missing(partner, deal_id)
        dispute.deal_id = deal_id
    if is_own and CommissionDispute.objects.filter(partner=partner, state=DisputeState.OPEN).count() >= OPEN_MAX:
        raise DomainError(_("You have too many open disputes. Wait for an answer, or contact your partner manager."))
    try:
        with transaction.atomic():
            if dispute.deal_id is not None:
                dispute.work = work.open_item(
                    DISPUTE, client_id=_client_of(dispute), brand=partner.brand, opened_at=dispute.opened_at
                )
            dispute.save()
    except IntegrityError:
        raise WrongState(_("This is in dispute already.")) from None
    audit.record(
        actor=actor,
        action=IbAction.DISPUTE_OPENED,
        target=partner,
        brand_id=partner.brand_id,
        after={"dispute": dispute.pk, "deal": dispute.deal_id, "accrual": dispute.accrual_id},
        reason=dispute.reason,
    )
    _notify_of_opening(dispute, partner, is_own)
    return dispute


def _check_missing(partner: Partner, deal_id: int) -> None:
    """Refuse a deal of others, and one that has a line. Raises: NotFound, WrongState."""
    if not deals_of_network(partner).filter(pk=deal_id).exists():
        raise NotFound(_("We found no such deal among the clients of your network."))
    if Accrual.objects.filter(of_deals([deal_id]), partner=partner).exists():
        raise WrongState(_("This deal has a commission or a reason why there is none. Dispute it on its page."))


def deals_of_network(partner: Partner) -> QuerySet[Deal]:
    """Select the deals of clients who are, or were, referred by somebody in the partner's network, deleted ones too."""
    network = Upline.objects.filter(ancestor=partner).values("partner")
    return Deal.every.filter(account__client__attributions__partner__in=network).distinct()


def deal_with_number(partner: Partner, number: int) -> Deal | None:
    """Find a closing deal of the partner's network by its number; the newest where several servers have it."""
    return deals_of_network(partner).filter(ticket=number).order_by("-executed_at", "-pk").first()


def _notify_of_opening(dispute: CommissionDispute, partner: Partner, is_own: bool) -> None:
    if is_own:
        readers = people_with("ib.settle_commissions", brand_id=partner.brand_id)
        title = phrase("%(partner)s disputes a commission") % {"partner": partner.name}
        url = f"/ib/disputes/{dispute.pk}/"
    else:
        readers, url = team_with(partner, PartnerRight.DISPUTE), "/partners/payouts/"
        title = phrase("Your settlements are on hold") if dispute.deal_id is None else phrase("A commission is on hold")
    notify(
        readers,
        kind=IbNotice.DISPUTE_OPENED if is_own else IbNotice.DISPUTE_CHANGED,
        title=title,
        body=dispute.reason,
        url=url,
        dedupe_key=f"ib.dispute:{dispute.pk}",
    )


def _client_of(dispute: CommissionDispute) -> int:
    assert dispute.deal_id is not None, "only disputes about deals are work"
    deal = Deal.every.select_related("account").filter(pk=dispute.deal_id).first()
    if deal is not None and deal.account is not None:
        return deal.account.client_id
    assert dispute.accrual_id is not None, "a deal without an account has a line"
    return Accrual.objects.values_list("client_id", flat=True).get(pk=dispute.accrual_id)


def _open(dispute_id: int) -> CommissionDispute:
    """Lock a dispute, or refuse one that is gone. Raises: NotFound."""
    if not CommissionDispute.objects.filter(pk=dispute_id).exists():
        raise NotFound(_("This record no longer exists. Reload the page."))
    return locked(dispute_id)


@transaction.atomic
def resolve_dispute(*, dispute_id: int, answer: str, actor: Actor) -> CommissionDispute:
    """Resolve a dispute with an answer that the partner reads. What waited is in their next settlement, as it is then.

    Who: `ib.settle_commissions` at the brand. Raises: NotAllowed, WrongState, DomainError without an answer.
    """
    dispute = _open(dispute_id)
    policies.require(can_settle(actor, dispute.partner.brand_id))
    if not answer.strip():
        raise DomainError(_("Enter an answer."))
    conclude(dispute, actor=actor, answer=answer.strip())
    return dispute


@transaction.atomic
def propose_adjustment(*, dispute_id: int, amount: Decimal, answer: str, actor: User) -> CommissionDispute:
    """Propose to resolve a dispute by paying the partner so much more, or less, in their currency; finance approves it.

    Who: `ib.settle_commissions` or `ib.manage_partners` at the brand. Raises: NotAllowed, WrongState, DomainError (nothing
    changes, too many decimals, no answer).
    """
    dispute = _open(dispute_id)
    policies.require(DISPUTE.may_work(actor, dispute))
    if dispute.state != DisputeState.OPEN or dispute.work_id is None:
        raise WrongState(_("This isn't open any more: it was decided or closed."))
    if not amount or abs(amount) > ADJUSTMENT_MAX:
        raise DomainError(
            _("Enter an amount that isn't zero, at most %(most)s.") % {"most": formats.number(ADJUSTMENT_MAX)}
        )
    if amount != amounts.quantize(amount, dispute.partner.currency):
        raise DomainError(_("Too many decimal places for %(currency)s.") % {"currency": dispute.partner.currency})
    work.propose(dispute, actor=actor, outcome=ADJUSTED, reason=answer, given={AMOUNT: str(amount)})
    return dispute


@transaction.atomic
def add_message(*, dispute_id: int, text: str, actor: User) -> DisputeMessage:
    """Write to the other side of an open dispute about a deal.

    Who: the partner whose dispute it is, `ib.settle_commissions` or `ib.manage_partners` at the brand. Raises: NotAllowed,
    NotFound, WrongState, DomainError (nothing said, too long, too many messages).
    """
    dispute = _open(dispute_id)
    is_partner = is_of_team(actor, dispute.partner)
    policies.require(
        can_act_for(actor, dispute.partner, PartnerRight.DISPUTE) if is_partner else DISPUTE.may_work(actor, dispute)
    )
    if dispute.state != DisputeState.OPEN or dispute.deal_id is None:
        raise WrongState(_("This isn't open any more: it was decided or closed."))
    text = text.strip()
    if not text or len(text) > MESSAGE_MAX:
        raise DomainError(_("Enter a message of at most %(count)s characters.") % {"count": MESSAGE_MAX})
    if dispute.messages.count() >= MESSAGES_MAX:
        raise DomainError(_("This dispute has too many messages. Wait for an answer, or contact your partner manager."))
    message = DisputeMessage.objects.create(
        dispute=dispute, author=actor, is_partner=is_partner, text=text, at=timezone.now()
    )
    audit.record(
        actor=actor,
        action=IbAction.DISPUTE_MESSAGE,
        target=dispute.partner,
        brand_id=dispute.partner.brand_id,
        after={"dispute": dispute.pk, "message": message.pk},
    )
    if is_partner:
        item = dispute.work
        own = [pk for pk in (item.claimed_by_id, item.assigned_to_id) if pk] if item else []
        readers = own or list(people_with("ib.settle_commissions", brand_id=dispute.partner.brand_id))
    else:
        readers = team_with(dispute.partner, PartnerRight.DISPUTE)
    notify(
        readers,
        kind=IbNotice.DISPUTE_MESSAGE,
        title=phrase("Message about the dispute of %(partner)s") % {"partner": dispute.partner.name},
        body=text[:200],
        url=f"/ib/disputes/{dispute.pk}/" if is_partner else f"/partners/disputes/{dispute.pk}/",
        dedupe_key=f"ib.dispute_message:{message.pk}",
    )
    return message


def is_frozen(partner_id: int) -> bool:
    """Whether a partner's settlements and payouts wait as a whole."""
    return CommissionDispute.objects.filter(
        partner_id=partner_id, deal_id__isnull=True, state=DisputeState.OPEN
    ).exists()
