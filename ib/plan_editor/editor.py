"""What the editor of a plan version shows: the levels and groups in use, what is wrong so far, and what a trade would pay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.i18n import formats
from crm.models import Brand
from ib.agreements.card_rules import COMPONENTS_MAX, CPA_MAX, TIERS_MAX, card_problems
from ib.agreements.cards import ComponentRow, CpaRow, RateCard, TierRow, Tiers
from ib.plan_editor.forms import PreviewForm
from ib.plan_editor.preview import LevelPay, preview
from ib.plan_editor.rows import CPA_FIELDS, LEVELS, PART_FIELDS, TIER_FIELDS, component_row, cpa_row
from ib.plan_editor.version_form import VersionForm
from trading.choices import SymbolGroup

# Buttons that change what is shown, and the quiet check while somebody types: none of them saves.
EDITS = (
    "add_level",
    "remove_level",
    "add_group",
    "remove_group",
    "add_component",
    "remove_component",
    "add_cpa",
    "remove_cpa",
    "add_tier",
    "remove_tier",
    "check",
)


@dataclass
class Editor:
    """The rate card as the page shows it: `levels` columns and the rows of `groups`."""

    form: VersionForm
    levels: int
    groups: list[str]
    parts: int = 0
    acquisitions: int = 0
    ranks: int = 0

    def tiers(self) -> list[dict[str, Any]]:
        """List the rows of ranks: their number and fields."""
        return [
            {"row": row, "fields": [self.form[f"tier_{row}_{name}"] for name in TIER_FIELDS]}
            for row in range(1, self.ranks + 1)
        ]

    @property
    def may_add_tier(self) -> bool:
        return self.ranks < TIERS_MAX

    def cpa(self) -> list[dict[str, Any]]:
        """List the rows of CPA: their number and fields."""
        return [
            {"row": row, "fields": [self.form[f"cpa_{row}_{name}"] for name in CPA_FIELDS]}
            for row in range(1, self.acquisitions + 1)
        ]

    @property
    def may_add_cpa(self) -> bool:
        return self.acquisitions < CPA_MAX

    def components(self) -> list[dict[str, Any]]:
        """List the rows of components: their number and fields."""
        return [
            {"row": row, "fields": [self.form[f"part_{row}_{name}"] for name in PART_FIELDS]}
            for row in range(1, self.parts + 1)
        ]

    @property
    def may_add_component(self) -> bool:
        return self.parts < COMPONENTS_MAX

    def level_fields(self) -> list[tuple[int, Any]]:
        return [(level, self.form[f"share_{level}"]) for level in range(1, self.levels + 1)]

    def rows(self) -> list[dict[str, Any]]:
        """List the rows: the group, its rate, and its fixed amounts."""
        return [
            {
                "group": group,
                "label": SymbolGroup(group).label,
                "rate": self.form[f"rate_{group}"],
                "cells": [self.form[f"fixed_{group}_{level}"] for level in range(1, self.levels + 1)],
            }
            for group in self.groups
        ]

    @property
    def has_fixed(self) -> bool:
        return any(_has_value(cell) for row in self.rows() for cell in row["cells"])

    @property
    def may_add_level(self) -> bool:
        return self.levels < LEVELS

    def other_groups(self) -> list[tuple[str, Promise | str]]:
        return [(str(group), group.label) for group in SymbolGroup if str(group) not in self.groups]


def _has_value(bound: Any) -> bool:
    return bound.value() not in (None, "")


def editor_of(form: VersionForm, data: QueryDict | None) -> Editor:
    """Find which levels and groups to show: those with a value, those added on the page, and at least one of each."""
    used_levels = [
        level
        for level in range(1, LEVELS + 1)
        if _has_value(form[f"share_{level}"])
        or any(_has_value(form[f"fixed_{group}_{level}"]) for group in SymbolGroup)
    ]
    shown = {str(group) for group in SymbolGroup if _group_in_use(form, group)}
    levels = max([1, *used_levels])
    if data is not None:
        asked = data.get("levels", "")
        levels = max(levels, min(int(asked), LEVELS) if asked.isdecimal() and len(asked) < 3 else 1)
        levels = min(LEVELS, levels + 1) if "add_level" in data else levels
        shown |= {
            group for group in [*data.getlist("groups"), data.get("add_group", "")] if group in SymbolGroup.values
        }
    parts = _rows(data, "parts", "add_component", COMPONENTS_MAX, lambda row: _in_use(form, f"part_{row}", PART_FIELDS))
    cpa = _rows(data, "acquisitions", "add_cpa", CPA_MAX, lambda row: _in_use(form, f"cpa_{row}", CPA_FIELDS))
    tiers = _rows(data, "ranks", "add_tier", TIERS_MAX, lambda row: _in_use(form, f"tier_{row}", TIER_FIELDS))
    groups = [str(group) for group in SymbolGroup if str(group) in shown] or (
        [] if parts or cpa else [str(SymbolGroup.FX_MAJORS)]
    )
    return Editor(form, levels, groups, parts, cpa, tiers)


def _rows(data: QueryDict | None, name: str, button: str, most: int, is_used: Callable[[int], bool]) -> int:
    """Count a table's rows to show: those in use, and those added on the page."""
    rows = max((row for row in range(1, most + 1) if is_used(row)), default=0)
    if data is None:
        return rows
    asked = data.get(name, "")
    rows = max(rows, min(int(asked), most) if asked.isdecimal() and len(asked) < 3 else 0)
    return min(most, rows + 1) if button in data else rows


