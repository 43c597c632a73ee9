"""Codes of the audit log about money."""

from django.utils.translation import gettext_lazy as _

from crm.audit_codes import AuditCode


class WalletAction(AuditCode):
    """Codes of audit rows; see `crm/audit_codes.py`."""

    BANK_BATCH_MADE = "wallet.bank_batch_made", _("Payment file created"), "file-text"
    BANK_BATCH_SENT = "wallet.bank_batch_sent", _("Payment file sent to the bank"), "send"
    BANK_ENTRY_ASSIGNED = "wallet.bank_entry_assigned", _("Bank entry assigned"), "landmark"
    BANK_ENTRY_SET_ASIDE = "wallet.bank_entry_set_aside", _("Bank entry marked as not client-related"), "archive"
    BANK_STATEMENT_IMPORTED = "wallet.bank_statement_imported", _("Bank statement imported"), "landmark"
    BANK_TABLE_DISCARDED = "wallet.bank_table_discarded", _("Bank table discarded"), "trash-2"
    BANK_TABLE_FORGOTTEN = "wallet.bank_table_forgotten", _("Column mapping of a bank table deleted"), "trash-2"
    BANK_TABLE_MAPPED = "wallet.bank_table_mapped", _("Columns of a bank table mapped"), "table"
    BANK_TABLE_WAITS = "wallet.bank_table_waits", _("Bank table awaiting its column mapping"), "hourglass"
    BONUS_BURNED = "wallet.bonus_burned", _("Bonus lost"), "undo-2", "danger"
    BONUS_GRANTED = "wallet.bonus_granted", _("Bonus granted as credit"), "coins", "success"
    BONUS_PLAN_CREATED = "wallet.bonus_plan_created", _("Bonus plan created"), "coins"
    BONUS_PLAN_SWITCHED = "wallet.bonus_plan_switched", _("Bonus plan switched on or off"), "coins"
    BONUS_REFUSED = "wallet.bonus_refused", _("Bonus refused"), "circle-x", "danger"
    BONUS_RELEASED = "wallet.bonus_released", _("Bonus released to the wallet"), "lock-open", "success"
    BONUS_REQUESTED = "wallet.bonus_requested", _("Bonus requested; awaiting second approval"), "user-check", "info"
    BONUS_RESTORED = (
        "wallet.bonus_restored",
        _("Bonus restored: the payment that reduced it was returned"),
        "undo-2",
        "success",
    )
    BONUS_RESTORED_BY_DISPUTE = (
        "wallet.bonus_restored_by_dispute",
        _("Bonus restored: the chargeback that reduced it was won"),
        "redo-2",
        "success",
    )
    BONUS_RETURN_OPEN = ("wallet.bonus_return_open", _("Chargeback won: bonus decision pending"), "user-check", "info")
    BONUS_RETURN_PROPOSED = (
        "wallet.bonus_return_proposed",
        _("Bonus outcome proposed; awaiting second approval"),
        "user-check",
        "info",
    )
    BONUS_RETURN_REFUSED = "wallet.bonus_return_refused", _("Proposed bonus outcome refused"), "circle-x", "warning"
    BONUS_RETURN_WITHDRAWN = "wallet.bonus_return_withdrawn", _("Proposed bonus outcome withdrawn"), "x"
    BONUS_RULE_WRITTEN = "wallet.bonus_rule_written", _("Bonus rule saved"), "coins"
    BONUS_REQUEST_WITHDRAWN = "wallet.bonus_request_withdrawn", _("Bonus request withdrawn"), "x"
    BONUS_STAYS_LOST = "wallet.bonus_stays_lost", _("Bonus loss confirmed by two people"), "circle-x"
    BREAK_COMMENTED = "wallet.break_commented", _("Comment on a break added"), "message-square"
    BREAK_GIVEN = "wallet.break_given", _("Break assigned"), "user-check"
    BREAK_POSTED = "wallet.break_posted", _("Break posted"), "scale", "success"
    BREAK_POSTING_PROPOSED = "wallet.break_posting_proposed", _("Posting of a break proposed"), "scale", "info"
    BREAK_POSTING_REFUSED = "wallet.break_posting_refused", _("Posting of a break refused"), "circle-x", "warning"
    BREAK_POSTING_WITHDRAWN = "wallet.break_posting_withdrawn", _("Posting of a break withdrawn"), "x"
    BREAK_RESOLVED = "wallet.break_resolved", _("Break resolved"), "circle-check", "success"
    CLIENT_MONEY_COMPUTED_AGAIN = "wallet.client_money_computed_again", _("Client money calculated again"), "calculator"
    COST_TERMS_APPROVED = "wallet.cost_terms_approved", _("Cost terms approved"), "percent", "success"
    COST_TERMS_PROPOSED = "wallet.cost_terms_proposed", _("Cost terms proposed"), "percent", "info"
    COST_TERMS_REFUSED = "wallet.cost_terms_refused", _("Cost terms refused"), "circle-x", "warning"
    COST_TERMS_TAKEN_BACK = "wallet.cost_terms_taken_back", _("Cost terms revoked"), "undo-2", "warning"
    COST_TERMS_WITHDRAWN = "wallet.cost_terms_withdrawn", _("Cost terms withdrawn"), "x"
    DAILY_FETCH_CHANGED = "wallet.daily_fetch_changed", _("Daily report fetch changed"), "calendar-clock"
    DEPOSIT_AUTHORISED = "wallet.deposit_authorised", _("Payment authorised"), "circle-check", "info"
    DEPOSIT_CB_REVERSED = "wallet.deposit_cb_reversed", _("Chargeback reversed"), "redo-2", "success"
    DEPOSIT_CHARGED_BACK = (
        "wallet.deposit_charged_back",
        _("Deposit charged back by the client's bank"),
        "undo-2",
        "danger",
    )
    DEPOSIT_EXPIRED = "wallet.deposit_expired", _("Deposit expired: not paid in time"), "clock"
    DEPOSIT_FAILED = "wallet.deposit_failed", _("Payment failed"), "circle-x", "danger"
    DEPOSIT_HELD = "wallet.deposit_held", _("Deposit held for review"), "circle-pause", "warning"
    DEPOSIT_PARTLY_REFUNDED = (
        "wallet.deposit_partly_refunded",
        _("Deposit partly refunded to the payer"),
        "undo-2",
        "warning",
    )
    DEPOSIT_PENDING = "wallet.deposit_pending", _("Payment pending at the PSP"), "hourglass", "info"
    DEPOSIT_REFUND_CAME_BACK = (
        "wallet.deposit_refund_came_back",
        _("Refund returned: it didn't reach the payer"),
        "undo-2",
        "warning",
    )
    DEPOSIT_REFUNDED = "wallet.deposit_refunded", _("Deposit refunded"), "undo-2", "warning"
    DEPOSIT_RELEASED = "wallet.deposit_released", _("Deposit released to the wallet"), "lock-open", "success"
    DEPOSIT_RETURNED = (
        "wallet.deposit_returned",
        _("Deposit returned to the payer without being credited"),
        "undo-2",
        "warning",
    )
    DEPOSIT_SETTLED = "wallet.deposit_settled", _("Deposit credited to the wallet"), "wallet", "success"
    DEPOSIT_STARTED = "wallet.deposit_started", _("Deposit started by the client"), "circle-play"
    DISPUTE_INQUIRY = "wallet.dispute_inquiry", _("Inquiry from the payer's bank"), "gavel", "info"
    DISPUTE_LOST = "wallet.dispute_lost", _("Dispute lost"), "circle-x", "danger"
    DISPUTE_NEEDS_RESPONSE = "wallet.dispute_needs_response", _("Dispute needs a response"), "gavel", "warning"
    DISPUTE_OPENED = "wallet.dispute_opened", _("Dispute opened by the payer's bank"), "gavel", "warning"
    DISPUTE_SUBMITTED = "wallet.dispute_submitted", _("Dispute evidence submitted to the bank"), "send", "info"
    DISPUTE_WON = "wallet.dispute_won", _("Dispute won: funds returned"), "circle-check", "success"
    DOCUMENT_MADE = "wallet.document_made", _("Document issued"), "file-text"
    EVIDENCE_MADE = "wallet.evidence_made", _("Dispute evidence prepared"), "file-text", "info"
    EXCHANGED = "wallet.exchanged", _("Exchanged at the quoted rate and booked"), "repeat", "success"
    FEES_INVOICED = "wallet.fees_invoiced", _("Fees invoiced"), "receipt-text"
    LETTERHEAD_CHANGED = "wallet.letterhead_changed", _("Letterhead changed"), "stamp"
    MANUAL_JOURNAL_FILE = "wallet.manual_journal_file", _("File attached to a manual journal"), "paperclip"
    MANUAL_JOURNAL_POSTED = "wallet.manual_journal_posted", _("Manual journal posted"), "pencil", "success"
    MANUAL_JOURNAL_REFUSED = "wallet.manual_journal_refused", _("Manual journal refused"), "circle-x", "warning"
    MANUAL_JOURNAL_WITHDRAWN = "wallet.manual_journal_withdrawn", _("Manual journal withdrawn"), "x"
    MANUAL_JOURNAL_WRITTEN = "wallet.manual_journal_written", _("Manual journal proposed"), "pencil", "info"
    MATCH_UNDONE = "wallet.match_undone", _("Match undone"), "undo-2"
    METHOD_ADDED = "wallet.method_added", _("Payment method added"), "wallet-cards"
    METHOD_CONFIGURED = "wallet.method_configured", _("Payment method changed"), "wallet-cards"
    MONTH_SIGNATURE_WITHDRAWN = (
        "wallet.month_signature_withdrawn",
        _("Month-end signature withdrawn"),
        "undo-2",
        "warning",
    )
    MONTH_SIGNED = "wallet.month_signed", _("Month-end signed"), "signature", "success"
    OPENING_BALANCES_APPROVED = (
        "wallet.opening_balances_approved",
        _("Opening balances approved"),
        "landmark",
        "success",
    )
    OPENING_BALANCES_POSTED = "wallet.opening_balances_posted", _("Opening balances posted"), "landmark", "success"
    OPENING_BALANCES_PROPOSED = "wallet.opening_balances_proposed", _("Opening balances proposed"), "landmark", "info"
    OPENING_BALANCES_REJECTED = (
        "wallet.opening_balances_rejected",
        _("Opening balances rejected"),
        "circle-x",
        "warning",
    )
    OPENING_BALANCES_WITHDRAWN = "wallet.opening_balances_withdrawn", _("Opening balances withdrawn"), "x"
    PAYOUT_CONTRADICTED = "wallet.payout_contradicted", _("PSP reports a different outcome"), "triangle-alert", "danger"
    PAYOUT_FINDING_BOOKED = (
        "wallet.payout_finding_booked",
        _("Payout outcome approved and booked"),
        "user-check",
        "success",
    )
    PAYOUT_FINDING_REFUSED = "wallet.payout_finding_refused", _("Payout outcome refused"), "circle-x", "warning"
    PAYOUT_FINDING_WITHDRAWN = "wallet.payout_finding_withdrawn", _("Payout outcome withdrawn"), "x"
    PAYOUT_FINDING_WRITTEN = (
        "wallet.payout_finding_written",
        _("Payout outcome proposed; awaiting second approval"),
        "search",
        "info",
    )
    PERIOD_CLOSED = "wallet.period_closed", _("Period closed"), "calendar", "success"
    PERIOD_CLOSING = "wallet.period_closing", _("Period close started"), "calendar"
    PERIOD_REOPENED = "wallet.period_reopened", _("Period reopened"), "lock-open", "warning"
    PERIOD_REOPENING_ASKED = "wallet.period_reopening_asked", _("Period reopening requested"), "calendar", "info"
    PERIOD_REOPENING_REFUSED = "wallet.period_reopening_refused", _("Period reopening refused"), "circle-x"
    PERIOD_REOPENING_WITHDRAWN = "wallet.period_reopening_withdrawn", _("Period reopening withdrawn"), "x"
    PSP_ADDRESS_CHANGED = "wallet.psp_address_changed", _("PSP address changed"), "plug", "warning"
    PSP_ADDRESS_PROPOSED = "wallet.psp_address_proposed", _("New PSP address proposed"), "plug", "info"
    PSP_ADDRESS_REFUSED = "wallet.psp_address_refused", _("New PSP address refused"), "circle-x"
    PSP_ADDRESS_WITHDRAWN = "wallet.psp_address_withdrawn", _("New PSP address withdrawn"), "x"
    PSP_CHECKED = "wallet.psp_checked", _("PSP connection checked"), "heart-pulse"
    PSP_CONFIGURED = "wallet.psp_configured", _("PSP settings changed"), "settings"
    PSP_CREATED = "wallet.psp_created", _("PSP created"), "plug"
    RATE_APPROVED = "wallet.rate_approved", _("Exchange rate approved"), "trending-up", "success"
    RATE_ENTERED = "wallet.rate_entered", _("Exchange rate entered"), "trending-up", "info"
    RATE_REFUSED = "wallet.rate_refused", _("Exchange rate refused"), "circle-x", "warning"
    RATE_WITHDRAWN = "wallet.rate_withdrawn", _("Exchange rate withdrawn"), "x"
    REFUND_REQUESTED = "wallet.refund_requested", _("Refund requested; funds on hold"), "undo-2", "info"
    REFUND_TAKEN_BACK = (
        "wallet.refund_taken_back",
        _("Refund cancelled: not claimed by the client"),
        "undo-2",
        "warning",
    )
    REPORT_CONFIRMED = "wallet.report_confirmed", _("Report confirmed"), "circle-check"
    REPORT_DISCARDED = "wallet.report_discarded", _("Report discarded"), "trash-2"
    REPORT_FETCH_ORDERED = "wallet.report_fetch_ordered", _("Report fetch requested"), "refresh-cw"
    REPORT_HELD = "wallet.report_held", _("Report on hold: it may be incomplete"), "circle-pause", "warning"
    REPORT_IMPORTED = "wallet.report_imported", _("Report imported"), "download"
    REPORT_NOT_FETCHED = "wallet.report_not_fetched", _("Report fetch failed"), "triangle-alert", "warning"
    SUGGESTION_ACCEPTED = "wallet.suggestion_accepted", _("Suggested match accepted"), "thumbs-up"
    SUGGESTION_REJECTED = "wallet.suggestion_rejected", _("Suggested match rejected"), "thumbs-down"
    TRANSFER_FAILED = (
        "wallet.transfer_failed",
        _("Transfer rejected by the platform; funds returned to the wallet"),
        "circle-x",
        "danger",
    )
    TRANSFER_SETTLED = (
        "wallet.transfer_settled",
        _("Transfer confirmed by the platform and booked"),
        "circle-check",
        "success",
    )
    TRANSFER_STARTED = (
        "wallet.transfer_started",
        _("Transfer started; sent to the platform"),
        "arrow-left-right",
        "info",
    )
    TRANSFER_UNKNOWN = (
        "wallet.transfer_unknown",
        _("Outcome unknown: checking the transfer on the platform"),
        "circle-question-mark",
        "warning",
    )
    UNVERIFIED_RULE_WRITTEN = "wallet.unverified_rule_written", _("Unverified limits saved"), "timer"
    UNVERIFIED_TERM_ENDED = "wallet.unverified_term_ended", _("Unverified period ended"), "timer"
    UNVERIFIED_TERM_STARTED = "wallet.unverified_term_started", _("Unverified period started"), "timer"
    WEBHOOK_RETRIED = "wallet.webhook_retried", _("Webhook retried"), "webhook"
    WITHDRAWAL_APPROVAL_WITHDRAWN = (
        "wallet.withdrawal_approval_withdrawn",
        _("First approval of the withdrawal withdrawn"),
        "undo-2",
    )
    WITHDRAWAL_APPROVED = "wallet.withdrawal_approved", _("Withdrawal approved"), "circle-check", "success"
    WITHDRAWAL_CAME_BACK = (
        "wallet.withdrawal_came_back",
        _("Payout returned; funds back in the wallet"),
        "undo-2",
        "warning",
    )
    WITHDRAWAL_CANCELLED = "wallet.withdrawal_cancelled", _("Withdrawal cancelled by the client"), "x"
    WITHDRAWAL_FAILED = (
        "wallet.withdrawal_failed",
        _("Withdrawal failed; funds back in the wallet"),
        "triangle-alert",
        "danger",
    )
    WITHDRAWAL_LOOKED_UP = "wallet.withdrawal_looked_up", _("Withdrawal status checked with the PSP"), "search"
    WITHDRAWAL_REJECTED = (
        "wallet.withdrawal_rejected",
        _("Withdrawal rejected; funds back in the wallet"),
        "circle-x",
        "danger",
    )
    WITHDRAWAL_REQUESTED = (
        "wallet.withdrawal_requested",
        _("Withdrawal requested; funds on hold"),
        "hand-coins",
        "info",
    )
    WITHDRAWAL_REVIEWED = ("wallet.withdrawal_reviewed", _("First approval given for withdrawal"), "user-check", "info")
    WITHDRAWAL_SENT = "wallet.withdrawal_sent", _("Withdrawal sent to the PSP"), "send", "info"
    WITHDRAWAL_SETTLED = "wallet.withdrawal_settled", _("Withdrawal paid"), "banknote", "success"
    WITHDRAWAL_UNKNOWN = (
        "wallet.withdrawal_unknown",
        _("Outcome unknown: checking the withdrawal with the PSP"),
        "circle-question-mark",
        "warning",
    )
