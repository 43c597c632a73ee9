"""Rows of a version's tables in the editor: components, CPA and ranks, each with its fields, as the card's rows and back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from ib.agreements.cards import ComponentRow, CpaRow, RateCard
from ib.choices import SHARES_OF_MONEY, TRADE_COMPONENTS
from trading.choices import SymbolGroup

LEVELS: Final = 8
CPA_FIELDS: Final = ("countries", "amount", "deposit", "lots", "days")
TIER_FIELDS: Final = ("name", "lots", "percent")
PART_FIELDS: Final = ("kind", "group", "accounts", "value", "cap", "markup")


def component_fields(row: int) -> dict[str, forms.Field]:
    """Build the fields of one row of the components table."""
    label = _("Component %(row)s") % {"row": row}
    amount: dict[str, Any] = {"required": False, "min_value": 0, "max_digits": 16, "decimal_places": 8}
    return {
        f"part_{row}_kind": forms.ChoiceField(choices=[("", "–"), *TRADE_COMPONENTS], required=False, label=label),
        f"part_{row}_group": forms.ChoiceField(
            choices=[("", _("All symbol groups")), *SymbolGroup.choices],
            required=False,
            label=_("%(component)s, symbol group") % {"component": label},
        ),
        f"part_{row}_accounts": forms.CharField(
            required=False, max_length=64, label=_("%(component)s, account group") % {"component": label}
        ),
        f"part_{row}_value": forms.DecimalField(label=_("%(component)s, value") % {"component": label}, **amount),
        f"part_{row}_markup": forms.DecimalField(
            label=_("%(component)s, mark-up in pips") % {"component": label},
            **{**amount, "max_digits": 8, "decimal_places": 3},
        ),
        f"part_{row}_cap": forms.DecimalField(
            label=_("%(component)s, most per trade, or per client and month") % {"component": label}, **amount
        ),
    }


def cpa_fields(row: int) -> dict[str, forms.Field]:
    """Build the fields of one row of the CPA table."""
    label = _("CPA %(row)s") % {"row": row}
    return {
        f"cpa_{row}_countries": forms.CharField(
            required=False, max_length=400, label=_("%(cpa)s, countries") % {"cpa": label}
        ),
        f"cpa_{row}_amount": forms.DecimalField(
            required=False, min_value=0, max_digits=16, decimal_places=8, label=_("%(cpa)s, amount") % {"cpa": label}
        ),
        f"cpa_{row}_deposit": forms.DecimalField(
            required=False, min_value=0, max_digits=16, decimal_places=2, label=_("%(cpa)s, paid in") % {"cpa": label}
        ),
        f"cpa_{row}_lots": forms.DecimalField(
            required=False, min_value=0, max_digits=12, decimal_places=2, label=_("%(cpa)s, lots") % {"cpa": label}
        ),
        f"cpa_{row}_days": forms.IntegerField(
            required=False, min_value=1, max_value=365, label=_("%(cpa)s, days") % {"cpa": label}
        ),
    }


def tier_fields(row: int) -> dict[str, forms.Field]:
    """Build the fields of one row of the ranks table."""
    label = _("Rank %(row)s") % {"row": row}
    return {
        f"tier_{row}_name": forms.CharField(required=False, max_length=40, label=_("%(rank)s, name") % {"rank": label}),
        f"tier_{row}_lots": forms.DecimalField(
            required=False, min_value=0, max_digits=12, decimal_places=2, label=_("%(rank)s, lots") % {"rank": label}
        ),
        f"tier_{row}_percent": forms.DecimalField(
            required=False,
            min_value=0,
            max_digits=7,
            decimal_places=2,
            label=_("%(rank)s, per cent of the rates") % {"rank": label},
        ),
    }


def cpa_row(part: dict[str, Any]) -> CpaRow:
    """Build a CPA row of the card from its fields."""
    countries = tuple(code.upper() for code in parts_of(part["countries"] or ""))
    zero = Decimal(0)
    return CpaRow(countries, part["amount"], part["deposit"] or zero, part["lots"] or zero, part["days"] or 90)


def component_row(part: dict[str, Any]) -> ComponentRow:
    """Build a row of the card from the fields of a component; shares of money are in per cent there."""
    share = part["value"] / 100 if part["kind"] in SHARES_OF_MONEY else part["value"]
    return ComponentRow(
        part["kind"], part["group"] or "", (part["accounts"] or "").strip(), share, part["cap"], part["markup"]
    )


def parts_of(text: str) -> list[str]:
    """List what is between the commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def trimmed(value: Decimal) -> Decimal:
    """Drop the zeros at a number's end, and never use exponent notation: what a form shows."""
    return Decimal(f"{value.normalize():f}")


def card_initial(card: RateCard) -> dict[str, Any]:
    """List a rate card's values for the form."""
    return {
        **{f"rate_{group}": trimmed(amount) for group, amount in card.rates.items()},
        **{f"share_{level}": trimmed(share * 100) for level, share in card.shares.items()},
        **{f"fixed_{group}_{level}": trimmed(amount) for (group, level), amount in card.overrides.items()},
        **{
            f"part_{row}_{name}": value
            for row, part in enumerate(card.components, start=1)
            for name, value in _part_initial(part).items()
        },
        **{
            f"cpa_{row}_{name}": value
            for row, part in enumerate(card.cpa, start=1)
            for name, value in zip(CPA_FIELDS, _cpa_initial(part), strict=True)
        },
        **{
            f"tier_{row}_{name}": value
            for row, tier in enumerate(card.tiers.rows, start=1)
            for name, value in zip(
                TIER_FIELDS, (tier.name, trimmed(tier.lots), trimmed(tier.factor * 100)), strict=True
            )
        },
        **card.tiers.settings(),
    }


def _cpa_initial(part: CpaRow) -> tuple[Any, ...]:
    amounts = (trimmed(value) for value in (part.amount, part.min_deposit, part.min_lots))
    return (", ".join(part.countries), *amounts, part.within_days)


def _part_initial(part: ComponentRow) -> dict[str, Any]:
    value = part.value * 100 if part.component in SHARES_OF_MONEY else part.value
    cap, markup = (None if amount is None else trimmed(amount) for amount in (part.cap, part.markup))
    values = (part.component, part.group, part.accounts, trimmed(value), cap, markup)
    return dict(zip(PART_FIELDS, values, strict=True))