def _in_use(form: VersionForm, prefix: str, names: tuple[str, ...]) -> bool:
    return any(_has_value(form[f"{prefix}_{name}"]) for name in names)


def _group_in_use(form: VersionForm, group: SymbolGroup) -> bool:
    names = [f"rate_{group}", *(f"fixed_{group}_{level}" for level in range(1, LEVELS + 1))]
    return any(_has_value(form[name]) for name in names)


def without_removed(data: QueryDict) -> QueryDict:
    """Empty the fields of the level or group that a button takes away."""
    data = data.copy()
    asked = data.get("levels", "")
    if "remove_level" in data and asked.isdecimal() and 1 < int(asked) <= LEVELS:
        level = int(asked)
        data["levels"] = str(level - 1)
        for name in (f"share_{level}", *(f"fixed_{group}_{level}" for group in SymbolGroup)):
            data.pop(name, None)
    if group := data.get("remove_group"):
        data.setlist("groups", [kept for kept in data.getlist("groups") if kept != group])
        for name in (f"rate_{group}", *(f"fixed_{group}_{level}" for level in range(1, LEVELS + 1))):
            data.pop(name, None)
    _remove_row(data, "remove_component", "parts", "part", PART_FIELDS, COMPONENTS_MAX)
    _remove_row(data, "remove_cpa", "acquisitions", "cpa", CPA_FIELDS, CPA_MAX)
    _remove_row(data, "remove_tier", "ranks", "tier", TIER_FIELDS, TIERS_MAX)
    return data


def _remove_row(data: QueryDict, button: str, counter: str, prefix: str, names: tuple[str, ...], most: int) -> None:
    """Take the row that a button names out of a table: those below it move up."""
    removed, asked = data.get(button, ""), data.get(counter, "")
    if not (removed.isdecimal() and len(removed) < 3 and 1 <= int(removed) <= most):
        return
    for row in range(int(removed), most + 1):
        for name in names:
            data[f"{prefix}_{row}_{name}"] = data.get(f"{prefix}_{row + 1}_{name}", "")
    data[counter] = str(max(0, int(asked) - 1)) if asked.isdecimal() and len(asked) < 3 else "0"


@dataclass(frozen=True)
class GroupSum:
    """What the levels of a symbol group get per lot together, beside the rate."""

    label: Promise | str
    per_level: list[Decimal | None]
    total: Decimal
    rate: Decimal | None
    is_over: bool


@dataclass(frozen=True)
class Check:
    """The answer to a half-written version: problems that refuse it, remarks that don't, sums, and one trade's payments."""

    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    sums: list[GroupSum] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)
    currency: str = ""
    symbol: str = ""
    group: str = ""
    lots: Decimal = Decimal(1)
    depth: int = 2
    pays: list[LevelPay] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        return sum((pay.amount for pay in self.pays), Decimal(0))

    @property
    def headline(self) -> str:
        """Say the trade and what it pays in all."""
        words = {
            "lots": formats.number(self.lots),
            "symbol": self.symbol,
            "level": self.depth,
            "total": formats.money(self.total, self.currency),
        }
        return (
            ngettext(
                "%(lots)s lot %(symbol)s by a client at level %(level)s pays %(total)s",
                "%(lots)s lots %(symbol)s by a client at level %(level)s pay %(total)s",
                1 if self.lots == 1 else 2,
            )
            % words
        )


