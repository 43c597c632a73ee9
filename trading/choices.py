"""States and kinds of the trading domain, each with its label and badge colour, and the transition tables."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.choices import BadgeChoices


class PlatformKind(models.TextChoices):
    """Platforms that have an adapter in `trading/platforms/`."""

    MT5 = "mt5", _("MetaTrader 5")
    MT4 = "mt4", _("MetaTrader 4")
    CTRADER = "ctrader", _("cTrader")
    MATCHTRADER = "matchtrader", _("Match-Trader")
    SIRIX = "sirix", _("Sirix")


class Transport(models.TextChoices):
    """Form of the MT5 Web API."""

    RAW = "raw", _("Raw TCP")
    REST = "rest", _("HTTPS REST")


class Ability(models.TextChoices):
    """What we may want to do on a server, and a platform may not know or a broker may not let our manager do."""

    OPEN_ACCOUNTS = "open_accounts", _("open accounts")
    CHANGE_GROUP = "change_group", _("change an account's type")
    CHANGE_LEVERAGE = "change_leverage", _("change the leverage")
    STOP_TRADING = "stop_trading", _("disable and enable trading")
    SET_PASSWORDS = "set_passwords", _("set passwords")
    MOVE_MONEY = "move_money", _("deposits and withdrawals")
    BOOK_CREDIT = "book_credit", pgettext_lazy("balance operation", "credit")
    BOOK_BONUS = "book_bonus", _("bonus")
    BOOK_CORRECTION = "book_correction", _("corrections")


class Execution(models.TextChoices):
    """How orders of an account type are executed, as clients compare it."""

    MARKET = "market", _("Market execution")
    STP = "stp", _("STP")
    ECN = "ecn", _("ECN")
    INSTANT = "instant", _("Instant execution")


class AccountKind(BadgeChoices):
    """What sort of account a type is; `demo` is the one without real money."""

    RETAIL = "retail", "blue", _("Retail")
    PRO = "pro", "indigo", _("Pro")
    VIP = "vip", "purple", _("VIP")
    ISLAMIC = "islamic", "teal", _("Islamic (swap-free)")
    CENT = "cent", "azure", _("Cent")
    DEMO = "demo", "secondary", _("Demo")


class InstrumentClass(models.TextChoices):
    """Classes that regulators cap apart from each other."""

    FX_MAJOR = "fx_major", _("Major currency pairs")
    FX_MINOR = "fx_minor", _("Other currency pairs")
    GOLD = "gold", _("Gold")
    INDEX_MAJOR = "index_major", _("Major indices")
    INDEX_OTHER = "index_other", _("Other indices")
    COMMODITY = "commodity", _("Other commodities")
    SHARE = "share", _("Shares and everything else")
    CRYPTO = "crypto", _("Crypto-assets")


class MarginFormula(models.TextChoices):
    """What the margin of a symbol is taken of."""

    VALUE = "value", _("Value of a lot")
    AMOUNT = "amount", _("A fixed amount per lot")
    OTHER = "other", _("Other formula")


class AccountState(BadgeChoices):
    """How far a trading account is between our intent and the platform."""

    REQUESTED = "requested", "azure", _("Requested")
    OPENING = "opening", "blue", pgettext_lazy("state of an account", "Opening")
    OPEN = "open", "green", _("Open")
    UNKNOWN = "unknown", "orange", _("Outcome unknown")
    FAILED = "failed", "red", _("Failed")
    ARCHIVED = "archived", "secondary", _("Closed")


ACCOUNT_TRANSITIONS: dict[str, set[str]] = {
    AccountState.REQUESTED: {AccountState.OPENING, AccountState.FAILED},
    AccountState.OPENING: {AccountState.OPEN, AccountState.UNKNOWN, AccountState.FAILED, AccountState.REQUESTED},
    AccountState.UNKNOWN: {AccountState.OPENING, AccountState.OPEN, AccountState.FAILED},
    AccountState.OPEN: {AccountState.ARCHIVED},
    # Open at once where a person found on the platform what an attempt without an answer made.
    AccountState.FAILED: {AccountState.REQUESTED, AccountState.OPEN},
    AccountState.ARCHIVED: {AccountState.OPEN},
}


class RequestKind(BadgeChoices):
    """What a client may ask for on an account."""

    LEVERAGE = "leverage", "blue", _("Leverage change")
    TYPE = "type", "purple", _("Account type change")
    ARCHIVE = "archive", "secondary", _("Close account")
    PASSWORD = "password", "azure", _("New trading password")


class RequestState(BadgeChoices):
    WAITING = "waiting", "orange", _("Pending review")
    APPLYING = "applying", "blue", _("In progress")
    GRANTED = "granted", "green", _("Approved")
    REFUSED = "refused", "red", _("Rejected")
    WITHDRAWN = "withdrawn", "secondary", _("Withdrawn")
    UNDOING = "undoing", "blue", _("Being undone")
    UNDONE = "undone", "secondary", _("Undone")


class Verdict(BadgeChoices):
    """What was found about a login of the platform that is not among our accounts yet."""

    CLEAN = "clean", "green", _("Certain match")
    PERHAPS = "perhaps", "yellow", _("Possible match")
    SEVERAL = "several", "orange", _("Several matches")
    NO_CLIENT = "no_client", "azure", _("No match")
    NO_TYPE = "no_type", "purple", _("No account type for group")
    NOT_READ = "not_read", "purple", _("Group not synced")
    BROKEN = "broken", "red", _("Can't be imported")
    KNOWN = "known", "secondary", _("Already in Keelson")


class StagedState(BadgeChoices):
    """What became of a login that an import found."""

    WAITING = "waiting", "orange", _("Pending review")
    LATER = "later", "azure", _("Postponed")
    PROPOSED = "proposed", "azure", _("Awaiting second approval")
    ATTACHED = "attached", "green", _("Attached")
    IGNORED = "ignored", "secondary", _("Ignored")


STAGED_TRANSITIONS: dict[str, set[str]] = {
    StagedState.WAITING: {StagedState.LATER, StagedState.PROPOSED, StagedState.ATTACHED, StagedState.IGNORED},
    StagedState.LATER: {
        StagedState.LATER,
        StagedState.WAITING,
        StagedState.PROPOSED,
        StagedState.ATTACHED,
        StagedState.IGNORED,
    },
    StagedState.PROPOSED: {StagedState.WAITING, StagedState.ATTACHED},
    StagedState.ATTACHED: set(),
    StagedState.IGNORED: {StagedState.WAITING},
}


UNDECIDED = ["waiting", "later"]


class ImportState(BadgeChoices):
    READING = "reading", "blue", _("Reading")
    READY = "ready", "green", _("Read")
    FAILED = "failed", "red", _("Incomplete")


IMPORT_TRANSITIONS: dict[str, set[str]] = {
    ImportState.READING: {ImportState.READY, ImportState.FAILED},
    ImportState.READY: set(),
    ImportState.FAILED: set(),
}


class MissingBecause(BadgeChoices):
    """Why the platform no longer lists an account."""

    ARCHIVED = "archived", "yellow", _("Archived on platform")
    GONE = "gone", "orange", _("Not on the platform")


OPEN_REQUESTS = ["waiting", "applying", "undoing"]
REQUEST_TRANSITIONS: dict[str, set[str]] = {
    RequestState.WAITING: {RequestState.APPLYING, RequestState.REFUSED, RequestState.WITHDRAWN},
    RequestState.APPLYING: {RequestState.GRANTED, RequestState.WAITING},
    RequestState.GRANTED: {RequestState.UNDOING},
    RequestState.REFUSED: {RequestState.WAITING},
    RequestState.UNDOING: {RequestState.UNDONE, RequestState.GRANTED},
    RequestState.WITHDRAWN: set(),
    RequestState.UNDONE: set(),
}


class HeldBecause(models.TextChoices):
    """Why a request was not granted at once."""

    POSITIONS = "positions", _("There are open positions, and their margin requirement would change.")
    MONEY = "money", _("There is money or credit on the account.")
    MOVING = "moving", _("A transfer to or from the account is in progress.")
    CAP = "cap", _("A regulatory cap is below this leverage.")
    LADDER = "ladder", _("The account type doesn't offer this leverage.")
    RESTRICTED = "restricted", _("The client is restricted.")
    NOT_OFFERED = "not_offered", _("This account type isn't available to the client.")
    MINIMUM = "minimum", _("The account's value is below the account type's minimum deposit.")
    SWAP_FREE = "swap_free", _("Swap-free accounts require manual approval.")
    PLATFORM = "platform", _("The trading platform couldn't be reached.")
    CONTACT = "contact", _("The e-mail address or phone number was changed recently.")
    TYPE_ASKS = "type_asks", _("This account type requires a manual review.")


class OperationKind(BadgeChoices):
    """What a balance operation does on the platform. Amounts are signed: positive goes into the account."""

    DEPOSIT = "deposit", "green", _("Deposit")
    WITHDRAWAL = "withdrawal", "orange", _("Withdrawal")
    CREDIT = "credit", "indigo", _("Credit")
    BONUS = "bonus", "purple", _("Bonus")
    CORRECTION = "correction", "secondary", _("Correction")


class OperationState(BadgeChoices):
    """A saga: reserved here, sent to the platform, and then confirmed, failed, or not known until it is looked up."""

    RESERVED = "reserved", "azure", _("Reserved")
    SENT = "sent", "blue", _("Sent")
    CONFIRMED = "confirmed", "green", _("Confirmed")
    FAILED = "failed", "red", _("Failed")
    UNKNOWN = "unknown", "orange", _("Outcome unknown")


OPERATION_TRANSITIONS: dict[str, set[str]] = {
    OperationState.RESERVED: {OperationState.SENT, OperationState.FAILED},
    # Back to reserved only when the platform reported that it did not begin.
    OperationState.SENT: {
        OperationState.CONFIRMED,
        OperationState.FAILED,
        OperationState.UNKNOWN,
        OperationState.RESERVED,
    },
    OperationState.UNKNOWN: {OperationState.CONFIRMED, OperationState.FAILED},
    OperationState.CONFIRMED: set(),
    OperationState.FAILED: set(),
}


class SymbolGroup(models.TextChoices):
    """Groups that partner plans and exposure speak of."""

    FX_MAJORS = "fx_majors", _("FX majors")
    FX_MINORS = "fx_minors", _("FX minors")
    FX_EXOTICS = "fx_exotics", _("FX exotics")
    METALS = "metals", _("Metals")
    INDICES = "indices", _("Indices")
    ENERGIES = "energies", _("Energies")
    CRYPTO = "crypto", _("Crypto")
    SHARES = "shares", pgettext_lazy("instruments", "Shares")
    OTHER = "other", _("Other")


class AliasState(BadgeChoices):
    """How sure we are of what a server's symbol is among our symbols."""

    PROPOSED = "proposed", "orange", _("Proposed")
    BY_RULE = "by_rule", "blue", _("Matched by name")
    CONFIRMED = "confirmed", "green", _("Confirmed")
    REFUSED = "refused", "secondary", _("Rejected")


