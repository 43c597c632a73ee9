from trading.models.accounts import AccountChange, AccountType, EquityPoint, TradingAccount
from trading.models.caps import CapStanding, LeverageCap
from trading.models.deals import Deal, DealEdit, Position
from trading.models.facts import TradingFacts
from trading.models.imports import AccountImport, StagedLogin
from trading.models.logins import LoginProposal
from trading.models.margin import MarginAlert, MarginPolicy
from trading.models.operations import BalanceOperation, OperationDecision
from trading.models.past import PastAccountGroup, PastSymbolMapping
from trading.models.requests import AccountRequest
from trading.models.results import AccountResult, ChangedDay, SymbolResult
from trading.models.samples import SyncSample
from trading.models.server_addresses import ServerAddressChange
from trading.models.servers import PlatformIssue, SyncCursor, TradingServer
from trading.models.steps import Backfill, DayCheck, PlatformChange, PlatformGroup, ReconcileBreak
from trading.models.symbols import HouseSymbol, SymbolAlias, SymbolInfo

__all__ = [
    "AccountChange",
    "AccountImport",
    "AccountRequest",
    "AccountResult",
    "AccountType",
    "Backfill",
    "BalanceOperation",
    "CapStanding",
    "ChangedDay",
    "DayCheck",
    "Deal",
    "DealEdit",
    "EquityPoint",
    "HouseSymbol",
    "LeverageCap",
    "LoginProposal",
    "MarginAlert",
    "MarginPolicy",
    "OperationDecision",
    "PastAccountGroup",
    "PastSymbolMapping",
    "PlatformChange",
    "PlatformGroup",
    "PlatformIssue",
    "Position",
    "ReconcileBreak",
    "ServerAddressChange",
    "StagedLogin",
    "SymbolAlias",
    "SymbolInfo",
    "SymbolResult",
    "SyncCursor",
    "SyncSample",
    "TradingAccount",
    "TradingFacts",
    "TradingServer",
]
