"""Forms of commission plans: a new plan and what it starts from, the terms of a version, and the trade that is previewed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crm.models import Brand, User
from crm.security.scope import reach_of
from ib.agreements.cards import (
    COMPONENTS_MAX,
    CPA_MAX,
    TIERS_MAX,
    ComponentRow,
    CpaRow,
    RateCard,
    TierRow,
    Tiers,
    VersionTerms,
    rate_card,
    unknown_countries,
)
from ib.choices import SHARES_OF_MONEY, TRADE_COMPONENTS, Network, SharedWith, TierBasis
from ib.forms import CURRENCIES
from ib.models import Plan, PlanVersion
from ib.plan_editor.templates import TEMPLATES
from ib.queries import plans_visible_to
from trading.choices import SymbolGroup
from trading.models import SymbolInfo

LEVELS: Final = 8
COPIES_MAX: Final = 200
SYMBOLS_MAX: Final = 400
USUAL_SYMBOL: Final = "EURUSD"


class PlanForm(forms.Form):
    """A plan's name, and a template or another plan to start from."""

    brand = forms.ModelChoiceField(Brand.objects.none(), label=_("Brand"), empty_label=None)
    name = forms.CharField(max_length=80, label=_("Name"))
    description = forms.CharField(max_length=300, required=False, label=_("Description"))
    start = forms.ChoiceField(
        choices=[(template.code, template.label) for template in TEMPLATES.values()],
        required=False,
        initial="shared",
        label=_("Start from"),
        widget=forms.RadioSelect,
    )
    copy = forms.TypedChoiceField(
        required=False,
        coerce=int,
        empty_value=None,
        label=_("Or copy an existing plan"),
        help_text=_("Takes its newest version as the start; the original stays as it is"),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        brand, copy = self.fields["brand"], self.fields["copy"]
        assert isinstance(brand, forms.ModelChoiceField)
        assert isinstance(copy, forms.ChoiceField)
        brand.queryset = Brand.objects.filter(pk__in=reach_of(user).whole_brands, archived_at=None)
        newest = (
            PlanVersion.objects.filter(plan__in=plans_visible_to(user))
            .select_related("plan__brand")
            .order_by("plan_id", "-number")
            .distinct("plan_id")[:COPIES_MAX]
        )
        shown = sorted((f"{version.plan.brand} · {version}", version.pk) for version in newest)
        copy.choices = [("", "–"), *((pk, label) for label, pk in shown)]

    def templates(self) -> list[dict[str, Any]]:
        """List the templates as cards to choose from."""
        chosen = self["start"].value()
        return [{"template": template, "is_chosen": template.code == chosen} for template in TEMPLATES.values()]

    @property
    def start_query(self) -> str:
        """Return what the editor starts from, for its address."""
        copied = self.cleaned_data["copy"]
        return f"copy={copied}" if copied else f"start={self.cleaned_data['start'] or 'empty'}"

    def details(self) -> dict[str, Any]:
        """Return what `create_plan` takes."""
        return {name: self.cleaned_data[name] for name in ("brand", "name", "description")}


class EntryForm(forms.Form):
    """What a partner needs for this plan; nothing in both fields: it is no level."""

    lots = forms.DecimalField(
        label=_("Lots in 30 days"), required=False, min_value=0, max_digits=12, decimal_places=2, localize=True
    )
    clients = forms.IntegerField(label=_("Active clients"), required=False, min_value=0, max_value=1_000_000)

    @classmethod
    def of(cls, plan: Plan) -> EntryForm:
        """Fill the form with what a plan asks for now."""
        return cls(initial={"lots": plan.entry_lots, "clients": plan.entry_clients})


CPA_FIELDS: Final = ("countries", "amount", "deposit", "lots", "days")
TIER_FIELDS: Final = ("name", "lots", "percent")
PART_FIELDS: Final = ("kind", "group", "accounts", "value", "cap", "markup")
TERMS: Final = (
    "starts_at",
    "currency",
    "min_hold_seconds",
    "clawback_days",
    "is_pool",
    "account_groups",
    "note",
    "network",
    "min_pips",
    "excluded_symbols",
    "excluded_countries",
    "cap_day",
    "cap_month",
    "excluded_accounts",
    "excluded_shared",
)


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
            label=_("%(component)s, most per trade") % {"component": label}, **amount
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
    countries = tuple(code.upper() for code in _parts(part["countries"] or ""))
    zero = Decimal(0)
    return CpaRow(countries, part["amount"], part["deposit"] or zero, part["lots"] or zero, part["days"] or 90)


def component_row(part: dict[str, Any]) -> ComponentRow:
    """Build a row of the card from the fields of a component; shares of money are in per cent there."""
    share = part["value"] / 100 if part["kind"] in SHARES_OF_MONEY else part["value"]
    return ComponentRow(
        part["kind"], part["group"] or "", (part["accounts"] or "").strip(), share, part["cap"], part["markup"]
    )


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


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
    account_groups = forms.CharField(
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
    excluded_symbols = forms.CharField(
        required=False,
        max_length=400,
        label=_("Excluded symbols"),
        help_text=_("Separate with commas; an asterisk at the end matches the rest"),
    )
    excluded_countries = forms.CharField(
        required=False,
        max_length=400,
        label=_("Excluded client countries"),
        help_text=_("Two-letter codes, separated by commas"),
    )
    excluded_accounts = forms.CharField(
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
    cap_day = forms.DecimalField(
        required=False,
        min_value=Decimal("0.00000001"),
        max_digits=16,
        decimal_places=8,
        label=_("Most per partner and day"),
        help_text=_("In the rate currency. Leave empty for no limit"),
    )
    cap_month = forms.DecimalField(
        required=False,
        min_value=Decimal("0.00000001"),
        max_digits=16,
        decimal_places=8,
        label=_("Most per partner and month"),
        help_text=_("In the rate currency. Leave empty for no limit"),
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

    def clean_account_groups(self) -> list[str]:
        return _parts(self.cleaned_data["account_groups"])

    def clean_excluded_symbols(self) -> list[str]:
        return _parts(self.cleaned_data["excluded_symbols"])

    def clean_excluded_accounts(self) -> list[str]:
        return _parts(self.cleaned_data["excluded_accounts"])

    def clean_excluded_countries(self) -> list[str]:
        codes = [code.upper() for code in _parts(self.cleaned_data["excluded_countries"])]
        if unknown := unknown_countries(codes):
            raise forms.ValidationError(_("Not a country's code: %(codes)s") % {"codes": ", ".join(unknown[:5])})
        return codes

    def clean_network(self) -> str:
        return self.cleaned_data["network"] or Network.INTRODUCER

    def clean_min_pips(self) -> Decimal:
        return self.cleaned_data["min_pips"] or Decimal(0)

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
        codes = [code.upper() for code in _parts(part["countries"] or "")]
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
        return VersionTerms(card=self.card(), **{name: self.cleaned_data[name] for name in TERMS})

    def cell_errors(self) -> list[str]:
        """List what is wrong in single fields, each with its name."""
        return [
            f"{self[name].label}: {error}"
            for name, errors in self.errors.items()
            if name in self.fields
            for error in errors
        ]


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


def initial_of(version: PlanVersion) -> dict[str, Any]:
    """List an earlier version's values for the form, to write the next one or change a draft."""
    initial: dict[str, Any] = {
        "currency": version.currency,
        "min_hold_seconds": version.min_hold_seconds,
        "is_pool": version.is_pool,
        "clawback_days": version.clawback_days,
        "account_groups": ", ".join(version.account_groups),
        "network": version.network,
        "min_pips": trimmed(version.min_pips) or None,
        "excluded_symbols": ", ".join(version.excluded_symbols),
        "excluded_countries": ", ".join(version.excluded_countries),
        "excluded_accounts": ", ".join(version.excluded_accounts),
        "excluded_shared": list(version.excluded_shared),
        **{
            name: None if (cap := getattr(version, name)) is None else trimmed(cap) for name in ("cap_day", "cap_month")
        },
    }
    if version.state == "draft":
        initial |= {"starts_at": timezone.localtime(version.starts_at), "note": version.note}
    return initial | card_initial(rate_card(version))


class PreviewForm(forms.Form):
    """The trade that is previewed. Wrong input falls back to one lot of EURUSD by a client of a level-2 partner."""

    symbol = forms.ChoiceField(required=False, label=_("Symbol"))
    lots = forms.DecimalField(
        required=False, min_value=Decimal("0.01"), max_digits=10, decimal_places=2, initial=Decimal(1), label=_("Lots")
    )
    depth = forms.TypedChoiceField(required=False, coerce=int, empty_value=None, initial=2, label=_("Client at level"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "prefix": "preview"})
        self.groups = symbol_groups()
        symbol, depth = self.fields["symbol"], self.fields["depth"]
        assert isinstance(symbol, forms.ChoiceField)
        assert isinstance(depth, forms.ChoiceField)
        symbol.choices = [(name, name) for name in self.groups]
        self.usual = USUAL_SYMBOL if USUAL_SYMBOL in self.groups else next(iter(self.groups))
        symbol.initial = self.usual
        depth.choices = [(level, str(level)) for level in range(1, LEVELS + 1)]

    def trade(self) -> tuple[str, str, Decimal, int]:
        """Return symbol, symbol group, lots and level."""
        data = self.cleaned_data if self.is_bound and self.is_valid() else {}
        symbol = data.get("symbol") or self.usual
        return symbol, self.groups[symbol], data.get("lots") or Decimal(1), data.get("depth") or 2


def symbol_groups() -> dict[str, str]:
    """Map the mapped symbols of all servers to their group; the groups themselves where no server has been read yet."""
    rows = (
        SymbolInfo.objects.exclude(symbol_group="")
        .exclude(canonical="")
        .order_by("canonical", "symbol_group")
        .distinct("canonical")
        .values_list("canonical", "symbol_group")[:SYMBOLS_MAX]
    )
    return dict(rows) or {str(group.label): str(group) for group in SymbolGroup}


class WhatIfForm(forms.Form):
    """On how many days, and on whose trades, a version is tried out."""

    days = forms.TypedChoiceField(label=_("Try on the trades of"), coerce=int, initial=30)
    for_plan_id = forms.TypedChoiceField(label=_("For partners on"), coerce=int, empty_value=None, required=False)

    def __init__(self, *args: Any, version: PlanVersion, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": False, **kwargs})  # one form beside each version
        held = Plan.objects.filter(brand_id=version.plan.brand_id, partners__isnull=False).exclude(pk=version.plan_id)
        days, plan = self.fields["days"], self.fields["for_plan_id"]
        assert isinstance(days, forms.ChoiceField)
        assert isinstance(plan, forms.ChoiceField)
        days.choices = [(n, ngettext("%(days)s day", "%(days)s days", n) % {"days": n}) for n in (7, 30, 90)]
        plan.choices = [("", _("this plan")), *held.order_by("name").distinct().values_list("pk", "name")[:COPIES_MAX]]
        for field in (days, plan):
            field.widget.attrs["aria-label"] = str(field.label)
