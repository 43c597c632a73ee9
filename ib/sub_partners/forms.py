"""Forms of offers to sub-partners."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.i18n import formats
from ib.agreements.cards import RateCard
from ib.models import PlanVersion


class OfferForm(forms.Form):
    """A plan that a partner offers, with the highest ratio of each beside its name."""

    name = forms.CharField(max_length=80, label=_("Name of the offer"), help_text=_("Only you see it."))
    plan = forms.TypedChoiceField(label=_("Plan"), coerce=int)
    percent = forms.DecimalField(
        label=_("Of the plan's rates"),
        max_digits=5,
        decimal_places=2,
        min_value=Decimal("0.01"),
        help_text=_("In per cent"),
    )

    def __init__(self, *args: Any, plans: list[tuple[PlanVersion, RateCard, Decimal]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["plan"].choices = [  # type: ignore[attr-defined]
            (
                version.plan_id,
                _("%(plan)s, up to %(most)s %%") % {"plan": version.plan.name, "most": formats.number(most)},
            )
            for version, _card, most in plans
        ]
