"""The form of one level: what it is called, what it requires, what it allows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import get_language_info, gettext
from django.utils.translation import gettext_lazy as _

from clients import proofs
from crm.i18n.languages import base_of
from crm.models import Brand
from crm.money.amounts import exponent, from_minor, to_minor
from crm.ui.forms import DayInput
from kyc.levels.changes import first_day
from kyc.levels.ladder import METHOD_KINDS, Group, Level

LIMITS = {
    "deposits_max_minor": _("Deposits in total, up to"),
    "withdrawals_max_minor": _("Withdrawals in total, up to"),
    "withdrawals_30_days_max_minor": _("Withdrawals in 30 days, up to"),
}
AUDIENCES = {"requires": False, "company_requires": True}
FORM_GROUPS = 4  # of the six that a level may have: more would be no level but a questionnaire


class LevelForm(forms.Form):
    """Fields are built for the brand: a name per language, and requirements as groups of which any one proof is enough."""

    trades = forms.BooleanField(label=_("Opens real trading accounts"), required=False)
    withdraws = forms.BooleanField(label=_("Withdraws money"), required=False)
    methods = forms.MultipleChoiceField(
        label=_("Payment methods"),
        choices=lambda: list(METHOD_KINDS.items()),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("None selected: all."),
    )
    effective_on = forms.DateField(label=_("Effective from"), widget=DayInput())
    reason = forms.CharField(label=_("Reason"), max_length=300)

    def __init__(self, data: Any = None, *, brand: Brand, level: Level) -> None:
        start = {
            "trades": level.trades,
            "withdraws": level.withdraws,
            "methods": level.methods,
            "effective_on": first_day(brand),
        }
        super().__init__(data, initial=start)
        self.brand, self.level = brand, level
        self.languages = list(dict.fromkeys(["en", *map(base_of, brand.languages)]))
        for code in self.languages:
            self.fields[f"name_{code}"] = forms.CharField(
                label=gettext("Name in %(language)s") % {"language": get_language_info(code)["name_translated"]},
                max_length=60,
                required=False,
                initial=level.names.get(code, ""),
            )
        for name, label in LIMITS.items():
            minor = getattr(level, name)
            self.fields[name] = forms.DecimalField(
                label=f"{label} ({brand.base_currency})",
                min_value=0,
                max_digits=15,
                decimal_places=exponent(brand.base_currency),
                required=False,
                initial=None if minor is None else from_minor(minor, brand.base_currency),
                help_text=gettext("Empty: no limit."),
            )
        if level.number:
            for name, for_companies in AUDIENCES.items():
                self._add_groups(name, getattr(level, name), for_companies=for_companies)

    def _add_groups(self, name: str, groups: tuple[Group, ...], *, for_companies: bool) -> None:
        choices = [
            (code, str(proof.label)) for code, proof in proofs.PROOFS.items() if proof.fits(is_company=for_companies)
        ]
        for place in range(FORM_GROUPS):
            self.fields[f"{name}_{place}"] = forms.MultipleChoiceField(
                label=gettext("Requirement %(number)s: any of") % {"number": place + 1},
                choices=choices,
                required=False,
                widget=forms.CheckboxSelectMultiple,
                initial=groups[place] if place < len(groups) else (),
            )

    def _bound(self, prefix: str) -> Iterator[forms.BoundField]:
        return (self[name] for name in self.fields if name.startswith(prefix))

    @property
    def names(self) -> list[forms.BoundField]:
        return list(self._bound("name_"))

    @property
    def limits(self) -> list[forms.BoundField]:
        return [self[name] for name in LIMITS]

    @property
    def person_groups(self) -> list[forms.BoundField]:
        return list(self._bound("requires_"))

    @property
    def company_groups(self) -> list[forms.BoundField]:
        return list(self._bound("company_requires_"))

    @property
    def day(self) -> dt.date:
        day: dt.date = self.cleaned_data["effective_on"]
        return day

    @property
    def wanted(self) -> Level:
        """The level as entered."""
        entered = self.cleaned_data
        groups: dict[str, Any] = {
            name: tuple(
                tuple(entered[f"{name}_{place}"]) for place in range(FORM_GROUPS) if entered.get(f"{name}_{place}")
            )
            for name in AUDIENCES
        }
        amounts: dict[str, Any] = {
            name: None if entered[name] is None else to_minor(entered[name], self.brand.base_currency)
            for name in LIMITS
        }
        return Level(
            self.level.number,
            names={code: name for code in self.languages if (name := entered[f"name_{code}"].strip())},
            trades=entered["trades"],
            withdraws=entered["withdraws"],
            methods=tuple(entered["methods"]),
            **groups,
            **amounts,
        )