def check_of(form: VersionForm, trade: PreviewForm, brand: Brand) -> Check:
    """Check what is written so far and preview a trade by it."""
    if form.is_bound:
        form.is_valid()
        card, is_pool = form.card(), bool(form.cleaned_data.get("is_pool"))
        currency, network = form.cleaned_data.get("currency") or "", form.cleaned_data.get("network") or ""
        passed = form.cleaned_data.get("passed_percent") or Decimal(0)
        per_lot = form.cleaned_data.get("passed_per_lot") or Decimal(0)
        cap_revenue = form.cleaned_data.get("cap_revenue")
    else:
        network, passed = str(form["network"].value() or ""), Decimal(form["passed_percent"].value() or 0)
        per_lot, cap_revenue = Decimal(form["passed_per_lot"].value() or 0), form["cap_revenue"].value()
        card, is_pool, currency = (
            _initial_card(form),
            bool(form["is_pool"].value()),
            str(form["currency"].value() or ""),
        )
    symbol, group, lots, depth = trade.trade()
    levels = card.levels()
    problems = [
        *(form.cell_errors() if form.is_bound else []),
        *card_problems(
            card,
            is_pool=is_pool,
            network=network,
            jurisdiction=brand.jurisdiction,
            passed=passed,
            passed_per_lot=per_lot,
            cap_revenue=cap_revenue,
        ),
    ]
    return Check(
        problems=list(dict.fromkeys(problems)),
        remarks=[
            *_remarks(card, is_pool),
            *_component_remarks(card, currency or CURRENCY_UNKNOWN, brand.base_currency),
        ],
        sums=_sums(card, levels, is_pool),
        levels=levels,
        currency=currency or CURRENCY_UNKNOWN,
        symbol=symbol,
        group=str(SymbolGroup(group).label),
        lots=lots,
        depth=depth,
        pays=preview(card, group=group, lots=lots, depth=depth),
    )


CURRENCY_UNKNOWN = "EUR"


def _initial_card(form: VersionForm) -> RateCard:
    """Build the card of a form that nobody has sent yet."""
    values = {name: Decimal(form.initial[name]) for name in form.fields if name in form.initial and name[:5] in PARTS}
    return RateCard(
        {name[5:]: value for name, value in values.items() if name.startswith("rate_")},
        {int(name[6:]): value / 100 for name, value in values.items() if name.startswith("share_")},
        {
            (name[6:].rpartition("_")[0], int(name.rpartition("_")[2])): value
            for name, value in values.items()
            if name.startswith("fixed_")
        },
        tuple(_initial_components(form)),
        tuple(_initial_cpa(form)),
        _initial_tiers(form),
    )


def _initial_tiers(form: VersionForm) -> Tiers:
    parts: list[list[Any]]
    parts = [[form.initial.get(f"tier_{row}_{name}") for name in TIER_FIELDS] for row in range(1, TIERS_MAX + 1)]
    rows = tuple(TierRow(name, lots, percent / 100) for name, lots, percent in parts if name)
    said: list[Any] = [form.initial.get(f"tier_{name}") for name in ("basis", "months", "grace")]
    return Tiers(rows, *said) if rows else Tiers()


def _initial_cpa(form: VersionForm) -> Iterator[CpaRow]:
    for row in range(1, CPA_MAX + 1):
        part: dict[str, Any] = {name: form.initial.get(f"cpa_{row}_{name}") for name in CPA_FIELDS}
        if part["amount"] is not None:
            yield cpa_row(part)


def _initial_components(form: VersionForm) -> Iterator[ComponentRow]:
    for row in range(1, COMPONENTS_MAX + 1):
        part: dict[str, Any] = {name: form.initial.get(f"part_{row}_{name}") for name in PART_FIELDS}
        if part["kind"]:
            yield component_row(part)


PARTS = ("rate_", "share", "fixed")


def _component_remarks(card: RateCard, currency: str, base_currency: str) -> list[str]:
    """Say what components, CPA and ranks pay, and that the preview of one trade knows rates per lot only."""
    if not card.sentences(currency, base_currency):
        return []
    return [
        *card.sentences(currency, base_currency),
        _("The preview shows the rates per lot for all accounts. What the rest costs is in the what-if of the draft."),
    ]


def _sums(card: RateCard, levels: list[int], is_pool: bool) -> list[GroupSum]:
    rows = []
    for group in card.groups():
        per_level = [card.of_level(group, level) for level in levels]
        total = sum((amount or Decimal(0) for amount in per_level), Decimal(0))
        rate = card.rates.get(group)
        rows.append(GroupSum(SymbolGroup(group).label, per_level, total, rate, is_pool and total > (rate or 0)))
    return rows


def _remarks(card: RateCard, is_pool: bool) -> list[str]:
    """List what is possible but worth a second look: shares that leave something over, or cost more than the rate."""
    total = sum(card.shares.values(), Decimal(0))
    if not card.shares or not (card.rates or card.components or card.cpa) or total == 1:
        return []
    percent = formats.number(total * 100)
    if total < 1:
        return [
            _("The shares add up to %(percent)s %%. The rest of the rate stays with the company.")
            % {"percent": percent}
        ]
    return (
        []
        if is_pool
        else [_("The shares add up to %(percent)s %%: more than the rate is paid out.") % {"percent": percent}]
    )
