"""Who may do what with money. The only place that decides."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from clients.models import Client
from clients.queries import reaches
from compliance.choices import RestrictionKind
from crm.models import Brand
from crm.policies import YES, Decision, has_permission, no
from crm.scope import reach_of
from wallet.bonus_choices import BonusState
from wallet.choices import WITHDRAWAL_OPEN, DepositState, Purpose, RequestState, TermState, WithdrawalState
from wallet.models import (
    BonusGrant,
    BonusProposal,
    Break,
    BreakPosting,
    Deposit,
    Dispute,
    ManualJournal,
    MonthSignOff,
    PayoutFinding,
    PeriodReopening,
    Psp,
    PspAddressChange,
    PspCostProposal,
    RateEntry,
    UnverifiedTerm,
    Withdrawal,
)

# What one person asks for and another one decides.
Asked = (
    PeriodReopening
    | ManualJournal
    | BreakPosting
    | PspCostProposal
    | PayoutFinding
    | BonusProposal
    | PspAddressChange
    | RateEntry
)
NO_DEPOSITS = frozenset({RestrictionKind.NO_DEPOSIT, RestrictionKind.FROZEN})
NO_WITHDRAWALS = frozenset({RestrictionKind.NO_WITHDRAWAL, RestrictionKind.FROZEN})
# Money may leave a platform while trading is forbidden, but not while the client is frozen.
NO_TRANSFERS = frozenset({RestrictionKind.FROZEN})


def is_own(user: Any, client: Client) -> bool:
    return user is not None and client.user_id == user.pk


def can_deposit(user: Any, client: Client) -> Decision:
    """The client themselves, while nothing forbids it."""
    if not is_own(user, client):
        return no(_("Only the client can pay in, from the trader's room."))
    if client.stage == "closed":
        return no(_("This account is closed."))
    if NO_DEPOSITS & set(client.restrictions):
        return no(_("Deposits are not possible at the moment. Please contact support."))
    if _ran_out_of_time(client):
        return no(
            _("You were not verified in time. Your money goes back to where it came from; please contact support.")
        )
    return YES


def _ran_out_of_time(client: Client) -> bool:
    """The days for verification are over (`wallet/unverified.py`)."""
    return client.kyc_level == 0 and UnverifiedTerm.objects.filter(client_id=client.pk, state=TermState.ENDED).exists()


def can_transfer(user: Any, client: Client, *, to_trading: bool = True) -> Decision:
    """The client themselves, while nothing forbids it; who may not trade can still fetch their money back."""
    if not is_own(user, client):
        return no(_("Only the client can move money between wallet and trading account."))
    held = set(client.restrictions)
    if NO_TRANSFERS & held or (to_trading and RestrictionKind.NO_TRADING in held):
        return no(_("Transfers are not possible at the moment. Please contact support."))
    if to_trading and _ran_out_of_time(client):
        return no(
            _("You were not verified in time. Your money goes back to where it came from; please contact support.")
        )
    return YES


def can_request_withdrawal(user: Any, client: Client) -> Decision:
    """The client, or staff with the right on the client's behalf."""
    if is_own(user, client):
        return YES
    if not reaches(user, client):
        return no(_("You don't reach this client."))
    return has_permission(user, "wallet.request_withdrawal_for_client")


def can_have_documents(user: Any, client: Client) -> Decision:
    """The client of their own; staff who reach the client and may make documents."""
    if is_own(user, client):
        return YES
    if not reaches(user, client):
        return no(_("You don't reach this client."))
    return has_permission(user, "wallet.make_issueddocument")


def can_make_for_brand(user: Any, brand_id: int) -> Decision:
    """Documents of a whole brand: a month's statements and invoices, packs."""
    if user is None or brand_id not in reach_of(user).whole_brands:
        return no(_("You don't reach this brand."))
    return has_permission(user, "wallet.make_issueddocument")


def can_manage_letterhead(user: Any, brand_id: int) -> Decision:
    if user is None or brand_id not in reach_of(user).whole_brands:
        return no(_("You don't reach this brand."))
    return has_permission(user, "wallet.manage_letterhead")


