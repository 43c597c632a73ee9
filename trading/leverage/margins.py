"""What a group of a platform gives on each class of instruments: an account's leverage over the margin rate of its symbols.

A server lists margin rates of symbols, and groups set rates of their own for paths of symbols. What they make together is
kept on the group whenever either is read, so that pages and verbs look at a line. Where several rates of a group fit a
symbol the smallest counts: what is shown is never less than what a client may get. A fixed margin of a lot counts as the rate
that it is of the lot's worth, in the margin currency at the day's reference rate. What can't be held against a cap (a
lot's worth that is not known, a formula or a table whose figures are unknown) is kept as not comparable, with the reason.
Symbols that are not mapped count in no class; a platform without margin data has nothing here (`class_margins` is empty).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Final

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.rates import fx
from trading.choices import MAPPED, MarginFormula
from trading.models import PlatformGroup, SymbolInfo, TradingServer
from trading.platforms.base import MarginRule
from trading.platforms.masks import matches

ROUNDING: Final = Decimal("1.005")  # 3.33 per cent is 1:30 in every regulator's words
UNCLEAR_MAX: Final = 3
PLACES: Final = Decimal("0.00000001")
PROFILE, DISCOUNTS, FORMULA, WORTH = "profile", "discounts", "formula", "worth"


@dataclass(frozen=True)
class GroupLeverage:
    """The most that a group gives on a class. `rate`: of symbols whose margin follows the account's leverage; `fixed`: the
    leverage of those whose margin does not. Each with the symbol that it is of. `unclear`: what can't be compared, as
    (reason, name) of the first few."""

    rate: Decimal | None = None
    symbol: str = ""
    fixed: Decimal | None = None
    fixed_symbol: str = ""
    unclear: tuple[tuple[str, str], ...] = ()

    def at(self, leverage: int) -> tuple[Decimal, str]:
        """Find the highest leverage of the class in an account of that leverage, and its symbol. Zero margin is no limit at all."""
        followed = Decimal("Infinity") if self.rate == 0 else leverage / self.rate if self.rate is not None else None
        return max(
            (
                (leverage_limit, symbol)
                for leverage_limit, symbol in ((followed, self.symbol), (self.fixed, self.fixed_symbol))
                if leverage_limit is not None
            ),
            default=(Decimal(0), next((name for why, name in self.unclear if why != PROFILE), "")),
        )

    @property
    def unclear_words(self) -> str:
        """Why something here can't be compared, a sentence for each reason; empty when all can."""
        return " ".join(
            _words(reason, ", ".join(name for why, name in self.unclear if why == reason))
            for reason in dict.fromkeys(why for why, _name in self.unclear)
        )

    def fits(self, leverage: int, cap: int) -> bool:
        """Tell whether an account of that leverage stays within a cap on the symbols whose margin follows it.

        Those of a fixed margin don't depend on the leverage.
        """
        return self.rate is None or leverage <= cap * self.rate * ROUNDING

    def is_beyond(self, cap: int) -> bool:
        """Tell whether no leverage of an account would keep the class within its cap: a fixed margin, or none may be traded."""
        return not cap or self.rate == 0 or (self.fixed is not None and self.fixed > cap * ROUNDING)


def _words(reason: str, names: str) -> str:
    if reason == PROFILE:
        return _(
            "Margins of the profile “%(names)s” change with volume. Missing: the margin rate of its "
            "most lenient tier for each class; the platform reports the profile but not its tiers."
        ) % {"names": names}
    if reason == DISCOUNTS:
        return _(
            "%(names)s: margin is based on discounts, as on an exchange. Missing: the broker's "
            "discount for each instrument; the platform doesn't report it."
        ) % {"names": names}
    if reason == WORTH:
        return _("%(names)s: the margin is a fixed amount, but the value of a lot is unknown.") % {"names": names}
    return _("%(names)s: the platform calculates margin with its own formula.") % {"names": names}


def as_json(rules: Sequence[MarginRule] | None) -> list[dict[str, Any]] | None:
    """Convert margin rules to what `PlatformGroup.margin_rules` stores."""
    if rules is None:
        return None
    return [
        {
            "path": rule.path,
            "rate": None if rule.rate is None else f"{rule.rate.normalize():f}",
            "is_traded": rule.is_traded,
        }
        | ({} if rule.fixed is None else {"fixed": f"{rule.fixed.normalize():f}"})
        for rule in rules
    ]


def refresh(server: TradingServer) -> None:
    """Work out what each group of a server gives, from what was read last.

    Two reads and one write, and a read for each pair of currencies between which a fixed margin is exchanged.
    """
    groups = list(PlatformGroup.objects.filter(server=server, gone_at__isnull=True, margin_rules__isnull=False))
    if not groups:
        return
    has_margin = Q(margin_rate__isnull=False) | Q(margin_fixed__gt=0) | ~Q(margin_formula=MarginFormula.VALUE)
    rows = SymbolInfo.objects.filter(has_margin, server=server, gone_at__isnull=True, alias__state__in=MAPPED)
    symbols = list(rows.annotate(sort=F("alias__symbol__instrument_class")).order_by("pk"))
    exchanged, changed = _exchange(), []
    for group in groups:
        class_margins = _given(symbols, group, exchanged)
        if group.class_margins != class_margins:
            group.class_margins = class_margins
            changed.append(group)
    PlatformGroup.objects.bulk_update(changed, ["class_margins"], batch_size=500)


