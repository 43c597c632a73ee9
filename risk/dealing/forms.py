from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from risk.abuse.models import AbuseEpisode
from risk.dealing.choices import ExecutionBook
from risk.dealing.shock import PERCENT_MAX, PERCENT_MIN, SYMBOLS_MAX, Shock


class RoutingForm(forms.Form):
    """An execution book; `cleaned_data` has the arguments of `propose_routing`, for several clients all but the case."""

    book = forms.ChoiceField(label=_("Execution book"), choices=ExecutionBook.choices, widget=forms.RadioSelect)
    passed_percent = forms.IntegerField(
        label=_("Passed on to the A-book, in percent"),
        min_value=1,
        max_value=99,
        required=False,
        help_text=_("For a split only, from 1 to 99."),
    )
    episode_id = forms.TypedChoiceField(
        label=_("Case that it rests on"), coerce=int, empty_value=None, required=False, help_text=_("Optional.")
    )
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea({"rows": 3}))

    def __init__(self, *args: Any, cases: Sequence[AbuseEpisode] | None, **kwargs: Any) -> None:
        """cases: of the one client; None where several are proposed together."""
        super().__init__(*args, **kwargs)
        if cases is None:
            del self.fields["episode_id"]
        else:
            choices = [("", "–"), *((case.pk, str(case)) for case in cases)]
            self.fields["episode_id"].choices = choices  # type: ignore[attr-defined]


class ShockForm(forms.Form):
    """A move of symbols or of a currency."""

    symbols = forms.MultipleChoiceField(label=_("Symbols"), required=False, widget=forms.SelectMultiple({"size": 10}))
    currency = forms.ChoiceField(
        label=_("Or a currency against all others"), required=False, help_text=_("Leave the symbols empty for it.")
    )
    percent = forms.DecimalField(
        label=_("Move in percent"), min_value=PERCENT_MIN, max_value=PERCENT_MAX, decimal_places=2, initial=-10
    )

    def __init__(self, *args: Any, symbols: Sequence[str], currencies: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["symbols"].choices = [(name, name) for name in symbols]  # type: ignore[attr-defined]
        if not symbols:
            self.fields["symbols"].disabled = True
            self.fields["symbols"].help_text = _("No client in your reach holds what would move.")
        self.fields["currency"].choices = [("", "–"), *((code, code) for code in currencies)]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        symbols, currency = given.get("symbols") or [], given.get("currency") or ""
        if bool(symbols) == bool(currency):
            raise forms.ValidationError(_("Choose symbols or a currency, not both."))
        if len(symbols) > SYMBOLS_MAX:
            raise forms.ValidationError(_("Choose at most %(count)s symbols.") % {"count": SYMBOLS_MAX})
        return given

    @property
    def shock(self) -> Shock:
        given = self.cleaned_data
        return Shock(given["percent"], tuple(given["symbols"]), given["currency"])