def can_approve(user: Any, withdrawal: Withdrawal) -> Decision:
    """Four eyes: not the one who requested, and not twice the same person. Also CHECKs of the table."""
    allowed = _decides_on(user, withdrawal)
    if not allowed:
        return allowed
    if user.pk == withdrawal.requested_by_id:
        return no(_("You requested this withdrawal: someone else must approve it."))
    if user.pk == withdrawal.reviewed_by_id:
        return no(_("You gave the first approval: the second one must come from someone else."))
    return YES


def can_reject(user: Any, withdrawal: Withdrawal) -> Decision:
    return _decides_on(user, withdrawal)


def _decides_on(user: Any, withdrawal: Withdrawal) -> Decision:
    allowed = has_permission(user, "wallet.approve_withdrawal")
    if not allowed:
        return allowed
    if user is None or withdrawal.client.book_id not in reach_of(user).books:
        return no(_("You don't reach this client."))
    if withdrawal.state not in (WithdrawalState.REQUESTED, WithdrawalState.SECOND_LOOK):
        return no(_("This withdrawal is “%(state)s”.") % {"state": withdrawal.get_state_display()})
    return YES


def can_cancel(user: Any, withdrawal: Withdrawal) -> Decision:
    """The client, as long as nobody has released it."""
    if not is_own(user, withdrawal.client) or withdrawal.purpose != Purpose.WITHDRAWAL:
        return no(_("Only the client can cancel a withdrawal; staff reject it."))
    if withdrawal.state not in (WithdrawalState.REQUESTED, WithdrawalState.SECOND_LOOK):
        return no(_("This withdrawal can't be cancelled any more."))
    return YES


def can_release_deposit(user: Any, deposit: Deposit) -> Decision:
    """Finance, for a held deposit whose currency is the wallet's."""
    allowed = has_permission(user, "wallet.release_deposit")
    if not allowed:
        return allowed
    if user is None or deposit.client.book_id not in reach_of(user).books:
        return no(_("You don't reach this client."))
    if deposit.state != DepositState.HELD:
        return no(_("This deposit is “%(state)s”, not held.") % {"state": deposit.get_state_display()})
    if is_being_returned(deposit):
        return no(_("It is being given back to the payer."))
    return YES


def is_being_returned(deposit: Deposit) -> bool:
    """Is (part of) it on its way back to the payer, or there? Then it can't go into the wallet too."""
    return (
        bool(deposit.refunded_minor or deposit.charged_back_minor)
        or deposit.refunds.filter(state__in=WITHDRAWAL_OPEN).exists()
    )


def can_refund_deposit(user: Any, deposit: Deposit) -> Decision:
    """Finance, for a deposit that is in the wallet or held."""
    allowed = has_permission(user, "wallet.refund_deposit")
    if not allowed:
        return allowed
    if user is None or deposit.client.book_id not in reach_of(user).books:
        return no(_("You don't reach this client."))
    if deposit.state not in (DepositState.SETTLED, DepositState.CHARGEBACK_REVERSED, DepositState.HELD):
        return no(_("This deposit is “%(state)s”: nothing can go back.") % {"state": deposit.get_state_display()})
    return YES


def can_look_up(user: Any, withdrawal: Withdrawal) -> Decision:
    """Who decides on withdrawals may ask the PSP how one stands."""
    allowed = has_permission(user, "wallet.approve_withdrawal")
    if allowed and (user is None or withdrawal.client.book_id not in reach_of(user).books):
        return no(_("You don't reach this client."))
    if allowed and withdrawal.state not in (WithdrawalState.SENT, WithdrawalState.UNKNOWN):
        return no(_("This withdrawal is “%(state)s”.") % {"state": withdrawal.get_state_display()})
    return allowed


def can_say_what_happened(user: Any, withdrawal: Withdrawal) -> Decision:
    """Who decides on withdrawals may write down how one ended; somebody else books it."""
    allowed = has_permission(user, "wallet.approve_withdrawal")
    if allowed and (user is None or withdrawal.client.book_id not in reach_of(user).books):
        return no(_("You don't reach this client."))
    return allowed