ALIAS_TRANSITIONS: dict[str, set[str]] = {
    AliasState.PROPOSED: {AliasState.CONFIRMED, AliasState.REFUSED},
    AliasState.BY_RULE: {AliasState.CONFIRMED},
    # A person may map it again.
    AliasState.CONFIRMED: {AliasState.CONFIRMED},
    AliasState.REFUSED: {AliasState.CONFIRMED},
}


MAPPED = ["by_rule", "confirmed"]


class AliasRule(models.TextChoices):
    """Why a symbol of a server is thought to be one of ours."""

    EXACT = "exact", _("Same name")
    ENDING = "ending", _("Same name without the broker's suffix")
    PREFIX = "prefix", _("Same name without the broker's prefix")
    OTHER_NAME = "other_name", _("Known alias")
    FOLDER = "folder", _("Identified by its folder on the server")
    BY_HAND = "by_hand", _("Chosen manually")
    KEPT = "kept", _("Mapped before confirmation was introduced")


class DealAction(models.IntegerChoices):
    """Kinds of deals, by the platform's number. A number that is not here is stored and reported, never dropped."""

    BUY = 0, _("Buy")
    SELL = 1, _("Sell")
    BALANCE = 2, _("Balance")
    CREDIT = 3, _("Credit")
    CHARGE = 4, _("Charge")
    CORRECTION = 5, _("Correction")
    BONUS = 6, _("Bonus")
    COMMISSION = 7, _("Commission")
    COMMISSION_DAILY = 8, _("Daily commission")
    COMMISSION_MONTHLY = 9, _("Monthly commission")
    AGENT_DAILY = 10, _("Daily agent commission")
    AGENT_MONTHLY = 11, _("Monthly agent commission")
    INTEREST = 12, _("Interest")
    BUY_CANCELED = 13, _("Buy cancelled")
    SELL_CANCELED = 14, _("Sell cancelled")
    DIVIDEND = 15, _("Dividend")
    DIVIDEND_FRANKED = 16, _("Franked dividend")
    TAX = 17, _("Tax")
    AGENT = 18, _("Agent commission")
    SO_COMPENSATION = 19, _("Negative balance compensation")
    SO_COMPENSATION_CREDIT = 20, _("Negative balance compensation (credit)")


