"""The export's column names as the platform spells them; some databases fold them to lower or upper case."""

from __future__ import annotations

from typing import Final

DEAL: Final = """Deal Timestamp ExternalID Login Dealer Order Action Entry Reason Digits DigitsCurrency ContractSize Time
TimeMsc Symbol Price PriceSL PriceTP Volume VolumeExt VolumeClosed VolumeClosedExt Profit Value Storage Commission Fee
RateProfit RateMargin ExpertID PositionID Comment ProfitRaw PricePosition TickValue TickSize Flags Gateway PriceGateway
MarketBid MarketAsk MarketLast ModificationFlags"""
USER: Final = """Group CertSerialNumber Rights MQID Registration LastAccess LastPassChange LastIP FirstName LastName
MiddleName Name Company Account Country Language ClientID City State ZipCode Address Phone Email ID Status Color PhonePassword
Leverage Agent CurrencyDigits Balance Credit InterestRate CommissionDaily CommissionMonthly BalancePrevDay BalancePrevMonth
EquityPrevDay EquityPrevMonth TradeAccounts LeadSource LeadCampaign LimitOrders LimitPositions"""
ACCOUNT: Final = """Margin MarginFree MarginLevel MarginLeverage MarginInitial MarginMaintenance Floating Equity SOActivation
SOTime SOLevel SOEquity SOMargin BlockedCommission BlockedProfit Assets Liabilities"""
POSITION: Final = """Position TimeCreate TimeUpdate TimeCreateMsc TimeUpdateMsc PriceOpen PriceCurrent ExpertPositionID
ActivationMode ActivationTime ActivationPrice ActivationFlags"""

KNOWN: Final[dict[str, str]] = {
    name.lower(): name for text in (DEAL, USER, ACCOUNT, POSITION) for name in text.split()
} | {"position_id": "Position"}
