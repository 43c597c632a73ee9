"""The form of a plan version's terms, and what it starts from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ib.agreements.card_rules import COMPONENTS_MAX, CPA_MAX, TIERS_MAX, unknown_countries
from ib.agreements.cards import SETTINGS, ComponentRow, CpaRow, RateCard, TierRow, Tiers, VersionTerms, rate_card
from ib.choices import ExcludedTrade, Network, SharedWith, TierBasis
from ib.forms import CURRENCIES
from ib.models import PlanVersion
from ib.plan_editor.rows import (
    CPA_FIELDS,
    LEVELS,
    PART_FIELDS,
    TIER_FIELDS,
    card_initial,
    component_fields,
    component_row,
    cpa_fields,
    cpa_row,
    parts_of,
    tier_fields,
    trimmed,
)
from trading.choices import SymbolGroup

# What a draft says, and a next version says again.
OF_A_DRAFT: Final = ("starts_at", "note")


class ListField(forms.CharField):
    """Codes or masks, separated by commas."""

    def clean(self, value: Any) -> list[str]:
        return parts_of(super().clean(value))

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value


class VersionForm(forms.Form):
    """A rate card: money per lot for each symbol group, a share for each level, and single cells that are fixed.

    Only levels and groups in use are shown; `levels` and `groups` say which empty ones were added on the page.
    """

    starts_at = forms.DateTimeField(
        label=_("Valid from"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        help_text=_("Applies to trades closed from this time on"),
    )
    currency = forms.ChoiceField(choices=CURRENCIES, label=_("Rate currency"))
    min_hold_seconds = forms.IntegerField(
        min_value=0, max_value=86_400, initial=180, label=_("Minimum holding time (seconds)")
    )
    clawback_days = forms.IntegerField(
        min_value=0, max_value=365, initial=90, label=_("Clawback period after a chargeback (days)")
    )
    is_pool = forms.BooleanField(
        required=False,
        initial=True,
        label=_("Total rebate is shared"),
        help_text=_("All levels together can't exceed the rate"),
    )
    account_groups = ListField(
        required=False,
        max_length=400,
        label=_("Eligible account groups"),
        help_text=_("Separate with commas; an asterisk at the end matches the rest. Leave empty for all"),
    )
    network = forms.ChoiceField(
        choices=Network.choices,
        required=False,
        initial=Network.INTRODUCER,
        label=_("Pay for clients of sub-partners"),
        help_text=_("How a partner on this plan is paid for clients of the partners below them"),
    )
    min_pips = forms.DecimalField(
        required=False, min_value=0, max_digits=8, decimal_places=1, label=_("Minimum price move (pips)")
    )
    excluded_symbols = ListField(
        required=False,
        max_length=400,
        label=_("Excluded symbols"),
        help_text=_("Separate with commas; an asterisk at the end matches the rest"),
    )
    excluded_countries = ListField(
        required=False,
        max_length=400,
        label=_("Excluded client countries"),
        help_text=_("Two-letter codes, separated by commas"),
    )
    excluded_accounts = ListField(
        required=False,
        max_length=400,
        label=_("Excluded account groups"),
        help_text=_("Separate with commas; an asterisk at the end matches the rest"),
    )
    excluded_shared = forms.MultipleChoiceField(
        choices=SharedWith.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=_("No commission where partner and client share"),
    )
    excluded_trades = forms.MultipleChoiceField(
        choices=ExcludedTrade.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=_("No commission on trades"),
    )
    cap_day = forms.DecimalField(
        required=False,
        min_value=Decimal("0.00000001"),
        max_digits=16,
        decimal_places=8,
        label=_("Most per day"),
        help_text=_("Per partner, in the rate currency. Leave empty for no limit"),
    )
    cap_month = forms.DecimalField(
        required=False,
        min_value=Decimal("0.00000001"),
        max_digits=16,
        decimal_places=8,
        label=_("Most per month"),
        help_text=_("Per partner, in the rate currency. Leave empty for no limit"),
    )
    cap_revenue = forms.DecimalField(
        required=False,
        min_value=Decimal("0.01"),
        max_value=100,
        max_digits=5,
        decimal_places=2,
        label=_("Most of the broker's revenue (%)"),
        help_text=_("Per partner and month, of what the broker earned on the same trades. Leave empty for no limit"),
    )
    is_capped_together = forms.BooleanField(
        required=False,
        label=_("These limits count all partners together"),
        help_text=_("The plan's day, month and revenue limits are one pool that earlier trades fill first"),
    )
    cap_upline = forms.DecimalField(
        required=False,
        min_value=Decimal("0.01"),
        max_value=100,
        max_digits=5,
        decimal_places=2,
        label=_("Most of a trade's revenue for all levels (%)"),
        help_text=_("Of what the broker earned on the trade; level 1 is paid first. Leave empty for no limit"),
    )
    markup_pips = forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=8,
        decimal_places=3,
        label=_("Mark-up that counts as revenue (pips)"),
        help_text=_("Beside the platform's commission and swaps, for the limits above and shares of net revenue"),
    )
    passed_percent = forms.DecimalField(
        required=False,
        min_value=0,
        max_value=100,
        max_digits=5,
        decimal_places=2,
        label=_("Passed on to the client (%)"),
        help_text=_("Of the rebates of the client's own partner, credited to the client's wallet with each settlement"),
    )
    passed_per_lot = forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=16,
        decimal_places=8,
        label=_("Passed on to the client per lot"),
        help_text=_("Instead of a percentage, in the rate currency: of the rebate per lot, at most all of it"),
    )
    carries_negative = forms.BooleanField(
        required=False,
        initial=True,
        label=_("Negative net revenue counts"),
        help_text=_("A client's negative month takes from the partner's other earnings; otherwise it pays nothing"),
    )
    tier_basis = forms.ChoiceField(
        choices=TierBasis.choices, required=False, initial=TierBasis.OWN, label=_("What counts towards a rank")
    )
    tier_months = forms.IntegerField(
        required=False, min_value=1, max_value=12, initial=1, label=_("Full months that count")
    )
    tier_grace = forms.IntegerField(
        required=False, min_value=0, max_value=12, initial=0, label=_("Months below a rank before it's lost")
    )
    note = forms.CharField(required=False, max_length=300, label=_("Note for the approver"))

    def __init__(self, *args: Any, like: PlanVersion | None = None, **kwargs: Any) -> None:
        if like is not None and "initial" not in kwargs:
            kwargs["initial"] = initial_of(like)
        super().__init__(*args, **kwargs)
        for group in SymbolGroup:
            self.fields[f"rate_{group}"] = self._amount(_("%(group)s, per lot") % {"group": group.label})
            for level in range(1, LEVELS + 1):
                self.fields[f"fixed_{group}_{level}"] = self._amount(
                    _("%(group)s, fixed amount for level %(level)s") % {"group": group.label, "level": level}
                )
        for level in range(1, LEVELS + 1):
            self.fields[f"share_{level}"] = forms.DecimalField(
                required=False,
                min_value=0,
                max_value=100,
                max_digits=9,
                decimal_places=6,
                label=_("Share for level %(level)s") % {"level": level},
            )
        for row in range(1, COMPONENTS_MAX + 1):
            self.fields |= component_fields(row)
        for row in range(1, CPA_MAX + 1):
            self.fields |= cpa_fields(row)
        for row in range(1, TIERS_MAX + 1):
            self.fields |= tier_fields(row)
        for name in self.fields:  # the matrix has no labels beside its cells
            if name.startswith(("rate_", "fixed_", "share_", "part_", "cpa_", "tier_")):
                self.fields[name].widget.attrs |= {"aria-label": str(self.fields[name].label)}
            if name.startswith(("rate_", "fixed_", "share_")) or name.endswith(
                ("_value", "_cap", "_markup", "_amount", "_deposit", "_lots", "_percent")
            ):
                self.fields[name].widget.attrs |= {"inputmode": "decimal"}
        if not self.is_bound and "starts_at" not in self.initial:
            tomorrow = timezone.localtime() + dt.timedelta(days=1)
            self.initial["starts_at"] = tomorrow.replace(hour=0, minute=0, second=0, microsecond=0)

    @staticmethod
    def _amount(label: Any) -> forms.DecimalField:
        return forms.DecimalField(required=False, min_value=0, max_digits=16, decimal_places=8, label=label)

    def clean_excluded_countries(self) -> list[str]:
        codes = [code.upper() for code in self.cleaned_data["excluded_countries"]]
        if unknown := unknown_countries(codes):
            raise forms.ValidationError(_("Not a country's code: %(codes)s") % {"codes": ", ".join(unknown[:5])})
        return codes

    def clean_network(self) -> str:
        return self.cleaned_data["network"] or Network.INTRODUCER

    def clean_min_pips(self) -> Decimal:
        return self.cleaned_data["min_pips"] or Decimal(0)

    def clean_markup_pips(self) -> Decimal:
        return self.cleaned_data["markup_pips"] or Decimal(0)

    def clean_passed_percent(self) -> Decimal:
        return self.cleaned_data["passed_percent"] or Decimal(0)

    def clean_passed_per_lot(self) -> Decimal:
        return self.cleaned_data["passed_per_lot"] or Decimal(0)

    def clean(self) -> dict[str, Any]:
        """Refuse component rows that are half filled in."""
        data = super().clean() or {}
        for row in range(1, COMPONENTS_MAX + 1):
            kind, value = data.get(f"part_{row}_kind"), data.get(f"part_{row}_value")
            if bool(kind) != (value is not None) and not self.errors.keys() & {f"part_{row}_kind", f"part_{row}_value"}:
                self.add_error(f"part_{row}_value", _("Enter both what is paid and how much, or neither."))
        for row in range(1, CPA_MAX + 1):
            self._check_cpa(row, {name: data.get(f"cpa_{row}_{name}") for name in CPA_FIELDS})
        for row in range(1, TIERS_MAX + 1):
            self._check_tier(row, {name: data.get(f"tier_{row}_{name}") for name in TIER_FIELDS})
        return data

    def _check_cpa(self, row: int, part: dict[str, Any]) -> None:
        if part["amount"] is None and any(part.values()) and f"cpa_{row}_amount" not in self.errors:
            self.add_error(f"cpa_{row}_amount", _("Enter what is paid for a client who qualifies."))
        codes = [code.upper() for code in parts_of(part["countries"] or "")]
        if unknown := unknown_countries(codes):
            message = _("Not a country's code: %(codes)s") % {"codes": ", ".join(unknown[:5])}
            self.add_error(f"cpa_{row}_countries", message)

    def _check_tier(self, row: int, part: dict[str, Any]) -> None:
        is_wrong = any(f"tier_{row}_{name}" in self.errors for name in TIER_FIELDS)
        if any(part.values()) and not all(part.values()) and not is_wrong:
            self.add_error(f"tier_{row}_name", _("Enter a rank's name, its lots and its percentage."))

    def card(self) -> RateCard:
        """Build the card of what is valid so far."""
        data = self.cleaned_data
        return RateCard(
            rates={str(g): data[f"rate_{g}"] for g in SymbolGroup if data.get(f"rate_{g}") is not None},
            shares={
                level: data[f"share_{level}"] / 100
                for level in range(1, LEVELS + 1)
                if data.get(f"share_{level}") is not None
            },
            overrides={
                (str(g), level): data[f"fixed_{g}_{level}"]
                for g in SymbolGroup
                for level in range(1, LEVELS + 1)
                if data.get(f"fixed_{g}_{level}") is not None
            },
            components=tuple(self._components()),
            cpa=tuple(self._cpa()),
            tiers=self._tiers(),
        )

    def _tiers(self) -> Tiers:
        data = self.cleaned_data
        parts = [[data.get(f"tier_{row}_{name}") for name in TIER_FIELDS] for row in range(1, TIERS_MAX + 1)]
        rows = tuple(TierRow(name, lots, percent / 100) for name, lots, percent in parts if name and lots and percent)
        if not rows:
            return Tiers()
        return Tiers(
            rows, data.get("tier_basis") or TierBasis.OWN, data.get("tier_months") or 1, data.get("tier_grace") or 0
        )

    def _cpa(self) -> Iterator[CpaRow]:
        for row in range(1, CPA_MAX + 1):
            part = {name: self.cleaned_data.get(f"cpa_{row}_{name}") for name in CPA_FIELDS}
            if part["amount"] is not None:
                yield cpa_row(part)

    def _components(self) -> Iterator[ComponentRow]:
        for row in range(1, COMPONENTS_MAX + 1):
            part = {name: self.cleaned_data.get(f"part_{row}_{name}") for name in PART_FIELDS}
            if part["kind"] and part["value"] is not None:
                yield component_row(part)

    def terms(self) -> VersionTerms:
        """Build what valid input says."""
        return VersionTerms(card=self.card(), **{name: self.cleaned_data[name] for name in SETTINGS})

    def cell_errors(self) -> list[str]:
        """List what is wrong in single fields, each with its name."""
        return [
            f"{self[name].label}: {error}"
            for name, errors in self.errors.items()
            if name in self.fields
            for error in errors
        ]


def initial_of(version: PlanVersion) -> dict[str, Any]:
    """List an earlier version's values for the form, to write the next one or change a draft."""
    initial = {name: _shown(getattr(version, name)) for name in SETTINGS if name not in OF_A_DRAFT}
    if version.state == "draft":
        initial |= {"starts_at": timezone.localtime(version.starts_at), "note": version.note}
    return initial | card_initial(rate_card(version))


def _shown(value: Any) -> Any:
    return (trimmed(value) or None) if isinstance(value, Decimal) else value
