"""What a group of a platform gives on each class of instruments: an account's leverage over the margin rate of its symbols.

A server tells margin rates of symbols, and groups set rates of their own for paths of symbols. What they make together is
kept on the group whenever either is read, so that pages and verbs look at a line. Where several rates of a group fit a
symbol the smallest counts: what is shown is never less than what a client may get. Symbols that are not mapped count in no
class; a platform that tells no rates says nothing here (`PlatformGroup.class_margins` is empty).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from trading.choices import MAPPED
from trading.models import PlatformGroup, SymbolInfo, TradingServer
from trading.platforms.base import MarginRule
from trading.platforms.masks import matches

ROUNDING: Final = Decimal("1.005")  # 3.33 per cent is 1:30 in every regulator's words


@dataclass(frozen=True)
class Given:
    """The most that a group gives on a class. `rate`: of symbols whose margin follows the account's leverage; `fixed`: the
    leverage of those whose margin does not. Each with the symbol that it is of."""

    rate: Decimal | None = None
    symbol: str = ""
    fixed: Decimal | None = None
    fixed_symbol: str = ""

    def at(self, leverage: int) -> tuple[Decimal, str]:
        """The highest leverage of the class in an account of so much, and on which symbol. Zero margin is no limit at all."""
        followed = Decimal("Infinity") if self.rate == 0 else leverage / self.rate if self.rate is not None else None
        return max(
            (
                (one, symbol)
                for one, symbol in ((followed, self.symbol), (self.fixed, self.fixed_symbol))
                if one is not None
            ),
            default=(Decimal(0), ""),
        )

    def fits(self, leverage: int, cap: int) -> bool:
        """Whether an account of so much stays within a cap on the symbols whose margin follows it; those of a fixed margin are
        no question of leverage."""
        return self.rate is None or leverage <= cap * self.rate * ROUNDING

    def is_beyond(self, cap: int) -> bool:
        """Whether no leverage of an account would keep the class within its cap: a fixed margin, or none may be traded."""
        return not cap or self.rate == 0 or (self.fixed is not None and self.fixed > cap * ROUNDING)


def as_json(rules: Sequence[MarginRule] | None) -> list[dict[str, Any]] | None:
    """As `PlatformGroup.margin_rules` keeps them."""
    if rules is None:
        return None
    return [
        {
            "path": one.path,
            "rate": None if one.rate is None else f"{one.rate.normalize():f}",
            "is_traded": one.is_traded,
        }
        for one in rules
    ]


def refresh(server: TradingServer) -> None:
    """Work out what each group of a server gives, from what was read last. Two reads and one write."""
    groups = list(PlatformGroup.objects.filter(server=server, gone_at__isnull=True, margin_rules__isnull=False))
    if not groups:
        return
    symbols = list(
        SymbolInfo.objects.filter(
            server=server, gone_at__isnull=True, margin_rate__isnull=False, alias__state__in=MAPPED
        ).values_list("name", "path", "margin_rate", "margin_by_leverage", "is_traded", "alias__symbol__instrument_class")
    )  # fmt: skip
    changed = []
    for group in groups:
        given = _given(symbols, group.margin_rules or ())
        if group.class_margins != given:
            group.class_margins = given
            changed.append(group)
    PlatformGroup.objects.bulk_update(changed, ["class_margins"], batch_size=500)


def _given(symbols: Iterable[tuple], rules: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name, path, own, by_leverage, is_traded, sort in symbols:
        fitting = [rule for rule in rules if matches(rule["path"], path) or matches(rule["path"], name)]
        told = [rule["is_traded"] for rule in fitting if rule["is_traded"] is not None]
        if not (told[0] if told else is_traded):
            continue
        rate = min((Decimal(rule["rate"]) for rule in fitting if rule["rate"] is not None), default=own)
        one = found[sort]
        if by_leverage:
            if "rate" not in one or rate < Decimal(one["rate"]):
                one["rate"], one["symbol"] = f"{rate.normalize():f}", name
        else:
            fixed = 1 / rate if rate else Decimal("Infinity")
            if "fixed" not in one or fixed > Decimal(one["fixed"]):
                one["fixed"], one["fixed_symbol"] = str(fixed), name
    return dict(found)


def of_groups(places: Iterable[tuple[int, str]]) -> dict[tuple[int, str], dict[str, Given]]:
    """By (server, group): what each gives on each class; nothing for those that don't tell. One query."""
    wanted = set(places)
    rows = PlatformGroup.objects.filter(
        server__in={server for server, _group in wanted},
        name__in={group for _server, group in wanted},
        gone_at__isnull=True,
    ).exclude(class_margins={})
    return {
        (row.server_id, row.name): {sort: _read(one) for sort, one in row.class_margins.items()}
        for row in rows
        if (row.server_id, row.name) in wanted
    }


def _read(one: Mapping[str, str]) -> Given:
    rate, fixed = (Decimal(one[name]) if name in one else None for name in ("rate", "fixed"))
    return Given(rate, one.get("symbol", ""), fixed, one.get("fixed_symbol", ""))
