from trading.models.accounts import AccountType, EquityPoint, TradingAccount
from trading.models.caps import LeverageCap
from trading.models.deals import Deal, DealEdit, Position
from trading.models.operations import BalanceOperation
from trading.models.requests import AccountRequest
from trading.models.servers import PlatformIssue, SyncCursor, TradingServer
from trading.models.symbols import SymbolAlias, SymbolInfo

__all__ = [
    "AccountRequest", "AccountType", "BalanceOperation", "Deal", "DealEdit", "EquityPoint", "LeverageCap", "PlatformIssue",
    "Position", "SymbolAlias", "SymbolInfo", "SyncCursor", "TradingAccount", "TradingServer",
]  # fmt: skip