def can_decide_finding(user: Any, finding: PayoutFinding) -> Decision:
    """Four eyes: not the one who wrote it. Also a CHECK of the table."""
    return _by_another(user, finding, can_say_what_happened(user, finding.withdrawal))


def can_manage_psp(user: Any, psp: Psp) -> Decision:
    allowed = has_permission(user, "wallet.manage_psp")
    if allowed and psp.brand_id not in reach_of(user).whole_brands:
        return no(_("You don't reach this brand."))
    return allowed


def can_decide_address(user: Any, change: PspAddressChange) -> Decision:
    """Four eyes: not the one who proposed it. Also a CHECK of the table."""
    return _by_another(user, change, can_manage_psp(user, change.psp))


def can_decide_cost(user: Any, proposal: PspCostProposal) -> Decision:
    """Agree to cost terms or refuse them: not the one who wrote them down. Also a CHECK of the table."""
    return _by_another(user, proposal, _on_brand(user, "wallet.approve_pspcost", proposal.psp.brand_id))


def can_reconcile(user: Any, psp: Psp) -> Decision:
    return _on_whole_brand(user, psp, "wallet.run_reconciliation")


def can_handle_bank(user: Any, psp: Psp) -> Decision:
    """Bank statements in, and what they say assigned by hand."""
    return _on_whole_brand(user, psp, "wallet.handle_bank_entries")


def can_confirm_report(user: Any, waiting: Any) -> Decision:
    """Confirm or discard a report or bank statement that doesn't prove its own end: whoever may import one of the kind."""
    return can_handle_bank(user, waiting.psp) if waiting.is_statement else can_reconcile(user, waiting.psp)


def sees_waiting_reports(user: Any) -> bool:
    return bool(user.has_perm("wallet.view_settlementimport") or user.has_perm("wallet.view_bankentry"))


def decides_waiting_reports(user: Any) -> bool:
    return bool(user.has_perm("wallet.run_reconciliation") or user.has_perm("wallet.handle_bank_entries"))


def can_send_bank_orders(user: Any, psp: Psp) -> Decision:
    return _on_whole_brand(user, psp, "wallet.send_bank_orders")


def _on_whole_brand(user: Any, psp: Psp, permission: str) -> Decision:
    allowed = has_permission(user, permission)
    if allowed and psp.brand_id not in reach_of(user).whole_brands:
        return no(_("You don't reach this brand."))
    return allowed


def can_resolve(user: Any, one: Break) -> Decision:
    return _on_brand(user, "wallet.run_reconciliation", one.brand_id)


def can_post_break(user: Any, posting: BreakPosting) -> Decision:
    """Post or refuse: not the one who proposed it. Also a CHECK of the table."""
    return _by_another(user, posting, _on_brand(user, "wallet.post_break", posting.one.brand_id))


# ── bonuses ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def can_manage_bonus(user: Any, brand_id: int) -> Decision:
    """Finance writes the brand's plans."""
    allowed = has_permission(user, "wallet.manage_bonus")
    if allowed and brand_id not in reach_of(user).whole_brands:
        return no(_("You don't reach this brand."))
    return allowed


def can_grant_bonus(user: Any, client: Client) -> Decision:
    """Who keeps clients, for clients in reach."""
    allowed = has_permission(user, "wallet.grant_bonus")
    if allowed and client.book_id not in reach_of(user).books:
        return no(_("You don't reach this client."))
    return allowed


def can_decide_bonus(user: Any, grant: BonusGrant) -> Decision:
    """Four eyes: not the one who asked for it. Also a CHECK of the table."""
    allowed = has_permission(user, "wallet.approve_bonus")
    if not allowed:
        return allowed
    if grant.client.book_id not in reach_of(user).books:
        return no(_("You don't reach this client."))
    if user.pk == grant.requested_by_id:
        return no(_("You asked for this bonus: someone else must decide."))
    if grant.state != BonusState.REQUESTED:
        return no(_("This bonus is “%(state)s”.") % {"state": grant.get_state_display()})
    return YES


