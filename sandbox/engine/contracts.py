"""Symbols with contract data as brokers configure them, and the groups of accounts."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sandbox.engine.levels import level

CURRENCY_DIGITS = {"JPY": 0, "USC": 2, "BTC": 8, "USDT": 6, "XAU": 2}
NETTING, HEDGING = 0, 2
CALC_FOREX, CALC_CFD_INDEX, CALC_CFD_LEVERAGE = 0, 3, 4
BY_LEVERAGE = frozenset({CALC_FOREX, CALC_CFD_LEVERAGE})
# An account of 1:30 gets what regulators allow retail clients: gold and other pairs 1:20, crypto 1:2; indices 1:20 whatever it has.
INDEX_RATE = Decimal("0.05")


def currency_digits(code: str) -> int:
    """Find the decimal places of a currency."""
    return CURRENCY_DIGITS.get(code, 2)


@dataclass(frozen=True)
class Symbol:
    """`year_volatility` and `level` drive the market; swaps are points per lot and night."""

    name: str
    path: str
    description: str
    base: str
    profit: str
    margin: str
    digits: int
    contract_size: Decimal
    level: float
    year_volatility: float
    spread_points: int
    swap_long: Decimal
    swap_short: Decimal
    calc_mode: int = CALC_FOREX
    volume_max_lots: int = 100
    margin_rate: Decimal = Decimal(1)
    margin_initial: Decimal = Decimal(0)  # a lot's, in the margin currency; zero: by the formula

    @property
    def is_always_open(self) -> bool:
        return self.path.startswith("Crypto")

    @property
    def point(self) -> Decimal:
        return Decimal(1).scaleb(-self.digits)


def _fx(name: str, label: str, digits: int, vol: float, spread: int, long: str, short: str) -> Symbol:
    folder = "Forex\\Majors" if "USD" in name else "Forex\\Crosses"
    base, profit = name[:3], name[3:]
    return Symbol(
        name,
        f"{folder}\\{name}",
        label,
        base,
        profit,
        base,
        digits,
        Decimal(100_000),
        level(base, profit),
        vol,
        spread,
        Decimal(long),
        Decimal(short),
        margin_rate=Decimal("1.5") if {base, profit} & {"AUD", "NZD"} else Decimal(1),
    )


SYMBOLS = {
    symbol.name: symbol
    for symbol in (
        _fx("EURUSD", "Euro vs US Dollar", 5, 0.075, 12, "-7.2", "2.8"),
        _fx("GBPUSD", "Great Britain Pound vs US Dollar", 5, 0.085, 15, "-3.1", "-1.4"),
        _fx("USDJPY", "US Dollar vs Japanese Yen", 3, 0.10, 14, "9.5", "-19.8"),
        _fx("USDCHF", "US Dollar vs Swiss Franc", 5, 0.08, 16, "5.9", "-11.2"),
        _fx("AUDUSD", "Australian Dollar vs US Dollar", 5, 0.095, 14, "-2.6", "-0.3"),
        _fx("USDCAD", "US Dollar vs Canadian Dollar", 5, 0.065, 17, "1.3", "-5.6"),
        _fx("NZDUSD", "New Zealand Dollar vs US Dollar", 5, 0.10, 18, "-1.9", "-0.8"),
        _fx("EURGBP", "Euro vs Great Britain Pound", 5, 0.055, 16, "-4.4", "0.7"),
        _fx("EURJPY", "Euro vs Japanese Yen", 3, 0.10, 20, "4.1", "-12.0"),
        Symbol(
            "XAUUSD",
            "Metals\\XAUUSD",
            "Gold vs US Dollar",
            "XAU",
            "USD",
            "USD",
            2,
            Decimal(100),
            2350.0,
            0.15,
            25,
            Decimal("-38.0"),
            Decimal("22.5"),
            CALC_CFD_LEVERAGE,
            50,
            Decimal("1.5"),
        ),
        Symbol(
            "US500",
            "Indices\\US500",
            "US 500 Index",
            "USD",
            "USD",
            "USD",
            1,
            Decimal(1),
            5430.0,
            0.17,
            5,
            Decimal("-95.0"),
            Decimal("41.0"),
            CALC_CFD_INDEX,
            500,
            INDEX_RATE,
        ),
        Symbol(
            "DE40",
            "Indices\\DE40",
            "Germany 40 Index",
            "EUR",
            "EUR",
            "EUR",
            1,
            Decimal(1),
            18420.0,
            0.18,
            12,
            Decimal("-240.0"),
            Decimal("66.0"),
            CALC_CFD_INDEX,
            500,
            INDEX_RATE,
        ),
        Symbol(
            "BTCUSD",
            "Crypto\\BTCUSD",
            "Bitcoin vs US Dollar",
            "BTC",
            "USD",
            "USD",
            2,
            Decimal(1),
            64200.0,
            0.55,
            2500,
            Decimal("-3800.0"),
            Decimal("-1100.0"),
            CALC_CFD_LEVERAGE,
            20,
            Decimal(15),
        ),
    )
}


@dataclass(frozen=True)
class Group:
    """Hedging or netting; commission is per lot and side in the group's currency, markup in points on each side."""

    name: str
    currency: str
    markup_points: int = 0
    commission: Decimal = Decimal(0)
    leverage: int = 30
    swap_free: bool = False
    margin_call: Decimal = Decimal(100)
    stop_out: Decimal = Decimal(50)
    margin_mode: int = HEDGING
    margin_profile: str = ""
    company: str = "Keelson Sandbox Markets Ltd"

    @property
    def digits(self) -> int:
        return currency_digits(self.currency)


