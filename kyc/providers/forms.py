"""The form of a provider: its level and signatures beside what every connection says."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.connections.forms import ConnectionForm
from kyc.models.providers import DEFAULT_ALGORITHMS
from kyc.providers.setup import KycProviderApproval, ProviderSetup


class ProviderForm(ConnectionForm):
    kind, setup_class = KycProviderApproval, ProviderSetup

    level_name = forms.CharField(
        label=_("Verification level"), max_length=100, help_text=_("As it is called at the provider")
    )
    webhook_algorithms = forms.MultipleChoiceField(
        label=_("Webhook signatures"),
        widget=forms.CheckboxSelectMultiple,
        initial=list(DEFAULT_ALGORITHMS),
        help_text=_("Messages signed with another algorithm are refused."),
    )

    def __init__(self, data: Any = None, **given: Any) -> None:
        super().__init__(data, **given)
        self.fields["name"].help_text = str(_("Clients read it: they are sent there"))
        self.fields["webhook_algorithms"].choices = list(self.known.algorithms)  # type: ignore[attr-defined]
