"""Forms around a commission plan: a new plan and what it starts from, its level, the trade that is previewed, a what-if."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.models import Brand, User
from crm.security.scope import reach_of
from ib.agreements.forms import days_tried
from ib.models import Plan, PlanVersion
from ib.plan_editor.rows import LEVELS
from ib.plan_editor.templates import TEMPLATES
from ib.queries import plans_visible_to
from trading.choices import SymbolGroup
from trading.models import SymbolInfo

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
        days.choices = days_tried()
        plan.choices = [("", _("this plan")), *held.order_by("name").distinct().values_list("pk", "name")[:COPIES_MAX]]
        for field in (days, plan):
            field.widget.attrs["aria-label"] = str(field.label)