SOUTHERN = "Keelson Sandbox Southern Ltd"


def _groups() -> dict[str, Group]:
    groups = []
    for currency in ("EUR", "USD", "GBP"):
        groups += [
            Group(f"real\\standard-{currency}", currency, markup_points=6),
            Group(f"real\\pro-{currency}", currency, commission=Decimal("3.00"), leverage=100),
            Group(f"real\\vip-{currency}", currency, commission=Decimal("2.00"), leverage=100),
            Group(f"real\\islamic-{currency}", currency, markup_points=9, swap_free=True),
            Group(f"demo\\standard-{currency}", currency, markup_points=6),
        ]
    groups.append(Group("real\\standard-JPY", "JPY", markup_points=6))
    groups += [
        Group(f"real\\netting-{currency}", currency, markup_points=6, margin_mode=NETTING)
        for currency in ("EUR", "USD")
    ]
    groups += [  # a second brand on the same server, in folders of its own
        Group("real\\southern\\standard-USD", "USD", markup_points=6, company=SOUTHERN),
        Group("real\\southern\\pro-USD", "USD", commission=Decimal("3.00"), leverage=100, company=SOUTHERN),
        Group("real\\southern\\islamic-USD", "USD", markup_points=9, swap_free=True, company=SOUTHERN),
        Group("demo\\southern\\standard-USD", "USD", markup_points=6, company=SOUTHERN),
    ]
    groups.append(Group("real\\cent-USC", "USC", markup_points=9, leverage=100))
    return {group.name: group for group in groups}


GROUPS = _groups()


def matches(mask: str, name: str) -> bool:
    """`demo*,!demo\\forex`: a list with `*` as a wildcard; `!` takes away."""
    is_match = False
    for item in filter(None, (part.strip() for part in mask.split(","))):
        if _fits(item.removeprefix("!"), name):
            if item.startswith("!"):
                return False
            is_match = True
    return is_match


def _fits(mask: str, name: str) -> bool:
    """`*` stands for anything. Part by part from the left: a mask of many `*` takes no longer than one of few."""
    first, *parts = mask.split("*")
    if not parts:
        return name == mask
    at = len(first)
    for part in parts[:-1]:
        place = name.find(part, at)
        if place < 0:
            return False
        at = place + len(part)
    return name.startswith(first) and name.endswith(parts[-1]) and len(name) - at >= len(parts[-1])


ZEROS = (
    "FilterSoft",
    "FilterSoftTicks",
    "FilterHard",
    "FilterHardTicks",
    "FilterDiscard",
    "FilterSpreadMax",
    "FilterSpreadMin",
    "FilterGap",
    "FilterGapTicks",
    "SpreadBalance",
    "SpreadDiff",
    "SpreadDiffBalance",
    "FreezeLevel",
    "QuotesTimeout",
    "MarginFlags",
    "TimeStart",
    "TimeExpiration",
    "REFlags",
    "IESlipProfit",
    "IESlipLosing",
    "OptionMode",
    "OptionsMode",
    "SpliceType",
    "SpliceTimeType",
    "SpliceTimeDays",
    "TickBookDepth",
    "TickChartMode",
    "GTCMode",
    "VolumeLimit",
    "VolumeLimitExt",
)
DECIMALS = (
    "MarginInitial",
    "MarginMaintenance",
    "MarginLiquidity",
    "MarginHedged",
    "MarginCurrency",
    "MarginLong",
    "MarginShort",
    "MarginLimit",
    "MarginStop",
    "MarginStopLimit",
    "PriceSettle",
    "PriceLimitMax",
    "PriceLimitMin",
    "PriceStrike",
    "FaceValue",
    "AccruedInterest",
    "TickValue",
)


