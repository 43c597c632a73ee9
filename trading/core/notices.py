"""What people are notified of about trading accounts and platforms."""

from django.utils.translation import gettext_lazy as _

from crm.choices import EmailChannel
from crm.notices.kinds import CLIENTS, MANDATORY, NoticeGroup, NotificationKind, staff


class TradingNotice(NotificationKind):
    """What people are notified of; see `crm/notices/kinds.py`."""

    MARGIN = (
        "trading.margin",
        _("Low margin level"),
        NoticeGroup.TRADING,
        staff("trading.view_tradingaccount") | CLIENTS,
    )
    REQUEST = ("trading.request", _("Account requests"), NoticeGroup.TRADING, staff("trading.decide_request") | CLIENTS)
    LEVERAGE_LOWERED = (
        "trading.leverage_lowered",
        _("Leverage reduced"),
        NoticeGroup.TRADING,
        CLIENTS,
        EmailChannel.AT_ONCE,
    )
    ACCOUNT_FAILED = (
        "trading.account_failed",
        _("Trading accounts that couldn't be opened"),
        NoticeGroup.TRADING,
        staff("trading.open_account"),
    )
    ACCOUNT_MISSING = (
        "trading.account_missing",
        _("Accounts of your clients missing on the platform"),
        NoticeGroup.TRADING,
        staff("trading.view_tradingaccount"),
    )
    ISSUE = (
        "trading.issue",
        _("Problems of a trading platform"),
        NoticeGroup.TRADING,
        staff("trading.view_platform_health"),
        EmailChannel.AT_ONCE,
    )
    CLIENT_PROPOSED = (
        "trading.client_proposed",
        _("Imported logins awaiting second approval"),
        NoticeGroup.TRADING,
        staff("trading.import_accounts"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    CLIENT_REFUSED = (
        "trading.client_refused",
        _("Your imported logins: rejections"),
        NoticeGroup.TRADING,
        staff("trading.import_accounts"),
    )
    LOGIN_PROPOSED = (
        "trading.login_proposed",
        _("Changed logins awaiting second approval"),
        NoticeGroup.TRADING,
        staff("trading.open_account"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    SERVER_ADDRESS = (
        "trading.server_address",
        _("Trading server connections awaiting second approval"),
        NoticeGroup.TRADING,
        staff("trading.manage_servers"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    OPERATION_OUTCOME = (
        "trading.operation_outcome_proposed",
        _("Balance operation outcomes awaiting second approval"),
        NoticeGroup.TRADING,
        staff("trading.resolve_operation"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
