"""Forms about being in step with platforms: mapping a symbol, settling a difference, reading the past again."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from trading.choices import InstrumentClass, SymbolGroup
from trading.models import HouseSymbol, SymbolInfo
from trading.sync.symbol_rules import match, plain_name

HOUSE_MAX = 2000


class MapSymbolForm(forms.Form):
    """What a server's symbol is: one of our symbols, or a new one."""

    name = forms.CharField(
        label=_("CRM symbol"), max_length=32, widget=forms.TextInput(attrs={"list": "house-symbols"})
    )
    symbol_group = forms.ChoiceField(
        label=_("Group"), choices=[("", "–"), *SymbolGroup.choices], help_text=_("Used in partner plans and exposure")
    )
    instrument_class = forms.ChoiceField(
        label=_("Instrument class"),
        choices=[("", "–"), *InstrumentClass.choices],
        help_text=_("Classes used by regulators for leverage caps"),
    )
    contract_size = forms.DecimalField(
        label=_("Units per CRM lot"), min_value=Decimal("0.00000001"), max_digits=20, decimal_places=8
    )
    note = forms.CharField(label=_("Note"), max_length=200, required=False)

    def __init__(self, *args: Any, info: SymbolInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.houses = list(HouseSymbol.objects.order_by("name")[:HOUSE_MAX])
        alias = getattr(info, "alias", None)
        guess = match(info.name, info.path)
        if alias is not None:
            first = {
                "name": alias.symbol.name,
                "symbol_group": alias.symbol.symbol_group,
                "instrument_class": alias.symbol.instrument_class,
                "contract_size": alias.symbol.contract_size,
            }
        elif guess is not None:
            first = {
                "name": guess.house,
                "symbol_group": guess.group,
                "instrument_class": guess.instrument_class,
                "contract_size": guess.lot or info.contract_size,
            }
        else:
            first = {"name": plain_name(info.name), "contract_size": info.contract_size}
        for name, value in first.items():
            self.fields[name].initial = f"{value.normalize():f}" if isinstance(value, Decimal) else value


class CorrectMappingForm(forms.Form):
    """Which earlier mapping counts no more, and why."""

    past = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    note = forms.CharField(label=_("Reason for the correction"), max_length=200)


class LeaveOutForm(forms.Form):
    note = forms.CharField(label=_("Reason for rejection"), max_length=200)
