"""What the client portal does when something happened elsewhere: the client's bell rings in their language, pages refresh."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from clients import proofs
from clients.models import Client
from crm.accounts.link_requests import answers
from crm.choices import ApprovalState, LinkKind, UserKind
from crm.events import (
    BalanceOperationSettled,
    ClientVerified,
    DepositReversed,
    DepositSettled,
    DocumentChecked,
    DocumentReviewed,
    DocumentUploaded,
    Event,
    TradingAccountOpened,
    TransferSettled,
    WithdrawalApproved,
    WithdrawalRefused,
    WithdrawalSettled,
    subscribe,
)
from crm.i18n.localized_text import LocalizedText, joined, phrase
from crm.models import User
from crm.money.amounts import Money
from crm.notices.notify import notify, push_live
from kyc.models import Document
from portal import registration
from portal.choices import PortalNotice
from wallet.choices.withdrawals import FindingKind, WithdrawalState, reason_for_client
from wallet.models import Deposit, PayoutFinding, Transfer, Withdrawal
from wallet.withdrawals.payout_results import parts_of

proofs.register(
    {registration.EMAIL_CONFIRMED: proofs.Proof(_("E-mail address confirmed"), "portal_profile", for_companies=None)},
    sql="SELECT c.id, 'email_confirmed' FROM clients_client c LEFT JOIN portal_portallogin l ON l.user_id = c.user_id "
    "WHERE c.user_id IS NOT NULL AND (l.user_id IS NULL OR l.email_verified_at IS NOT NULL)",
)
# The browser's pages listen for this: any page of the room asks for its fragment again.
LIVE = "room"


def _owner(client_id: int | None) -> User | None:
    """Find the portal login of a client; None for a lead or an imported client without one."""
    client = Client.objects.select_related("user").filter(pk=client_id).first() if client_id else None
    return client.user if client is not None else None


def _tell(
    event: Event,
    *,
    kind: PortalNotice,
    words: tuple[LocalizedText, LocalizedText],
    url: str,
    key: object,
    replaces: bool = False,
) -> None:
    """Notify the client once, in their language, and refresh their open pages."""
    user = _owner(event.client_id)
    if user is None:
        return
    notify([user.pk], kind=kind, title=words[0], body=words[1], url=url, dedupe_key=f"{kind}:{key}", replaces=replaces)
    _refresh(event)


def _refresh(event: Event) -> None:
    user = _owner(event.client_id)
    if user is not None:
        push_live(user.pk, event=LIVE, data={"kind": event.name})


@subscribe(DocumentUploaded, DocumentChecked, WithdrawalApproved, BalanceOperationSettled, DepositReversed)
def refresh_pages(event: Event) -> None:
    """Refresh the client's open pages."""
    _refresh(event)


@subscribe(DocumentReviewed)
def tell_of_the_review(event: DocumentReviewed) -> None:
    """Notify the client of a decision on a document."""
    document = Document.objects.get(pk=event.document_id)
    approved = event.decision == "approved"
    title = phrase("%(title)s approved") if approved else phrase("%(title)s: please upload another one")
    words = (title % {"title": document.title_words}, "" if approved else document.reason)
    _tell(
        event, kind=PortalNotice.DOCUMENT, words=words, url="/portal/documents/", key=f"{document.pk}:{event.decision}"
    )


@subscribe(ClientVerified)
def tell_of_the_verification(event: ClientVerified) -> None:
    """Notify the client that they are verified."""
    _tell(
        event,
        kind=PortalNotice.VERIFIED,
        url="/portal/",
        key=event.level,
        words=(phrase("You are verified"), phrase("You can now deposit and trade.")),
    )


@subscribe(TradingAccountOpened)
def tell_of_the_account(event: TradingAccountOpened) -> None:
    """Notify the client that a trading account is open."""
    _tell(
        event,
        kind=PortalNotice.ACCOUNT,
        url=f"/portal/accounts/{event.account_id}/",
        key=event.account_id,
        words=(
            phrase("Your %(platform)s account %(login)s is open") % {"platform": event.platform, "login": event.login},
            phrase("Open it to see how to sign in."),
        ),
    )


@subscribe(DepositSettled)
def tell_of_the_deposit(event: DepositSettled) -> None:
    """Notify the client that a deposit is in the wallet."""
    deposit = Deposit.objects.get(pk=event.deposit_id)
    _tell(
        event,
        kind=PortalNotice.DEPOSIT,
        url=f"/portal/wallet/{deposit.reference}/",
        key=deposit.pk,
        words=(phrase("%(amount)s is in your wallet") % {"amount": Money(event.amount, event.currency)}, ""),
    )