def symbol_json(symbol: Symbol) -> dict[str, object]:
    """Show a symbol as SYMBOL_GET and SYMBOL_NEXT do."""
    # Sunday first. Outside crypto: five days from five minutes past midnight to five minutes to midnight, server time.
    day = [{"Open": 0, "Close": 1440}] if symbol.is_always_open else [{"Open": 5, "Close": 1435}]
    week = [day if symbol.is_always_open or 1 <= number <= 5 else [] for number in range(7)]
    rates = {
        f"Margin{kind}{side}": f"{symbol.margin_rate:.8f}" if side in ("Buy", "Sell") else "0.00000000"
        for kind in ("Initial", "Maintenance")
        for side in ("Buy", "Sell", "BuyLimit", "SellLimit", "BuyStop", "SellStop", "BuyStopLimit", "SellStopLimit")
    }
    zeros = dict.fromkeys(ZEROS, 0)
    decimals = dict.fromkeys(DECIMALS, "0.00000000")
    return {
        "Symbol": symbol.name,
        "Path": symbol.path,
        "ISIN": "",
        "CFI": "",
        "Category": "",
        "Exchange": "",
        "Description": symbol.description,
        "International": "",
        "Sector": 12,
        "Industry": 0,
        "Country": "",
        "Basis": "",
        "Source": "",
        "Page": "",
        "CurrencyBase": symbol.base,
        "CurrencyBaseDigits": currency_digits(symbol.base),
        "CurrencyProfit": symbol.profit,
        "CurrencyProfitDigits": currency_digits(symbol.profit),
        "CurrencyMargin": symbol.margin,
        "CurrencyMarginDigits": currency_digits(symbol.margin),
        "Color": 4278190080,
        "ColorBackground": 4278190080,
        "Digits": symbol.digits,
        "Point": f"{symbol.point:.8f}",
        "Multiply": f"{1 / symbol.point:.8f}",
        "TickFlags": 1,
        "SubscriptionsDelay": 15,
        "TradeMode": 4,
        "TradeFlags": 2,
        "CalcMode": symbol.calc_mode,
        "ExecMode": 2,
        "FillFlags": 3,
        "ExpirFlags": 15,
        "OrderFlags": 127,
        "Spread": symbol.spread_points,
        "TickSize": f"{symbol.point:.{symbol.digits}f}",
        "ContractSize": f"{symbol.contract_size:.8f}",
        "StopsLevel": 1,
        "VolumeMin": 100,
        "VolumeMinExt": 1_000_000,
        "VolumeMax": symbol.volume_max_lots * 10_000,
        "VolumeMaxExt": symbol.volume_max_lots * 100_000_000,
        "VolumeStep": 100,
        "VolumeStepExt": 1_000_000,
        "IEVolumeMax": 0,
        "IECheckMode": 0,
        "IETimeout": 7,
        "RETimeout": 7,
        "SwapMode": 1,
        "SwapLong": f"{symbol.swap_long:.8f}",
        "SwapShort": f"{symbol.swap_short:.8f}",
        "Swap3Day": 3,
        "SwapYearDay": 360,
        **zeros,
        **decimals,
        **rates,
        "MarginInitial": f"{symbol.margin_initial:.8f}",
        "SessionsQuotes": week,
        "SessionsTrades": week,
    }


def group_json(group: Group) -> dict[str, object]:
    """Show a group as GROUP_GET and GROUP_NEXT do. MarginMode 0 is retail netting, 2 retail hedging."""
    return {
        "Group": group.name,
        "Server": 1,
        "PermissionsFlags": 2,
        "AuthMode": 0,
        "AuthPasswordMin": 8,
        "Company": group.company,
        "CompanyPage": "",
        "CompanyEmail": "",
        "CompanySupportPage": "",
        "CompanySupportEmail": "",
        "CompanyCatalog": "",
        "Currency": group.currency,
        "CurrencyDigits": group.digits,
        "ReportsMode": 0,
        "NewsMode": 2,
        "NewsCategory": "",
        "MailMode": 1,
        "TradeFlags": 93,
        "TradeInterestrate": "0.00000000",
        "TradeVirtualCredit": "0.00000000",
        "MarginMode": group.margin_mode,
        "MarginSOMode": 0,
        "MarginFlags": 0,
        "MarginFloatingLeverage": group.margin_profile,
        "MarginFreeMode": 1,
        "MarginCall": f"{group.margin_call:.2f}",
        "MarginStopOut": f"{group.stop_out:.2f}",
        "MarginFreeProfitMode": 0,
        "DemoLeverage": group.leverage,
        "DemoDeposit": "10000.00",
        "LimitHistory": 0,
        "LimitOrders": 0,
        "LimitSymbols": 0,
        "LimitPositions": 0,
        "Commissions": []
        if not group.commission
        else [
            {
                "Name": "per lot",
                "Path": "*",
                "Mode": 0,
                "ChargeMode": 0,
                "EntryMode": 0,
                "Tiers": [{"Mode": 1, "Type": 0, "Value": f"{group.commission:.8f}"}],
            }
        ],
        "Symbols": [
            {
                "Path": "*",
                "TradeMode": 4294967295,
                "SpreadDiff": group.markup_points * 2,
                "SwapMode": 0 if group.swap_free else 4294967295,
            }
        ],
    }