Exchange = Callable[[str, str], Decimal | None]


def _exchange() -> Exchange:
    """Build the day's rate from a currency to another, None where there is none; each is looked up once."""
    today = timezone.now().date()

    @cache
    def rate(source: str, target: str) -> Decimal | None:
        if not source or not target:
            return None
        try:
            return fx.rate(source, target, on=today).rate
        except fx.NoRate:
            return None

    return rate


def _given(symbols: Iterable[Any], group: PlatformGroup, exchanged: Exchange) -> dict[str, dict[str, Any]]:
    classes: dict[str, dict[str, Any]] = defaultdict(dict)
    for info in symbols:
        rules = [rule for rule in group.margin_rules or () if _fits(rule, info)]
        is_traded = [rule["is_traded"] for rule in rules if rule["is_traded"] is not None]
        if not (is_traded[0] if is_traded else info.is_traded):
            continue
        entry = classes[info.sort]
        rate, reason = (None, DISCOUNTS) if group.uses_discounts else _rate(info, rules, exchanged)
        if reason:
            _note_unclear(entry, reason, info.name)
        if rate is None:
            continue
        if info.margin_by_leverage:
            if "rate" not in entry or rate < Decimal(entry["rate"]):
                entry["rate"], entry["symbol"] = f"{rate.normalize():f}", info.name
        else:
            fixed = 1 / rate if rate else Decimal("Infinity")
            if "fixed" not in entry or fixed > Decimal(entry["fixed"]):
                entry["fixed"], entry["fixed_symbol"] = str(fixed), info.name
    if group.margin_profile:
        for entry in classes.values():
            entry["unclear"] = [[PROFILE, group.margin_profile], *entry.get("unclear", ())]
    return dict(classes)


def _fits(rule: Mapping[str, Any], info: SymbolInfo) -> bool:
    return matches(rule["path"], info.path) or matches(rule["path"], info.name)


def _note_unclear(entry: dict[str, Any], reason: str, name: str) -> None:
    unclear = entry.setdefault("unclear", [])
    if sum(why == reason for why, _name in unclear) < UNCLEAR_MAX:
        unclear.append([reason, name])


def _rate(info: SymbolInfo, rules: Sequence[Mapping[str, Any]], exchanged: Exchange) -> tuple[Decimal | None, str]:
    """Find the smallest margin rate that the group may give on a symbol, None where none is known; and why some aren't."""
    rates = [Decimal(rule["rate"]) for rule in rules if rule["rate"] is not None]
    rate = min(rates, default=info.margin_rate)
    if info.margin_formula == MarginFormula.OTHER or rate is None:
        return None, FORMULA
    if not rate:
        return rate, ""  # of whatever: none
    amounts = [Decimal(rule["fixed"]) for rule in rules if rule.get("fixed") is not None] or [info.margin_fixed]
    shares = [_share(info, amount, exchanged) for amount in amounts]
    known = [share for share in shares if share is not None]
    return (rate * min(known)).quantize(PLACES) if known else None, "" if len(known) == len(shares) else WORTH


def _share(info: SymbolInfo, amount: Decimal, exchanged: Exchange) -> Decimal | None:
    """Compute a fixed margin's share of a lot's worth; 1 where the formula has none. None: not known."""
    if not amount:
        return Decimal(1) if info.margin_formula == MarginFormula.VALUE else None
    rate = exchanged(info.lot_currency, info.currency_margin)
    return None if rate is None or not info.lot_value else amount / (info.lot_value * rate)


def of_groups(places: Iterable[tuple[int, str]]) -> dict[tuple[int, str], dict[str, GroupLeverage]]:
    """Read what each group, by (server, name), gives on each class; groups without margin data are left out. One query."""
    pairs = set(places)
    rows = PlatformGroup.objects.filter(
        server__in={server for server, _group in pairs},
        name__in={group for _server, group in pairs},
        gone_at__isnull=True,
    ).exclude(class_margins={})
    return {
        (row.server_id, row.name): {sort: _read(item) for sort, item in row.class_margins.items()}
        for row in rows
        if (row.server_id, row.name) in pairs
    }


def _read(stored: Mapping[str, Any]) -> GroupLeverage:
    rate, fixed = (Decimal(stored[name]) if name in stored else None for name in ("rate", "fixed"))
    unclear = tuple((why, name) for why, name in stored.get("unclear", ()))
    return GroupLeverage(rate, stored.get("symbol", ""), fixed, stored.get("fixed_symbol", ""), unclear)
