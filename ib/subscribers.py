"""What partners' bookkeeping does when something happened elsewhere."""

from clients.choices import Stage
from clients.models import Client
from crm.events import (
    ChallengeFeeReturned,
    ChallengeSold,
    ClientRegistered,
    ClientStageChanged,
    ClientVerified,
    CommissionSettled,
    DealsResolved,
    DealsSynced,
    DepositRestored,
    DepositReversed,
    DepositSettled,
    KycLevelLost,
    KycLevelRegained,
    LeadCaptured,
    PartnerApproved,
    PartnerBlocked,
    PartnerClosed,
    PartnerCreated,
    PartnerMoved,
    PartnerUnblocked,
    WatchlistLoaded,
    subscribe,
)
from crm.i18n.localized_text import amount, phrase
from crm.money.amounts import Money
from crm.notices.notify import notify
from ib import clawback, engine
from ib.applications import agreement
from ib.attribution import attribute_registration
from ib.calculation import sales
from ib.choices import FeeReturn, ForfeitCause, IbNotice, PartnerRight, PartnerState
from ib.models import Partner
from ib.screening import partner_names
from ib.settlements import credit_notes, forfeits, invoices
from ib.team import notices
from ib.team.rights import team_with
from ib.tracking import postbacks, reports, touches
from ib.tracking.choices import PostbackEvent
from kyc.choices import LevelLoss
from kyc.levels.reaching import level_required

REVOKED = (LevelLoss.OVERTURNED, LevelLoss.PROVIDER_REVISED)


@subscribe(ClientRegistered)
def attribute_to_the_partner(event: ClientRegistered) -> None:
    """Attribute a registered client to the partner whose code they came with."""
    if event.client_id is None or event.brand_id is None:
        return
    code = event.referral_code or reports.code_of_reported_click(brand_id=event.brand_id, click_id=event.click_id)
    if code and attribute_registration(
        client_id=event.client_id, code=code, sub_id=event.sub_id, click_id=event.click_id
    ):
        postbacks.report_step(client_id=event.client_id, event=PostbackEvent.REGISTRATION)
    postbacks.report_step_to_source(client_id=event.client_id, event=PostbackEvent.REGISTRATION)


@subscribe(LeadCaptured)
def follow_a_returning_client(event: LeadCaptured) -> None:
    """Credit a client to another partner through whom they came back, once the lock-in has ended."""
    if event.duplicate:
        touches.follow_return(lead_id=event.lead_id)


@subscribe(LeadCaptured)
def report_the_lead_to_its_source(event: LeadCaptured) -> None:
    """Send the postbacks of the source that handed in a lead."""
    postbacks.report_lead(lead_id=event.lead_id)


@subscribe(ClientVerified)
def report_verification(event: ClientVerified) -> None:
    """Send the partner's and the lead source's postbacks for a verified client."""
    if event.client_id is not None:
        postbacks.report_step(client_id=event.client_id, event=PostbackEvent.VERIFIED)
        postbacks.report_step_to_source(client_id=event.client_id, event=PostbackEvent.VERIFIED)


@subscribe(DepositSettled)
def report_first_deposit(event: DepositSettled) -> None:
    """Send the partner's and the lead source's postbacks for a client's first deposit."""
    if event.is_first and event.client_id is not None:
        postbacks.report_step(client_id=event.client_id, event=PostbackEvent.FUNDED)
        postbacks.report_step_to_source(client_id=event.client_id, event=PostbackEvent.FUNDED)


@subscribe(ClientStageChanged)
def report_activity(event: ClientStageChanged) -> None:
    """Send the partner's and the lead source's postbacks for a client who became active."""
    if event.after == Stage.ACTIVE and event.client_id is not None:
        postbacks.report_step(client_id=event.client_id, event=PostbackEvent.ACTIVE)
        postbacks.report_step_to_source(client_id=event.client_id, event=PostbackEvent.ACTIVE)


@subscribe(DealsSynced)
def accrue_commissions(event: DealsSynced) -> None:
    """Accrue commissions on new deals."""
    engine.run_for_deals(deal_ids=list(event.deal_ids))


@subscribe(DealsResolved)
def accrue_what_waited_for_its_symbol(event: DealsResolved) -> None:
    """Accrue deals again whose symbol was mapped to a group meanwhile."""
    engine.run_for_deals(deal_ids=list(event.deal_ids), corrects=True)


@subscribe(ChallengeSold)
def pay_for_a_sold_challenge(event: ChallengeSold) -> None:
    """Accrue what the sale of a challenge earns the client's partner and those above."""
    if event.client_id is not None:
        sales.record_sale(
            client_id=event.client_id,
            challenge_number=event.challenge_id,
            sold_at=event.sold_at,
            price=event.amount,
            currency=event.currency,
        )