def can_take_bonus_away(user: Any, grant: BonusGrant) -> Decision:
    allowed = has_permission(user, "wallet.approve_bonus")
    if allowed and grant.client.book_id not in reach_of(user).books:
        return no(_("You don't reach this client."))
    return allowed


def can_decide_bonus_return(user: Any, proposal: BonusProposal, grant: BonusGrant) -> Decision:
    """Four eyes on what becomes of credit that a won dispute had cost. Also a CHECK of the table."""
    return _by_another(user, proposal, can_take_bonus_away(user, grant))


# ── the books ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _on_brand(user: Any, permission: str, brand_id: int) -> Decision:
    allowed = has_permission(user, permission)
    if allowed and brand_id not in reach_of(user).whole_brands:
        return no(_("You don't reach this brand."))
    return allowed


def can_close_period(user: Any, brand_id: int) -> Decision:
    """Close a month, and ask to open one again."""
    return _on_brand(user, "wallet.close_period", brand_id)


def can_withdraw_signature(user: Any, signed: MonthSignOff) -> Decision:
    if user.pk != signed.signed_by_id:
        return no(_("Only the person who signed can withdraw the signature."))
    return YES


def can_decide_reopening(user: Any, wish: PeriodReopening) -> Decision:
    """Four eyes: not the one who asked. Also a CHECK of the table."""
    return _by_another(user, wish, _on_brand(user, "wallet.reopen_period", wish.period.brand_id))


def can_write_journal(user: Any, brand_id: int) -> Decision:
    return _on_brand(user, "wallet.write_journal", brand_id)


def can_post_journal(user: Any, manual: ManualJournal) -> Decision:
    """Post or refuse: not the one who wrote it. Also a CHECK of the table."""
    return _by_another(user, manual, _on_brand(user, "wallet.post_manual_journal", manual.brand_id))


def can_enter_rate(user: Any, permission: str = "wallet.write_journal") -> Decision:
    """A rate counts for every brand: whoever enters or approves one reaches all of them."""
    allowed = has_permission(user, permission)
    if not allowed:
        return allowed
    if Brand.objects.exclude(pk__in=reach_of(user).whole_brands).exists():
        return no(_("A rate counts for every brand. Only someone who reaches all brands can do this."))
    return YES


def can_decide_rate(user: Any, entry: RateEntry) -> Decision:
    """Approve or refuse: not the one who entered it. Also a CHECK of the table."""
    return _by_another(user, entry, can_enter_rate(user, "wallet.post_manual_journal"))


def can_withdraw(user: Any, asked: Asked) -> Decision:
    """What somebody asked for they may take back while it waits."""
    if user.pk != asked.requested_by_id:
        return no(_("Only the person who asked for this can withdraw it."))
    return _waits(asked)


def _by_another(user: Any, asked: Asked, allowed: Decision) -> Decision:
    if not allowed:
        return allowed
    if user.pk == asked.requested_by_id:
        return no(_("You asked for this: someone else must decide."))
    return _waits(asked)


def _waits(asked: Asked) -> Decision:
    if asked.state != RequestState.WAITING:
        return no(_("This is “%(state)s”.") % {"state": asked.get_state_display()})
    return YES


def can_answer_dispute(user: Any, dispute: Dispute) -> Decision:
    """Finance, for clients in reach."""
    allowed = has_permission(user, "wallet.answer_dispute")
    if allowed and dispute.client.book_id not in reach_of(user).books:
        return no(_("You don't reach this client."))
    return allowed


def can_manage_unverified_rules(user: Any, brand_id: int) -> Decision:
    """Compliance writes what clients may do before they are verified."""
    allowed = has_permission(user, "wallet.manage_unverifiedrule")
    if allowed and brand_id not in reach_of(user).whole_brands:
        return no(_("You don't reach this brand."))
    return allowed
