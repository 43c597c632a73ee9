"""Forms of the staff pages of challenges."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crm.models import Brand, User
from crm.security.scope import reach_of
from crm.ui.forms import DayInput
from prop.choices import (
    AppealState,
    CorrectionState,
    FundingState,
    GrowthState,
    MergeState,
    PauseState,
    PayoutState,
    StageState,
)
from prop.models import Programme
from prop.news.calendar import TEXT_MAX
from prop.programmes.files import BYTES_MAX
from prop.programmes.templates import TEMPLATES

DAYS_TRIED: Final = (7, 30, 90, 180, 365)
PROGRAMMES_MAX: Final = 100


class ProgrammeForm(forms.Form):
    """A programme's name, and a template that its first version starts from."""

    brand = forms.ModelChoiceField(Brand.objects.none(), label=_("Brand"), empty_label=None)
    name = forms.CharField(max_length=80, label=_("Name"))
    description = forms.CharField(max_length=300, required=False, label=_("Description"))
    start = forms.ChoiceField(
        choices=[(code, label) for code, (label, _text) in TEMPLATES.items()],
        label=_("Start from"),
        initial="two-step",
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["brand"].queryset = Brand.objects.filter(  # type: ignore[attr-defined]
            pk__in=reach_of(user).whole_brands, archived_at=None
        )

    def details(self) -> dict[str, Any]:
        """Return what `create_programme` takes."""
        return {name: self.cleaned_data[name] for name in ("brand", "name", "description")}


class TermsForm(forms.Form):
    """A version as YAML: the same text that a download has."""

    terms = forms.CharField(
        label=_("Terms (YAML)"),
        max_length=BYTES_MAX,
        strip=False,
        widget=forms.Textarea({"rows": 28, "spellcheck": "false", "class": "mono"}),
        help_text=_("Percentages are of the starting balance. The last phase is the funded account."),
    )

    def content(self) -> bytes:
        """Return the text as a file."""
        return str(self.cleaned_data["terms"]).encode()


class ProposeForm(forms.Form):
    """Why a version is to go on sale."""

    reason = forms.CharField(max_length=300, label=_("Reason"))


class TrialForm(forms.Form):
    """On whose challenges of how many days a version is tried."""

    days = forms.TypedChoiceField(label=_("Try on challenges of the last"), coerce=int, initial=90)
    of_programme_id = forms.TypedChoiceField(label=_("of"), coerce=int, empty_value=None, required=False)

    def __init__(self, *args: Any, programme: Programme, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": False, **kwargs})  # one form beside each version
        days, of_programme = self.fields["days"], self.fields["of_programme_id"]
        assert isinstance(days, forms.ChoiceField)
        assert isinstance(of_programme, forms.ChoiceField)
        days.choices = [(n, ngettext("%(count)s day", "%(count)s days", n) % {"count": n}) for n in DAYS_TRIED]
        names = Programme.objects.filter(brand_id=programme.brand_id).values_list("pk", "name")
        of_programme.choices = [("", _("all programmes")), *names[:PROGRAMMES_MAX]]
        for field in (days, of_programme):
            field.widget.attrs["aria-label"] = str(field.label)


class CouponForm(forms.Form):
    """A discount by code."""

    brand = forms.ModelChoiceField(Brand.objects.none(), label=_("Brand"), empty_label=None)
    code = forms.RegexField(r"^[A-Za-z0-9-]{3,24}$", max_length=24, label=_("Code"))
    percent = forms.DecimalField(max_digits=5, decimal_places=2, label=_("Discount in per cent"))
    uses_max = forms.IntegerField(min_value=1, max_value=1_000_000, label=_("Uses"))
    last_day = forms.DateField(label=_("Last day"), widget=DayInput)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["brand"].queryset = Brand.objects.filter(  # type: ignore[attr-defined]
            pk__in=reach_of(user).whole_brands, archived_at=None
        )


class ReleasesForm(forms.Form):
    """Releases of a brand's economic calendar, one a line."""

    brand = forms.ModelChoiceField(Brand.objects.none(), label=_("Brand"), empty_label=None)
    text = forms.CharField(
        label=_("Releases (CSV)"),
        max_length=TEXT_MAX,
        widget=forms.Textarea(
            {"rows": 8, "spellcheck": "false", "class": "mono", "placeholder": "2026-12-04 13:30,USD,Non-farm payrolls"}
        ),
        help_text=_("One release a line: time in UTC, currency, title. Releases that are there already are left."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["brand"].queryset = Brand.objects.filter(  # type: ignore[attr-defined]
            pk__in=reach_of(user).whole_brands, archived_at=None
        )


class PayoutForm(forms.Form):
    outcome = forms.ChoiceField(
        label=_("Decision"),
        choices=[(PayoutState.SENDING.value, _("Pay out")), (PayoutState.REJECTED.value, _("Don't approve"))],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Needed where it isn't approved. The client doesn't see it."),
        max_length=2000,
        required=False,
        widget=forms.Textarea({"rows": 3}),
    )


class PauseForm(forms.Form):
    outcome = forms.ChoiceField(
        label=_("Decision"),
        choices=[(PauseState.RESUMED.value, _("Resume challenge")), (PauseState.ENDED.value, _("End challenge"))],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The client doesn't see it."),
        max_length=2000,
        widget=forms.Textarea({"rows": 3}),
    )


class EndForm(forms.Form):
    """Why a challenge is ended for a forbidden style."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The client doesn't see it."),
        max_length=2000,
        widget=forms.Textarea({"rows": 3}),
    )


class GrowthForm(forms.Form):
    outcome = forms.ChoiceField(
        label=_("Decision"),
        choices=[(GrowthState.SENDING.value, _("Scale account")), (GrowthState.REJECTED.value, _("Don't approve"))],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Needed where it isn't approved. The client doesn't see it."),
        max_length=2000,
        required=False,
        widget=forms.Textarea({"rows": 3}),
    )


class FundingForm(forms.Form):
    outcome = forms.ChoiceField(
        label=_("Decision"),
        choices=[
            (FundingState.SENT.value, _("Send balance again")),
            (FundingState.CLOSED.value, _("Close without a balance")),
        ],
        initial=FundingState.SENT.value,
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Needed to close it. The client doesn't see it."),
        max_length=2000,
        required=False,
        widget=forms.Textarea({"rows": 3}),
    )


class MergeRequestForm(forms.Form):
    """Which account is closed into another one, and the key that makes two clicks one request."""

    closed_id = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**63 - 1)
    request_key = forms.CharField(widget=forms.HiddenInput, max_length=40)


class MergeForm(forms.Form):
    outcome = forms.ChoiceField(
        label=_("Decision"),
        choices=[(MergeState.CLOSING.value, _("Merge accounts")), (MergeState.REJECTED.value, _("Don't approve"))],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Needed where it isn't approved. The client doesn't see it."),
        max_length=2000,
        required=False,
        widget=forms.Textarea({"rows": 3}),
    )


class CorrectionForm(forms.Form):
    outcome = forms.ChoiceField(
        label=_("Decision"),
        choices=[
            (CorrectionState.CORRECTED.value, _("Correct verdict")),
            (CorrectionState.KEPT.value, _("Keep verdict")),
        ],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The client doesn't see it."),
        max_length=2000,
        widget=forms.Textarea({"rows": 3}),
    )


class ReviewForm(forms.Form):
    outcome = forms.ChoiceField(
        label=_("Decision"),
        choices=[(StageState.PASSED.value, _("Approve")), (StageState.REJECTED.value, _("Don't approve"))],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Needed where it isn't approved. The client doesn't see it."),
        max_length=2000,
        required=False,
        widget=forms.Textarea({"rows": 3}),
    )


class AppealDecisionForm(forms.Form):
    outcome = forms.ChoiceField(
        label=_("Decision"),
        choices=[(AppealState.UPHELD.value, _("Uphold")), (AppealState.DISMISSED.value, _("Dismiss"))],
        widget=forms.RadioSelect,
    )
    answer = forms.CharField(
        label=_("Answer to the trader"),
        help_text=_("The trader reads this. State what you checked and why."),
        max_length=2000,
        widget=forms.Textarea({"rows": 4}),
    )