@subscribe(ChallengeFeeReturned)
def take_back_what_a_challenge_earned(event: ChallengeFeeReturned) -> None:
    """Take back what a sold challenge earned, once its fee was refunded or charged back."""
    if event.client_id is not None:
        sales.record_sale(
            client_id=event.client_id,
            challenge_number=event.challenge_id,
            sold_at=event.sold_at,
            price=event.amount,
            currency=event.currency,
        )
        sales.record_return(challenge_number=event.challenge_id, because=FeeReturn(event.cause))


@subscribe(DepositReversed)
def take_commissions_back(event: DepositReversed) -> None:
    """Take back commissions that rest on a reversed deposit."""
    clawback.take_back(
        deposit_id=event.deposit_id, amount=event.amount, currency=event.currency, reference=event.reference
    )


@subscribe(DepositRestored)
def give_commissions_back(event: DepositRestored) -> None:
    """Restore commissions that a reversed chargeback had taken back."""
    clawback.give_back(
        deposit_id=event.deposit_id, amount=event.amount, currency=event.currency, reference=event.reference
    )


@subscribe(KycLevelLost)
def forfeit_when_verification_is_revoked(event: KycLevelLost) -> None:
    """Take commissions back from a client whose verification was revoked; a document that expired takes nothing."""
    if event.client_id is not None and event.reason in REVOKED and not _is_verified(event.client_id):
        forfeits.declare(client_id=event.client_id, cause=ForfeitCause.KYC_REVOKED)


@subscribe(KycLevelRegained)
def restore_when_verified_again(event: KycLevelRegained) -> None:
    """Restore what a revoked verification took, once the client is verified again."""
    if event.client_id is not None and _is_verified(event.client_id):
        forfeits.lift(client_id=event.client_id, cause=ForfeitCause.KYC_REVOKED)


def _is_verified(client_id: int) -> bool:
    """Read it as it is now: events may come late."""
    client = Client.objects.select_related("brand").get(pk=client_id)
    return client.kyc_level >= level_required(client)


@subscribe(CommissionSettled)
def make_the_invoice_file(event: CommissionSettled) -> None:
    """Set the PDFs of the settlement's self-billing invoice and credit notes."""
    invoices.make_file(event.settlement_id)
    credit_notes.make_files(event.settlement_id)


@subscribe(CommissionSettled)
def tell_the_partner(event: CommissionSettled) -> None:
    """Notify the partner that commissions were settled."""
    partner = Partner.objects.get(pk=event.partner_id)
    notify(
        team_with(partner, PartnerRight.SEE_MONEY),
        kind=IbNotice.COMMISSION_SETTLED,
        title=phrase("Your commissions were settled"),
        body=amount(Money(event.amount, event.currency)),
        url=f"/partners/payouts/{event.settlement_id}/",
        dedupe_key=f"ib.settlement:{event.settlement_id}",
    )


@subscribe(PartnerBlocked)
def notify_of_suspension(event: PartnerBlocked) -> None:
    """Notify a partner that they are suspended."""
    _notify_of_state(event.partner_id, PartnerState.BLOCKED)


@subscribe(PartnerUnblocked)
def notify_of_reinstatement(event: PartnerUnblocked) -> None:
    """Notify a partner that they earn again."""
    _notify_of_state(event.partner_id, PartnerState.ACTIVE)


@subscribe(PartnerClosed)
def notify_of_the_end(event: PartnerClosed) -> None:
    """Notify a partner that the partnership has ended."""
    _notify_of_state(event.partner_id, PartnerState.CLOSED)


def _notify_of_state(partner_id: int, state: PartnerState) -> None:
    """Notify of a state that still holds; a rejected applicant, who never was active, has an e-mail of their own."""
    partner = Partner.objects.get(pk=partner_id)
    if partner.state == state and partner.spells.exists():
        notices.notify_of_state(partner, state, key=f"{partner.pk}:{state}:{partner.spells.count()}")


@subscribe(PartnerApproved)
def notify_who_is_above_of_the_approved(event: PartnerApproved) -> None:
    """Notify the partner directly above that somebody joined below them."""
    notices.notify_of_joining(Partner.objects.get(pk=event.partner_id), is_approved=True)


@subscribe(PartnerMoved)
def notify_who_is_above_of_the_moved(event: PartnerMoved) -> None:
    """Notify the partner directly above that somebody was placed below them."""
    if event.to_parent_id is not None:
        notices.notify_of_joining(Partner.objects.get(pk=event.partner_id), is_approved=False)


@subscribe(PartnerCreated)
def screen_the_new_partner(event: PartnerCreated) -> None:
    """Screen a partner who applied or was registered; one with a client record is screened as a client."""
    partner_names.screen_partner(partner_id=event.partner_id)


@subscribe(PartnerCreated)
def make_the_agreement_file(event: PartnerCreated) -> None:
    """Set the PDF of the agreement that an applicant accepted."""
    agreement.make_file(event.partner_id)


@subscribe(WatchlistLoaded)
def screen_partners_against_the_new_version(event: WatchlistLoaded) -> None:
    """Screen the partners without a client record again when a list has a new version."""
    partner_names.screen_partners()
