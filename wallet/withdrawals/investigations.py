"""Payments to clients whose end no message settles: one person says what the PSP or the bank told them, another books it.

A payout that stays unknown, one that a bank sent back weeks after it was paid, one that was given up here and paid there:
each is asked for once more by its reference before anything is booked, and nothing is ever sent again.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit_codes import AuditCode
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import joined, label_of, localize, phrase
from crm.models import Actor, User
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.choices.approvals import RequestState
from wallet.choices.bank import OrderState
from wallet.choices.ledger import AccountKind
from wallet.choices.withdrawals import FindingKind, WithdrawalRoute, WithdrawalState
from wallet.core import policies
from wallet.core.amounts import minor_of
from wallet.ledger import posting
from wallet.ledger.posting import Entry, InsufficientFunds, Line
from wallet.models import BankOrder, PayoutFinding, Withdrawal
from wallet.psp.base import TransferStatus, TransferView
from wallet.withdrawals import payout_results, returned_payouts, sending
from wallet.withdrawals import policies as withdrawals_policies

# What can be found out about a payout, by where it stands.
POSSIBLE: Final[dict[str, tuple[FindingKind, ...]]] = {
    WithdrawalState.UNKNOWN: (FindingKind.PAID, FindingKind.NOT_PAID),
    WithdrawalState.SENT: (FindingKind.PAID, FindingKind.NOT_PAID),
    WithdrawalState.SETTLED: (FindingKind.CAME_BACK,),
    WithdrawalState.FAILED: (FindingKind.PAID,),
}
# As long as the PSP may still be at it nobody says that it was never paid.
NOT_PAID_AFTER: Final = dt.timedelta(hours=1)
DECIDES: Final = "wallet.approve_withdrawal"


def possible(withdrawal: Withdrawal) -> tuple[FindingKind, ...]:
    """What a person may say now; nothing while something waits for a second person."""
    if withdrawal.findings.filter(state=RequestState.WAITING).exists():
        return ()
    return POSSIBLE.get(withdrawal.state, ())


@transaction.atomic
def say_what_happened(
    *,
    withdrawal_id: int,
    kind: str,
    reason: str,
    actor: User,
    psp_reference: str = "",
    amount: Decimal | None = None,
    returns_fee: bool | None = None,
    restores_bonus: bool | None = None,
    terms_reason: str = "",
) -> PayoutFinding:
    """Write down how a payment ended, as the PSP or the bank told it. Nothing is booked before another person agrees.

    psp_reference: its number there (of the return, when it came back). amount: what came back, when not all of it did.
    returns_fee, restores_bonus: what becomes of our fee and of the credit that it cost when it came back (None: as the brand
    does); terms_reason: why, where the brand does otherwise.
    Who: `wallet.approve_withdrawal` in reach. Raises: NotAllowed, WrongState, DomainError.
    """
    withdrawal = payout_results.lock_withdrawal(withdrawal_id)
    require(withdrawals_policies.can_say_what_happened(actor, withdrawal))
    if kind not in possible(withdrawal):
        raise WrongState(_("That can't be said of this payment now."))
    psp_reference = psp_reference.strip()
    if not reason.strip():
        raise DomainError(_("Say who told you, and what."))
    if kind == FindingKind.NOT_PAID:
        _require_time(withdrawal)
        _require_no_file(withdrawal)
    elif not psp_reference:
        raise DomainError(_("Enter the number that the PSP or the bank gives it: reports are matched by it."))
    elif kind == FindingKind.CAME_BACK and psp_reference == withdrawal.psp_reference:
        raise DomainError(_("This is the number of the payment itself. The return has one of its own."))
    amount_minor, terms = _amount(withdrawal, kind, amount), {}
    if kind == FindingKind.CAME_BACK:
        terms = returned_payouts.chosen(
            returned_payouts.terms_of(withdrawal, amount_minor),
            returns_fee=returns_fee,
            restores_bonus=restores_bonus,
            reason=terms_reason,
        )
    finding = PayoutFinding.objects.create(
        withdrawal=withdrawal,
        kind=kind,
        psp_reference=psp_reference[:100],
        reason=reason.strip()[:300],
        amount_minor=amount_minor,
        requested_by=actor,
        requested_at=timezone.now(),
        **terms,
    )
    _record(finding, WalletAction.PAYOUT_FINDING_WRITTEN, actor, reason)
    notify(
        [pk for pk in people_with(DECIDES, brand_id=withdrawal.brand_id) if pk != actor.pk],
        kind="wallet.payout_finding",
        title=phrase("%(reference)s: %(what)s A second person books it.")
        % {"reference": withdrawal.reference, "what": joined([label_of(finding, "kind"), "."], "")},
        body=finding.reason,
        url=f"/money/withdrawals/{withdrawal.pk}/",
        dedupe_key=f"payout-finding:{finding.pk}",
    )
    return finding


def _amount(withdrawal: Withdrawal, kind: str, amount: Decimal | None) -> int:
    whole = withdrawal.payout_minor
    if kind != FindingKind.CAME_BACK or amount is None:
        return whole
    minor = minor_of(amount, withdrawal.currency)
    if minor > whole:
        raise DomainError(
            _("No more can come back than was paid: %(money)s.") % {"money": formats.money(withdrawal.payout_money)}
        )
    if minor < whole and withdrawal.way == WithdrawalRoute.REFUND:
        raise DomainError(_("A refund comes back whole; a difference is the PSP's fee, and stands in its report."))
    return minor


def _require_time(withdrawal: Withdrawal) -> None:
    if withdrawal.sent_at is not None and timezone.now() - withdrawal.sent_at < NOT_PAID_AFTER:
        raise DomainError(_("It was sent less than an hour ago: the PSP may still pay it."))


def _require_no_file(withdrawal: Withdrawal) -> None:
    order = BankOrder.objects.filter(psp_id=withdrawal.psp_id, reference=withdrawal.reference).first()
    if order is not None and order.state == OrderState.IN_FILE:
        raise DomainError(_("It stands in the payment file %(file)s, which may still be sent.") % {"file": order.batch})


# ── the second person ────────────────────────────────────────────────────────────────────────────────────────────────


def agree(*, finding_id: int, actor: User, note: str = "") -> PayoutFinding:
    """Book what was found out. What is open is looked up once more before: a PSP that knows better is believed.

    Who: `wallet.approve_withdrawal` in reach, and not who wrote it. Not in a transaction.
    Raises: NotAllowed, WrongState (decided, or ended otherwise meanwhile), DomainError (the wallet does not hold it).
    """
    finding = PayoutFinding.objects.select_related("withdrawal__client").get(pk=finding_id)
    require(withdrawals_policies.can_decide_finding(actor, finding))
    if finding.withdrawal.state in (WithdrawalState.UNKNOWN, WithdrawalState.SENT):
        sending.look_up_payout(finding.withdrawal_id)
    return _agree(finding_id, actor, note)


@transaction.atomic
def _agree(finding_id: int, actor: User, note: str) -> PayoutFinding:
    finding, withdrawal = _locked(finding_id)
    require(withdrawals_policies.can_decide_finding(actor, finding))
    if finding.kind not in POSSIBLE.get(withdrawal.state, ()):
        raise WrongState(
            _("This payment is “%(state)s” meanwhile: refuse what was written down.")
            % {"state": withdrawal.get_state_display()}
        )
    if finding.kind == FindingKind.CAME_BACK:
        journal_id = returned_payouts.book(finding, withdrawal, actor)
    elif finding.kind == FindingKind.NOT_PAID:
        journal_id = _not_paid(finding, withdrawal)
    else:
        journal_id = _paid(finding, withdrawal, actor)
    finding.journal_id = journal_id
    _decide(finding, RequestState.APPROVED, actor, note)
    _record(finding, WalletAction.PAYOUT_FINDING_BOOKED, actor, note)
    return finding


@transaction.atomic
def refuse(*, finding_id: int, actor: User, note: str) -> PayoutFinding:
    """Who: as for agreeing. Raises: NotAllowed, WrongState, DomainError without words."""
    finding, _withdrawal = _locked(finding_id)
    require(withdrawals_policies.can_decide_finding(actor, finding))
    if not note.strip():
        raise DomainError(_("Say what is wrong with it."))
    _decide(finding, RequestState.REFUSED, actor, note)
    _record(finding, WalletAction.PAYOUT_FINDING_REFUSED, actor, note)
    return finding


@transaction.atomic
def withdraw(*, finding_id: int, actor: User) -> PayoutFinding:
    """Who: the one who wrote it down, while nobody has decided."""
    finding, _withdrawal = _locked(finding_id)
    require(policies.can_withdraw(actor, finding))
    _decide(finding, RequestState.WITHDRAWN, actor, "")
    _record(finding, WalletAction.PAYOUT_FINDING_WITHDRAWN, actor, "")
    return finding


# ── what is booked ───────────────────────────────────────────────────────────────────────────────────────────────────


def _view(finding: PayoutFinding, withdrawal: Withdrawal, status: TransferStatus) -> TransferView:
    return TransferView(
        reference=withdrawal.reference,
        psp_reference=finding.psp_reference,
        status=status,
        amount_minor=withdrawal.payout_minor,
        currency=withdrawal.currency,
    )


def _paid(finding: PayoutFinding, withdrawal: Withdrawal, actor: Actor) -> int:
    withdrawal.psp_reference = finding.psp_reference
    view = _view(finding, withdrawal, TransferStatus.PAID)
    if withdrawal.state != WithdrawalState.FAILED:
        payout_results.settle(withdrawal, view)
    else:
        try:
            with transaction.atomic():
                posted = posting.post(_once_more(finding, withdrawal), actor=actor)
        except InsufficientFunds as short:
            raise DomainError(
                _(
                    "The wallet does not hold %(money)s any more. Bring the missing part from “Chargeback losses” by a manual "
                    "journal first: it is the house's loss until the client pays it back."
                )
                % {"money": formats.money(withdrawal.money)}
            ) from short
        withdrawal.reason = ""
        payout_results.settle(withdrawal, view, posted=posted)
    assert withdrawal.journal_id is not None
    return withdrawal.journal_id


def _once_more(finding: PayoutFinding, withdrawal: Withdrawal) -> Entry:
    """What its reservation was, which was given back when it failed."""
    lines = [
        Line(withdrawal.wallet, -withdrawal.amount_minor),
        Line(posting.psp_clearing(withdrawal.psp, withdrawal.currency), withdrawal.payout_minor),
    ]
    if withdrawal.fee_minor:
        fees = posting.house(AccountKind.FEES, brand_id=withdrawal.brand_id, currency=withdrawal.currency)
        lines.append(Line(fees, withdrawal.fee_minor))
    return Entry(
        key=f"withdrawal:{withdrawal.reference}:paid-after-all:{finding.pk}",
        kind=payout_results.ledger_kind(withdrawal),
        brand_id=withdrawal.brand_id,
        lines=lines,
        description=f"{withdrawal.reference} {withdrawal.psp}",
    )


def _not_paid(finding: PayoutFinding, withdrawal: Withdrawal) -> int:
    _require_no_file(withdrawal)
    BankOrder.objects.filter(psp_id=withdrawal.psp_id, reference=withdrawal.reference).exclude(
        state__in=[OrderState.SETTLED, OrderState.RETURNED]
    ).update(state=OrderState.RETURNED, failure=finding.reason[:200], finished_at=timezone.now())
    payout_results.fail(withdrawal, reason=localize(phrase("It was not paid out, and will not be")))
    assert withdrawal.journal_id is not None
    return withdrawal.journal_id


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _locked(finding_id: int) -> tuple[PayoutFinding, Withdrawal]:
    """The withdrawal first, as everybody who moves it does."""
    withdrawal_id = PayoutFinding.objects.values_list("withdrawal_id", flat=True).get(pk=finding_id)
    withdrawal = payout_results.lock_withdrawal(withdrawal_id)
    finding = PayoutFinding.objects.select_for_update(of=["self"]).get(pk=finding_id)
    finding.withdrawal = withdrawal
    return finding, withdrawal


def _decide(finding: PayoutFinding, state: RequestState, actor: Actor, note: str) -> None:
    finding.state, finding.decided_by, finding.decided_at = state, actor, timezone.now()
    finding.decision_note = note.strip()[:300]
    finding.save()


def _record(finding: PayoutFinding, action: AuditCode, actor: Actor, reason: str) -> None:
    withdrawal = finding.withdrawal
    audit.record(
        actor=actor,
        action=action,
        target=withdrawal,
        client_id=withdrawal.client_id,
        brand_id=withdrawal.brand_id,
        reason=reason,
        after={
            "reference": withdrawal.reference,
            "found": finding.kind,
            "amount": str(finding.money),
            "psp_reference": finding.psp_reference,
            "state": finding.state,
            "fee_returned_minor": finding.fee_returned_minor,
            "restores_bonus": finding.restores_bonus,
            "terms_reason": finding.terms_reason,
        },
    )
