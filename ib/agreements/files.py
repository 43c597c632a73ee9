"""Plan versions as YAML files, out and in, with the same checks as the form.

Every value is read as text and then converted, so that amounts stay exact. Shares are in per cent.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from django.utils.translation import gettext as _
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from crm.errors import DomainError
from crm.imports.yaml_files import first_problem, plain, read_tree, write_tree
from ib.agreements.card_rules import unknown_countries
from ib.agreements.cards import SETTINGS, ComponentRow, CpaRow, RateCard, TierRow, Tiers, VersionTerms, rate_card
from ib.choices import SHARES_OF_MONEY, TRADE_COMPONENTS, ExcludedTrade, Network, SharedWith, TierBasis
from ib.forms import CURRENCIES
from ib.models import PlanVersion
from trading.choices import SymbolGroup

BYTES_MAX: Final = 64_000
NODES_MAX: Final = 2_000
LEVELS_MAX: Final = 8

Amount = Annotated[Decimal, Field(ge=0, max_digits=16, decimal_places=8, allow_inf_nan=False)]
Most = Annotated[Decimal, Field(gt=0, max_digits=16, decimal_places=8, allow_inf_nan=False)]
Percent = Annotated[Decimal, Field(ge=0, le=100, max_digits=9, decimal_places=6, allow_inf_nan=False)]
Level = Annotated[int, Field(ge=1, le=LEVELS_MAX)]
Group = Literal[tuple(SymbolGroup.values)]  # type: ignore[valid-type]
Mask = Annotated[str, Field(min_length=1, max_length=64)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Symbol = Annotated[str, Field(min_length=1, max_length=32)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ComponentFile(_Strict):
    """A row of `components`."""

    pays: Literal[tuple(dict(TRADE_COMPONENTS))]  # type: ignore[valid-type]
    value: Amount
    symbol_group: Group | None = None  # type: ignore[valid-type]
    accounts: Mask | None = None
    most_per_trade: Amount | None = None
    markup_pips: Annotated[Decimal, Field(gt=0, max_digits=8, decimal_places=3, allow_inf_nan=False)] | None = None


class CpaFile(_Strict):
    """A row of `cpa`."""

    amount: Amount
    countries: Annotated[list[Country], Field(max_length=250)] = []
    min_deposit: Annotated[Decimal, Field(ge=0, max_digits=16, decimal_places=2, allow_inf_nan=False)] = Decimal(0)
    min_lots: Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2, allow_inf_nan=False)] = Decimal(0)
    within_days: Annotated[int, Field(ge=1, le=365)] = 90


class TierFile(_Strict):
    """A row of `ranks.tiers`."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    lots: Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2, allow_inf_nan=False)]
    percent: Annotated[Decimal, Field(gt=0, max_digits=7, decimal_places=2, allow_inf_nan=False)]


class RanksFile(_Strict):
    """What `ranks` says."""

    volume: Literal[tuple(TierBasis.values)] = TierBasis.OWN.value  # type: ignore[valid-type]
    months: Annotated[int, Field(ge=1, le=12)] = 1
    grace_months: Annotated[int, Field(ge=0, le=12)] = 0
    tiers: Annotated[list[TierFile], Field(min_length=1)]


class PlanFile(_Strict):
    """What a file says. `plan` and `version` are for the reader."""

    plan: str = ""
    version: int = 0
    valid_from: AwareDatetime | None = None
    currency: Annotated[str, Field(max_length=5)]
    network: Literal[tuple(Network.values)] = Network.INTRODUCER.value  # type: ignore[valid-type]
    min_hold_seconds: Annotated[int, Field(ge=0, le=86_400)] = 180
    min_pips: Annotated[Decimal, Field(ge=0, max_digits=8, decimal_places=1)] = Decimal(0)
    clawback_days: Annotated[int, Field(ge=0, le=365)] = 90
    most_per_day: Most | None = None
    most_per_month: Most | None = None
    most_of_revenue_percent: Annotated[Decimal, Field(gt=0, le=100, max_digits=5, decimal_places=2)] | None = None
    most_is_of_all_partners: bool = False
    most_of_trade_revenue_percent: Annotated[Decimal, Field(gt=0, le=100, max_digits=5, decimal_places=2)] | None = None
    revenue_markup_pips: Annotated[Decimal, Field(ge=0, max_digits=8, decimal_places=3)] = Decimal(0)
    passed_on_percent: Annotated[Decimal, Field(ge=0, le=100, max_digits=5, decimal_places=2)] = Decimal(0)
    passed_on_per_lot: Annotated[Decimal, Field(ge=0, max_digits=16, decimal_places=8)] = Decimal(0)
    negative_revenue_counts: bool = True
    shared_rate: bool = True
    account_groups: Annotated[list[Mask], Field(max_length=40)] = []
    excluded_symbols: Annotated[list[Symbol], Field(max_length=100)] = []
    excluded_countries: Annotated[list[Country], Field(max_length=250)] = []
    excluded_accounts: Annotated[list[Mask], Field(max_length=40)] = []
    excluded_shared: Annotated[list[Literal[tuple(SharedWith.values)]], Field(max_length=2)] = []  # type: ignore[valid-type]
    excluded_trades: Annotated[list[Literal[tuple(ExcludedTrade.values)]], Field(max_length=3)] = []  # type: ignore[valid-type]
    levels: dict[Level, Percent] = {}
    rates: dict[Group, Amount] = {}  # type: ignore[valid-type]
    fixed: dict[Group, dict[Level, Amount]] = {}  # type: ignore[valid-type]
    components: list[ComponentFile] = []
    cpa: list[CpaFile] = []
    ranks: RanksFile | None = None