TRADES = (DealAction.BUY, DealAction.SELL)
# Actions that move Credit; all others move Balance.
CREDIT_ACTIONS = (DealAction.CREDIT, DealAction.BONUS, DealAction.SO_COMPENSATION_CREDIT)


class DealEntry(models.IntegerChoices):
    IN = 0, _("In")
    OUT = 1, _("Out")
    INOUT = 2, _("In/out")
    OUT_BY = 3, _("Out by")


class Period(models.TextChoices):
    """Spans over which results are summed; each starts on its `start` day (UTC)."""

    DAY = "d", _("Day")
    WEEK = "w", _("Week")
    MONTH = "m", _("Month")


class MarginSeverity(BadgeChoices):
    """How low a margin level is, in the brand's own limits."""

    WARNING = "warning", "yellow", _("Warning")
    CALL = "call", "orange", _("Margin call")
    STOP = "stop", "red", _("Stop-out")


class IssueKind(models.TextChoices):
    """Questions that only a person can settle."""

    TWO_CANDIDATES = "two_candidates", _("Two deals match one operation")
    UNKNOWN_ACTION = "unknown_action", _("Unknown deal kind")
    UNMAPPED_SYMBOL = "unmapped_symbol", _("Unmapped symbol")
    UNKNOWN_ACCOUNT = "unknown_account", _("Unknown account")
    NOT_FOUND = "not_found", _("Operation not found on the platform")
    BY_HAND = "by_hand", _("Manual action needed on the platform")
    BALANCE_BREAK = "balance_break", _("Balance doesn't match the sum of deals")
    DEALS_BREAK = "deals_break", _("Deals don't match the platform")
    CONTRACT_CHANGED = "contract_changed", _("Symbol contract size changed")
    UNREADABLE_ROW = "unreadable_row", _("Invalid row")
    CLASS_CAP = "class_cap", _("Group exceeds a leverage cap")


