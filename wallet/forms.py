"""Forms of finance's pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wallet.models import Psp

REPORT_BYTES_MAX = 15 * 1024 * 1024


class ReasonForm(forms.Form):
    """A decision with its reason."""

    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


class OptionalReasonForm(forms.Form):
    reason = forms.CharField(label=_("Note"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2}))


class RefundForm(forms.Form):
    """How much of a deposit goes back, and why."""

    request_key = forms.CharField(max_length=60, widget=forms.HiddenInput)
    amount = forms.DecimalField(
        label=_("Amount"), max_digits=18, decimal_places=8, widget=forms.TextInput({"inputmode": "decimal"})
    )
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


class PspForm(forms.ModelForm):
    """Set-up of a PSP. Keys are written, never shown: an empty field keeps the one that is there."""

    api_key = forms.CharField(
        label=_("API key"), required=False, widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Leave empty to keep the one that is stored"),
    )  # fmt: skip
    webhook_secret = forms.CharField(
        label=_("Webhook signing secret"), required=False, widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("The old one stays valid beside it until the next change"),
    )  # fmt: skip
    merchant = forms.CharField(label=_("Merchant account at the PSP"), required=False)

    class Meta:
        model = Psp
        fields = ("name", "is_enabled", "base_url")
        labels = {
            "name": _("Name"),
            "is_enabled": _("In use"),
            "base_url": _("API address"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["merchant"].initial = self.instance.credentials.get("merchant", "")

    def values(self) -> dict[str, Any]:
        """What `configure_psp` takes."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}

    def keys(self) -> dict[str, str]:
        """The keys that were filled in."""
        names = ("api_key", "webhook_secret", "merchant")
        return {name: self.cleaned_data[name] for name in names if self.cleaned_data.get(name)}


class ReportUploadForm(forms.Form):
    psp = forms.ModelChoiceField(queryset=Psp.objects.none(), label=_("PSP"))
    file = forms.FileField(label=_("Settlement report (CSV)"))

    def __init__(self, *args: Any, psps: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["psp"].queryset = psps  # type: ignore[attr-defined]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > REPORT_BYTES_MAX:
            raise forms.ValidationError(_("The file is larger than 15 MB. Ask the PSP for a shorter period."))
        return file


class ReportFetchForm(forms.Form):
    psp = forms.ModelChoiceField(queryset=Psp.objects.none(), label=_("PSP"))
    first = forms.DateField(label=_("From"), widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label=_("To"), widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, psps: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "fetch_%s", **kwargs})  # the page has a PSP to choose twice
        self.fields["psp"].queryset = psps  # type: ignore[attr-defined]


class PeriodForm(forms.Form):
    first = forms.DateField(label=_("From"), widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label=_("To"), widget=forms.DateInput(attrs={"type": "date"}))
