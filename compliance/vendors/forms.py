"""The form of a vendor: its dataset and threshold beside what every connection says."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from compliance.models.vendors import THRESHOLD
from compliance.vendors.setup import THRESHOLD_MAX, THRESHOLD_MIN, ScreeningVendorApproval, VendorSetup
from crm.connections.forms import ConnectionForm


class VendorForm(ConnectionForm):
    kind, setup_class = ScreeningVendorApproval, VendorSetup

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