class BreakKind(BadgeChoices):
    """What a reconciliation with the platform finds."""

    BALANCE = "balance", "red", _("Balance")
    COUNT = "count", "red", _("Daily deal count")
    MISSING = "missing", "azure", _("Missing in Keelson")
    EXTRA = "extra", "orange", _("Deleted on platform")
    CHANGED = "changed", "yellow", _("Changed on platform")


class BreakState(BadgeChoices):
    OPEN = "open", "orange", _("Open")
    HEALED = "healed", "green", _("Resolved automatically")
    SETTLED = "settled", "secondary", _("Resolved manually")


BREAK_TRANSITIONS: dict[str, set[str]] = {
    BreakState.OPEN: {BreakState.HEALED, BreakState.SETTLED},
    BreakState.HEALED: set(),
    BreakState.SETTLED: set(),
}


class BackfillState(BadgeChoices):
    RUNNING = "running", "blue", _("Running")
    STOPPED = "stopped", "orange", _("Stopped")
    DONE = "done", "green", _("Done")


BACKFILL_TRANSITIONS: dict[str, set[str]] = {
    BackfillState.RUNNING: {BackfillState.RUNNING, BackfillState.STOPPED, BackfillState.DONE},
    BackfillState.STOPPED: {BackfillState.RUNNING, BackfillState.DONE},
    BackfillState.DONE: set(),
}


class DataKind(models.TextChoices):
    """What is read from a server, under the name that its cursor and its samples have."""

    ACCOUNTS = "accounts", _("Balances and equity")
    DEALS = "deals", _("New deals")
    DEALS_AGAIN = "deals_again", _("Recent deals, re-read")
    DEALS_EXPORT = "deals_export", _("Deals from the SQL export")
    GROUPS = "groups", _("Groups")
    POSITIONS = "positions", _("Open positions")
    PROFILES = "profiles", _("Account group, leverage and permissions")
    RECONCILE = "reconcile", _("Nightly comparison")
    SAMPLES = "samples", _("Equity samples of challenges")
    SYMBOLS = "symbols", _("Symbols")


class ConnectionFor(models.TextChoices):
    """What a connection is for (`platforms.base.Purpose`), as people call it."""

    MONEY = "money", _("Money and accounts")
    READS = "reads", _("Reads")
    BACKFILL = "backfill", _("History")
    SAMPLES = "samples", _("Equity samples")


class ChangeKind(models.TextChoices):
    """What of a server's settings is kept with its history."""

    GROUP = "group", _("Group")
    SYMBOL = "symbol", _("Symbol")