# Keys of a file and the setting of a version that each says; the start and the card are read by themselves.
RENAMED: Final = {
    "most_per_day": "cap_day",
    "most_per_month": "cap_month",
    "most_of_revenue_percent": "cap_revenue",
    "most_is_of_all_partners": "is_capped_together",
    "most_of_trade_revenue_percent": "cap_upline",
    "revenue_markup_pips": "markup_pips",
    "passed_on_percent": "passed_percent",
    "passed_on_per_lot": "passed_per_lot",
    "shared_rate": "is_pool",
    "negative_revenue_counts": "carries_negative",
}
TERMS: Final = {
    key: name for key in PlanFile.model_fields if (name := RENAMED.get(key, key)) in SETTINGS and key != "valid_from"
}


def write_yaml(version: PlanVersion) -> str:
    """Write what a version says as YAML. Four queries, none where its card was prefetched."""
    card = rate_card(version)
    fixed: dict[str, dict[int, Any]] = {}
    for (group, level), amount in sorted(card.overrides.items()):
        fixed.setdefault(group, {})[level] = plain(amount)
    data = {
        "plan": version.plan.name,
        "version": version.number,
        "valid_from": version.starts_at.astimezone(dt.UTC).isoformat(),
        **{key: _shown(value) for key, name in TERMS.items() if (value := getattr(version, name)) is not None},
        "levels": {level: plain(share * 100) for level, share in sorted(card.shares.items())},
        "rates": {group: plain(amount) for group, amount in sorted(card.rates.items())},
        "fixed": fixed,
        "components": [_row(row) for row in card.components],
        "cpa": [
            {
                "countries": list(row.countries),
                "amount": plain(row.amount),
                "min_deposit": plain(row.min_deposit),
                "min_lots": plain(row.min_lots),
                "within_days": row.within_days,
            }
            for row in card.cpa
        ],
        **({"ranks": _ranks(card.tiers)} if card.tiers.rows else {}),
    }
    return write_tree(data)


def _shown(value: Any) -> Any:
    return plain(value) if isinstance(value, Decimal) else value


def _row(row: ComponentRow) -> dict[str, Any]:
    data: dict[str, Any] = {"pays": row.component}
    data["value"] = plain(row.value * 100 if row.component in SHARES_OF_MONEY else row.value)
    if row.group:
        data["symbol_group"] = row.group
    if row.accounts:
        data["accounts"] = row.accounts
    if row.cap is not None:
        data["most_per_trade"] = plain(row.cap)
    if row.markup is not None:
        data["markup_pips"] = plain(row.markup)
    return data


def _ranks(tiers: Tiers) -> dict[str, Any]:
    return {
        "volume": str(tiers.basis),
        "months": tiers.months,
        "grace_months": tiers.grace,
        "tiers": [
            {"name": row.name, "lots": plain(row.lots), "percent": plain(row.factor * 100)} for row in tiers.rows
        ],
    }


def _tiers(said: RanksFile | None) -> Tiers:
    if said is None:
        return Tiers()
    rows = tuple(TierRow(row.name, row.lots, row.percent / 100) for row in said.tiers)
    return Tiers(rows, said.volume, said.months, said.grace_months)


def read_yaml(content: bytes, *, starts_at: dt.datetime) -> VersionTerms:
    """Read the terms that a file says; `starts_at` where it names no start.

    Raises: DomainError that names the line or the key: too large, no YAML, a key twice or unknown, a value that can't be.
    """
    try:
        said = PlanFile.model_validate(read_tree(content, bytes_max=BYTES_MAX, nodes_max=NODES_MAX))
    except ValidationError as error:
        raise DomainError(first_problem(error)) from None
    problems = [] if said.currency in dict(CURRENCIES) else [said.currency]
    problems += unknown_countries([*said.excluded_countries, *(code for row in said.cpa for code in row.countries)])
    if problems:
        raise DomainError(_("Unknown currency or country: %(codes)s") % {"codes": ", ".join(problems[:5])})
    card = RateCard(
        rates=dict(said.rates),
        shares={level: share / 100 for level, share in said.levels.items()},
        overrides={(group, level): amount for group, cells in said.fixed.items() for level, amount in cells.items()},
        components=tuple(
            ComponentRow(
                row.pays,
                row.symbol_group or "",
                row.accounts or "",
                row.value / 100 if row.pays in SHARES_OF_MONEY else row.value,
                row.most_per_trade,
                row.markup_pips,
            )
            for row in said.components
        ),
        cpa=tuple(
            CpaRow(tuple(row.countries), row.amount, row.min_deposit, row.min_lots, row.within_days) for row in said.cpa
        ),
        tiers=_tiers(said.ranks),
    )
    terms = {name: getattr(said, key) for key, name in TERMS.items()}
    return VersionTerms(starts_at=said.valid_from or starts_at, card=card, **terms)
