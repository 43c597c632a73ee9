"""What happens to trading accounts, their servers and their money there, as the audit log records it."""

from django.utils.translation import gettext_lazy as _

from crm.audit_codes import AuditCode


class TradingAction(AuditCode):
    """Codes of audit rows; see `crm/audit_codes.py`."""

    ACCOUNT_ARCHIVED = "trading.account_archived", _("Trading account closed"), "archive"
    ACCOUNT_FAILED = "trading.account_failed", _("Trading account opening failed"), "triangle-alert", "danger"
    ACCOUNT_IMPORTED = "trading.account_imported", _("Trading account imported"), "download"
    ACCOUNT_MISSING = (
        "trading.account_missing",
        _("Trading account missing on the platform"),
        "circle-question-mark",
        "warning",
    )
    ACCOUNT_OPENED = "trading.account_opened", _("Trading account opened"), "chart-candlestick", "success"
    ACCOUNT_REQUESTED = "trading.account_requested", _("Trading account requested"), "inbox", "info"
    ACCOUNT_RESTORED = "trading.account_restored", _("Trading account reopened"), "archive-restore"
    ACCOUNT_RETRIED = "trading.account_retried", _("Trading account opening retried"), "refresh-cw"
    ACCOUNT_RETURNED = "trading.account_returned", _("Trading account back on the platform"), "circle-check"
    ACCOUNT_TYPE_ADDED = "trading.account_type_added", _("Account type added"), "layers"
    ACCOUNT_TYPE_CHANGED = "trading.account_type_changed", _("Account type changed"), "layers"
    BACKFILL_DROPPED = "trading.backfill_dropped", _("History download cancelled"), "x"
    BACKFILL_RESUMED = "trading.backfill_resumed", _("History download resumed"), "play"
    BACKFILL_STARTED = "trading.backfill_started", _("History download started"), "history"
    BREAK_FETCHED_AGAIN = "trading.break_fetched_again", _("Day of a break fetched again"), "refresh-cw"
    BREAK_SETTLED = "trading.break_settled", _("Break resolved"), "circle-check", "success"
    CHANGE_MADE = "trading.change_made", _("Account change applied"), "check"
    CHANGE_ORDERED = "trading.change_ordered", _("Account change ordered"), "sliders-horizontal"
    CHANGED_AT_PLATFORM = "trading.changed_at_platform", _("Account changed on the platform"), "server"
    CLIENT_PROPOSED = "trading.client_proposed", _("Client proposed for a login"), "user-search", "info"
    CLIENT_REFUSED = "trading.client_refused", _("Proposed client rejected"), "user-x", "warning"
    CLIENT_WITHDRAWN = "trading.client_withdrawn", _("Proposed client withdrawn"), "x"
    IMPORT_STARTED = "trading.import_started", _("Account import started"), "download"
    ISSUE_CLOSED = "trading.issue_closed", _("Platform issue closed"), "circle-check"
    LEVERAGE_CAP_ADDED = "trading.leverage_cap_added", _("Leverage cap added"), "scale"
    LEVERAGE_CAP_ENDED = "trading.leverage_cap_ended", _("Leverage cap ended"), "scale"
    LEVERAGE_CHANGED = "trading.leverage_changed", _("Leverage changed"), "scale"
    LEVERAGE_LOWERED = "trading.leverage_lowered", _("Leverage lowered to its cap"), "trending-down", "warning"
    LOGIN_IGNORED = "trading.login_ignored", _("Login ignored"), "eye-off"
    LOGIN_PROPOSED = "trading.login_proposed", _("Login proposed for a client"), "user-search", "info"
    LOGIN_PUT_OFF = "trading.login_put_off", _("Login postponed"), "clock"
    LOGIN_REFUSED = "trading.login_refused", _("Proposed login rejected"), "user-x", "warning"
    LOGIN_REOPENED = "trading.login_reopened", _("Login reopened"), "rotate-ccw"
    LOGIN_WITHDRAWN = "trading.login_withdrawn", _("Proposed login withdrawn"), "x"
    MARGIN_POLICY_CHANGED = "trading.margin_policy_changed", _("Margin limits changed"), "gauge"
    OPERATION_CONFIRMED = "trading.operation_confirmed", _("Balance operation confirmed"), "circle-check", "success"
    OPERATION_FAILED = "trading.operation_failed", _("Balance operation failed"), "circle-x", "danger"
    OPERATION_OUTCOME_PROPOSED = (
        "trading.operation_outcome_proposed",
        _("Balance operation outcome proposed"),
        "search",
        "info",
    )
    OPERATION_OUTCOME_REFUSED = (
        "trading.operation_outcome_refused",
        _("Proposed balance operation outcome rejected"),
        "circle-x",
        "warning",
    )
    OPERATION_OUTCOME_UNKNOWN = (
        "trading.operation_outcome_unknown",
        _("Balance operation outcome unknown"),
        "circle-question-mark",
        "warning",
    )
    OPERATION_OUTCOME_WITHDRAWN = (
        "trading.operation_outcome_withdrawn",
        _("Proposed balance operation outcome withdrawn"),
        "x",
    )
    OPERATION_RESERVED = "trading.operation_reserved", _("Balance operation reserved"), "hourglass", "info"
    PASSWORD_CHANGED = "trading.password_changed", _("Trading password changed"), "key-round"
    REQUEST_GRANTED = "trading.request_granted", _("Account request approved"), "circle-check", "success"
    REQUEST_MADE = "trading.request_made", _("Account request submitted"), "inbox", "info"
    REQUEST_REFUSED = "trading.request_refused", _("Account request rejected"), "circle-x", "danger"
    REQUEST_REOPENED = "trading.request_reopened", _("Account request reopened"), "rotate-ccw"
    REQUEST_UNDONE = "trading.request_undone", _("Account request undone"), "undo-2"
    REQUEST_WITHDRAWN = "trading.request_withdrawn", _("Account request withdrawn"), "x"
    RIGHT_TO_TRADE_CHANGED = "trading.right_to_trade_changed", _("Trading permission changed"), "shield"
    RIGHT_TO_TRADE_LOOKED_UP = (
        "trading.right_to_trade_looked_up",
        _("Trading permission looked up on the platform"),
        "search",
        "info",
    )
    RIGHT_TO_TRADE_UNKNOWN = (
        "trading.right_to_trade_unknown",
        _("Trading permission sent, platform’s answer lost"),
        "circle-question-mark",
        "warning",
    )
    SERVER_ADDRESS_CHANGED = (
        "trading.server_address_changed",
        _("Trading server address changed"),
        "server",
        "warning",
    )
    SERVER_ADDRESS_PROPOSED = (
        "trading.server_address_proposed",
        _("New trading server address proposed"),
        "server",
        "info",
    )
    SERVER_ADDRESS_REFUSED = "trading.server_address_refused", _("New trading server address rejected"), "circle-x"
    SERVER_ADDRESS_WITHDRAWN = "trading.server_address_withdrawn", _("New trading server address withdrawn"), "x"
    SERVER_CHANGED = "trading.server_changed", _("Trading server changed"), "server"
    SERVER_CONNECTED = "trading.server_connected", _("Trading server connected"), "plug"
    SYMBOL_CORRECTED = "trading.symbol_corrected", _("Earlier symbol mapping corrected"), "history"
    SYMBOL_LEFT_OUT = "trading.symbol_left_out", _("Symbol mapping rejected"), "eye-off"
    SYMBOL_MAPPED = "trading.symbol_mapped", _("Symbol mapped"), "tags"