@subscribe(WithdrawalSettled)
def tell_of_the_payout(event: WithdrawalSettled) -> None:
    """Notify the client of a payout: one line for the whole request, growing with each part that is paid."""
    withdrawal = Withdrawal.objects.get(pk=event.withdrawal_id)
    paid = [part for part in parts_of(withdrawal) if part.state == WithdrawalState.SETTLED] or [withdrawal]
    places = dict.fromkeys(part.destination_label for part in paid)
    _tell(
        event,
        kind=PortalNotice.WITHDRAWAL,
        url=f"/portal/wallet/{paid[0].reference}/",
        replaces=True,
        key=f"{withdrawal.request_reference}:paid",
        words=(phrase("%(amount)s was paid out") % {"amount": _sum(paid)}, ", ".join(places)),
    )


@subscribe(WithdrawalRefused)
def tell_that_it_came_back(event: WithdrawalRefused) -> None:
    """Notify the client of a withdrawal that failed: one line for the whole request, growing with each part that fails.

    What was paid and came back later is news of its own.
    """
    withdrawal = Withdrawal.objects.get(pk=event.withdrawal_id)
    if withdrawal.state == WithdrawalState.CANCELLED:  # their own request: they know
        _refresh(event)
        return
    parts = parts_of(withdrawal)
    returned = _came_back_later(parts)
    if withdrawal.pk in returned:
        back, key = Money(event.amount, event.currency), f"{withdrawal.pk}:back"
        reasons = [event.reason]
    else:
        ended = [part for part in parts if part.state == withdrawal.state and part.pk not in returned]
        back, key = _sum(ended), f"{withdrawal.request_reference}:back"
        reasons = [part.reason for part in ended]
    whole = Money.of_minor(withdrawal.request_minor, withdrawal.currency)
    title = (
        phrase("Your withdrawal of %(amount)s failed")
        if back == whole
        else phrase("%(amount)s of your withdrawal couldn't be paid out")
    )
    known = list(filter(None, dict.fromkeys(reason_for_client(withdrawal.state, reason) for reason in reasons)))
    words = (title % {"amount": back}, joined(known, " ") if known else phrase("The money is back in your wallet."))
    _tell(
        event,
        kind=PortalNotice.WITHDRAWAL,
        url=f"/portal/wallet/{withdrawal.reference}/",
        key=key,
        words=words,
        replaces=True,
    )


def _sum(parts: Sequence[Withdrawal]) -> Money:
    return Money.of_minor(sum(part.amount_minor for part in parts), parts[0].currency)


def _came_back_later(parts: Sequence[Withdrawal]) -> set[int]:
    """List the parts that were paid, and then came back."""
    findings = PayoutFinding.objects.filter(
        withdrawal__in=parts, kind=FindingKind.CAME_BACK, state=ApprovalState.APPROVED
    )
    return set(findings.values_list("withdrawal_id", flat=True))


@subscribe(BalanceOperationSettled)
def tell_that_it_was_not_moved(event: BalanceOperationSettled) -> None:
    """Notify the client of a transfer that the platform didn't make; after an unknown outcome that may be hours later."""
    transfer = None if event.confirmed else Transfer.objects.filter(operation_id=event.operation_id).first()
    if transfer is None:
        return
    _tell(
        event,
        kind=PortalNotice.TRANSFER,
        url=f"/portal/wallet/{transfer.reference}/",
        key=f"{transfer.pk}:not-moved",
        words=(
            phrase("%(amount)s wasn't transferred") % {"amount": Money(transfer.amount, transfer.currency)},
            transfer.trading_account_label,
        ),
    )


@subscribe(TransferSettled)
def tell_of_the_transfer(event: TransferSettled) -> None:
    """Notify the client that a transfer is done."""
    transfer = Transfer.objects.get(pk=event.transfer_id)
    _tell(
        event,
        kind=PortalNotice.TRANSFER,
        url=f"/portal/wallet/{transfer.reference}/",
        key=transfer.pk,
        words=(
            phrase("%(amount)s was transferred") % {"amount": Money(event.amount, event.currency)},
            transfer.trading_account_label,
        ),
    )


@answers(LinkKind.VERIFY_EMAIL)
def send_confirmation_again(username: str) -> None:
    """Send the link that proves an e-mail again, where the login still needs it."""
    user = User.objects.select_related("brand").filter(username=username, kind=UserKind.CLIENT, is_active=True).first()
    if user is not None and not registration.has_proven_email(user):
        registration.send_confirmation(user=user)
