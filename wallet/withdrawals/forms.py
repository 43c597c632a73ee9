"""Forms of withdrawals and their investigations."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as said
from django.utils.translation import gettext_lazy as _

from crm.i18n import formats
from wallet.choices.withdrawals import FindingKind
from wallet.withdrawals.returned_payouts import ReturnOptions, ReturnTerms


def _is_yes(value: str) -> bool:
    return value == "yes"


class FindingForm(forms.Form):
    """How a payout ended, as its PSP or the bank reported it."""

    kind = forms.ChoiceField(label=_("Reported result"))
    psp_reference = forms.CharField(
        label=_("PSP or bank reference"),
        max_length=100,
        required=False,
        help_text=_("Of the payment, or of the return if it was returned. Used to match reports."),
    )
    amount = forms.DecimalField(
        label=_("Amount returned"),
        required=False,
        max_digits=18,
        decimal_places=8,
        widget=forms.TextInput({"inputmode": "decimal"}),
        help_text=_("Leave empty for the full amount."),
    )
    reason = forms.CharField(label=_("Source and details"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))

    returns_fee = forms.TypedChoiceField(label=_("Our fee"), coerce=_is_yes)
    restores_bonus = forms.TypedChoiceField(label=_("Bonus removed by it"), coerce=_is_yes)
    terms_reason = forms.CharField(
        label=_("Reason for the terms"),
        max_length=300,
        required=False,
        help_text=_("Required if fee or bonus differ from the brand's default."),
    )
    field_order = ("kind", "psp_reference", "amount", "returns_fee", "restores_bonus", "terms_reason", "reason")

    def __init__(self, *args: Any, kinds: Any, terms: ReturnOptions | None = None, **kwargs: Any) -> None:
        """Ask about fee and bonus only where there is something to decide. terms: of a payout that may have come back."""
        super().__init__(*args, **{"prefix": "finding", **kwargs})
        self.fields["kind"].choices = [(kind.value, kind.label) for kind in kinds]  # type: ignore[attr-defined]
        if FindingKind.CAME_BACK not in kinds:
            del self.fields["amount"]
        fee, lost = (terms.fee, terms.bonus.lost) if terms else (None, [])
        if terms and fee and fee.amount:
            self._ask(
                "returns_fee",
                terms.returns_fee,
                said("Return it: %(m)s") % {"m": formats.money(fee)},
                said("Keep it: %(m)s") % {"m": formats.money(fee)},
            )
        else:
            del self.fields["returns_fee"]
        if terms and lost:
            credit = ", ".join(f"{loss.grant} {formats.money(loss.money)}" for loss in lost)
            self._ask(
                "restores_bonus", terms.restores_bonus, said("Restore it: %(m)s") % {"m": credit}, said("It stays lost")
            )
        else:
            del self.fields["restores_bonus"]
        if not {"returns_fee", "restores_bonus"} & set(self.fields):
            del self.fields["terms_reason"]

    @property
    def proposal(self) -> dict[str, Any]:
        """The arguments of `propose_outcome`, once the form is valid."""
        values = self.cleaned_data
        return {
            **{name: values[name] for name in ("kind", "reason", "psp_reference", "amount") if name in values},
            "terms": ReturnTerms(
                values.get("returns_fee"), values.get("restores_bonus"), values.get("terms_reason", "")
            ),
        }

    def _ask(self, name: str, usual: bool, yes: str, no: str) -> None:
        self.fields[name].choices = [("yes", yes), ("no", no)]  # type: ignore[attr-defined]
        self.fields[name].initial = "yes" if usual else "no"
