"""The form of a connection: its keys as the adapter names them, its address, dataset and threshold."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from compliance.models import ScreeningVendor
from compliance.models.vendors import THRESHOLD
from compliance.vendors.adapters import ADAPTERS, adapter_class
from compliance.vendors.setup import THRESHOLD_MAX, THRESHOLD_MIN, VendorSetup
from crm.models import Brand

ADDRESS_HELP = _("Leave empty for the vendor's default. “sandbox:” is the sandbox of this installation.")
KEPT = _("Stored. Leave empty to keep it.")
FIELDS_SHOWN = ("name", "base_url", "dataset", "threshold", "is_enabled")
DEFAULT_ADAPTER = next(iter(ADAPTERS))


class VendorForm(forms.Form):
    """A new connection, or a change of one. Secrets are written and never shown."""

    brand: forms.ModelChoiceField[Brand] = forms.ModelChoiceField(queryset=None, label=_("Brand"), empty_label=None)
    name = forms.CharField(label=_("Name"), max_length=60, help_text=_("Shown beside its matches"))
    code = forms.SlugField(
        label=_("Code"),
        max_length=20,
        required=False,
        help_text=_("Part of the webhook's address; empty: generated from the name"),
    )
    base_url = forms.CharField(label=_("API address"), max_length=200, required=False, help_text=ADDRESS_HELP)
    dataset = forms.CharField(
        label=_("Dataset"),
        max_length=60,
        initial="default",
        help_text=_("The vendor's collection: default, sanctions, peps"),
    )
    threshold = forms.DecimalField(
        label=_("Vendor's threshold"),
        min_value=THRESHOLD_MIN,
        max_value=THRESHOLD_MAX,
        max_digits=4,
        decimal_places=3,
        initial=THRESHOLD,
        help_text=_("Results with this score of the vendor's or more are reviewed. OpenSanctions recommends 0.7."),
    )
    is_enabled = forms.BooleanField(label=_("In use"), required=False, initial=True)
    reason = forms.CharField(label=_("Reason"), max_length=300)

    def __init__(
        self, data: Any = None, *, adapter: str, brands: QuerySet[Brand], vendor: ScreeningVendor | None
    ) -> None:
        start = {name: getattr(vendor, name) for name in FIELDS_SHOWN} if vendor is not None else None
        super().__init__(data, initial=start)
        self.adapter, self.vendor = adapter, vendor
        known = adapter_class(adapter)
        self.fields["brand"].queryset = brands  # type: ignore[attr-defined]
        if vendor is None:
            self.fields["name"].initial = "OpenSanctions"
        else:
            del self.fields["brand"], self.fields["code"]
        for key in known.keys:
            self.fields[key.name] = forms.CharField(
                label=str(key.label),
                required=vendor is None,
                help_text=KEPT if vendor is not None else str(key.help_text),
                max_length=300,
                # A browser would fill in the password that it knows for this site, over the stored key.
                widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
            )
        keys = [key.name for key in known.keys]
        self.order_fields(["brand", "name", *keys, "dataset", "threshold", "base_url", "is_enabled", "code", "reason"])

    @property
    def setup(self) -> VendorSetup:
        """The connection as entered."""
        entered = self.cleaned_data
        return VendorSetup(
            adapter=self.adapter,
            code=(entered.get("code") or slugify(entered["name"]))[:20],
            name=entered["name"],
            base_url=entered["base_url"].strip().rstrip("/"),
            dataset=entered["dataset"].strip(),
            threshold=entered["threshold"],
            is_enabled=entered["is_enabled"],
            keys={key.name: entered.get(key.name, "") for key in adapter_class(self.adapter).keys},
        )
