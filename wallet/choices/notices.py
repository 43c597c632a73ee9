"""What people are notified of about money."""

from django.utils.translation import gettext_lazy as _

from crm.choices import EmailChannel
from crm.notices.kinds import CLIENTS, MANDATORY, NoticeGroup, NotificationKind, staff


class WalletNotice(NotificationKind):
    """What people are notified of; see `crm/notices/kinds.py`."""

    WITHDRAWAL_REQUESTED = (
        "wallet.withdrawal_requested",
        _("Withdrawals awaiting approval"),
        NoticeGroup.MONEY,
        staff("wallet.approve_withdrawal"),
        EmailChannel.OFF,
        MANDATORY,
    )
    PAYOUT_UNKNOWN = (
        "wallet.payout_unknown",
        _("Payouts with an unknown result"),
        NoticeGroup.MONEY,
        staff("wallet.approve_withdrawal"),
        EmailChannel.AT_ONCE,
    )
    PAYOUT_CONTRADICTED = (
        "wallet.payout_contradicted",
        _("Payouts whose result the PSP contradicts"),
        NoticeGroup.MONEY,
        staff("wallet.approve_withdrawal"),
        EmailChannel.AT_ONCE,
    )
    PAYOUT_FINDING = (
        "wallet.payout_finding",
        _("Payout outcomes awaiting second approval"),
        NoticeGroup.MONEY,
        staff("wallet.approve_withdrawal"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    REFUND_UNCLAIMED = (
        "wallet.refund_unclaimed",
        _("Unclaimed refunds"),
        NoticeGroup.MONEY,
        staff("wallet.approve_withdrawal"),
        EmailChannel.DAILY,
    )
    REFUND_TO_CLAIM = (
        "wallet.refund_to_claim",
        _("Refunds to claim"),
        NoticeGroup.MONEY,
        CLIENTS,
        EmailChannel.AT_ONCE,
    )
    DEPOSIT_HELD = (
        "wallet.deposit_held",
        _("Held deposits"),
        NoticeGroup.MONEY,
        staff("wallet.release_deposit"),
        EmailChannel.DAILY,
    )
    FIRST_DEPOSIT = (
        "wallet.first_deposit",
        _("First deposits of your clients"),
        NoticeGroup.SALES,
        staff("wallet.view_deposit"),
    )
    DISPUTE_OPENED = (
        "wallet.dispute_opened",
        _("New disputes"),
        NoticeGroup.MONEY,
        staff("wallet.answer_dispute"),
        EmailChannel.AT_ONCE,
    )
    DISPUTE_DUE = (
        "wallet.dispute_due",
        _("Disputes with a response due"),
        NoticeGroup.MONEY,
        staff("wallet.answer_dispute"),
        EmailChannel.AT_ONCE,
    )
    BONUS_REQUESTED = (
        "wallet.bonus_requested",
        _("Bonuses awaiting second approval"),
        NoticeGroup.MONEY,
        staff("wallet.approve_bonus"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    BONUS_DECIDED = (
        "wallet.bonus_decided",
        _("Your bonus requests: rejections"),
        NoticeGroup.MONEY,
        staff("wallet.grant_bonus"),
    )
    BONUS_RETURN_OPEN = (
        "wallet.bonus_return_open",
        _("Bonus decisions after a won chargeback"),
        NoticeGroup.MONEY,
        staff("wallet.grant_bonus"),
    )
    BONUS_RETURN_PROPOSED = (
        "wallet.bonus_return_proposed",
        _("Bonus outcomes awaiting second approval"),
        NoticeGroup.MONEY,
        staff("wallet.approve_bonus"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    MANUAL_JOURNAL = (
        "wallet.manual_journal",
        _("Manual journals awaiting second approval"),
        NoticeGroup.MONEY,
        staff("wallet.post_manual_journal"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    OPENING_BALANCES = (
        "wallet.opening_balances",
        _("Opening balances awaiting second approval"),
        NoticeGroup.MONEY,
        staff("wallet.post_manual_journal"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    PERIOD_REOPENING = (
        "wallet.period_reopening",
        _("Requests to reopen a period"),
        NoticeGroup.MONEY,
        staff("wallet.reopen_period"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    MONTH_TO_SIGN = (
        "wallet.month_to_sign",
        _("Months awaiting second signature"),
        NoticeGroup.MONEY,
        staff("wallet.close_period"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    CLIENT_MONEY_SHORT = (
        "wallet.client_money_short",
        _("Client money shortfalls"),
        NoticeGroup.MONEY,
        staff("wallet.view_period"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    RATE_ENTERED = (
        "wallet.rate_entered",
        _("Exchange rates awaiting second approval"),
        NoticeGroup.MONEY,
        staff("wallet.post_manual_journal"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    RATES_STALE = (
        "wallet.rates_stale",
        _("Exchange rates out of date"),
        NoticeGroup.MONEY,
        staff("wallet.post_manual_journal"),
    )
    BREAK_POSTING = (
        "wallet.break_posting",
        _("Postings of breaks awaiting second approval"),
        NoticeGroup.MONEY,
        staff("wallet.post_break"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    BREAKS_GIVEN = (
        "wallet.breaks_given",
        _("Breaks assigned to you"),
        NoticeGroup.MONEY,
        staff("wallet.run_reconciliation"),
    )
    BANK_UNMATCHED = (
        "wallet.bank_unmatched",
        _("Unmatched bank entries"),
        NoticeGroup.MONEY,
        staff("wallet.handle_bank_entries"),
        EmailChannel.DAILY,
    )
    REPORT_NOT_FETCHED = (
        "wallet.report_not_fetched",
        _("Settlement reports that failed"),
        NoticeGroup.MONEY,
        staff("wallet.run_reconciliation"),
        EmailChannel.DAILY,
    )
    REPORT_MISSING = (
        "wallet.report_missing",
        _("Missing settlement reports"),
        NoticeGroup.MONEY,
        staff("wallet.run_reconciliation"),
        EmailChannel.DAILY,
    )
    COST_TERMS = (
        "wallet.cost_terms",
        _("PSP cost terms awaiting second approval"),
        NoticeGroup.MONEY,
        staff("wallet.approve_pspcost"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    PSP_ADDRESS = (
        "wallet.psp_address",
        _("PSP connections awaiting second approval"),
        NoticeGroup.MONEY,
        staff("wallet.manage_psp"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    PSP_DOWN = (
        "wallet.psp_down",
        _("PSPs not responding"),
        NoticeGroup.MONEY,
        staff("wallet.manage_psp"),
        EmailChannel.AT_ONCE,
    )
    WEBHOOK_REFUSED = (
        "wallet.webhook_refused",
        _("Rejected webhooks"),
        NoticeGroup.MONEY,
        staff("wallet.view_webhookmessage"),
    )
    UNVERIFIED_TERM_ENDED = (
        "wallet.unverified_term_ended",
        _("Unverified clients past their deadline"),
        NoticeGroup.COMPLIANCE,
        staff("wallet.manage_unverifiedrule"),
        EmailChannel.DAILY,
    )
